"""Effects refused or of unknown result, media that fails, keys and events out of turn: nobody is left in silence."""

from __future__ import annotations

import pytest

from engine.core.callphase import REFUSED_GRACE_SECONDS
from engine.core.effects import Connect, DialCustomer, Dismantle, Effect, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import (
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    LegSeen,
    PlayingFinished,
    ResultKind,
    TimerFired,
)
from engine.core.terms import AttemptId, CallbackState, Evidence, LegId, Outcome, PromptId, Verdict
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, Customer, World, connected, only, only_judged, says

S = CallbackState
FAILURES = [ResultKind.REFUSED, ResultKind.UNKNOWN]


def called(world: World) -> Customer:
    world.agent().ready()
    return world.customer()


# ---- effects -------------------------------------------------------------------------------------------


def test_given_a_dial_that_is_refused_then_the_agent_is_free_and_the_callback_waits_a_little() -> None:
    world = World()
    world.results[DialCustomer] = ResultKind.REFUSED

    customer = called(world)

    assert customer.outcomes == (Outcome.REFUSED,)
    assert world.agent().shown == "ready"
    assert customer.waits_until == BILLING.attempts.fault_interval_seconds
    assert S.DIALING not in customer.trail, "there never was a leg"


def test_given_a_dial_of_unknown_result_then_the_leg_is_released_and_never_dialled_blindly() -> None:
    world = World()
    world.results[DialCustomer] = ResultKind.UNKNOWN

    customer = called(world)

    assert [effect.leg for effect in world.done(Release)] == [customer.attempt.customer_leg]
    customer.is_let_go(Outcome.INTERRUPTED)
    assert customer.waits_until == BILLING.attempts.interval_seconds, "nobody can say that it did not ring"
    assert len(world.done(DialCustomer)) == 1


def test_given_a_ring_of_the_agent_that_is_refused_then_the_agent_missed_it_and_the_next_is_rung() -> None:
    world = World(agents=(AMY, BEN))
    customer = called(world)
    world.results.pop(RingAgent)
    customer.confirms()
    world.agent("ben").ready()

    world.ends(RingAgent, ResultKind.REFUSED)

    assert world.agent("amy").status.reason == "rona"
    assert world.agent("ben").shown == "ringing"
    assert customer.state is S.CONFIRMED


def test_given_a_ring_of_the_agent_that_nobody_knows_of_then_it_is_no_fault_of_theirs_and_the_next_is_rung() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("ben").ready()
    world.agent("ben").leaves()
    customer = called(world)
    world.results.pop(RingAgent)
    customer.confirms()
    first = world.agent("amy").leg
    world.agent("ben").ready()
    world.pass_time(1)

    world.ends(RingAgent, ResultKind.UNKNOWN)
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert [release.leg for release in world.done(Release)] == [first], "their phone may be ringing"
    assert (world.agent("amy").shown, world.agent("ben").shown) == ("ready", "ringing")
    assert customer.state is S.CONFIRMED
    assert isinstance(customer.hears, HoldWithMusic)


def test_given_a_ring_that_was_given_up_when_its_leg_shows_itself_late_then_it_is_let_go() -> None:
    world = World()
    world.results[RingAgent] = ResultKind.UNKNOWN
    customer = called(world)
    customer.confirms()
    leg = world.agent().leg
    world.pass_time(REFUSED_GRACE_SECONDS)
    assert world.agent().leg != leg, "they are rung anew"

    decision = world.tell(LegRinging(leg))

    assert [only(effect, Release).leg for effect in decision.effects] == [leg], (
        "nobody rings twice, or waits for nobody"
    )
    assert customer.state is S.CONFIRMED


def test_given_a_ring_of_the_agent_that_nobody_knows_of_when_they_answer_then_they_are_served() -> None:
    world = World()
    world.results[RingAgent] = ResultKind.UNKNOWN
    customer = called(world)
    customer.confirms()
    world.pass_time(REFUSED_GRACE_SECONDS / 2)

    world.agent().answers()

    assert customer.state is S.CONNECTED
    assert world.agent().times_rung == 1


