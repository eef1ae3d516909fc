"""The engine died after it bridged two people and before that was written down: the conversation goes on."""

from __future__ import annotations

import pytest

from engine.core.callphase import Phase
from engine.core.effects import Connect, Dismantle, HoldWithMusic, Release
from engine.core.events import AttemptSeen, EffectEnded, LegSeen
from engine.core.model import CallbackState, Outcome
from tests.unit.core.world import Customer, World

GONE, ENTERED = LegSeen.GONE, LegSeen.ENTERED


def bridged_and_restarted(world: World) -> Customer:
    """The Connect was carried out and its end never heard."""
    world.results.pop(Connect)
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().answers()
    world.restart()
    return customer


def test_given_both_in_the_bridge_when_the_engine_starts_then_they_are_connected_and_left_alone() -> None:
    world = World()
    customer = bridged_and_restarted(world)
    done = len(world.effects)

    world.tell(AttemptSeen(customer.attempt.id, ENTERED, ENTERED, bridged=True))

    assert customer.is_in(CallbackState.CONNECTED)
    assert customer.attempt.bridged_at == world.now
    assert world.agent().shown == "talking"
    assert world.effects[done:] == []
    world.pass_time(3600)
    assert customer.is_in(CallbackState.CONNECTED)
    assert not [effect for effect in world.effects[done:] if isinstance(effect, Release | HoldWithMusic | Dismantle)]


def test_given_both_in_the_bridge_when_one_hangs_up_then_it_was_a_conversation() -> None:
    world = World()
    customer = bridged_and_restarted(world)
    world.tell(AttemptSeen(customer.attempt.id, ENTERED, ENTERED, bridged=True))
    customer.hangs_up()
    assert customer.is_in(CallbackState.COMPLETED)
    assert customer.outcomes == (Outcome.CONNECTED,)
    assert world.agent().shown == "wrap_up"


@pytest.mark.parametrize(("agent", "bridged"), [(ENTERED, False), (GONE, False), (GONE, True)])
def test_given_no_conversation_when_the_engine_starts_then_the_customer_waits_for_an_agent(
    agent: LegSeen, *, bridged: bool
) -> None:
    world = World()
    customer = bridged_and_restarted(world)
    world.tell(AttemptSeen(customer.attempt.id, ENTERED, agent, bridged=bridged))
    assert customer.attempt.bridged_at is None
    assert next(flow.phase for flow in world.dispatcher.live()) is Phase.CONFIRMED


def test_given_the_socket_was_lost_during_the_bridging_when_the_end_of_connect_comes_late_then_nothing_changes() -> (
    None
):
    world = World()
    ok = world.results.pop(Connect)
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().answers()
    world.tell(AttemptSeen(customer.attempt.id, ENTERED, ENTERED, bridged=True))
    before = customer.attempt
    world.tell(EffectEnded(world.done(Connect)[-1], ok))
    assert customer.attempt == before
