"""The limits of a call's steps are the service's own: each is kept to the second, and the legs' limits follow them."""

from __future__ import annotations

import pytest

from engine.core.configuration import CallLimits
from engine.core.effects import Connect, DialCustomer, Release, RingAgent
from engine.core.events import ResultKind
from engine.core.terms import CallbackState, Outcome, PromptId
from engine.core.values import replace
from tests.unit.core.world import AMY, BILLING, Customer, World, being_bridged, says

S = CallbackState
OWN = CallLimits(
    enter_seconds=7,
    announcement_seconds=11,
    whisper_seconds=3,
    bridge_seconds=5,
    closing_seconds=13,
    last_words_seconds=17,
    conversation_seconds=1234,
)
SERVICE = replace(BILLING, call_limits=OWN)


def called(limits: CallLimits = OWN) -> Customer:
    world = World(services=(replace(BILLING, call_limits=limits),))
    world.hang_up_seconds = world.last_words_seconds = None
    world.agent().ready()
    return world.customer()


def test_given_a_customer_who_answered_when_they_never_come_into_our_hands_then_enter_seconds_end_it() -> None:
    customer = called()
    customer.picks_up()

    customer.world.pass_time(OWN.enter_seconds - 1)
    assert customer.closing is None
    customer.world.pass_time(1)

    assert customer.closing is Outcome.INTERRUPTED


def test_given_an_announcement_whose_end_is_never_told_then_announcement_seconds_end_it() -> None:
    customer = called()
    customer.answers()
    once = OWN.announcement_seconds + SERVICE.confirmation.wait_seconds

    customer.world.pass_time((1 + SERVICE.confirmation.repeats) * once - 1)
    assert customer.closing is None
    customer.world.pass_time(1)

    assert customer.closing is Outcome.UNCONFIRMED


def test_given_a_whisper_whose_end_is_never_told_then_whisper_seconds_end_it() -> None:
    customer = called()
    customer.confirms()
    customer.world.agent().picks_up()

    customer.world.pass_time(OWN.whisper_seconds - 1)
    assert customer.is_in(S.CONFIRMED)
    customer.world.pass_time(1)

    assert customer.state is S.CONNECTED


def test_given_a_connect_that_never_ends_when_somebody_left_then_bridge_seconds_end_the_call() -> None:
    customer = being_bridged(World(services=(SERVICE,)))
    customer.hangs_up()

    customer.world.pass_time(OWN.bridge_seconds - 1)
    assert customer.attempt.outcome is None
    customer.world.pass_time(1)

    assert customer.state is S.COMPLETED


def test_given_a_leg_that_is_let_go_without_words_when_its_end_is_never_told_then_closing_seconds_end_it() -> None:
    customer = called()
    customer.world.agent().leaves()

    customer.world.pass_time(OWN.closing_seconds - 1)
    assert customer.closing is Outcome.NO_AGENT
    customer.world.pass_time(1)

    assert customer.outcomes == (Outcome.NO_AGENT,)


def test_given_last_words_when_the_end_of_the_leg_is_never_told_then_last_words_seconds_end_it() -> None:
    customer = called()
    customer.answers()
    customer.presses("2")

    customer.world.pass_time(OWN.last_words_seconds - 1)
    assert customer.closing is Outcome.LATER
    customer.world.pass_time(1)

    assert customer.outcomes == (Outcome.LATER,)


def test_given_two_people_who_are_connected_then_conversation_seconds_are_their_legs_limit() -> None:
    customer = called()
    customer.confirms()
    customer.world.agent().answers()

    [connect] = customer.world.done(Connect)

    assert connect.max_seconds == OWN.conversation_seconds


@pytest.mark.parametrize("name", ["enter_seconds", "announcement_seconds", "whisper_seconds", "bridge_seconds"])
def test_given_a_longer_step_then_asterisks_own_limit_for_the_customers_leg_is_longer_by_it(name: str) -> None:
    [dial] = called().world.done(DialCustomer)

    [longer] = called(replace(OWN, **{name: getattr(OWN, name) + 100})).world.done(DialCustomer)

    announcements = 1 + SERVICE.confirmation.repeats + SERVICE.screening.robot_repeats
    times = announcements if name == "announcement_seconds" else 1
    assert longer.max_seconds == dial.max_seconds + 100 * times


def test_given_the_limits_then_asterisks_own_limit_for_the_agents_leg_is_beyond_our_waits() -> None:
    customer = called()
    customer.confirms()

    [ring] = customer.world.done(RingAgent)

    assert ring.max_seconds >= SERVICE.agent_ring_seconds + OWN.whisper_seconds + OWN.bridge_seconds


def test_given_limits_that_change_during_a_call_then_the_call_keeps_those_it_began_with() -> None:
    customer = called()
    world = customer.world
    world.configure((replace(SERVICE, call_limits=replace(OWN, enter_seconds=1)),), (AMY,))
    customer.picks_up()

    world.pass_time(OWN.enter_seconds - 1)

    assert customer.closing is None


def test_given_a_refused_connect_when_nobody_left_then_the_apology_has_last_words_seconds() -> None:
    customer = called()
    world = customer.world
    world.results[Connect] = ResultKind.REFUSED
    customer.confirms()
    world.agent().answers()
    world.pass_time(2)
    assert says(world.done(Release)[0]) == (PromptId.APOLOGY,)

    world.pass_time(OWN.last_words_seconds - 1)
    assert customer.closing is Outcome.INTERRUPTED
    world.pass_time(1)

    assert customer.outcomes == (Outcome.INTERRUPTED,)