@pytest.mark.parametrize("looked_at", [False, True])
def test_given_a_ring_that_nobody_knew_of_when_the_next_one_rings_out_then_that_one_was_missed(
    looked_at: bool,  # noqa: FBT001 - the same phone was found ringing, or it is rung anew
) -> None:
    world = World()
    world.results[RingAgent] = ResultKind.UNKNOWN
    customer = called(world)
    customer.confirms()
    world.results[RingAgent] = ResultKind.OK

    if looked_at:
        world.see(customer.attempt.id, LegSeen.ENTERED, LegSeen.RINGING)
    else:
        world.pass_time(REFUSED_GRACE_SECONDS)
    world.pass_time(BILLING.agent_ring_seconds)

    assert world.agent().status.reason == "rona"


def test_given_rings_that_nobody_ever_knows_of_then_each_has_a_pause_and_the_hold_limit_ends_the_wait() -> None:
    world = World()
    world.results[RingAgent] = ResultKind.UNKNOWN
    customer = called(world)
    customer.confirms()
    assert world.agent().times_rung == 1

    world.pass_time(BILLING.hold_limit_seconds + REFUSED_GRACE_SECONDS)

    assert world.agent().times_rung <= 1 + BILLING.hold_limit_seconds / REFUSED_GRACE_SECONDS
    assert says(only(customer.hears, Release)) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.NO_AGENT)
    assert world.agent().status.reason is None, "nobody knows that they missed anything"


def test_given_a_ring_that_was_missed_when_its_refusal_comes_too_then_the_agent_is_missed_once() -> None:
    world = World(agents=(AMY, BEN))
    customer = called(world)
    customer.confirms()
    world.agent("amy").rejects()

    world.tell(EffectEnded(world.done(RingAgent)[0], ResultKind.REFUSED))
    world.agent("ben").ready()

    assert world.agent("ben").shown == "ringing"
    world.tell(EffectEnded(world.done(RingAgent)[0], ResultKind.REFUSED))
    assert world.agent("ben").shown == "ringing", "the refusal was of the ring before"


def test_given_a_bridge_that_is_refused_then_the_customer_hears_an_apology_and_comes_first_again() -> None:
    world = World()
    world.results[Connect] = ResultKind.REFUSED
    customer = called(world)
    customer.confirms()

    world.agent().answers()
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert says(only(customer.hears, Release)) == (PromptId.APOLOGY,)
    assert world.agent().shown == "ready", "no wrap-up without a conversation"
    customer.is_let_go(Outcome.INTERRUPTED)
    assert customer.callback.at_head
    assert [effect.bridge for effect in world.done(Dismantle)] == [customer.attempt.bridge]


def test_given_a_bridge_refused_because_the_agent_just_left_when_that_is_known_then_the_customer_stays() -> None:
    world = World()
    world.results[Connect] = ResultKind.REFUSED
    customer = called(world)
    customer.confirms()
    world.agent().answers()

    world.agent().hangs_up()
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert customer.state is S.CONFIRMED
    assert world.agent().status.reason == "rona"
    assert isinstance(customer.hears, HoldWithMusic)


def test_given_any_call_then_asterisks_own_limit_is_beyond_all_of_our_waits() -> None:
    world = World()
    customer = called(world)
    customer.confirms()

    asked = (1 + BILLING.confirmation.repeats) * (LIMITS.announcement_seconds + BILLING.confirmation.wait_seconds)
    before_hold = BILLING.ring_timeout_seconds + LIMITS.enter_seconds + asked
    to_the_bridge = BILLING.agent_ring_seconds + LIMITS.whisper_seconds + LIMITS.bridge_seconds
    [dial], [ring] = world.done(DialCustomer), world.done(RingAgent)
    assert dial.max_seconds >= before_hold + BILLING.hold_limit_seconds + to_the_bridge
    assert ring.max_seconds >= to_the_bridge


