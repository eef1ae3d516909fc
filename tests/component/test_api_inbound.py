"""Calls that came in over HTTP: what staff see of them, and what the agents who took them may do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.endpoints import PREFIX
from engine.core.events import LegEnded, TimerFired
from engine.core.terms import AttemptId, CallbackId, CallbackState, LegId, RequestChannel
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT, OTHER_PHONE, PHONE, refused
from tests.component.desk_harness import BEN, answered
from tests.component.inbound_harness import DIALLED, Callers, inbound_document, running_callers
from tests.component.slot_harness import EVENING, TEN_NEXT_DAY, TEN_NEXT_DAY_UTC

NOW_UTC = "2027-01-13T15:00:00.000Z"


@pytest_asyncio.fixture
async def callers(tmp_path: Path) -> AsyncIterator[Callers]:
    async with running_callers(tmp_path) as running:
        yield running


async def staff_view(callers: Callers, callback: str) -> dict[str, Any]:
    return await answered(await callers.floor.api.ask("GET", f"{PREFIX}/callbacks/{callback}"))


# ---- what staff see ----------------------------------------------------------------------------------------------


async def test_a_caller_who_waits_is_shown_with_place_and_so_far_waited(callers: Callers) -> None:
    call = await callers.rings_in()
    callers.floor.clock.at += 12.5
    behind = await callers.rings_in(OTHER_PHONE)
    assert await callers.seen(call) == {
        "id": call,
        "service": "billing",
        "dialled": DIALLED,
        "phone": PHONE,
        "language": "en",
        "state": "waiting",
        "outcome": None,
        "position": 1,
        "wait": None,
        "agent": None,
        "callback": None,
        "disposition": None,
        "outcome_code": None,
        "notes": None,
        "entered_at": NOW_UTC,
        "joined_at": NOW_UTC,
        "bridged_at": None,
        "transferred_at": None,
        "ended_at": None,
        "talk_seconds": None,
        "wait_seconds": 12.5,
    }
    assert [(each["id"], each["position"]) for each in await callers.listed()] == [(behind, 2), (call, 1)]


async def test_the_expected_wait_is_that_of_the_line(callers: Callers) -> None:
    callers.floor.clock.at += 1
    call = await callers.talks()
    callers.floor.clock.at += 120
    await callers.hangs_up(call)
    callers.floor.clock.at += 30
    await callers.floor.wrap_up_ends()
    await callers.talks()
    waiting = await callers.rings_in(OTHER_PHONE)
    wait = (await callers.seen(waiting))["wait"]
    assert wait["p80_seconds"] >= wait["p50_seconds"] > 30
    assert (await callers.listed())[0]["wait"] == wait


async def test_a_call_is_followed_from_its_ring_to_its_end(callers: Callers) -> None:
    clock = callers.floor.clock
    call = await callers.rings_in()
    clock.at += 20
    await callers.floor.ready()
    seen = await callers.seen(call)
    assert (seen["state"], seen["agent"], seen["position"]) == ("ringing", AGENT, None)
    clock.at += 5
    await callers.agent_answers(call)
    seen = await callers.seen(call)
    assert (seen["state"], seen["agent"], seen["wait_seconds"], seen["talk_seconds"]) == ("connected", AGENT, 25, None)
    clock.at += 60
    await callers.hangs_up(call)
    seen = await callers.seen(call)
    assert (seen["state"], seen["outcome"], seen["agent"]) == ("ended", "connected", AGENT)
    assert (seen["wait_seconds"], seen["talk_seconds"]) == (25, 60)


async def test_who_hangs_up_while_waiting_is_in_the_list_with_how_long_they_waited(callers: Callers) -> None:
    call = await callers.rings_in()
    callers.floor.clock.at += 47
    await callers.hangs_up(call)
    callers.floor.clock.at += 1000
    (seen,) = await callers.listed("?outcome=abandoned")
    assert (seen["id"], seen["state"], seen["wait_seconds"], seen["position"]) == (call, "ended", 47, None)
    assert seen == await callers.seen(call)


async def test_who_asks_for_a_callback_is_in_the_menu_then_let_go(callers: Callers) -> None:
    call = await callers.rings_in()
    await callers.presses(call, "1")
    seen = await callers.seen(call)
    assert (seen["state"], seen["position"], seen["wait"]) == ("menu", 1, None), "the place is kept"
    await callers.presses(call, "1")
    seen = await callers.seen(call)
    assert (seen["state"], seen["outcome"]) == ("closing", "callback")
    made = await staff_view(callers, seen["callback"])
    assert (made["state"], made["phone"], made["channel"]) == ("queued", PHONE, "phone")
    await callers.hangs_up(call)
    assert (await callers.seen(call))["state"] == "ended"


async def test_an_agent_whose_phone_rang_out_did_not_have_the_call(callers: Callers) -> None:
    await callers.floor.ready()
    call = await callers.rings_in()
    callers.floor.clock.at += 15
    await callers.floor.api.engine.submit(TimerFired(call, "agent_ring"))
    seen = await callers.seen(call)
    assert (seen["state"], seen["agent"], seen["position"]) == ("waiting", None, 1)
    await callers.hangs_up(call)
    seen = await callers.seen(call)
    assert (seen["outcome"], seen["agent"]) == ("abandoned", None)
    late = await callers.floor.as_agent("POST", f"/work/{call}/complete", {"disposition": "sold"})
    await refused(late, 404, "not-found")


async def test_outside_the_hours_nobody_waits(callers: Callers) -> None:
    callers.floor.clock.set(EVENING)
    call = await callers.rings_in()
    callers.floor.clock.at += 10
    seen = await callers.seen(call)
    assert (seen["joined_at"], seen["position"], seen["wait_seconds"]) == (None, None, None)
    assert (seen["state"], seen["outcome"]) == ("closing", "closed"), "no slots can be booked"


async def test_a_number_that_no_service_takes_is_shown_as_refused(tmp_path: Path) -> None:
    document = inbound_document()
    document["services"][0]["inbound"] = {"numbers": [DIALLED]}
    async with running_callers(tmp_path, document) as callers:
        call = await callers.rings_in(dialled="+12025550199")
        seen = await callers.seen(call)
        assert (seen["service"], seen["state"], seen["outcome"]) == ("", "ended", "refused")
        assert seen["wait_seconds"] is None


async def test_the_list_is_narrowed_and_paged(callers: Callers) -> None:
    first = await callers.rings_in()
    await callers.hangs_up(first)
    callers.floor.clock.at += 60
    second = await callers.rings_in(OTHER_PHONE)
    third = await callers.rings_in(None)
    ask = callers.floor.api.ask

    async def ids(query: str) -> list[str]:
        return [each["id"] for each in await callers.listed(query)]

    assert await ids("") == [third, second, first]
    assert await ids(f"?phone={OTHER_PHONE}") == [second]
    assert await ids("?outcome=abandoned&service=billing") == [first]
    assert await ids("?service=hidden") == []
    assert await ids("?from=2027-01-13T15:01:00Z") == [third, second]
    assert await ids("?to=2027-01-13T15:01:00Z") == [first]
    page = await answered(await ask("GET", f"{PREFIX}/inbound?limit=2"))
    rest = await answered(await ask("GET", f"{PREFIX}/inbound?limit=2&cursor={page['next']}"))
    assert ([each["id"] for each in page["items"]], [each["id"] for each in rest["items"]]) == (
        [third, second],
        [first],
    )
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["?outcome=busy", "?limit=0", "?cursor=nonsense", "?from=yesterday"])
async def test_a_list_that_cannot_be_asked_for_is_refused(callers: Callers, query: str) -> None:
    await refused(await callers.floor.api.ask("GET", f"{PREFIX}/inbound{query}"), 422, "invalid-field")


async def test_only_staff_see_who_rang_in(callers: Callers) -> None:
    call = await callers.rings_in()
    for role in (KeyRole.PUBLIC, KeyRole.AGENT, KeyRole.METRICS):
        for path in (f"{PREFIX}/inbound", f"{PREFIX}/inbound/{call}"):
            await refused(await callers.floor.api.ask("GET", path, role=role), 403, "forbidden")
    seen = await answered(await callers.floor.api.ask("GET", f"{PREFIX}/inbound/{call}", role=KeyRole.SUPERVISOR))
    assert seen["id"] == call
    await refused(await callers.floor.api.ask("GET", f"{PREFIX}/inbound/callnobody-1"), 404, "not-found")


async def test_calls_are_there_after_a_restart(tmp_path: Path) -> None:
    async with running_callers(tmp_path) as callers:
        over = await callers.call_is_over()
        ringing, waiting = await callers.rings_in(OTHER_PHONE), await callers.rings_in(None)
        before = [await callers.seen(call) for call in (over, ringing, waiting)]
        assert [each["state"] for each in before] == ["ended", "ringing", "waiting"]
    async with running_callers(tmp_path) as callers:
        callers.floor.clock.at += 30
        assert await callers.seen(over) == before[0]
        assert await callers.seen(ringing) == before[1]
        # Whether they are still there, a look at Asterisk tells first.
        assert await callers.seen(waiting) == before[2] | {"position": None, "wait": None}


# ---- the agent's desk ----------------------------------------------------------------------------------------------


async def test_an_agent_sees_who_rings_in(callers: Callers) -> None:
    await callers.floor.ready()
    call = await callers.rings_in()
    desk = await callers.floor.desk()
    assert desk["agent"]["state"] == "ringing"
    assert desk["works"] == [desk["work"]]
    assert desk["work"] == {
        "id": call,
        "kind": "inbound",
        "media": "voice",
        "service": "billing",
        "stage": "ringing",
        "callback": None,
        "attempt": None,
        "respond_by": None,
        "customer": {
            "subject": None,
            "customer_id": None,
            "first_name": None,
            "last_name": None,
            "phone": PHONE,
            "language": "en",
            "page_url": None,
            "context": {},
        },
    }
    shown = (await answered(await callers.floor.api.ask("GET", f"{PREFIX}/agents")))["items"][0]["work"]
    assert shown == {
        "id": call,
        "kind": "inbound",
        "media": "voice",
        "service": "billing",
        "stage": "ringing",
        "callback": None,
        "attempt": None,
    }


async def test_a_withheld_number_is_shown_as_none(callers: Callers) -> None:
    await callers.talks(None)
    assert (await callers.floor.desk())["work"]["customer"]["phone"] is None


async def test_what_the_number_had_asked_for_is_shown_before_while_and_after_they_talk(callers: Callers) -> None:
    asked = await callers.floor.api.accepted(first_name="Ada", subject="invoice", context={"order": 5}, language="es")
    call = await callers.rings_in()
    await callers.rings_in(OTHER_PHONE)
    await callers.floor.ready()

    async def customer() -> dict[str, Any]:
        work = (await callers.floor.desk())["work"]
        assert work["id"] == call, "in the place of the callback"
        found: dict[str, Any] = work["customer"]
        return found

    ringing = await customer()
    assert (ringing["first_name"], ringing["subject"], ringing["context"]) == ("Ada", "invoice", {"order": "5"})
    assert ringing["language"] == "en", "the language of the call"
    assert (await staff_view(callers, asked["id"]))["state"] == "queued"
    await callers.agent_answers(call)
    assert await customer() == ringing
    ended = await staff_view(callers, asked["id"])
    assert (ended["state"], ended["reason"]) == ("cancelled", "called_in")
    await callers.hangs_up(call)
    assert await customer() == ringing, "in wrap-up too"


async def test_what_another_number_or_service_asked_for_is_not_shown(callers: Callers) -> None:
    await callers.floor.api.accepted(first_name="Ada", phone=OTHER_PHONE)
    wanted = {"service": "hidden", "phone": PHONE, "first_name": "Bob"}
    await answered(await callers.floor.api.ask("POST", f"{PREFIX}/callbacks", json=wanted), 201)
    await callers.rings_in()
    await callers.floor.ready()
    await callers.floor.ready(BEN)
    seen = [(await callers.floor.desk(agent))["work"] for agent in (AGENT, BEN)]
    (customer,) = [each["customer"] for each in seen if each["kind"] == "inbound"]
    assert (customer["phone"], customer["first_name"]) == (PHONE, None)


async def test_what_ended_long_ago_is_not_shown(callers: Callers) -> None:
    asked = await callers.floor.api.accepted(first_name="Ada")
    await answered(await callers.floor.api.ask("DELETE", f"{PREFIX}/callbacks/{asked['id']}"))
    callers.floor.clock.at += 28 * 86400
    call = await callers.talks()
    assert (await callers.floor.desk())["work"]["customer"]["first_name"] == "Ada"
    await callers.hangs_up(call)
    await callers.floor.wrap_up_ends()
    callers.floor.clock.at += 7 * 86400
    await callers.talks()
    assert (await callers.floor.desk())["work"]["customer"]["first_name"] is None


async def test_the_stream_tells_of_a_call_that_comes_in(callers: Callers) -> None:
    await callers.floor.api.accepted(first_name="Ada", phone=PHONE)
    await callers.floor.ready(BEN)  # offered the callback: the caller is for Amy
    headers = {"Authorization": f"Bearer {callers.floor.keys[AGENT]}"}
    async with callers.floor.api.client.ws_connect(f"{PREFIX}/agent/stream", headers=headers) as stream:
        assert (await stream.receive_json(timeout=5))["type"] == "snapshot"
        call = await callers.talks(OTHER_PHONE)
        await callers.hangs_up(call)
        await callers.floor.wrap_up_ends()
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["type"] != "ended":
            heard.append(await stream.receive_json(timeout=5))
    of_call = [each for each in heard if each["work"] is not None]
    assert [each["type"] for each in of_call][-4:] == ["ringing", "connected", "wrap_up", "ended"]
    for each in of_call:
        assert (each["work"]["id"], each["work"]["kind"], each["work"]["attempt"]) == (call, "inbound", None)
        assert each["work"]["customer"]["phone"] == OTHER_PHONE


# ---- classified ------------------------------------------------------------------------------------------------------


async def test_a_call_that_came_in_is_classified_and_the_wrap_up_ends(callers: Callers) -> None:
    call = await callers.talks()
    await callers.hangs_up(call)
    assert (await callers.floor.desk())["agent"]["state"] == "wrap_up"
    said = {"disposition": "sold", "outcome_code": "paid", "notes": "two\nlines"}
    desk = await answered(await callers.floor.as_agent("POST", f"/work/{call}/complete", said))
    assert (desk["agent"]["state"], desk["work"]) == ("ready", None)
    seen = await callers.seen(call)
    assert {name: seen[name] for name in said} == said
    (listed,) = await callers.listed()
    assert listed == seen


async def test_it_is_classified_while_it_goes_on_and_goes_on(callers: Callers) -> None:
    call = await callers.talks()
    desk = await answered(await callers.floor.as_agent("POST", f"/work/{call}/complete", {"disposition": "sold"}))
    assert desk["agent"]["state"] == "talking"
    seen = await callers.seen(call)
    assert (seen["state"], seen["disposition"]) == ("connected", "sold")


async def test_it_is_classified_long_after_it_ended_and_the_last_word_counts(tmp_path: Path) -> None:
    async with running_callers(tmp_path) as callers:
        call = await callers.call_is_over()
        for said in ({"disposition": "sold", "notes": "x"}, {"disposition": "sold", "outcome_code": "paid"}):
            await answered(await callers.floor.as_agent("POST", f"/work/{call}/complete", said))
    async with running_callers(tmp_path) as callers:
        seen = await callers.seen(call)
        assert (seen["disposition"], seen["outcome_code"], seen["notes"]) == ("sold", "paid", None)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"disposition": "no-such"}, "unknown-disposition"),
        ({"disposition": "complaint"}, "unknown-disposition"),  # of another service
        ({"notes": "without a code"}, "invalid-field"),
        ({}, "invalid-field"),
    ],
)
async def test_what_cannot_be_said_of_it_changes_nothing(callers: Callers, said: dict[str, str], code: str) -> None:
    call = await callers.talks()
    await callers.hangs_up(call)
    await refused(await callers.floor.as_agent("POST", f"/work/{call}/complete", said), 422, code)
    assert (await callers.floor.desk())["work"]["stage"] == "wrap_up"
    assert (await callers.seen(call))["disposition"] is None


async def test_a_call_that_only_rings_is_not_complete(callers: Callers) -> None:
    await callers.floor.ready()
    call = await callers.rings_in()
    response = await callers.floor.as_agent("POST", f"/work/{call}/complete", {"disposition": "sold"})
    await refused(response, 409, "wrong-state")
    assert (await callers.seen(call))["disposition"] is None
    for answer in ("accept", "reject"):
        await refused(await callers.floor.as_agent("POST", f"/work/{call}/{answer}"), 409, "wrong-state")


@pytest.mark.parametrize("over", [True, False])
async def test_nobody_classifies_or_repeats_the_call_of_another_agent(callers: Callers, *, over: bool) -> None:
    call = await callers.call_is_over() if over else await callers.talks()
    for action, body in (("complete", {"disposition": "sold"}), ("reschedule", {"when": TEN_NEXT_DAY})):
        response = await callers.floor.as_agent("POST", f"/work/{call}/{action}", body, agent=BEN)
        await refused(response, 404, "not-found")
    assert (await callers.seen(call))["disposition"] is None


# ---- called again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped_up", [True, False])
async def test_after_the_call_the_caller_is_called_again(callers: Callers, *, wrapped_up: bool) -> None:
    call = await callers.talks()
    await callers.hangs_up(call)
    if wrapped_up:
        await callers.floor.wrap_up_ends()
    put_off = await answered(await callers.floor.as_agent("POST", f"/work/{call}/reschedule", {"when": TEN_NEXT_DAY}))
    assert put_off["scheduled_for"] == TEN_NEXT_DAY_UTC
    made = await callers.floor.api.queries.callback(CallbackId(put_off["callback"]))
    assert made is not None
    assert (made.state, made.parent_id) == (CallbackState.SCHEDULED, None)
    assert (made.request.phone, made.request.channel) == (PHONE, RequestChannel.PHONE)
    assert made.request.zones == ("America/New_York",)
    again = await callers.floor.as_agent("POST", f"/work/{call}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(again, 409, "duplicate-request")


async def test_who_had_asked_is_called_again_by_name(callers: Callers) -> None:
    asked = await callers.floor.api.accepted(first_name="Ada", subject="invoice")
    call = await callers.rings_in()  # before an agent is ready, who would be asked about the callback
    await callers.floor.ready()
    await callers.agent_answers(call)
    await callers.hangs_up(call)
    put_off = await answered(await callers.floor.as_agent("POST", f"/work/{call}/reschedule", {"when": TEN_NEXT_DAY}))
    made = await staff_view(callers, put_off["callback"])
    assert (made["first_name"], made["subject"], made["parent_id"]) == ("Ada", "invoice", asked["id"])


async def test_who_withheld_their_number_cannot_be_called_again(callers: Callers) -> None:
    call = await callers.call_is_over(None)
    response = await callers.floor.as_agent("POST", f"/work/{call}/reschedule", {"when": TEN_NEXT_DAY})
    problem = await refused(response, 409, "wrong-state")
    assert problem["detail"].startswith("this caller's number is not known, so they cannot be called")
    assert (await callers.floor.api.queries.callbacks()).items == ()


async def test_a_call_that_goes_on_is_not_put_off(callers: Callers) -> None:
    call = await callers.talks()
    response = await callers.floor.as_agent("POST", f"/work/{call}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(response, 409, "wrong-state")
    assert (await callers.floor.api.queries.callbacks()).items == ()


# ---- what nobody saw -------------------------------------------------------------------------------------------------


async def test_an_agent_who_hangs_up_first_ends_the_call(callers: Callers) -> None:
    call = await callers.talks()
    callers.floor.clock.at += 9
    await callers.floor.api.engine.submit(LegEnded(LegId(f"{call}.agent.1"), 16))
    seen = await callers.seen(call)
    assert (seen["outcome"], seen["talk_seconds"]) == ("connected", 9)
    assert await callers.floor.api.queries.inbound_call(AttemptId(call)) is not None


# ---- figures ---------------------------------------------------------------------------------------------------------


async def test_callers_who_wait_are_counted_by_service(callers: Callers) -> None:
    def waiting() -> str:
        text = callers.floor.api.metrics.text().decode()
        return next(line for line in text.splitlines() if line.startswith("ringback_inbound_waiting{"))

    assert waiting() == 'ringback_inbound_waiting{service="billing"} 0.0'
    call = await callers.rings_in()
    await callers.rings_in(OTHER_PHONE)
    await callers.presses(call, "1")
    assert waiting() == 'ringback_inbound_waiting{service="billing"} 2.0', "one of them is in the menu"
    await callers.floor.ready()
    await callers.hangs_up(call)
    assert waiting() == 'ringback_inbound_waiting{service="billing"} 0.0', "an agent is rung for the other"
