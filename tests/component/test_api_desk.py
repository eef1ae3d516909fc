"""An agent's own side over HTTP: previews, dispositions, calling again, and nothing that belongs to others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.endpoints import PREFIX
from engine.core.effects import DialCustomer
from engine.core.events import TimerFired
from engine.core.switchboard import PREVIEW
from engine.core.terms import AttemptId, CallbackId, CallbackState
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT, OTHER_PHONE, PHONE, refused
from tests.component.desk_harness import BEN, Floor, answered, desk_document, running_floor
from tests.component.slot_harness import EVENING, TEN_NEXT_DAY, TEN_NEXT_DAY_UTC

NOTHING = "nothing-1"
"""Work that nobody holds."""


@pytest_asyncio.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with running_floor(tmp_path) as running:
        yield running


async def staff_view(floor: Floor, work: str) -> dict[str, Any]:
    return await answered(await floor.api.ask("GET", f"{PREFIX}/callbacks/{callback_of(work)}"))


def callback_of(work: str) -> CallbackId:
    return CallbackId(work.rpartition("-")[0])


def dials(floor: Floor) -> list[str]:
    return [effect.attempt for effect in floor.api.engine.effects if isinstance(effect, DialCustomer)]


# ---- one's own state ---------------------------------------------------------------------------------------------


async def test_an_agent_sees_and_sets_their_own_state(floor: Floor) -> None:
    assert await floor.desk() == {
        "agent": {
            "id": "amy",
            "name": "Amy",
            "presence": "logged_out",
            "state": "logged_out",
            "reason": None,
            "load": {},
        },
        "work": None,
        "works": [],
    }
    away = await answered(await floor.as_agent("PUT", "/state", {"state": "not_ready", "reason": "lunch"}))
    assert (away["agent"]["state"], away["agent"]["reason"]) == ("not_ready", "lunch")
    assert (await floor.desk(BEN))["agent"]["state"] == "logged_out"
    response = await floor.as_agent("PUT", "/state", {"state": "ready", "reason": "lunch"})
    await refused(response, 422, "invalid-field")


async def test_a_key_whose_agent_is_not_configured_any_more_says_so(floor: Floor) -> None:
    document = desk_document()
    document["agents"] = document["agents"][1:]
    await answered(await floor.api.ask("POST", f"{PREFIX}/config", json={"document": document}))
    for method, path in (("GET", ""), ("POST", f"/work/{NOTHING}/accept"), ("POST", f"/work/{NOTHING}/complete")):
        problem = await refused(await floor.as_agent(method, path), 403, "forbidden")
        assert problem["detail"] == "agent amy is not configured any more; ask an administrator"
    assert (await floor.desk(BEN))["agent"]["id"] == "ben"


async def test_an_agents_key_needs_an_agent_and_no_other_key_has_one(floor: Floor) -> None:
    for wanted in ({"role": "agent"}, {"role": "supervisor", "subject": "amy"}):
        response = await floor.api.ask("POST", f"{PREFIX}/keys", json={"name": "x", **wanted})
        await refused(response, 422, "invalid-field")


# ---- previews ----------------------------------------------------------------------------------------------------


async def test_a_preview_shows_the_customer_and_until_when_to_answer(floor: Floor) -> None:
    work = await floor.previewed(
        subject="invoice",
        first_name="Ada",
        last_name="Example",
        customer_id="C-1",
        language="es",
        page_url="https://shop.example/pay",
        context={"order": 5},
    )
    desk = await floor.desk()
    assert desk["agent"]["state"] == "previewing"
    assert desk["agent"]["load"] == {"voice": 1}
    assert desk["works"] == [desk["work"]]
    assert desk["work"] == {
        "id": work,
        "kind": "callback",
        "media": "voice",
        "service": "billing",
        "stage": "offered",
        "callback": callback_of(work),
        "attempt": work,
        "respond_by": "2027-01-13T15:00:20.000Z",
        "customer": {
            "subject": "invoice",
            "customer_id": "C-1",
            "first_name": "Ada",
            "last_name": "Example",
            "phone": PHONE,
            "language": "es",
            "page_url": "https://shop.example/pay",
            "context": {"order": "5"},
        },
    }
    assert dials(floor) == []


async def test_an_accepted_preview_is_dialled_once(floor: Floor) -> None:
    work = await floor.previewed()
    desk = await answered(await floor.as_agent("POST", f"/work/{work}/accept", data="{}"))
    assert (desk["work"]["stage"], desk["work"]["respond_by"]) == ("reserved", None)
    assert dials(floor) == [work]
    await refused(await floor.as_agent("POST", f"/work/{work}/accept"), 409, "wrong-state")
    await refused(await floor.as_agent("POST", f"/work/{work}/reject"), 409, "wrong-state")
    assert dials(floor) == [work]
    kept = await floor.api.queries.attempt(AttemptId(work))
    assert kept is not None
    assert kept.agent == AGENT


async def test_a_rejected_preview_goes_to_somebody_else_and_comes_not_back(floor: Floor) -> None:
    work = await floor.previewed()
    desk = await answered(await floor.as_agent("POST", f"/work/{work}/reject"))
    assert (desk["agent"]["state"], desk["work"]) == ("ready", None)
    assert (await floor.ready(BEN))["work"]["id"] == work
    assert (await floor.desk())["work"] is None


async def test_an_agent_who_leaves_gives_the_preview_back(floor: Floor) -> None:
    work = await floor.previewed()
    await answered(await floor.as_agent("PUT", "/state", {"state": "not_ready"}))
    assert (await floor.desk())["works"] == []
    assert (await staff_view(floor, work))["state"] == "queued"


async def test_a_preview_that_nobody_answered_is_answered_too_late(floor: Floor) -> None:
    work = await floor.previewed()
    floor.clock.at += 20
    await floor.api.engine.submit(TimerFired(callback_of(work), PREVIEW))
    await refused(await floor.as_agent("POST", f"/work/{work}/accept"), 404, "not-found")
    desk = await floor.desk()
    assert (desk["agent"]["state"], desk["agent"]["reason"]) == ("not_ready", "rona")
    assert dials(floor) == []


async def test_a_preview_stands_after_a_restart(tmp_path: Path) -> None:
    async with running_floor(tmp_path) as floor:
        work = await floor.previewed(first_name="Ada")
        before = await floor.desk()
    async with running_floor(tmp_path) as floor:
        assert await floor.desk() == before
        await answered(await floor.as_agent("POST", f"/work/{work}/accept"))
        assert dials(floor) == [work]


@pytest.mark.parametrize("answer", ["accept", "reject"])
async def test_what_is_offered_to_one_agent_does_not_exist_for_another(floor: Floor, answer: str) -> None:
    work = await floor.previewed()
    await refused(await floor.as_agent("POST", f"/work/{work}/{answer}", agent=BEN), 404, "not-found")
    assert (await floor.desk())["work"]["stage"] == "offered"
    assert dials(floor) == []


async def test_an_answer_with_a_body_that_it_does_not_take_is_refused(floor: Floor) -> None:
    work = await floor.previewed()
    await refused(await floor.as_agent("POST", f"/work/{work}/accept", data="{"), 400, "bad-json")
    await refused(await floor.as_agent("POST", f"/work/{work}/accept", {"really": True}), 422, "unknown-field")
    assert dials(floor) == []


# ---- a story: previewed, called, classified ------------------------------------------------------------------------


async def test_a_customer_is_previewed_called_and_classified(floor: Floor) -> None:
    work = await floor.previewed(first_name="Ada")
    await floor.talks(work)
    desk = await floor.desk()
    assert (desk["agent"]["state"], desk["work"]["stage"]) == ("talking", "active")
    assert desk["work"]["customer"]["first_name"] == "Ada"
    await floor.hangs_up(work)
    desk = await floor.desk()
    assert (desk["agent"]["state"], desk["work"]["stage"]) == ("wrap_up", "wrap_up")
    assert desk["work"]["customer"]["first_name"] == "Ada", "the callback has ended, its data is still shown"
    said = {"disposition": "sold", "outcome_code": "paid", "notes": "two\nlines"}
    desk = await answered(await floor.as_agent("POST", f"/work/{work}/complete", said))
    assert (desk["agent"]["state"], desk["work"]) == ("ready", None)
    view = await staff_view(floor, work)
    assert (view["state"], view["reason"]) == ("completed", "talked")
    assert {name: view[name] for name in said} == said
    (listed,) = (await answered(await floor.api.ask("GET", f"{PREFIX}/callbacks")))["items"]
    assert {name: listed[name] for name in said} == said


async def test_a_call_is_classified_while_it_goes_on_and_goes_on(floor: Floor) -> None:
    work = await floor.previewed()
    await floor.talks(work)
    desk = await answered(await floor.as_agent("POST", f"/work/{work}/complete", {"disposition": "sold"}))
    assert desk["agent"]["state"] == "talking"
    assert (await staff_view(floor, work))["disposition"] == "sold"


async def test_a_call_is_classified_long_after_it_ended_and_again(floor: Floor) -> None:
    work = await floor.call_is_over()
    assert (await floor.desk())["works"] == []
    assert (await staff_view(floor, work))["disposition"] is None
    for said in ({"disposition": "sold", "notes": "x"}, {"disposition": "sold", "outcome_code": "paid"}):
        desk = await answered(await floor.as_agent("POST", f"/work/{work}/complete", said))
        assert desk["work"] is None
        view = await staff_view(floor, work)
        assert (view["disposition"], view["outcome_code"]) == ("sold", said.get("outcome_code"))
    assert view["notes"] is None, "the last one counts"


async def test_a_late_classification_is_kept_while_the_agent_has_other_work(floor: Floor) -> None:
    first = await floor.call_is_over()
    second = await floor.previewed(phone=OTHER_PHONE)
    desk = await answered(await floor.as_agent("POST", f"/work/{first}/complete", {"disposition": "sold"}))
    assert (desk["work"]["id"], desk["work"]["stage"]) == (second, "offered")
    assert (await staff_view(floor, first))["disposition"] == "sold"
    assert (await staff_view(floor, second))["disposition"] is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"disposition": "no-such"}, "unknown-disposition"),
        ({"disposition": "paid"}, "unknown-disposition"),  # a code of the other kind
        ({"disposition": "complaint"}, "unknown-disposition"),  # of another service
        ({"disposition": "sold", "outcome_code": "sold"}, "unknown-disposition"),
        ({"notes": "without a code"}, "invalid-field"),
        ({}, "invalid-field"),
        ({"disposition": "sold", "mood": "good"}, "unknown-field"),
        ({"disposition": "sold", "notes": "a\x00b"}, "invalid-field"),
        ({"disposition": "sold", "notes": "x" * 4001}, "invalid-field"),
    ],
)
async def test_what_cannot_be_said_of_a_call_changes_nothing(floor: Floor, said: dict[str, str], code: str) -> None:
    work = await floor.previewed()
    await floor.talks(work)
    await floor.hangs_up(work)
    await refused(await floor.as_agent("POST", f"/work/{work}/complete", said), 422, code)
    assert (await floor.desk())["work"]["stage"] == "wrap_up"
    assert await floor.api.queries.classifications_of_all([callback_of(work)]) == {}


async def test_a_preview_is_not_complete_before_it_was_a_call(floor: Floor) -> None:
    work = await floor.previewed()
    response = await floor.as_agent("POST", f"/work/{work}/complete", {"disposition": "sold"})
    await refused(response, 409, "wrong-state")
    assert await floor.api.queries.classifications_of_all([callback_of(work)]) == {}


@pytest.mark.parametrize("over", [True, False])
async def test_nobody_classifies_or_repeats_a_call_of_somebody_else(floor: Floor, *, over: bool) -> None:
    if over:
        work = await floor.call_is_over()
    else:
        work = await floor.previewed()
        await floor.talks(work)
    said = {"disposition": "sold"}
    await refused(await floor.as_agent("POST", f"/work/{work}/complete", said, agent=BEN), 404, "not-found")
    again = {"when": TEN_NEXT_DAY}
    await refused(await floor.as_agent("POST", f"/work/{work}/reschedule", again, agent=BEN), 404, "not-found")
    await refused(await floor.as_agent("POST", f"/work/{NOTHING}/complete", said), 404, "not-found")
    assert await floor.api.queries.classifications_of_all([callback_of(work)]) == {}
    assert len((await floor.api.queries.callbacks()).items) == 1


# ---- another time --------------------------------------------------------------------------------------------------


async def test_a_preview_is_put_off(floor: Floor) -> None:
    work = await floor.previewed()
    put_off = await answered(await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY}))
    assert (put_off["callback"], put_off["scheduled_for"]) == (callback_of(work), TEN_NEXT_DAY_UTC)
    assert (put_off["agent"]["state"], put_off["work"]) == ("ready", None)
    view = await staff_view(floor, work)
    assert (view["state"], view["scheduled_for"]) == ("scheduled", TEN_NEXT_DAY_UTC)


@pytest.mark.parametrize("wrapped_up", [True, False])
async def test_after_the_call_the_customer_is_called_again(floor: Floor, *, wrapped_up: bool) -> None:
    work = await floor.previewed(first_name="Ada", subject="invoice", context={"order": 5})
    await floor.talks(work)
    await floor.hangs_up(work)
    if wrapped_up:
        await floor.wrap_up_ends()
    put_off = await answered(await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY}))
    assert put_off["callback"] != callback_of(work)
    assert (put_off["agent"]["state"]) == ("ready" if wrapped_up else "wrap_up")
    made = await floor.api.queries.callback(CallbackId(put_off["callback"]))
    before = await floor.api.queries.callback(callback_of(work))
    assert made is not None
    assert before is not None
    assert (made.state, made.parent_id, made.request) == (CallbackState.SCHEDULED, before.id, before.request)
    assert made.booked is False
    assert made.token_hash != before.token_hash
    assert 'ringback_requests_accepted_total{service="billing"} 2.0' in floor.api.metrics.text().decode()
    again = await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(again, 409, "duplicate-request")


@pytest.mark.parametrize("when_over", [True, False])
@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("2027-01-13T09:00:00-05:00", "in-the-past"),
        (EVENING, "closed"),
        ("2029-01-17T10:00:00-05:00", "too-far-ahead"),
        ("tomorrow", "invalid-field"),
        ("2027-01-14T10:00:00", "invalid-field"),
        (1_800_000_000, "invalid-field"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_and_changes_nothing(
    floor: Floor, when: str | int, code: str, *, when_over: bool
) -> None:
    work = await (floor.call_is_over() if when_over else floor.previewed())
    before = await floor.desk()
    problem = await refused(await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": when}), 422, code)
    if code == "closed":
        assert problem["opens_at"] == "2027-01-14T14:00:00.000Z"
    assert await floor.desk() == before
    assert len((await floor.api.queries.callbacks()).items) == 1


async def test_a_call_that_goes_on_cannot_be_put_off(floor: Floor) -> None:
    work = await floor.previewed()
    await floor.talks(work)
    response = await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(response, 409, "wrong-state")


async def test_a_number_that_is_never_called_is_not_called_again_by_an_agent(floor: Floor) -> None:
    work = await floor.call_is_over()
    await answered(await floor.api.ask("POST", f"{PREFIX}/suppressions", json={"phone": PHONE}), 201)
    response = await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(response, 422, "phone-not-allowed")


async def test_a_country_that_is_not_served_any_more_is_not_called_again_by_an_agent(floor: Floor) -> None:
    work = await floor.call_is_over()
    document = desk_document() | {"limits": {"countries": ["GB"]}}
    await answered(await floor.api.ask("POST", f"{PREFIX}/config", json={"document": document}))
    response = await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(response, 422, "phone-not-allowed")


async def test_a_stopping_engine_takes_no_further_call(floor: Floor) -> None:
    work = await floor.call_is_over()
    floor.api.engine.open_for_requests = False
    response = await floor.as_agent("POST", f"/work/{work}/reschedule", {"when": TEN_NEXT_DAY})
    await refused(response, 503, "not-ready")


# ---- codes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [KeyRole.AGENT, KeyRole.SUPERVISOR, KeyRole.ADMIN])
async def test_the_codes_are_listed(floor: Floor, role: KeyRole) -> None:
    listed = await answered(await floor.api.ask("GET", f"{PREFIX}/dispositions", role=role))
    assert listed == {
        "items": [
            {"id": "sold", "name": "Sold", "kind": "call", "services": []},
            {"id": "complaint", "name": "Complaint", "kind": "call", "services": ["hidden"]},
            {"id": "paid", "name": "Paid", "kind": "outcome", "services": ["billing"]},
        ],
        "next": None,
    }
    one = await answered(await floor.api.ask("GET", f"{PREFIX}/dispositions?limit=1&cursor=sold", role=role))
    assert ([each["id"] for each in one["items"]], one["next"]) == (["complaint"], "complaint")
