"""The wait that customers and staff are told over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.core.events import InteractionEndRequested, InteractionRequested, PresenceRequested, WorkAccepted
from engine.core.terms import AgentId, CallbackId, InteractionId, Media, Presence, ServiceId, WorkId
from engine.store.records import KeyRole
from tests.component.api_harness import OTHER_PHONE, PHONE, Api, refused
from tests.component.slot_harness import Clock, slotted_api

AVAILABILITY = "/api/v1/services/billing/availability"
CALLBACKS = "/api/v1/callbacks"
BILLING = ServiceId("billing")
EMAIL = Media("email")
HANDLED = 300.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    async with slotted_api(tmp_path, clock) as running:
        yield running


async def begin_work(api: Api, name: str) -> AgentId:
    """An e-mail is served by an agent who is ready."""
    await api.engine.submit(InteractionRequested(InteractionId(name), EMAIL, BILLING))
    agent = api.engine.dispatcher.interactions[InteractionId(name)].agent
    assert agent is not None
    await api.engine.submit(WorkAccepted(agent, WorkId(name)))
    return agent


@pytest_asyncio.fixture
async def busy(api: Api, clock: Clock) -> Api:
    """The only agent on duty has work, which took HANDLED the last time."""
    agent = next(iter(api.engine.dispatcher.configuration.agents))
    await api.engine.submit(PresenceRequested(agent, Presence.READY))
    await begin_work(api, "e1")
    clock.at += HANDLED
    await api.engine.submit(InteractionEndRequested(InteractionId("e1"), completed=True))
    await begin_work(api, "e2")
    return api


async def immediate(api: Api) -> dict[str, Any]:
    response = await api.ask("GET", AVAILABILITY)
    found: dict[str, Any] = (await response.json())["immediate"]
    return found


async def test_given_nobody_on_duty_then_the_wait_is_null_and_a_call_is_offered(api: Api) -> None:
    assert await immediate(api) == {"offered": True, "reason": None, "position": 1, "wait": None}
    assert (await api.accepted())["wait"] is None


async def test_given_a_free_agent_then_there_is_no_wait(busy: Api, clock: Clock) -> None:
    clock.at += HANDLED
    await busy.engine.submit(InteractionEndRequested(InteractionId("e2"), completed=True))
    assert (await immediate(busy))["wait"] == {"p50_seconds": 0, "p80_seconds": 0}


async def test_given_a_busy_agent_then_what_is_offered_is_what_is_told_and_kept(busy: Api) -> None:
    offered = await immediate(busy)
    accepted = await busy.accepted()
    wait = accepted["wait"]
    assert offered["wait"] == wait
    assert 0 < wait["p50_seconds"] < HANDLED < wait["p80_seconds"]
    kept = await busy.queries.callback(CallbackId(accepted["id"]))
    assert kept is not None
    assert kept.told is not None
    assert round(kept.told.p80_seconds) == wait["p80_seconds"]


async def test_given_one_who_waits_then_customer_and_staff_see_the_wait_from_now_on(busy: Api, clock: Clock) -> None:
    first = await busy.accepted()
    clock.at += 1
    second = await busy.accepted(phone=OTHER_PHONE)
    assert second["wait"]["p50_seconds"] > first["wait"]["p50_seconds"]
    headers = {"X-Callback-Token": first["token"]}
    await busy.ask("DELETE", f"{CALLBACKS}/{first['id']}", headers=headers)
    for role in (KeyRole.SUPERVISOR, KeyRole.ADMIN):
        view = await (await busy.ask("GET", f"{CALLBACKS}/{second['id']}", role=role)).json()
        assert view["wait"] == first["wait"]
    listed = await (await busy.ask("GET", f"{CALLBACKS}?state=queued", role=KeyRole.SUPERVISOR)).json()
    assert [each["wait"] for each in listed["items"]] == [first["wait"]]


async def test_given_one_who_is_over_then_they_have_no_wait(busy: Api) -> None:
    accepted = await busy.accepted()
    await busy.ask("DELETE", f"{CALLBACKS}/{accepted['id']}", headers={"X-Callback-Token": accepted["token"]})
    view = await (await busy.ask("GET", f"{CALLBACKS}/{accepted['id']}", role=KeyRole.SUPERVISOR)).json()
    assert (view["position"], view["wait"]) == (None, None)


async def test_given_closing_time_before_their_turn_then_no_call_is_offered_and_a_request_is_refused(
    busy: Api, clock: Clock
) -> None:
    clock.set("2027-01-13T16:59-05:00")
    assert await immediate(busy) == {"offered": False, "reason": "closing", "position": None, "wait": None}
    problem = await refused(await busy.request_callback(phone=PHONE), 422, "closed")
    assert problem["opens_at"] == "2027-01-14T14:00:00.000Z"
    assert (await busy.request_callback(when="2027-01-14T10:00-05:00")).status == 201
