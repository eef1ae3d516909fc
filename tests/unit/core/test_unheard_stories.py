"""Asterisk cannot be heard: silence proves nothing, so nothing is concluded from it, and no agent is blamed for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import REFUSED_GRACE_SECONDS, SILENT_DIAL_SECONDS
from engine.core.effects import Connect, DialCustomer, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import KeyPressed, LegSeen, ResultKind
from engine.core.terms import CallbackState, LegId, Outcome, PromptId
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, Customer, World, being_bridged, says

S = CallbackState
GONE, RINGING, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ENTERED
RING, INTERVAL = BILLING.ring_timeout_seconds, BILLING.attempts.interval_seconds
LONG = BILLING.hold_limit_seconds + LIMITS.announcement_seconds
"""Longer than any step of a call before the conversation."""


def called(*, agents: bool = False) -> Customer:
    world = World(agents=(AMY, BEN) if agents else (AMY,))
    world.agent().ready()
    return world.customer()


# ---- the steps of a call -------------------------------------------------------------------------------


def has_picked_up(customer: Customer) -> None:
    customer.picks_up()


def listens(customer: Customer) -> None:
    customer.answers()


def is_waited_for(customer: Customer) -> None:
    customer.answers()
    customer.hears_announcement()


def waits_while_a_phone_rings(customer: Customer) -> None:
    customer.confirms()


def waits_for_an_agent(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().rejects()


def waits_in_the_whisper(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().picks_up()


def is_being_let_go(customer: Customer) -> None:
    customer.answers()
    customer.presses("2")


STEPS = [
    has_picked_up,
    listens,
    is_waited_for,
    waits_while_a_phone_rings,
    waits_for_an_agent,
    waits_in_the_whisper,
    is_being_let_go,
]
Reach = Callable[[Customer], None]


@pytest.mark.parametrize("reach", STEPS)
def test_given_any_step_when_nothing_is_heard_for_long_then_nothing_is_done_or_concluded(reach: Reach) -> None:
    customer = called()
    world = customer.world
    reach(customer)
    world.lose_telephony()
    before, timers, done = customer.attempt, dict(world.journal.timers), len(world.effects)

    world.pass_time(LONG)

    assert customer.attempt == before
    assert world.effects[done:] == []
    of_attempt = {name for owner, name in timers if owner == customer.attempt.id}
    assert of_attempt == {name for owner, name in world.journal.timers if owner == customer.attempt.id}
    assert {timer.name for timer in world.held} == of_attempt


@pytest.mark.parametrize("reach", STEPS)
def test_given_timers_that_were_held_when_asterisk_is_heard_again_then_they_fire_at_once(reach: Reach) -> None:
    customer = called()
    world = customer.world
    reach(customer)
    world.lose_telephony()
    world.pass_time(LONG)
    held = set(world.held)

    world.regain_telephony()

    left = set(world.journal.timers.values()) & held
    assert not left, f"held, and never fired: {left}"


@pytest.mark.parametrize("reach", STEPS)
def test_given_timers_that_were_held_when_the_engine_starts_again_then_none_is_lost(reach: Reach) -> None:
    customer = called()
    world = customer.world
    reach(customer)
    world.lose_telephony()
    world.pass_time(LONG)
    held = set(world.held)

    world.restart()
    world.pass_time(0)

    assert not set(world.journal.timers.values()) & held


def test_given_several_timers_that_were_held_then_they_fire_in_the_order_in_which_they_fell_due() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    world.agent("ben").ready()
    late, early = world.customer(), world.customer()
    early.picks_up()
    world.pass_time(1)
    late.picks_up()
    world.lose_telephony()
    world.pass_time(LIMITS.enter_seconds + 1)
    assert world.done(Release) == []

    world.regain_telephony()

    legs = [effect.leg for effect in world.done(Release)]
    assert legs == [early.attempt.customer_leg, late.attempt.customer_leg]


def test_given_a_held_timer_when_a_look_sets_it_anew_then_it_does_not_fire_with_the_others() -> None:
    customer = called()
    world = customer.world
    has_picked_up(customer)
    world.lose_telephony()
    world.pass_time(LONG)
    world.see(customer.attempt.id, RINGING)

    world.regain_telephony()

    assert customer.closing is None
    world.pass_time(LIMITS.enter_seconds)
    customer.is_let_go(Outcome.INTERRUPTED)


def test_given_a_held_timer_when_its_call_ends_meanwhile_then_nothing_comes_of_it() -> None:
    customer = called()
    world = customer.world
    has_picked_up(customer)
    world.lose_telephony()
    world.pass_time(LONG)
    customer.hangs_up()

    decision = world.regain_telephony()

    assert decision.effects == []
    assert customer.outcomes == (Outcome.HUNG_UP,)


def test_given_nothing_is_heard_when_other_timers_fall_due_then_they_fire() -> None:
    world = World()
    world.agent().ready()
    world.customer().hangs_up(17, 486)
    first = next(iter(world.journal.callbacks.values()))
    world.lose_telephony()

    world.pass_time(INTERVAL)

    assert world.journal.callbacks[first.id].state is S.QUEUED, "a retry concludes nothing about a call"


# ---- ringing, the one thing that is timed --------------------------------------------------------------


def test_given_a_dial_that_nothing_is_heard_of_then_it_is_interrupted_a_while_after_its_ring_timeout() -> None:
    customer = called()
    world = customer.world
    world.lose_telephony()

    world.pass_time(RING + SILENT_DIAL_SECONDS - 1)
    assert (customer.attempt.outcome, world.done(Release)) == (None, [])
    world.pass_time(1)

    assert customer.outcomes == (Outcome.INTERRUPTED,)
    assert customer.attempt.rang, "nobody can say that it did not"
    assert customer.waits_until == INTERVAL
    assert world.agent().shown == "ready"
    world.pass_time(INTERVAL)
    assert len(world.done(DialCustomer)) == 1, "nobody is called unheard"


@pytest.mark.parametrize(
    ("seen", "outcome"), [(GONE, Outcome.INTERRUPTED), (RINGING, Outcome.NO_ANSWER), (ENTERED, None)]
)
def test_given_a_ring_timeout_that_passed_unheard_then_a_look_decides(seen: LegSeen, outcome: Outcome | None) -> None:
    customer = called()
    world = customer.world
    world.lose_telephony()
    world.pass_time(RING + 1)

    world.see(customer.attempt.id, seen)
    world.regain_telephony()

    assert customer.attempt.outcome is outcome
    if outcome is None:
        world.pass_time(SILENT_DIAL_SECONDS)
        assert customer.is_in(S.ANNOUNCING)
        customer.presses("1")
        assert customer.state is S.CONFIRMED


def test_given_a_ring_timeout_that_passed_unheard_when_no_look_comes_then_the_dial_still_ends() -> None:
    customer = called()
    world = customer.world
    world.lose_telephony()
    world.pass_time(RING + 1)
    world.regain_telephony()

    world.pass_time(SILENT_DIAL_SECONDS)

    assert customer.outcomes == (Outcome.NO_ANSWER,)


# ---- what is told nevertheless -------------------------------------------------------------------------


def test_given_a_dial_of_unknown_fate_when_nothing_is_heard_then_a_look_decides() -> None:
    world = World()
    world.results.pop(DialCustomer)
    world.agent().ready()
    customer = world.customer()
    world.lose_telephony()

    world.ends(DialCustomer, ResultKind.UNKNOWN)

    assert (customer.attempt.outcome, world.done(Release)) == (None, [])
    assert customer.attempt.rang
    world.see(customer.attempt.id, ENTERED)
    world.regain_telephony()
    assert customer.state is S.ANNOUNCING


@pytest.mark.parametrize("result", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_a_ring_of_the_agent_that_fails_when_nothing_is_heard_then_no_agent_is_blamed(result: ResultKind) -> None:
    customer = called()
    world = customer.world
    world.results.pop(RingAgent)
    customer.confirms()
    first = world.agent().leg
    world.lose_telephony()

    world.ends(RingAgent, result)
    world.pass_time(LONG)

    assert (world.agent().shown, world.agent().status.reason) == ("ringing", None)
    assert [effect for effect in world.done(Release) if effect.leg == first] == []
    world.see(customer.attempt.id, ENTERED, GONE)
    assert world.agent().status.reason is None


@pytest.mark.parametrize("kind", [Play, HoldWithMusic])
@pytest.mark.parametrize("result", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_media_that_fails_when_nothing_is_heard_then_the_look_begins_it_anew(
    kind: type[Play | HoldWithMusic], result: ResultKind
) -> None:
    customer = called()
    world = customer.world
    if kind is Play:
        customer.answers()
    else:
        waits_for_an_agent(customer)
    world.lose_telephony()
    done = len(world.done(kind))

    world.ends(kind, result)
    world.pass_time(LONG if kind is Play else REFUSED_GRACE_SECONDS)
    assert customer.attempt.outcome is None
    world.see(customer.attempt.id, ENTERED)
    world.regain_telephony()

    assert len(world.done(kind)) == done + 1
    assert customer.closing is None


@pytest.mark.parametrize("result", list(ResultKind))
def test_given_connect_that_ends_unheard_when_nobody_is_known_to_have_left_then_nobody_is_let_go(
    result: ResultKind,
) -> None:
    customer = being_bridged(World())
    world = customer.world
    world.lose_telephony()
    done = len(world.effects)

    world.ends(Connect, result)
    world.pass_time(LONG)

    assert (customer.attempt.outcome, world.effects[done:]) == (None, [])
    assert world.agent().status.reason is None


@pytest.mark.parametrize(
    ("leave", "outcome"),
    [
        ("dialled", Outcome.BUSY),
        ("announcing", Outcome.HUNG_UP),
        ("confirmed", Outcome.ABANDONED),
    ],
)
def test_given_the_end_of_a_leg_that_is_told_although_telephony_is_lost_then_it_counts(
    leave: str, outcome: Outcome
) -> None:
    customer = called()
    if leave != "dialled":
        customer.answers()
    if leave == "confirmed":
        customer.presses("1")
    customer.world.lose_telephony()

    customer.hangs_up(17, 486)

    assert customer.outcomes == (outcome,)


def test_given_key_3_that_is_told_although_telephony_is_lost_then_the_wish_is_kept() -> None:
    customer = called()
    customer.answers()
    world = customer.world
    world.lose_telephony()

    world.tell(KeyPressed(LegId(customer.attempt.customer_leg), "3"))

    assert customer.closing is Outcome.CANCELLED_BY_KEY
    world.see(customer.attempt.id, GONE)
    world.regain_telephony()
    assert customer.state is S.CANCELLED


def test_given_a_stop_although_telephony_is_lost_then_the_call_ends_politely_as_far_as_it_can() -> None:
    customer = called()
    waits_for_an_agent(customer)
    customer.world.lose_telephony()

    customer.world.stop()

    assert says(customer.hears) == (PromptId.APOLOGY,)
    assert customer.closing is Outcome.INTERRUPTED