# ---- media ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", FAILURES)
def test_given_an_announcement_that_cannot_be_played_then_the_call_ends_soon_instead_of_in_silence(
    failure: ResultKind,
) -> None:
    world = World()
    world.results[Play] = failure
    customer = called(world)
    customer.answers()
    assert customer.state is S.ANNOUNCING

    world.pass_time(REFUSED_GRACE_SECONDS)

    assert says(only(customer.hears, Release)) == ()
    customer.is_let_go(Outcome.INTERRUPTED)


def test_given_an_announcement_refused_because_the_customer_just_left_then_the_outcome_is_theirs() -> None:
    world = World()
    world.results[Play] = ResultKind.REFUSED
    customer = called(world)
    customer.answers()

    customer.hangs_up()

    assert customer.outcomes == (Outcome.HUNG_UP,)


def test_given_an_announcement_that_breaks_off_when_the_customer_presses_1_then_it_is_heard() -> None:
    world = World()
    customer = called(world)
    customer.answers()
    customer.hears_announcement(complete=False)

    customer.presses("1")

    assert customer.state is S.CONFIRMED


def test_given_an_announcement_that_broke_off_when_the_next_one_is_only_long_then_the_call_goes_on() -> None:
    world = World()
    customer = called(world)
    customer.answers()
    customer.hears_announcement(complete=False)
    customer.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)
    assert len(world.done(Play)) == 2

    world.pass_time(LIMITS.announcement_seconds)

    assert customer.state is S.ANNOUNCING
    customer.presses("1")
    assert customer.outcomes == ()


def test_given_an_announcement_whose_end_is_never_told_then_the_customer_is_asked_again_and_let_go() -> None:
    world = World()
    customer = called(world)
    customer.answers()

    world.pass_time(2 * (LIMITS.announcement_seconds + BILLING.confirmation.wait_seconds))

    assert says(customer.hears) == (PromptId.UNCONFIRMED_GOODBYE,)
    customer.is_let_go(Outcome.UNCONFIRMED)


def test_given_a_repeated_announcement_when_the_end_of_the_first_is_told_late_then_nobody_is_hurried() -> None:
    world = World()
    customer = called(world)
    customer.answers()
    customer.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)
    first, second = (play.tag for play in world.done(Play))
    assert first != second

    for complete in (True, False):
        news = PlayingFinished(customer.attempt.customer_leg, first, complete)
        assert world.tell(news).changes == []
    refused = world.tell(EffectEnded(world.done(Play)[0], ResultKind.REFUSED))

    assert refused.changes == []
    world.pass_time(LIMITS.announcement_seconds - 1)
    assert (customer.closing, customer.attempt.ended_at) == (None, None)
    customer.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)
    customer.is_let_go(Outcome.UNCONFIRMED)


@pytest.mark.parametrize("failure", FAILURES)
def test_given_music_that_fails_while_the_customer_waits_then_it_is_tried_again(failure: ResultKind) -> None:
    world = World()
    world.results[HoldWithMusic] = failure
    customer = called(world)
    customer.confirms()
    assert len(world.done(HoldWithMusic)) == 1

    world.results[HoldWithMusic] = ResultKind.OK
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert len(world.done(HoldWithMusic)) == 2
    assert says(customer.hears) == (), "the music alone: the prompt may be what failed"
    world.pass_time(REFUSED_GRACE_SECONDS * 3)
    assert len(world.done(HoldWithMusic)) == 2


def test_given_music_that_keeps_failing_then_the_hold_limit_still_ends_the_wait() -> None:
    world = World()
    world.results[HoldWithMusic] = ResultKind.REFUSED
    customer = called(world)
    customer.confirms()
    world.agent().rejects()

    world.pass_time(BILLING.hold_limit_seconds)

    customer.is_let_go(Outcome.NO_AGENT)


