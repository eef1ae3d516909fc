"""What people are told about their wait, from the line, the agents and what came of earlier waits."""

from __future__ import annotations

import pytest

from engine.core.configuration import Agent
from engine.core.decision import Accepted, Refusal
from engine.core.events import (
    CancelRequested,
    InteractionEndRequested,
    InteractionRequested,
    MoveRequested,
    WorkAccepted,
)
from engine.core.expressions import parse
from engine.core.hours import Calendar, CalendarId, Interval
from engine.core.permission import CallingWindow
from engine.core.records import Callback
from engine.core.terms import AgentId, CallbackState, InteractionId, Media, Reason, ServiceId, WorkId
from engine.core.values import replace
from engine.core.wait import Wait
from tests.unit.core.office import DESK, HOURS, Doubled, at, goes_on_until, pauses, resumes
from tests.unit.core.world import AMY, BEN, BILLING, SALES, START, World

EMAIL = Media("email")
HANDLED = 200.0
CREW = tuple(Agent(AgentId(f"crew{n}"), f"Crew {n}", f"PJSIP/agent-11{n:02}", {"billing": 1}) for n in range(4))


def teach(world: World, service: str = "billing", seconds: float = HANDLED, times: int = 3) -> None:
    """Somebody who is ready serves a few e-mails of the service, each for so long."""
    for _each in range(times):
        name = InteractionId(f"teach{world.now}")
        world.tell(InteractionRequested(name, EMAIL, ServiceId(service)))
        agent = world.journal.interactions[name].agent
        assert agent is not None, "nobody is ready to serve it"
        world.tell(WorkAccepted(agent, WorkId(name)))
        world.pass_time(seconds)
        world.tell(InteractionEndRequested(name, completed=True))


def busy(world: World, agents: int, service: str = "billing") -> None:
    """So many agents have work that does not end."""
    for n in range(agents):
        name = InteractionId(f"busy-{service}{n}")
        world.tell(InteractionRequested(name, EMAIL, ServiceId(service)))
        agent = world.journal.interactions[name].agent
        assert agent is not None
        world.tell(WorkAccepted(agent, WorkId(name)))


def told(reply: Accepted | Refusal) -> Wait | None:
    assert isinstance(reply, Accepted), reply
    return reply.callback.told


def busy_office(crew: int = 1) -> Doubled:
    """So many agents, all busy; their work took HANDLED so far."""
    world = Doubled((BILLING, SALES), CREW[:crew])
    for agent in CREW[:crew]:
        world.agent(agent.id).ready()
    teach(world)
    busy(world, crew)
    return world


# ---- known and not known ---------------------------------------------------------------------------------


def test_given_an_agent_who_is_free_when_somebody_asks_then_there_is_no_wait() -> None:
    world = Doubled()
    world.agent().ready()
    assert told(world.ask()) == Wait(0.0, 0.0)


def test_given_nobody_on_duty_then_the_wait_is_not_known() -> None:
    world = Doubled()
    assert told(world.ask()) is None
    assert world.dispatcher.wait_of_new(BILLING.id, None, world.now) is None


def test_given_nobody_on_duty_who_has_the_skill_then_the_wait_is_not_known() -> None:
    world = busy_office()
    assert told(world.ask("sales")) is None
    assert told(world.ask("billing")) is not None


def test_given_no_work_that_ever_ended_then_the_wait_is_not_known() -> None:
    world = Doubled()
    world.agent().ready()
    busy(world, 1)
    assert told(world.ask()) is None


def test_given_a_service_that_nobody_was_served_for_then_the_others_say_how_long_it_takes() -> None:
    world = Doubled((BILLING, SALES), (BEN,))
    world.agent("ben").ready()
    teach(world, "billing")
    busy(world, 1)
    wait = told(world.ask("sales"))
    assert wait is not None
    assert 0.5 * HANDLED < wait.p50_seconds < HANDLED < wait.p80_seconds < 2 * HANDLED


def test_given_a_paused_service_then_the_wait_is_not_known_until_it_goes_on() -> None:
    world = busy_office()
    pauses(world)
    assert told(world.ask()) is None
    resumes(world)
    assert told(world.ask()) is not None


# ---- how long --------------------------------------------------------------------------------------------


def test_given_more_ahead_then_the_wait_is_longer_and_its_spread_smaller() -> None:
    world = busy_office()
    waits = [told(world.ask()) for _each in range(20)]
    halves = [wait.p50_seconds for wait in waits if wait is not None]
    spreads = [wait.p80_seconds / wait.p50_seconds for wait in waits if wait is not None]
    assert len(halves) == len(waits)
    assert halves == sorted(halves)
    assert spreads == sorted(spreads, reverse=True)
    assert halves[19] == pytest.approx(20 * HANDLED, rel=0.05)


def test_given_twice_the_agents_then_half_the_wait() -> None:
    one, two = (told(busy_office(crew).ask()) for crew in (2, 4))
    assert one is not None
    assert two is not None
    assert two.p50_seconds == pytest.approx(one.p50_seconds / 2)


def test_given_a_higher_priority_then_those_behind_do_not_count() -> None:
    world = Doubled((BILLING, replace(BILLING, id=ServiceId("gold"), priority=5)), CREW[:1])
    world.agent(CREW[0].id).ready()
    teach(world)
    busy(world, 1)
    for _each in range(5):
        world.ask("billing")
    first, last = told(world.ask("gold")), told(world.ask("billing"))
    assert first is not None
    assert last is not None
    assert first.p50_seconds < HANDLED < 5 * HANDLED < last.p50_seconds


