"""The look at Asterisk was made before an event that is told first: the event is the newer news."""

from __future__ import annotations

from engine.core.events import LegSeen
from engine.core.terms import CallbackState, Outcome, Presence
from tests.unit.core.world import World


def test_given_a_look_older_than_the_customers_entry_then_the_announcement_goes_on() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.rings()
    customer.picks_up()  # in the dialplan
    world.lose_telephony()
    before = customer.attempt
    customer.enters()  # heard on the new socket, after the look of Asterisk was made
    assert customer.attempt == before, "the node cannot see by the attempt that the call went on"
    world.see(customer.attempt.id, LegSeen.RINGING)
    world.regain_telephony()
    customer.hears_announcement()
    customer.presses("9")
    world.pass_time(60)
    assert customer.outcomes == (Outcome.NEVER_AGAIN,)


def test_given_a_look_older_than_the_agents_entry_then_the_whisper_goes_on_and_they_talk() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.lose_telephony()
    before = customer.attempt
    world.agent().picks_up()
    assert customer.attempt == before
    world.see(customer.attempt.id, LegSeen.ENTERED, LegSeen.RINGING)
    world.regain_telephony()
    world.agent().hears_whisper()
    world.pass_time(20)
    assert (customer.state, world.agent().status.presence) == (CallbackState.CONNECTED, Presence.READY)
