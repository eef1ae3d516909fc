"""Asterisk cannot be heard for a while: nothing new starts, and all goes on when it can."""

from __future__ import annotations

from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import LegSeen
from engine.core.terms import CallbackState
from tests.unit.core.world import AMY, BEN, BILLING, World

S = CallbackState


def test_given_lost_telephony_when_requests_agents_and_retries_come_then_nobody_is_called() -> None:
    world = World()
    world.lose_telephony()

    world.agent().ready()
    customer = world.customer()
    world.pass_time(BILLING.attempts.interval_seconds)

    assert customer.state is S.QUEUED
    assert world.done(DialCustomer) == []


def test_given_lost_telephony_when_it_is_back_then_those_who_wait_are_served_in_order() -> None:
    world = World()
    world.lose_telephony()
    first, second = world.customer(), world.customer()
    world.agent().ready()

    world.regain_telephony()

    assert (first.state, second.state) == (S.DIALING, S.QUEUED)


def test_given_lost_telephony_when_a_confirmed_customer_loses_the_agent_then_the_next_is_rung_after_it_is_back() -> (
    None
):
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer()
    customer.confirms()
    world.agent("ben").ready()
    world.lose_telephony()

    world.see(customer.attempt.id, LegSeen.ENTERED, LegSeen.GONE)
    assert len(world.done(RingAgent)) == 1
    world.regain_telephony()

    assert len(world.done(RingAgent)) == 2
    assert customer.state is S.CONFIRMED
