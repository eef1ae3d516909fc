"""The agent first: rung, kept with music, and only then the customer is dialled; nobody is called who need not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import REFUSED_GRACE_SECONDS
from engine.core.decision import Refusal
from engine.core.effects import Connect, DialCustomer, Dismantle, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import EffectEnded, LegEnded, LegEntered, ResultKind
from engine.core.terms import CallbackState, ConnectMode, Outcome, Presence, PromptId, Reason
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, AgentAtDesk, Customer, World, only, says

S = CallbackState
FIRST = replace(BILLING, connect=ConnectMode.AGENT_FIRST)
RING, INTERVAL = FIRST.agent_ring_seconds, FIRST.attempts.interval_seconds


def centre(*, ready: bool = True) -> World:
    """Amy is ready, Ben is not."""
    world = World(services=(FIRST,), agents=(AMY, BEN))
    if ready:
        world.agent().ready()
    return world


def rung(world: World) -> Customer:
    """A customer for whom Amy is rung."""
    customer = world.customer()
    assert (customer.state, world.agent().shown) == (S.RINGING_AGENT, "ringing")
    return customer


def dialled(world: World) -> Customer:
    """A customer who is dialled while Amy waits."""
    customer = rung(world)
    world.agent().picks_up()
    assert customer.state is S.DIALING
    return customer


def confirmed(world: World) -> Customer:
    """A customer who has confirmed; Amy, who waited, hears the whisper."""
    customer = dialled(world)
    customer.confirms()
    return customer


# ---- the whole call ------------------------------------------------------------------------------------


def test_given_a_free_agent_then_their_phone_rings_and_the_customers_does_not() -> None:
    world = centre()

    customer = rung(world)

    assert world.done(DialCustomer) == []
    assert (customer.attempt.dialed_at, customer.attempt.agent_legs, customer.attempt.agent) == (None, 1, "amy")
    assert world.done(RingAgent)[0].leg == f"{customer.attempt.id}.agent.1"


def test_given_an_agent_who_answers_then_they_hear_music_and_the_customer_is_dialled() -> None:
    world = centre()
    customer = rung(world)
    world.pass_time(3)

    world.agent().picks_up()

    assert says(only(world.agent().hears, HoldWithMusic)) == ()
    assert [dial.leg for dial in world.done(DialCustomer)] == [customer.attempt.customer_leg]
    assert (customer.state, customer.attempt.dialed_at) == (S.DIALING, world.now)
    assert world.agent().shown == "reserved", "nobody rings them any more, and they do not talk yet"


def test_given_an_agent_who_waits_when_the_customer_confirms_then_they_hear_the_whisper_and_are_connected() -> None:
    world = centre()
    customer = confirmed(world)

    assert says(only(customer.hears, HoldWithMusic)) == (PromptId.CONNECTING,)
    assert says(only(world.agent().hears, Play)) == (PromptId.WHISPER,)
    world.agent().hears_whisper()

    assert [(each.customer, each.agent) for each in world.done(Connect)] == [
        (customer.attempt.customer_leg, world.agent().leg)
    ]
    assert customer.is_in(S.CONNECTED)
    assert (world.agent().shown, world.agent().times_rung) == ("talking", 1)
    customer.hangs_up()
    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)
    assert world.agent().shown == "wrap_up"
    assert customer.trail == [
        *(S.QUEUED, S.RESERVED, S.RINGING_AGENT, S.DIALING, S.ANNOUNCING, S.CONFIRMED, S.CONNECTED, S.COMPLETED),
    ]


def test_given_an_agent_who_answers_when_it_is_told_twice_then_the_customer_is_dialled_once() -> None:
    world = centre()
    customer = dialled(world)
    before = len(world.effects)

    world.tell(LegEntered(world.agent().leg))

    assert world.effects[before:] == []
    assert customer.attempt.agent_legs == 1


def test_given_an_agent_who_is_rung_when_the_customers_leg_is_told_to_have_ended_then_nothing_changes() -> None:
    world = centre()
    customer = rung(world)

    decision = world.dispatcher.handle(LegEnded(customer.attempt.customer_leg, 17), world.now)

    assert (decision.changes, decision.effects) == ([], [])
    assert [flow.attempt for flow in world.dispatcher.live()] == [customer.attempt]


def test_given_an_agents_leg_then_asterisks_own_limit_is_beyond_all_of_our_waits() -> None:
    world = centre()
    rung(world)

    asked = (1 + FIRST.confirmation.repeats) * (LIMITS.announcement_seconds + FIRST.confirmation.wait_seconds)
    to_the_dial = FIRST.agent_ring_seconds + LIMITS.enter_seconds
    to_the_confirmation = FIRST.ring_timeout_seconds + LIMITS.enter_seconds + asked
    to_the_bridge = LIMITS.whisper_seconds + LIMITS.bridge_seconds
    assert world.done(RingAgent)[0].max_seconds >= to_the_dial + to_the_confirmation + to_the_bridge


def test_given_a_callback_whose_agent_is_rung_when_it_is_cancelled_then_it_is_refused() -> None:
    world = centre()
    customer = rung(world)

    reply = customer.cancels().reply

    assert isinstance(reply, Refusal)
    assert reply.code == "call-in-progress"
    assert customer.state is S.RINGING_AGENT


@pytest.mark.parametrize("failure", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_music_that_fails_while_the_agent_waits_then_it_is_tried_again(failure: ResultKind) -> None:
    world = centre()
    world.results[HoldWithMusic] = failure
    customer = dialled(world)
    world.results[HoldWithMusic] = ResultKind.OK

    world.pass_time(REFUSED_GRACE_SECONDS)

    music = [each.leg for each in world.done(HoldWithMusic)]
    assert music == [world.agent().leg, world.agent().leg]
    assert customer.state is S.DIALING


def test_given_music_that_failed_when_the_customer_confirms_then_it_is_not_tried_again_over_the_whisper() -> None:
    world = centre()
    world.results[HoldWithMusic] = ResultKind.REFUSED
    customer = dialled(world)
    world.results[HoldWithMusic] = ResultKind.OK
    customer.enters()

    customer.presses("1")
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert [each.leg for each in world.done(HoldWithMusic)] == [world.agent().leg, customer.attempt.customer_leg]


# ---- the agent does not come ---------------------------------------------------------------------------


def lets_it_ring(agent: AgentAtDesk) -> None:
    agent.world.pass_time(RING)


def rejects(agent: AgentAtDesk) -> None:
    agent.rejects()


def cannot_be_rung(agent: AgentAtDesk) -> None:
    agent.world.ends(RingAgent, ResultKind.REFUSED)


MISSES = [lets_it_ring, rejects, cannot_be_rung]
Misses = Callable[[AgentAtDesk], None]


@pytest.mark.parametrize("misses", MISSES)
def test_given_an_agent_who_does_not_come_when_another_is_free_then_they_are_rung_in_the_same_moment(
    misses: Misses,
) -> None:
    world = centre()
    customer = rung(world)
    world.agent("ben").ready()

    misses(world.agent("amy"))

    first, second = customer.attempts
    assert (first.outcome, first.dialed_at, first.ended_at) == (Outcome.NO_AGENT, None, world.now)
    assert (second.agent, second.ended_at) == ("ben", None)
    assert (world.agent("amy").shown, world.agent("amy").status.reason) == ("not_ready", "rona")
    assert world.agent("ben").shown == "ringing"
    assert world.done(DialCustomer) == []
    assert customer.trail[-3:] == [S.QUEUED, S.RESERVED, S.RINGING_AGENT]
    world.agent("ben").picks_up()
    customer.confirms()
    world.agent("ben").hears_whisper()
    assert customer.is_in(S.CONNECTED)
    customer.hangs_up()
    assert customer.outcomes == (Outcome.CONNECTED,), "an attempt in which nobody was called has none"


@pytest.mark.parametrize("misses", MISSES)
def test_given_an_agent_who_does_not_come_when_nobody_else_is_free_then_the_customer_keeps_their_place(
    misses: Misses,
) -> None:
    world = centre()
    first = rung(world)
    world.pass_time(1)
    second = world.customer()

    misses(world.agent())

    assert (first.state, second.state) == (S.QUEUED, S.QUEUED)
    assert [world.dispatcher.line.position(each.id) for each in (first, second)] == [1, 2]
    assert first.callback.joined_at < second.callback.joined_at
    world.agent("ben").ready()
    assert (first.state, first.attempt.n) == (S.RINGING_AGENT, 2)


def test_given_a_head_of_the_line_whose_agent_does_not_come_then_they_stay_at_the_head() -> None:
    world = centre()
    early = world.customer()
    world.agent().picks_up()
    late = world.customer()
    early.confirms()
    early.hangs_up()
    assert early.outcomes == (Outcome.ABANDONED,)
    world.agent().rejects()
    assert late.attempt.outcome is Outcome.NO_AGENT
    world.pass_time(early.waits_until)
    priority = world.customer()
    world.agent().ready()
    assert early.state is S.RINGING_AGENT, "whoever was abandoned comes first"

    world.agent().rejects()

    assert early.callback.at_head
    assert [world.dispatcher.line.position(each.id) for each in (early, late, priority)] == [1, 2, 3]
    world.agent().ready()
    world.agent().picks_up()
    assert early.is_in(S.DIALING)
    assert not early.callback.at_head, "the head is for one call"


def test_given_agents_who_never_come_then_it_counts_against_no_limit() -> None:
    world = centre()
    customer = rung(world)

    for _each in range(12):
        world.agent().rejects()
        assert customer.is_in(S.QUEUED)
        world.agent().ready()

    assert (customer.state, customer.outcomes) == (S.RINGING_AGENT, ())
    world.agent().picks_up()
    customer.confirms()
    world.agent().hears_whisper()
    assert customer.state is S.CONNECTED


def test_given_a_life_that_is_over_when_the_agent_does_not_come_then_the_callback_is_expired() -> None:
    world = centre(ready=False)
    customer = world.customer()
    world.pass_time(FIRST.life_seconds - 1)
    world.agent().ready()
    world.pass_time(2)
    assert customer.is_in(S.RINGING_AGENT)

    world.agent().rejects()

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.LIFETIME)
    assert len(world.dispatcher.line) == 0


def test_given_an_agent_who_answers_too_late_then_nobody_is_dialled() -> None:
    world = centre()
    world.results.pop(Release)
    rung(world)
    lets_it_ring(world.agent())
    before = len(world.effects)

    world.tell(LegEntered(world.agent().leg))

    assert world.effects[before:] == []


def test_given_a_ring_that_nobody_knows_of_then_the_agent_is_not_blamed_and_the_customer_keeps_their_place() -> None:
    world = centre()
    world.results.pop(RingAgent)
    customer = rung(world)
    world.agent("ben").ready()
    first = world.agent("amy").leg

    world.ends(RingAgent, ResultKind.UNKNOWN)
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert [release.leg for release in world.done(Release)] == [first], "their phone may be ringing"
    assert world.agent("amy").status.reason is None
    assert customer.attempts[0].dialed_at is None
    assert (customer.state, customer.attempt.n) == (S.RINGING_AGENT, 2)


@pytest.mark.parametrize("result", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_an_agent_who_came_unheard_when_their_ring_is_told_to_have_failed_then_they_are_believed(
    result: ResultKind,
) -> None:
    world = centre()
    world.results.pop(RingAgent)
    customer = rung(world)
    world.lose_telephony()
    world.agent().picks_up()
    world.regain_telephony()

    world.ends(RingAgent, result)
    assert (customer.attempt.id, "agent_ring") not in world.journal.timers
    world.pass_time(REFUSED_GRACE_SECONDS)

    assert customer.is_in(S.DIALING)
    assert world.done(Release) == []


# ---- the agent is taken away ---------------------------------------------------------------------------


def goes_to_lunch(world: World) -> None:
    world.agent().leaves()


def is_removed(world: World) -> None:
    world.configure((FIRST,), (BEN,))


@pytest.mark.parametrize("leaves", [goes_to_lunch, is_removed])
def test_given_an_agent_who_is_taken_away_while_rung_then_their_phone_stops_and_the_next_one_is_rung(
    leaves: Callable[[World], None],
) -> None:
    world = centre()
    customer = rung(world)
    leg = world.agent().leg
    world.agent("ben").ready()

    leaves(world)

    assert [release.leg for release in world.done(Release)] == [leg]
    assert world.agent("amy").status.work is None
    assert world.agent("amy").status.reason in ("lunch", None), "no RONA"
    assert (customer.attempts[0].outcome, customer.attempts[0].dialed_at) == (Outcome.NO_AGENT, None)
    assert world.agent("ben").shown == "ringing"
    assert customer.outcomes == ()


@pytest.mark.parametrize("answered", [False, True])
def test_given_an_agent_who_is_on_the_phone_when_they_say_not_ready_then_they_finish_this_call(
    answered: bool,  # noqa: FBT001 - one of two moments of the same story
) -> None:
    world = centre()
    customer = dialled(world)
    if answered:
        customer.answers()

    world.agent().leaves()
    assert (customer.closing, world.agent().shown) == (None, "reserved")
    if not answered:
        customer.answers()
    customer.presses("1")
    world.agent().hears_whisper()

    assert customer.is_in(S.CONNECTED)
    customer.hangs_up()
    world.pass_time(FIRST.wrap_up_seconds)
    assert (world.agent().shown, world.agent().status.reason) == ("not_ready", "lunch")


# ---- the agent leaves ----------------------------------------------------------------------------------


def test_given_an_agent_who_hangs_up_while_the_customer_is_dialled_then_the_dial_is_cancelled_and_not_counted() -> None:
    world = centre()
    customer = dialled(world)

    world.agent().hangs_up()

    assert says(only(customer.hears, Release)) == ()
    assert (world.agent().shown, world.agent().status.reason) == ("not_ready", "rona")
    customer.is_let_go(Outcome.NO_AGENT)
    assert customer.waits_until == FIRST.attempts.fault_interval_seconds, "the phone never rang"


def test_given_a_dial_that_was_cancelled_so_when_another_agent_is_free_then_the_leg_is_waited_for() -> None:
    world = centre()
    world.hang_up_seconds = 3
    customer = dialled(world)
    customer.rings()
    world.agent("ben").ready()

    world.agent("amy").hangs_up()
    world.pass_time(2)

    assert (customer.closing, world.agent("ben").times_rung) == (Outcome.NO_AGENT, 0)
    world.pass_time(1)
    assert customer.outcomes == (Outcome.NO_AGENT,)
    assert customer.waits_until == INTERVAL, "their phone rang: they are left in peace"


@pytest.mark.parametrize("in_our_hands", [False, True])
def test_given_an_agent_who_hangs_up_after_the_answer_then_the_customer_stays_and_gets_another_one(
    in_our_hands: bool,  # noqa: FBT001 - one of two moments of the same story
) -> None:
    world = centre()
    customer = dialled(world)
    customer.picks_up()
    if in_our_hands:
        customer.enters()

    world.agent("amy").hangs_up()
    assert (world.agent("amy").shown, world.agent("amy").status.reason) == ("not_ready", "rona")
    world.agent("ben").ready()
    assert world.agent("ben").times_rung == 0, "nobody is looked for before they confirm"
    customer.confirms()

    assert world.agent("ben").shown == "ringing"
    assert isinstance(customer.hears, HoldWithMusic)
    world.agent("ben").answers()
    assert (customer.state, customer.callback.agent) == (S.CONNECTED, "ben")
    assert len(world.done(DialCustomer)) == 1


def test_given_an_agent_who_hangs_up_in_the_whisper_then_the_customer_stays_and_the_next_one_is_rung() -> None:
    world = centre()
    customer = confirmed(world)
    world.agent("ben").ready()

    world.agent("amy").hangs_up()

    assert world.agent("amy").status.reason == "rona"
    assert world.agent("ben").shown == "ringing"
    assert customer.state is S.CONFIRMED
    world.agent("ben").answers()
    assert (customer.state, customer.attempt.agent_legs) == (S.CONNECTED, 2)


# ---- the customer fails --------------------------------------------------------------------------------


def is_busy(customer: Customer) -> None:
    customer.hangs_up(17, 486)


def does_not_answer(customer: Customer) -> None:
    customer.rings()
    customer.world.pass_time(FIRST.ring_timeout_seconds)


def cannot_be_dialled(customer: Customer) -> None:
    customer.world.ends(DialCustomer, ResultKind.REFUSED)


def hangs_up_in_the_announcement(customer: Customer) -> None:
    customer.answers()
    customer.hangs_up()


def wants_a_later_call(customer: Customer) -> None:
    customer.answers()
    customer.presses("2")


def cancels(customer: Customer) -> None:
    customer.answers()
    customer.presses("3")


def wants_no_calls(customer: Customer) -> None:
    customer.answers()
    customer.presses("9")


def presses_nothing(customer: Customer) -> None:
    customer.answers()
    for _asked in range(1 + FIRST.confirmation.repeats):
        customer.hears_announcement()
        customer.world.pass_time(FIRST.confirmation.wait_seconds)


def never_comes_into_our_hands(customer: Customer) -> None:
    customer.picks_up()
    customer.world.pass_time(LIMITS.enter_seconds)


FAILS = [
    (is_busy, Outcome.BUSY),
    (does_not_answer, Outcome.NO_ANSWER),
    (cannot_be_dialled, Outcome.REFUSED),
    (hangs_up_in_the_announcement, Outcome.HUNG_UP),
    (wants_a_later_call, Outcome.LATER),
    (cancels, Outcome.CANCELLED_BY_KEY),
    (wants_no_calls, Outcome.NEVER_AGAIN),
    (presses_nothing, Outcome.UNCONFIRMED),
    (never_comes_into_our_hands, Outcome.INTERRUPTED),
]


@pytest.mark.parametrize(("fails", "outcome"), FAILS)
def test_given_a_customer_who_fails_then_the_agents_leg_ends_at_once_and_they_are_free_without_wrap_up(
    fails: Callable[[Customer], None], outcome: Outcome
) -> None:
    world = centre()
    if fails is cannot_be_dialled:
        world.results.pop(DialCustomer)
        customer = rung(world)
        world.agent().picks_up()
    else:
        customer = dialled(world)
    world.results[Release] = ResultKind.UNKNOWN  # nothing is heard of any leg's end

    fails(customer)

    assert customer.attempt.outcome is outcome
    assert world.agent().leg in {release.leg for release in world.done(Release)}
    assert (world.agent().shown, world.agent().status.reason) == ("ready", None)
    assert world.done(Dismantle) == [], "there never was a bridge"
    assert ("amy", "wrap_up") not in world.journal.timers


def test_given_a_busy_customer_when_another_one_waits_then_the_agent_is_rung_for_them_at_once() -> None:
    world = centre()
    first = dialled(world)
    second = world.customer()
    assert second.is_in(S.QUEUED)

    is_busy(first)

    assert second.state is S.RINGING_AGENT
    assert world.agent().leg == second.attempt.agent_leg
    assert first.waits_until == INTERVAL


def test_given_a_customer_who_gives_up_in_the_whisper_then_the_agent_is_free_without_wrap_up() -> None:
    world = centre()
    customer = confirmed(world)

    customer.hangs_up()

    assert customer.outcomes == (Outcome.ABANDONED,)
    assert world.done(Release)[-1].leg == world.agent().leg
    assert world.agent().shown == "ready"


def test_given_an_agent_who_was_let_go_when_the_end_of_their_leg_is_told_then_they_are_not_blamed() -> None:
    world = centre()
    world.results.pop(Release)
    customer = dialled(world)
    does_not_answer(customer)
    leg = world.agent().leg

    world.tell(LegEnded(leg, 16))
    world.tell(EffectEnded(world.done(RingAgent)[0], ResultKind.REFUSED))

    assert (world.agent().shown, world.agent().status.presence) == ("ready", Presence.READY)
    assert customer.closing is Outcome.NO_ANSWER