def test_given_others_whom_only_some_of_ones_agents_serve_then_they_count_in_part() -> None:
    """One of the two agents of sales also serves billing: half of those who wait for sales come before billing."""
    sales_only = Agent(AgentId("cleo"), "Cleo", "PJSIP/agent-1003", {"sales": 1})
    world = Doubled((BILLING, SALES), (BEN, sales_only))
    world.agent("ben").ready()
    teach(world)
    world.agent("cleo").ready()
    busy(world, 2, "sales")
    alone = told(world.ask("billing"))
    world.tell(CancelRequested(next(iter(world.journal.callbacks)), Reason.BY_ADMIN))
    for _each in range(8):
        world.ask("sales")
    behind = told(world.ask("billing"))
    assert alone is not None
    assert behind is not None
    assert behind.p50_seconds == pytest.approx(alone.p50_seconds + 8 / 2 * HANDLED, rel=0.1)


def test_given_one_who_waits_when_those_ahead_are_gone_then_their_wait_from_now_on_is_shorter() -> None:
    world = busy_office()
    ahead = [world.customer() for _each in range(5)]
    last = world.customer()
    before = world.dispatcher.waits.of(last.id)
    for each in ahead:
        world.tell(CancelRequested(each.id, Reason.BY_ADMIN))
    after = world.dispatcher.waits.of(last.id)
    assert before is not None
    assert after is not None
    assert after.p50_seconds < before.p50_seconds / 4


def test_given_one_who_is_held_back_then_nobody_can_say_when_they_are_called() -> None:
    closed = CallingWindow(0, 1)
    world = Doubled((replace(BILLING, calling_window=closed),), CREW[:1])
    customer = world.customer()
    world.agent(CREW[0].id).ready()
    assert world.dispatcher.line.is_parked(customer.id)
    assert world.dispatcher.waits.of(customer.id) is None
    assert world.dispatcher.waits.told_of(customer.id) is None


def test_given_somebody_who_does_not_wait_then_there_is_no_wait_of_theirs() -> None:
    assert World().dispatcher.waits.of("nobody") is None


# ---- what is kept ----------------------------------------------------------------------------------------


def test_given_what_was_told_then_it_stays_with_the_request_whatever_comes() -> None:
    world = busy_office()
    reply = world.ask()
    world.ask()
    assert isinstance(reply, Accepted)
    world.pass_time(100)
    assert _stored(world, reply.callback).told == reply.callback.told is not None


def test_given_a_restart_then_it_is_still_known_how_long_agents_are_kept() -> None:
    world = busy_office()
    before = world.dispatcher.wait_of_new(BILLING.id, None, world.now)
    world.restart()
    assert before is not None
    assert world.dispatcher.wait_of_new(BILLING.id, None, world.now) == before


def test_given_an_appointment_then_no_wait_is_told() -> None:
    world = Doubled((DESK,), (AMY,), calendars=(HOURS,))
    world.now = at("09:00")
    reply = world.ask("desk", when=at("10:00"))
    assert told(reply) is None


def test_given_one_who_moves_to_an_appointment_then_nothing_is_learned_from_their_wait() -> None:
    world = Doubled((DESK,), CREW[:1], calendars=(HOURS,))
    world.now = at("09:00")
    world.agent(CREW[0].id).ready()
    teach(world, "desk")
    busy(world, 1, "desk")
    customer = world.customer("desk")
    assert world.dispatcher.waits.told_of(customer.id) is not None
    world.tell(MoveRequested(customer.id, at("15:00"), False, None))
    assert customer.callback.state is CallbackState.SCHEDULED
    assert world.dispatcher.waits.told_of(customer.id) is None


# ---- before closing --------------------------------------------------------------------------------------


def test_given_a_line_too_long_to_be_served_before_closing_then_nobody_joins_it_and_nothing_is_stored() -> None:
    world = Doubled((replace(DESK, skill=parse("billing")),), CREW[:1], calendars=(HOURS,))
    goes_on_until(world, at("16:00"))
    world.agent(CREW[0].id).ready()
    teach(world, "desk", 600.0)
    busy(world, 1, "desk")
    replies = [world.ask("desk") for _each in range(6)]
    accepted = [each for each in replies if isinstance(each, Accepted)]
    refused = [each for each in replies if isinstance(each, Refusal)]
    assert accepted
    assert refused
    assert {each.code for each in refused} == {"closed"}
    assert refused[0].opens_at == at("09:00") + 86400
    assert len(world.journal.callbacks) == len(accepted)
    assert all(each.callback.told and world.now + each.callback.told.p50_seconds < at("17:00") for each in accepted)


def test_given_nobody_who_can_say_how_long_it_takes_then_all_may_join_until_the_end() -> None:
    world = Doubled((DESK,), (AMY,), calendars=(HOURS,))
    goes_on_until(world, at("16:59"))
    assert told(world.ask("desk")) is None


def test_given_a_calendar_that_never_closes_then_a_long_line_is_no_reason() -> None:
    always = Calendar(CalendarId("always"), "UTC", ((Interval(0, 86400),),) * 7)
    world = Doubled((replace(BILLING, calendar=always.id),), CREW[:1], calendars=(always,))
    world.agent(CREW[0].id).ready()
    teach(world, "billing", 3600.0)
    busy(world, 1)
    assert all(isinstance(world.ask(), Accepted) for _each in range(50))
    assert world.now > START


def _stored(world: World, callback: Callback) -> Callback:
    return world.journal.callbacks[callback.id]