@pytest.mark.parametrize("failure", FAILURES)
def test_given_a_whisper_that_cannot_be_played_then_the_agent_is_connected_soon(failure: ResultKind) -> None:
    world = World()
    customer = called(world)
    customer.confirms()
    world.results[Play] = failure

    world.agent().picks_up()
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert customer.state is S.CONNECTED


def test_given_a_whisper_that_breaks_off_then_the_agent_is_connected_at_once() -> None:
    world = World()
    customer = called(world)
    customer.confirms()
    world.agent().picks_up()

    world.agent().hears_whisper(complete=False)

    assert customer.state is S.CONNECTED


def test_given_a_whisper_whose_end_is_never_told_then_the_agent_is_connected() -> None:
    world = World()
    customer = called(world)
    customer.confirms()
    world.agent().picks_up()

    world.pass_time(LIMITS.whisper_seconds)

    assert customer.state is S.CONNECTED


def test_given_an_answer_when_the_leg_never_comes_into_our_hands_then_the_call_is_given_up() -> None:
    world = World()
    customer = called(world)
    customer.picks_up()

    world.pass_time(LIMITS.enter_seconds)

    assert world.agent().shown == "ready", "the customer has answered: nothing rings any more"
    customer.is_let_go(Outcome.INTERRUPTED)


# ---- keys ----------------------------------------------------------------------------------------------


def test_given_key_1_when_pressed_twice_then_one_agent_is_rung_once() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("ben").ready()
    customer = called(world)
    customer.confirms()

    customer.presses("1")

    assert len(world.done(RingAgent)) == 1
    assert customer.state is S.CONFIRMED


@pytest.mark.parametrize("digit", ["2", "3", "9"])
def test_given_a_confirmed_customer_when_another_key_is_pressed_then_nothing_changes(digit: str) -> None:
    world = World()
    customer = called(world)
    customer.confirms()

    decision = customer.presses(digit)

    assert (decision.changes, decision.effects) == ([], [])
    assert customer.state is S.CONFIRMED


def test_given_a_wish_when_a_second_key_follows_then_the_first_stands() -> None:
    world = World()
    customer = called(world)
    customer.answers()
    customer.presses("3")

    decision = customer.presses("1")

    assert (decision.changes, decision.effects) == ([], [])
    customer.is_let_go(Outcome.CANCELLED_BY_KEY)
    assert customer.state is S.CANCELLED


@pytest.mark.parametrize("digit", ["0", "5", "#", "*", "A", ""])
def test_given_a_wrong_key_then_the_customer_is_still_asked(digit: str) -> None:
    world = World()
    customer = called(world)
    customer.answers()
    before = customer.attempt

    decision = customer.presses(digit)

    assert only_judged(decision, before) == (Verdict.PERSON, Evidence.KEY)
    again = customer.presses(digit)
    assert (again.changes, again.effects) == ([], [])
    assert customer.is_in(S.ANNOUNCING)
    customer.presses("1")
    assert customer.state is S.CONFIRMED


def test_given_a_key_before_the_announcement_then_it_means_nothing() -> None:
    world = World()
    customer = called(world)
    customer.presses("3")
    customer.picks_up()

    customer.presses("3")

    assert customer.state is S.DIALING


def test_given_a_key_of_the_agent_then_it_means_nothing() -> None:
    world = World()
    customer = called(world)
    customer.confirms()
    world.agent().picks_up()

    world.tell(KeyPressed(world.agent().leg, "3"))

    assert customer.state is S.CONFIRMED


# ---- late and foreign events ---------------------------------------------------------------------------


