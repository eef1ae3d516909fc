"""Letting go: the outcome stands at once, the attempt ends when the customer's leg is gone, the next comes after."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import REFUSED_GRACE_SECONDS
from engine.core.configuration import AttemptPolicy
from engine.core.effects import Connect, DialCustomer, Dismantle, Farewell, HoldWithMusic, Release, RingAgent
from engine.core.events import (
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEntered,
    LegRinging,
    LegSeen,
    PlayingFinished,
    ResultKind,
)
from engine.core.terms import CallbackState, LegId, Outcome, PromptId, Reason
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN, BILLING, HANG_UP, LAST_WORDS, LIMITS, Customer, World, only, says

S = CallbackState
GONE, RINGING, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ENTERED
INTERVAL, FAULT_INTERVAL = BILLING.attempts.interval_seconds, BILLING.attempts.fault_interval_seconds


def is_not_answered(customer: Customer) -> Outcome:
    customer.rings()
    customer.world.pass_time(BILLING.ring_timeout_seconds)
    return Outcome.NO_ANSWER


def loses_the_agent(customer: Customer) -> Outcome:
    customer.world.agent().leaves()
    return Outcome.NO_AGENT


def wants_it_later(customer: Customer) -> Outcome:
    customer.answers()
    customer.presses("2")
    return Outcome.LATER


def wants_no_more(customer: Customer) -> Outcome:
    customer.answers()
    customer.presses("3")
    return Outcome.CANCELLED_BY_KEY


def wants_never(customer: Customer) -> Outcome:
    customer.answers()
    customer.presses("9")
    return Outcome.NEVER_AGAIN


def presses_nothing(customer: Customer) -> Outcome:
    customer.answers()
    for _asked in range(1 + BILLING.confirmation.repeats):
        customer.hears_announcement()
        customer.world.pass_time(BILLING.confirmation.wait_seconds)
    return Outcome.UNCONFIRMED


def waits_too_long(customer: Customer) -> Outcome:
    customer.confirms()
    customer.world.agent().rejects()
    customer.world.pass_time(BILLING.hold_limit_seconds)
    return Outcome.NO_AGENT


def cannot_be_bridged(customer: Customer) -> Outcome:
    customer.world.results[Connect] = ResultKind.REFUSED
    customer.confirms()
    customer.world.agent().answers()
    customer.world.pass_time(REFUSED_GRACE_SECONDS)
    return Outcome.INTERRUPTED


WITHOUT_WORDS = [is_not_answered, loses_the_agent]
WITH_WORDS = [wants_it_later, wants_no_more, wants_never, presses_nothing, waits_too_long, cannot_be_bridged]
DECIDED = [*WITHOUT_WORDS, *WITH_WORDS]
MAY_STILL_WISH = [wants_it_later, presses_nothing]
Decides = Callable[[Customer], Outcome]


def called() -> Customer:
    world = World(agents=(AMY, BEN))
    world.agent().ready()
    return world.customer()


def unheard(customer: Customer) -> Customer:
    """Nothing will be heard of the leg by itself."""
    customer.world.hang_up_seconds = customer.world.last_words_seconds = None
    return customer


def limit_of(decides: Decides) -> float:
    return LIMITS.closing_seconds if decides in WITHOUT_WORDS else LIMITS.last_words_seconds


def is_over(customer: Customer, outcome: Outcome) -> None:
    """The attempt has just ended with the outcome that was written, and nothing is left of it."""
    world, attempt = customer.world, customer.attempt
    assert (attempt.outcome, attempt.ended_at) == (outcome, world.now)
    assert customer.outcomes == (outcome,)
    assert world.agent().status.work is None
    assert not [owner for owner, _name in world.journal.timers if owner == attempt.id]


# ---- while the leg is there ----------------------------------------------------------------------------


@pytest.mark.parametrize("decides", DECIDED)
def test_given_a_decided_call_then_the_outcome_is_written_and_the_end_comes_with_the_end_of_the_leg(
    decides: Decides,
) -> None:
    customer = called()
    state_before = {S.DIALING} if decides in WITHOUT_WORDS else {S.ANNOUNCING, S.CONFIRMED}

    outcome = decides(customer)

    assert customer.state in state_before, "the callback moves with the end"
    assert customer.closing is outcome
    assert bool(says(customer.hears)) == (decides in WITH_WORDS)
    customer.is_let_go(outcome)
    is_over(customer, outcome)


@pytest.mark.parametrize(
    ("decides", "interval"),
    [(is_not_answered, INTERVAL), (loses_the_agent, FAULT_INTERVAL), (wants_it_later, 1800), (waits_too_long, 60)],
)
def test_given_a_leg_that_is_gone_late_then_the_interval_counts_from_then(decides: Decides, interval: float) -> None:
    customer = unheard(called())
    world = customer.world
    outcome = decides(customer)
    world.pass_time(limit_of(decides) - 1)
    assert customer.closing is outcome

    customer.hangs_up()

    is_over(customer, outcome)
    assert customer.waits_until == interval
    world.agent().ready()
    world.pass_time(interval - 1)
    assert len(world.done(DialCustomer)) == 1
    world.pass_time(1)
    assert len(world.done(DialCustomer)) == 2


@pytest.mark.parametrize("decides", DECIDED)
def test_given_a_leg_whose_end_is_never_told_then_the_call_is_over_at_the_limit(decides: Decides) -> None:
    customer = unheard(called())
    outcome = decides(customer)

    customer.world.pass_time(limit_of(decides) - 1)
    assert customer.closing is outcome
    customer.world.pass_time(1)

    is_over(customer, outcome)
    assert customer.attempt.rang, "nobody can say that it did not"


def test_given_a_phone_not_known_to_ring_when_its_end_is_never_told_then_it_is_left_in_peace_for_the_interval() -> None:
    customer = unheard(called())
    loses_the_agent(customer)

    customer.world.pass_time(LIMITS.closing_seconds)

    assert customer.waits_until == INTERVAL


@pytest.mark.parametrize("decides", DECIDED)
def test_given_a_release_that_is_refused_then_the_call_is_over_soon(decides: Decides) -> None:
    customer = called()
    world = customer.world
    world.results |= {Release: ResultKind.REFUSED, Farewell: ResultKind.REFUSED}

    outcome = decides(customer)

    world.pass_time(REFUSED_GRACE_SECONDS - 0.25)
    assert customer.closing is outcome, "its end may just be on the way"
    world.pass_time(0.25)
    is_over(customer, outcome)


def test_given_a_release_that_is_refused_because_the_customer_just_left_then_the_call_is_over_at_once() -> None:
    customer = called()
    customer.world.results[Release] = ResultKind.REFUSED
    is_not_answered(customer)

    customer.hangs_up(19, 480)

    is_over(customer, Outcome.NO_ANSWER)


def test_given_a_release_of_unknown_fate_then_the_leg_is_waited_for_until_the_limit() -> None:
    customer = called()
    customer.world.results[Release] = ResultKind.UNKNOWN
    is_not_answered(customer)

    customer.world.pass_time(LIMITS.closing_seconds - 1)
    assert customer.closing is Outcome.NO_ANSWER
    customer.world.pass_time(1)

    is_over(customer, Outcome.NO_ANSWER)


def test_given_a_refused_release_of_the_agents_leg_then_the_customers_last_words_are_not_cut() -> None:
    customer = called()
    world = customer.world
    customer.confirms()
    world.pass_time(1)
    world.stop()
    released = world.done(Release)
    assert [effect.leg for effect in released] == [customer.attempt.customer_leg, world.agent().leg]

    world.tell(EffectEnded(released[1], ResultKind.REFUSED))
    world.pass_time(REFUSED_GRACE_SECONDS + 1)

    assert customer.closing is Outcome.INTERRUPTED


@pytest.mark.parametrize("decides", DECIDED)
def test_given_a_decided_call_when_anything_else_is_told_of_it_then_the_outcome_stands(decides: Decides) -> None:
    customer = unheard(called())
    world = customer.world
    outcome = decides(customer)
    leg, agent_leg = customer.attempt.customer_leg, LegId(f"{customer.attempt.id}.agent.1")
    events: list[Event] = [
        *(KeyPressed(leg, digit) for digit in ("12" if decides in MAY_STILL_WISH else "1239")),
        *(PlayingFinished(leg, tag) for tag in ("announcement.1", "announcement.2", "hold", "farewell")),
        *(kind(agent_leg) for kind in (LegRinging, LegAnswered, LegEntered)),
        PlayingFinished(agent_leg, "whisper"),
    ]
    if customer.attempt.answered_at is not None:
        events += [kind(leg) for kind in (LegRinging, LegAnswered, LegEntered)]

    before = customer.attempt
    for event in events:
        decision = world.tell(event)
        assert all(isinstance(effect, Release) and effect.leg == agent_leg for effect in decision.effects), event
        assert customer.attempt == before, event

    customer.hangs_up(17, 486)
    is_over(customer, outcome)
    assert (customer.attempt.cause, customer.attempt.sip_code) == (None, None), "how we ended it says nothing of them"


@pytest.mark.parametrize("decides", MAY_STILL_WISH)
@pytest.mark.parametrize(
    ("digit", "outcome", "reason"),
    [("3", Outcome.CANCELLED_BY_KEY, Reason.BY_KEY), ("9", Outcome.NEVER_AGAIN, Reason.NEVER_AGAIN)],
)
def test_given_last_words_before_another_call_when_the_customer_wants_none_then_it_counts(
    decides: Decides, digit: str, outcome: Outcome, reason: Reason
) -> None:
    customer = called()
    world = customer.world
    decides(customer)
    said = customer.hears

    customer.presses(digit)

    assert customer.hears == said, "the words go on"
    customer.is_let_go(outcome)
    assert (customer.state, customer.reason) == (S.CANCELLED, reason)
    assert (customer.callback.request.phone in world.journal.suppressions) == (digit == "9")


def test_given_last_words_when_the_customer_wants_no_call_and_the_engine_dies_then_it_counts() -> None:
    customer = called()
    presses_nothing(customer)

    customer.world.die_after_commit(KeyPressed(customer.attempt.customer_leg, "9"))
    customer.world.see(customer.attempt.id, GONE)

    assert customer.state is S.CANCELLED


def test_given_an_apology_while_the_engine_stops_when_the_customer_wants_no_call_then_it_counts() -> None:
    customer = called()
    customer.answers()
    customer.world.stop()

    customer.presses("3")

    customer.is_let_go(Outcome.CANCELLED_BY_KEY)


@pytest.mark.parametrize("decides", [is_not_answered, wants_no_more, waits_too_long])
def test_given_a_call_being_let_go_when_it_is_cancelled_or_the_engine_stops_then_nothing_changes(
    decides: Decides,
) -> None:
    customer = unheard(called())
    world = customer.world
    outcome = decides(customer)
    before = world.journal.snapshot()

    customer.cancels()
    world.stop()

    assert world.journal.snapshot() == before
    customer.hangs_up()
    assert customer.outcomes == (outcome,)


# ---- the agent meanwhile -------------------------------------------------------------------------------


def test_given_a_phone_that_may_still_ring_then_its_agent_is_kept_until_the_leg_is_gone() -> None:
    customer = called()
    world = customer.world
    waiting = world.customer()
    is_not_answered(customer)

    assert world.agent().shown == "reserved"
    assert waiting.is_in(S.QUEUED)
    world.pass_time(HANG_UP)

    assert waiting.state is S.DIALING
    assert waiting.attempt.agent == "amy"


def test_given_a_customer_who_hears_last_words_then_their_agent_serves_the_next_one_at_once() -> None:
    customer = called()
    world = customer.world
    waiting = world.customer()

    wants_no_more(customer)

    assert customer.closing is Outcome.CANCELLED_BY_KEY
    assert (waiting.state, waiting.attempt.agent) == (S.DIALING, "amy")
    customer.is_let_go(Outcome.CANCELLED_BY_KEY)
    assert world.agent().shown == "reserved", "the end of the first call takes nobody from the second"


@pytest.mark.parametrize("decides", [waits_too_long, presses_nothing, wants_it_later])
def test_given_a_customer_who_is_being_let_go_when_an_agent_becomes_free_then_the_agent_serves_somebody_else(
    decides: Decides,
) -> None:
    customer = called()
    world = customer.world
    decides(customer)
    world.agent().leaves()
    rung = len(world.done(RingAgent))

    world.agent("ben").ready()

    assert world.agent("ben").shown == "ready"
    assert len(world.done(RingAgent)) == rung
    assert customer.id not in world.dispatcher.line
    other = world.customer()
    assert (other.state, other.attempt.agent) == (S.DIALING, "ben")


def test_given_a_customer_on_the_phone_who_is_let_go_when_a_configuration_is_applied_then_they_do_not_wait_again() -> (
    None
):
    customer = called()
    world = customer.world
    waits_too_long(customer)

    world.configure((BILLING,), (AMY, BEN))
    world.agent("ben").ready()

    assert world.agent("ben").times_rung == 0
    customer.is_let_go(Outcome.NO_AGENT)


def test_given_an_agent_who_leaves_while_the_leg_is_being_let_go_then_they_stay_away_and_the_outcome_stands() -> None:
    customer = called()
    is_not_answered(customer)

    customer.world.agent().leaves()

    customer.is_let_go(Outcome.NO_ANSWER)
    assert customer.world.agent().shown == "not_ready"


# ---- a dial that was given up before its leg was there -------------------------------------------------


def posted() -> Customer:
    """The request to dial is under way: nothing is known of the leg."""
    world = World()
    world.results.pop(DialCustomer)
    world.agent().ready()
    return world.customer()


def tells_of_the_leg(kind: type[LegRinging | LegAnswered | LegEntered]) -> Callable[[Customer], Event]:
    return lambda customer: kind(customer.attempt.customer_leg)


def dial_ends(result: ResultKind) -> Callable[[Customer], Event]:
    return lambda customer: EffectEnded(customer.world.done(DialCustomer)[0], result)


@pytest.mark.parametrize(
    "news",
    [
        tells_of_the_leg(LegRinging),
        tells_of_the_leg(LegAnswered),
        tells_of_the_leg(LegEntered),
        dial_ends(ResultKind.OK),
        dial_ends(ResultKind.UNKNOWN),
    ],
    ids=["ringing", "answered", "entered", "dialled", "unknown"],
)
def test_given_a_dial_given_up_before_its_leg_was_there_when_the_leg_shows_itself_then_it_is_released_again(
    news: Callable[[Customer], Event],
) -> None:
    customer = posted()
    world = customer.world
    world.results[Release] = ResultKind.REFUSED
    loses_the_agent(customer)
    world.results[Release] = ResultKind.OK

    world.pass_time(REFUSED_GRACE_SECONDS - 1)
    world.tell(news(customer))

    assert [effect.leg for effect in world.done(Release)] == [customer.attempt.customer_leg] * 2
    customer.is_let_go(Outcome.NO_AGENT)
    assert customer.waits_until == INTERVAL, "the phone may have rung"


def test_given_a_dial_given_up_when_it_is_refused_then_there_is_no_leg_to_wait_for() -> None:
    customer = unheard(posted())
    world = customer.world
    loses_the_agent(customer)
    assert customer.closing is Outcome.NO_AGENT

    world.tell(EffectEnded(world.done(DialCustomer)[0], ResultKind.REFUSED))

    is_over(customer, Outcome.NO_AGENT)
    assert customer.waits_until == FAULT_INTERVAL, "the phone never rang"


# ---- starts and lost telephony -------------------------------------------------------------------------


@pytest.mark.parametrize("agent", list(LegSeen))
@pytest.mark.parametrize("seen", list(LegSeen))
@pytest.mark.parametrize("decides", DECIDED)
def test_given_a_start_while_a_customer_is_let_go_then_the_written_outcome_is_carried_out(
    decides: Decides, seen: LegSeen, agent: LegSeen
) -> None:
    customer = called()
    world = customer.world
    outcome = decides(customer)
    released = len(world.done(Release))
    world.restart()
    assert customer.closing is outcome

    decision = world.see(customer.attempt.id, seen, agent)

    if seen is GONE:
        assert customer.attempt.ended_at == world.now
    else:
        again = [effect for effect in decision.effects if isinstance(effect, Release)]
        assert (again[0].leg, again[0].prompts) == (customer.attempt.customer_leg, ())
        assert not [effect for effect in decision.effects if isinstance(effect, HoldWithMusic | RingAgent)]
        customer.is_let_go(outcome)
    is_over(customer, outcome)
    agent_legs = {effect.leg for effect in world.done(RingAgent)}
    dropped = {effect.leg for effect in world.done(Release)[released:]} & agent_legs
    assert dropped == (agent_legs if agent is not GONE else set()), "an agent's leg that is still there goes too"
    assert customer.state in {
        Outcome.CANCELLED_BY_KEY: (S.CANCELLED,),
        Outcome.NEVER_AGAIN: (S.CANCELLED,),
    }.get(outcome, (S.RETRY_WAIT,))


def test_given_a_start_while_an_agents_phone_was_being_let_go_then_it_is_let_go_at_once() -> None:
    customer = called()
    world = customer.world
    customer.confirms()
    world.stop()
    world.restart()

    decision = world.see(customer.attempt.id, ENTERED, RINGING)

    legs = [effect.leg for effect in decision.effects if isinstance(effect, Release)]
    assert legs == [customer.attempt.customer_leg, world.agent().leg], "the agent is free already and may be rung"


def test_given_a_start_while_a_phone_was_being_let_go_when_it_is_gone_then_nobody_can_say_that_it_did_not_ring() -> (
    None
):
    customer = called()
    loses_the_agent(customer)
    customer.world.restart()

    customer.world.see(customer.attempt.id, GONE)

    assert customer.attempt.rang
    assert customer.waits_until == INTERVAL


@pytest.mark.parametrize("decides", DECIDED)
def test_given_a_start_while_a_customer_is_let_go_when_the_leg_stays_then_the_limit_counts_anew_and_ends_it(
    decides: Decides,
) -> None:
    customer = unheard(called())
    world = customer.world
    outcome = decides(customer)
    world.pass_time(LIMITS.closing_seconds - 1)
    world.restart()
    world.see(customer.attempt.id, ENTERED)

    world.pass_time(LIMITS.closing_seconds - 1)
    assert customer.closing is outcome
    world.pass_time(1)

    is_over(customer, outcome)


def test_given_a_start_before_the_look_when_the_end_of_the_leg_is_told_then_the_call_is_over_once() -> None:
    customer = called()
    outcome = wants_no_more(customer)
    customer.world.restart()

    customer.hangs_up()
    is_over(customer, outcome)

    decision = customer.world.see(customer.attempt.id, GONE)
    assert (decision.changes, decision.effects) == ([], [])


def test_given_key_3_when_the_engine_dies_before_it_is_written_then_nothing_was_promised_and_they_are_asked_again() -> (
    None
):
    customer = called()
    world = customer.world
    customer.answers()

    world.fail_to_commit(KeyPressed(customer.attempt.customer_leg, "3"))

    assert world.done(Farewell) == []
    assert customer.closing is None
    world.see(customer.attempt.id, ENTERED)
    assert customer.is_in(S.ANNOUNCING)
    customer.presses("3")
    customer.is_let_go(Outcome.CANCELLED_BY_KEY)
    assert (customer.state, customer.reason) == (S.CANCELLED, Reason.BY_KEY)


@pytest.mark.parametrize("seen", list(LegSeen))
@pytest.mark.parametrize(("digit", "reason"), [("3", Reason.BY_KEY), ("9", Reason.NEVER_AGAIN)])
def test_given_key_3_or_9_when_the_engine_dies_after_it_is_written_then_they_are_never_called_again(
    digit: str, reason: Reason, seen: LegSeen
) -> None:
    customer = called()
    world = customer.world
    customer.answers()
    customer.presses(digit)
    world.restart()

    world.see(customer.attempt.id, seen)
    world.pass_time(BILLING.life_seconds)

    assert (customer.state, customer.reason) == (S.CANCELLED, reason)
    assert len(world.done(DialCustomer)) == 1
    assert len(world.done(Farewell)) == 1


def test_given_lost_telephony_while_a_customer_is_let_go_when_the_look_finds_nothing_then_the_call_is_over() -> None:
    customer = called()
    world = customer.world
    outcome = wants_it_later(customer)
    world.lose_telephony()

    world.pass_time(LAST_WORDS + 1)
    assert customer.closing is outcome, "nobody heard the end"
    world.see(customer.attempt.id, GONE)
    world.regain_telephony()

    is_over(customer, outcome)


def test_given_lost_telephony_while_a_customer_is_let_go_when_the_leg_is_still_there_then_it_is_let_go_again() -> None:
    customer = called()
    world = customer.world
    outcome = presses_nothing(customer)
    world.lose_telephony()
    world.pass_time(1)

    world.see(customer.attempt.id, ENTERED)
    world.regain_telephony()

    assert says(only(customer.hears, Release)) == ()
    customer.is_let_go(outcome)


@pytest.mark.parametrize("decides", DECIDED)
@pytest.mark.parametrize("seen", [GONE, None])
def test_given_lost_telephony_for_longer_than_the_limit_then_the_call_is_over_only_when_telephony_is_back(
    decides: Decides, seen: LegSeen | None
) -> None:
    customer = called()
    world = customer.world
    outcome = decides(customer)
    world.lose_telephony()

    world.pass_time(limit_of(decides) + INTERVAL)
    assert customer.closing is outcome, "the leg may still be there"
    if seen is not None:
        world.see(customer.attempt.id, seen)
    world.regain_telephony()

    is_over(customer, outcome)


def test_given_lost_telephony_when_the_next_call_is_due_then_it_waits_for_telephony() -> None:
    customer = called()
    world = customer.world
    is_not_answered(customer)
    world.pass_time(HANG_UP)
    world.lose_telephony()

    world.pass_time(INTERVAL)

    assert customer.is_in(S.QUEUED)
    assert len(world.done(DialCustomer)) == 1
    world.regain_telephony()
    assert customer.state is S.DIALING


# ---- never two calls of one customer -------------------------------------------------------------------


@pytest.mark.parametrize("decides", [is_not_answered, loses_the_agent, waits_too_long])
def test_given_an_interval_shorter_than_the_letting_go_then_the_next_call_still_comes_after_it(
    decides: Decides,
) -> None:
    policy = AttemptPolicy(interval_seconds=1, fault_interval_seconds=1)
    world = World(services=(replace(BILLING, attempts=policy),))
    world.agent().ready()
    customer = unheard(world.customer())
    decides(customer)
    if decides is not is_not_answered:
        world.agent().ready()

    world.pass_time(LIMITS.closing_seconds - 1)
    assert len(world.done(DialCustomer)) == 1
    customer.hangs_up()
    world.agent().ready()
    world.pass_time(1)

    assert len(world.done(DialCustomer)) == 2
    first, second = customer.attempts
    assert first.ended_at is not None
    assert second.dialed_at == first.ended_at + 1


def test_given_several_agents_one_after_another_then_each_has_a_bridge_of_their_own_and_none_is_left() -> None:
    customer = called()
    world = customer.world
    world.results.pop(Connect)
    customer.confirms()
    for agent, other in (("amy", "ben"), ("ben", "amy"), ("amy", "ben")):
        world.agent(agent).answers()
        world.agent(other).ready()
        world.agent(agent).hangs_up()
        world.ends(Connect, ResultKind.REFUSED)
    world.results[Connect] = ResultKind.OK
    world.agent("ben").answers()
    assert customer.is_in(S.CONNECTED)

    customer.hangs_up()

    made = [effect.bridge for effect in world.done(Connect)]
    assert made == [f"{customer.attempt.id}.bridge.{n}" for n in (1, 2, 3, 4)]
    assert [effect.bridge for effect in world.done(Dismantle)] == made


def test_given_a_stop_while_being_bridged_when_the_agent_leaves_then_the_bridge_goes_before_the_last_words() -> None:
    customer = called()
    world = customer.world
    world.results.pop(Connect)
    customer.confirms()
    world.agent().answers()
    world.stop()
    world.agent().hangs_up()

    decision = world.ends(Connect, ResultKind.REFUSED)

    kinds = [type(effect) for effect in decision.effects]
    assert kinds[:2] == [Dismantle, Release]
    assert says(decision.effects[1]) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.INTERRUPTED)
