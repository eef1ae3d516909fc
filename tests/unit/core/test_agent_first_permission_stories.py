"""The agent first: what may forbid or delay the dial between the ring of their phone and their answer."""

from __future__ import annotations

from engine.core.configuration import Limits, Pace
from engine.core.effects import DialCustomer, HoldWithMusic, Release
from engine.core.events import PauseRequested, ResumeRequested, SuppressRequested
from engine.core.permission import CallingWindow
from engine.core.terms import CallbackState, Outcome, Reason
from engine.core.values import replace
from tests.unit.core.test_agent_first_stories import FIRST, rung
from tests.unit.core.world import AMY, BEN, START, Customer, World

S = CallbackState
DAY = 86400
SECOND_OF_DAY = int(START) % DAY
ELSEWHERE = replace(FIRST, id=type(FIRST.id)("elsewhere"))


def centre(*, limits: Limits | None = None, **fields: object) -> World:
    """Amy is ready, Ben is not; `fields` are the service's."""
    world = World(services=(replace(FIRST, **fields), ELSEWHERE), agents=(AMY, BEN), limits=limits)
    world.agent().ready()
    return world


def nobody_was_called(customer: Customer) -> None:
    world = customer.world
    assert world.done(DialCustomer) == []
    assert (customer.attempt.outcome, customer.attempt.dialed_at) == (Outcome.INTERRUPTED, None)
    assert [release.leg for release in world.done(Release)] == [customer.attempt.agent_leg]
    assert (world.agent().shown, world.agent().status.reason) == ("ready", None), "no fault of theirs"


def test_given_a_window_that_closes_while_the_agent_is_rung_then_nobody_is_dialled_and_it_opens_another_day() -> None:
    closes = SECOND_OF_DAY + 5
    world = centre(calling_window=CallingWindow(closes - 3600, closes), life_seconds=5 * DAY)
    customer = rung(world)
    world.pass_time(6)

    world.agent().picks_up()

    nobody_was_called(customer)
    assert customer.is_in(S.QUEUED)
    world.pass_time(DAY - 3600)
    assert (customer.state, world.agent().times_rung) == (S.RINGING_AGENT, 2)


def test_given_a_number_that_is_suppressed_while_the_agent_is_rung_then_it_is_not_dialled_any_more() -> None:
    world = centre()
    customer = rung(world)
    world.tell(SuppressRequested(customer.callback.request.phone))

    world.agent().picks_up()

    nobody_was_called(customer)
    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.NOT_PERMITTED)


def test_given_a_number_that_is_suppressed_while_the_agent_waits_for_asterisk_then_it_is_not_dialled_either() -> None:
    world = centre()
    customer = rung(world)
    world.lose_telephony()
    world.agent().picks_up()
    world.tell(SuppressRequested(customer.callback.request.phone))

    world.regain_telephony()
    world.pass_time(0)

    nobody_was_called(customer)
    assert customer.state is S.UNSUCCESSFUL


def test_given_a_service_that_is_paused_while_the_agent_is_rung_then_the_customer_waits_until_it_goes_on() -> None:
    world = centre()
    customer = rung(world)
    world.tell(PauseRequested(FIRST.id))

    world.agent().picks_up()

    nobody_was_called(customer)
    assert customer.is_in(S.QUEUED)
    world.tell(ResumeRequested(FIRST.id))
    world.agent().picks_up()
    assert customer.state is S.DIALING


def test_given_two_agents_who_answer_at_once_then_their_customers_are_dialled_at_the_services_pace() -> None:
    world = centre(pace=Pace(calls_per_second=1))
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    assert (first.state, second.state) == (S.RINGING_AGENT, S.RINGING_AGENT), "agents are rung at any pace"

    world.agent("amy").picks_up()
    world.agent("ben").picks_up()

    assert (first.state, second.state) == (S.DIALING, S.RINGING_AGENT)
    assert isinstance(world.agent("ben").hears, HoldWithMusic)
    world.pass_time(1)
    assert second.is_in(S.DIALING)
    assert second.attempt.dialed_at == START + 1


def test_given_a_limit_of_dials_then_an_agent_who_is_rung_counts_for_the_dial_that_will_follow() -> None:
    world = centre(pace=Pace(max_dials=1))
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    assert (first.state, second.state) == (S.RINGING_AGENT, S.QUEUED)

    world.agent("amy").rejects()
    assert (first.attempt.agent, second.state) == ("ben", S.QUEUED)
    world.agent("ben").picks_up()
    assert second.is_in(S.QUEUED)

    world.agent("amy").ready()
    first.answers()
    assert second.state is S.RINGING_AGENT


def test_given_agents_who_do_not_come_then_no_dial_of_the_number_is_counted() -> None:
    world = centre(limits=Limits(attempts_per_number_per_day=1, min_gap_seconds=60))
    customer = rung(world)
    for _each in range(3):
        world.agent().rejects()
        world.agent().ready()

    world.agent().picks_up()
    assert customer.is_in(S.DIALING)
    customer.hangs_up(17, 486)

    assert customer.waits_until == DAY - SECOND_OF_DAY, "one dial a day"


def test_given_an_agent_who_is_rung_for_a_number_then_another_service_does_not_call_it() -> None:
    world = centre()
    world.agent("ben").ready()
    first = rung(world)
    second = world.customer("elsewhere", phone=first.callback.request.phone)
    assert second.is_in(S.QUEUED)

    world.agent("amy").picks_up()
    first.hangs_up(17, 486)

    assert second.state is S.RINGING_AGENT