def late_events(customer: Customer, effects: list[Effect]) -> list[Event]:
    """Everything that could still be told of an attempt that is over."""
    attempt = customer.attempts[0]
    legs = (attempt.customer_leg, LegId(f"{attempt.id}.agent.1"), LegId(f"{attempt.id}.agent.7"))
    events: list[Event] = []
    for leg in legs:
        events += [LegRinging(leg), LegAnswered(leg), LegEntered(leg), KeyPressed(leg, "1"), LegEnded(leg, 16, 200)]
        events += [PlayingFinished(leg, tag) for tag in ("announcement.1", "announcement.2", "whisper")]
    events += [EffectEnded(effect, result) for effect in effects for result in ResultKind]
    timers = ("ring", "enter", "announcement", "confirm", "agent_ring", "hold", "whisper", "bridge", "closing")
    events += [TimerFired(attempt.id, name) for name in timers]
    return events


def test_given_an_ended_attempt_when_anything_is_told_of_it_then_nothing_changes() -> None:
    world = World(agents=(AMY, BEN))
    customer = connected(world)
    customer.hangs_up()

    for event in late_events(customer, list(world.effects)):
        decision = world.tell(event)
        assert (decision.changes, decision.effects) == ([], []), event


def test_given_a_second_attempt_when_events_of_the_first_come_then_the_second_goes_on_untouched() -> None:
    world = World()
    customer = called(world)
    customer.hangs_up(17, 486)
    world.pass_time(customer.waits_until)
    assert customer.attempt.n == 2

    for event in late_events(customer, list(world.effects[:1])):
        assert world.tell(event).changes == [], event

    assert customer.is_in(S.DIALING)
    customer.confirms()
    assert customer.state is S.CONFIRMED


@pytest.mark.parametrize(
    "event",
    [
        LegEntered(LegId("nobody.customer")),
        LegEnded(LegId("1700000000.12"), 16),
        LegEnded(LegId("")),
        KeyPressed(LegId("c001"), "1"),
        TimerFired("nobody", "ring"),
        TimerFired("c001", "ring"),
        TimerFired("c001", "life"),
        TimerFired("amy", "wrap_up"),
        TimerFired("amy", "rona_return"),
        EffectEnded(Release(AttemptId("c009-1"), LegId("c009-1.customer"), (), None), ResultKind.OK),  # type: ignore[arg-type]
    ],
)
def test_given_news_of_somebody_unknown_or_of_a_timer_not_due_then_nothing_changes(event: Event) -> None:
    world = World()
    called(world)

    decision = world.tell(event)

    assert (decision.changes, decision.effects) == ([], [])


def test_given_every_event_twice_then_the_story_is_the_same() -> None:
    world = World()
    customer = called(world)
    leg = customer.attempt.customer_leg
    events: list[Event] = [LegRinging(leg), LegAnswered(leg), LegEntered(leg)]
    for event in events:
        world.tell(event)
        world.tell(event)
    assert len(world.done(Play)) == 1
    customer.presses("1")
    agent_leg = world.agent().leg
    events = [LegEntered(agent_leg), PlayingFinished(agent_leg, "whisper"), LegEnded(agent_leg, 16)]
    for event in events:
        world.tell(event)
        world.tell(event)

    assert len(world.done(Connect)) == 1
    assert customer.outcomes == (Outcome.CONNECTED,)
    assert [move.after for move in world.journal.callback_moves] == [
        S.QUEUED,
        S.RESERVED,
        S.DIALING,
        S.ANNOUNCING,
        S.CONFIRMED,
        S.CONNECTED,
        S.COMPLETED,
    ]


@pytest.mark.parametrize("agent_answers", [False, True])
def test_given_a_confirmed_customer_when_they_hang_up_before_the_bridge_then_the_agent_is_freed(
    agent_answers: bool,  # noqa: FBT001 - one of two moments of the same story
) -> None:
    world = World()
    customer = called(world)
    customer.confirms()
    if agent_answers:
        world.agent().picks_up()

    customer.hangs_up()

    assert customer.outcomes == (Outcome.ABANDONED,)
    assert [effect.leg for effect in world.done(Release)] == [world.agent().leg]
    assert world.agent().shown == "ready"
