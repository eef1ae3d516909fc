"""The engine stops: what is not about to be a conversation ends politely, nothing new starts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.effects import Connect, DialCustomer, Release
from engine.core.events import LegSeen, ResultKind
from engine.core.terms import CallbackState, Outcome, PromptId
from tests.unit.core.world import AMY, BEN, BILLING, Customer, World, connected, only, says

S = CallbackState


def is_dialled(customer: Customer) -> None:
    customer.rings()


def has_picked_up(customer: Customer) -> None:
    customer.picks_up()


def hears_the_announcement(customer: Customer) -> None:
    customer.answers()


def waits_while_the_agent_rings(customer: Customer) -> None:
    customer.confirms()


def waits_for_an_agent(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().rejects()


@pytest.mark.parametrize(
    ("reach", "prompts"),
    [
        (is_dialled, ()),
        (has_picked_up, ()),
        (hears_the_announcement, (PromptId.APOLOGY,)),
        (waits_while_the_agent_rings, (PromptId.APOLOGY,)),
        (waits_for_an_agent, (PromptId.APOLOGY,)),
    ],
)
def test_given_a_call_that_is_no_conversation_when_the_engine_stops_then_it_ends_politely(
    reach: Callable[[Customer], None], prompts: tuple[PromptId, ...]
) -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    reach(customer)

    world.stop()

    assert says(only(customer.hears, Release)) == prompts
    customer.is_let_go(Outcome.INTERRUPTED)
    assert customer.state is S.RETRY_WAIT
    assert world.agent().status.work is None


def test_given_a_conversation_when_the_engine_stops_then_it_is_left_alone() -> None:
    world = World()
    customer = connected(world)

    decision = world.stop()

    assert (decision.changes, decision.effects) == ([], [])
    assert customer.state is S.CONNECTED


def test_given_an_agent_in_the_whisper_when_the_engine_stops_then_they_are_still_connected() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().picks_up()

    world.stop()
    world.agent().hears_whisper()

    assert customer.state is S.CONNECTED


def test_given_a_stop_in_the_whisper_when_the_agent_leaves_then_the_customer_is_not_left_waiting_for_nobody() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer()
    customer.confirms()
    world.agent("amy").picks_up()
    world.agent("ben").ready()
    world.stop()

    world.agent("amy").hangs_up()

    assert says(customer.hears) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.INTERRUPTED)
    assert world.agent("ben").times_rung == 0


def test_given_a_stop_while_bridging_when_the_agent_leaves_then_an_apology_and_no_more_music() -> None:
    world = World()
    world.results.pop(Connect)
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().answers()
    world.stop()
    world.agent().hangs_up()

    decision = world.ends(Connect, ResultKind.REFUSED)

    assert [says(effect) for effect in decision.effects if isinstance(effect, Release)] == [(PromptId.APOLOGY,)]
    customer.is_let_go(Outcome.INTERRUPTED)


def test_given_a_stop_in_the_whisper_when_the_event_socket_was_lost_then_the_call_ends_politely() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().picks_up()
    world.stop()

    world.see(customer.attempt.id, LegSeen.ENTERED, LegSeen.ENTERED)

    customer.is_let_go(Outcome.INTERRUPTED)
    assert {effect.leg for effect in world.done(Release)} == {customer.attempt.customer_leg, world.agent().leg}


def test_given_a_stop_when_requests_and_agents_come_then_nobody_is_called() -> None:
    world = World(agents=(AMY, BEN))
    waiting = world.customer()
    world.stop()

    world.agent().ready()
    world.customer()
    world.pass_time(60)

    assert waiting.state is S.QUEUED
    assert world.done(DialCustomer) == []


def test_given_a_stop_when_the_engine_starts_again_then_the_calls_are_made_again() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    world.stop()
    customer.is_let_go(Outcome.INTERRUPTED)

    world.restart()
    world.pass_time(BILLING.attempts.fault_interval_seconds)

    assert customer.state is S.DIALING
    assert customer.attempt.n == 2
    assert world.done(Connect) == []


def test_given_a_stop_told_twice_then_the_second_changes_nothing() -> None:
    world = World()
    world.agent().ready()
    world.customer().answers()
    world.stop()

    decision = world.stop()

    assert (decision.changes, decision.effects) == ([], [])
