"""Why a callback went as it did, over HTTP and from the command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.core.events import LegAnswered, LegEnded, LegEntered, PresenceRequested
from engine.core.terms import AgentId, LegId, Presence
from engine.store.records import KeyRole
from tests.component.api_harness import DOCUMENT, PHONE, Api, refused
from tests.component.cli_harness import one_line, serving
from tests.component.slot_harness import EVENING, MORNING, TEN_NEXT_DAY, Clock, slotted_api, slotted_document

CALLBACKS = "/api/v1/callbacks"
ASKED = "The customer asked on the web to be called back and joined the line of Billing."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    async with slotted_api(tmp_path, clock) as running:
        yield running


async def explained(api: Api, callback_id: str, role: KeyRole = KeyRole.SUPERVISOR) -> dict[str, Any]:
    response = await api.ask("GET", f"{CALLBACKS}/{callback_id}/explain", role=role)
    assert response.status == 200, await response.text()
    answer: dict[str, Any] = await response.json()
    return answer


async def amy_is_ready(api: Api) -> None:
    await api.engine.submit(PresenceRequested(AgentId("amy"), Presence.READY))


def said(answer: dict[str, Any]) -> list[str]:
    return [f"{each['local'][11:]} {each['says']}" for each in answer["steps"]]


async def test_a_callback_that_waits_says_what_for_in_the_services_own_time(api: Api, clock: Clock) -> None:
    callback_id = (await api.accepted())["id"]
    clock.at += 90

    answer = await explained(api, callback_id)

    assert (answer["id"], answer["state"], answer["timezone"]) == (callback_id, "queued", "America/New_York")
    assert answer["asked_at"] == "2027-01-13T15:01:30.000Z"
    assert said(answer) == [
        f"10:00:00 {ASKED}",
        "10:01:30 The only agent with the skills asked for (billing), Amy, is not logged in.",
    ]
    assert answer["steps"][1] == {
        "at": "2027-01-13T15:01:30.000Z",
        "local": "2027-01-13 10:01:30",
        "what": "nobody_free",
        "because": {
            "requirement": "billing",
            "agents": {"amy": "logged_out"},
            "said_no": 0,
            "first_agent": None,
            "first_at": None,
        },
        "says": "The only agent with the skills asked for (billing), Amy, is not logged in.",
    }
    assert PHONE not in json.dumps(answer)


async def test_a_call_says_why_this_agent_and_why_then_as_data_too(api: Api, clock: Clock) -> None:
    callback_id = (await api.accepted())["id"]
    clock.at += 60
    await amy_is_ready(api)
    leg = LegId(f"{callback_id}-1.customer")
    clock.at += 5
    await api.engine.submit(LegAnswered(leg))
    await api.engine.submit(LegEntered(leg))
    clock.at += 5
    await api.engine.submit(LegEnded(leg, 16))

    answer = await explained(api, callback_id, KeyRole.ADMIN)

    assert said(answer) == [
        f"10:00:00 {ASKED}",
        (
            "10:01:00 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). Just then Amy became ready. "
            "Before that nobody with the skills was logged in."
        ),
        "10:01:05 The customer answered after 5 seconds.",
        (
            "10:01:10 The customer answered and hung up without pressing a key. "
            "The next call was set for 10:11:10, 10 minutes later."
        ),
        "10:01:10 The next call is due at 10:11:10.",
    ]
    chosen, failed = answer["steps"][1], answer["steps"][3]
    assert chosen["what"] == "agent_chosen"
    assert (
        chosen["because"]
        | {
            "agent": "amy",
            "mode": "reserve",
            "levels": {"billing": 5},
            "free": 1,
            "idle_since_at": "2027-01-13T15:01:00.000Z",
            "why_now": "agent_free",
            "freed_by": "asked",
            "before": {"amy": "logged_out"},
        }
        == chosen["because"]
    )
    assert failed["because"]["outcome"] == "hung_up"
    assert failed["because"]["next_at"] == "2027-01-13T15:11:10.000Z"


async def test_what_was_judged_by_an_older_document_is_explained_by_that_document(api: Api, clock: Clock) -> None:
    clock.at += 10
    callback_id = (await api.accepted())["id"]
    clock.at += 10
    await amy_is_ready(api)
    clock.at += 10
    document = slotted_document()
    document["agents"][0]["skills"] = {"hidden": 1}
    response = await api.ask("POST", "/api/v1/config", json={"document": document})
    assert response.status == 200, await response.text()

    answers = [await explained(api, callback_id) for _twice in range(2)]

    assert answers[0] == answers[1]
    assert "(billing; Amy has billing 5)" in answers[0]["steps"][1]["says"]


async def test_an_appointment_that_has_not_come_says_when_it_is(api: Api, clock: Clock) -> None:
    clock.set(EVENING)
    callback_id = (await api.accepted(when=TEN_NEXT_DAY))["id"]

    assert said(await explained(api, callback_id)) == [
        "20:00:00 The customer asked on the web to be called by Billing on Thu 14 Jan, 10:00.",
        "20:00:00 The customer is not called before Thu 14 Jan, 10:00, the time agreed.",
    ]


async def test_a_cancelled_callback_says_who_cancelled_it(api: Api) -> None:
    accepted = await api.accepted()
    token = {"X-Callback-Token": accepted["token"]}
    assert (await api.ask("DELETE", f"{CALLBACKS}/{accepted['id']}", role=None, headers=token)).status == 200

    answer = await explained(api, accepted["id"])

    assert answer["state"] == "cancelled"
    assert said(answer)[1:] == [
        "10:00:00 The customer cancelled it. At that moment nobody with the skills was logged in.",
    ]


async def test_only_staff_may_ask_and_only_for_what_there_is(api: Api) -> None:
    accepted = await api.accepted()
    path = f"{CALLBACKS}/{accepted['id']}/explain"
    for role in (KeyRole.AGENT, KeyRole.PUBLIC, KeyRole.METRICS):
        await refused(await api.ask("GET", path, role=role), 403, "forbidden")
    token = {"X-Callback-Token": accepted["token"]}
    await refused(await api.ask("GET", path, role=None, headers=token), 401, "invalid-token")
    await refused(await api.ask("GET", f"{CALLBACKS}/cb00/explain"), 404, "not-found")


def test_the_command_prints_a_line_for_each_step(tmp_path: Path) -> None:
    clock = Clock()
    document = deepcopy(DOCUMENT)
    with serving(tmp_path, document=document, clock=clock) as served:
        callback_id = served.requested()
        result = served.run("callback", "explain", callback_id, role=KeyRole.SUPERVISOR)
        as_json = served.json("callback", "explain", callback_id)
        unknown = served.run("callback", "explain", "cb00")

    assert MORNING.startswith("2027-01-13T10:00:00-05")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{callback_id}: queued (times in UTC)",
        (
            "2027-01-13 15:00:00  The customer asked through another system to be called back "
            "and joined the line of Billing."
        ),
        "2027-01-13 15:00:00  The only agent with the skills asked for (billing), Amy, is not logged in.",
    ]
    assert [each["what"] for each in as_json["steps"]] == ["requested", "nobody_free"]
    assert (unknown.exit_code, one_line(unknown).partition(":")[0]) == (1, "There is no such thing")
