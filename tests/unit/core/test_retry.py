"""Retry decisions as a table: policy, history and the last attempt in; time, place and cause out. Lives at random."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.callphase import FREE_LATERS
from engine.core.configuration import AttemptPolicy, Confirmation, OutcomeRule
from engine.core.lifecycle import Because
from engine.core.permission import CallingWindow, Constraint, window_opens_at
from engine.core.records import Attempt
from engine.core.retry import COUNTED, ENDS, FAULTS, FAULTS_BEFORE_HOLD, NoRetry, RetryDecision, decide
from engine.core.terms import AgentId, AttemptId, CallbackId, Outcome
from engine.core.values import replace

O = Outcome  # noqa: E741 - the table reads better with a short name
NOW = 1000.0
POLICY = AttemptPolicy()
UNHEARD = Attempt(AttemptId("c-1"), CallbackId("c"), 1, AgentId("amy"), dialed_at=900)
RANG = replace(UNHEARD, rang=True)
ANSWERED = replace(RANG, answered_at=910)
CONFIRMED = replace(ANSWERED, confirmed_at=920)
CONFIRMATION = Confirmation()


@dataclass(frozen=True)
class Case:
    name: str
    history: tuple[Outcome, ...]
    expected: RetryDecision | NoRetry
    attempt: Attempt = RANG
    policy: AttemptPolicy = POLICY


def again(seconds: float, because: Because = Because.ATTEMPT_FAILED) -> RetryDecision:
    return RetryDecision(NOW + seconds, at_head=False, because=because)


def first_again(seconds: float) -> RetryDecision:
    return RetryDecision(NOW + seconds, at_head=True, because=Because.ATTEMPT_FAILED)


EXHAUSTED = NoRetry(Because.ATTEMPTS_EXHAUSTED)
HELD = NoRetry(Because.HELD_FOR_SUPERVISOR)
LATER = Because.LATER_BY_KEY
TWICE_BUSY = AttemptPolicy(by_outcome={O.BUSY: OutcomeRule(max=2, interval_seconds=180)})

CASES = [
    Case("connected ends", (O.CONNECTED,), NoRetry(Because.CALL_ENDED)),
    Case("key 3 ends", (O.CANCELLED_BY_KEY,), NoRetry(Because.CANCELLED_BY_KEY)),
    Case("key 9 ends", (O.NEVER_AGAIN,), NoRetry(Because.NEVER_AGAIN_BY_KEY)),
    Case("invalid number ends", (O.INVALID_NUMBER,), NoRetry(Because.INVALID_NUMBER)),
    Case("first of three", (O.BUSY,), again(600)),
    Case("second of three", (O.BUSY, O.NO_ANSWER), again(600)),
    Case("third of three", (O.BUSY, O.NO_ANSWER, O.MACHINE), EXHAUSTED),
    Case("one attempt", (O.BUSY,), EXHAUSTED, policy=AttemptPolicy(max=1)),
    Case("rule's interval", (O.BUSY,), again(180), policy=TWICE_BUSY),
    Case("rule's maximum", (O.BUSY, O.BUSY), EXHAUSTED, policy=TWICE_BUSY),
    Case("rule of another outcome", (O.BUSY, O.NO_ANSWER), again(600), policy=TWICE_BUSY),
    Case("abandoned comes first", (O.ABANDONED,), first_again(600), CONFIRMED),
    Case("later", (O.LATER,), again(1800, LATER), ANSWERED),
    Case("later twice is free", (O.LATER, O.LATER), again(1800, LATER), ANSWERED, AttemptPolicy(max=1)),
    Case("laters are not counted here", (O.LATER,) * 3, again(1800, LATER), ANSWERED, AttemptPolicy(max=1)),
    Case("laters and attempts", (O.BUSY, O.LATER, O.BUSY, O.LATER), again(1800, LATER), ANSWERED),
    Case("laters do not add up", (O.BUSY, O.LATER, O.LATER, O.LATER, O.BUSY), again(600)),
    Case("fault before it rang", (O.REFUSED,), again(60), UNHEARD),
    Case("fault after it rang", (O.INTERRUPTED,), again(600), RANG),
    Case("fault after the answer", (O.INTERRUPTED,), again(600), ANSWERED),
    Case("fault after confirmation", (O.NO_AGENT,), first_again(60), CONFIRMED),
    Case("short interval wins over the fault's", (O.REFUSED,), again(30), UNHEARD, AttemptPolicy(interval_seconds=30)),
    Case("faults are not counted", (O.REFUSED, O.BUSY, O.NO_AGENT, O.BUSY), again(600)),
    Case("the fourth fault", (O.REFUSED, O.NO_AGENT, O.INTERRUPTED, O.REFUSED), again(60), UNHEARD),
    Case("the fifth fault", (O.REFUSED, O.NO_AGENT, O.INTERRUPTED, O.REFUSED, O.NO_AGENT), HELD, UNHEARD),
    Case("faults between attempts", (O.REFUSED, O.REFUSED, O.BUSY, O.REFUSED, O.REFUSED, O.REFUSED), HELD, UNHEARD),
    Case(
        "a fault's own maximum",
        (O.NO_AGENT,),
        HELD,
        CONFIRMED,
        AttemptPolicy(by_outcome={O.NO_AGENT: OutcomeRule(max=1)}),
    ),
]


def at_once(at: float) -> float:
    """Any time is permitted."""
    return at


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_given_a_history_then_the_decision_is(case: Case) -> None:
    attempt = replace(case.attempt, outcome=case.history[-1], ended_at=NOW)

    assert decide(case.policy, CONFIRMATION, case.history, attempt, NOW, at_once) == case.expected


def test_given_the_closed_lists_then_every_outcome_has_one_kind() -> None:
    assert set(ENDS) == {O.CONNECTED, O.CANCELLED_BY_KEY, O.NEVER_AGAIN, O.INVALID_NUMBER}
    kinds = [COUNTED, FAULTS, set(ENDS), {O.LATER}]
    assert sum(len(kind) for kind in kinds) == len(Outcome)
    assert set().union(*kinds) == set(Outcome)


@pytest.mark.parametrize("outcome", sorted(COUNTED))
def test_given_a_counted_outcome_then_the_third_ends_it(outcome: Outcome) -> None:
    for made in (1, 2):
        assert isinstance(decide(POLICY, CONFIRMATION, (outcome,) * made, ANSWERED, NOW, at_once), RetryDecision)
    assert decide(POLICY, CONFIRMATION, (outcome,) * 3, ANSWERED, NOW, at_once) == EXHAUSTED


# ---- permitted times -------------------------------------------------------------------------------------

OPENS = NOW + 50_000


def from_opening(at: float) -> float:
    return max(at, OPENS)


def never(_at: float) -> None:
    return None


@pytest.mark.parametrize(
    ("outcome", "attempt", "because", "at_head"),
    [
        (O.BUSY, RANG, Because.ATTEMPT_FAILED, False),
        (O.ABANDONED, CONFIRMED, Because.ATTEMPT_FAILED, True),
        (O.LATER, ANSWERED, LATER, False),
        (O.REFUSED, UNHEARD, Because.ATTEMPT_FAILED, False),
        (O.NO_AGENT, CONFIRMED, Because.ATTEMPT_FAILED, True),
    ],
)
def test_given_a_time_that_is_not_permitted_then_it_rolls_to_the_next_one_and_keeps_its_place(
    outcome: Outcome,
    attempt: Attempt,
    because: Because,
    at_head: bool,  # noqa: FBT001 - a column of the table
) -> None:
    decided = decide(POLICY, CONFIRMATION, (outcome,), attempt, NOW, from_opening)

    assert decided == RetryDecision(OPENS, at_head, because)


@pytest.mark.parametrize("outcome", sorted({*COUNTED, *FAULTS, O.LATER}))
def test_given_no_permitted_time_then_nobody_is_called_again(outcome: Outcome) -> None:
    decided = decide(POLICY, CONFIRMATION, (outcome,), RANG, NOW, never)

    assert decided == NoRetry(Because.NO_PERMITTED_TIME)


@pytest.mark.parametrize(
    "history", [(O.CONNECTED,), (O.NEVER_AGAIN,), (O.BUSY,) * 3, (O.NO_AGENT,) * FAULTS_BEFORE_HOLD]
)
def test_given_a_history_that_allows_no_retry_then_no_time_is_asked_for(history: tuple[Outcome, ...]) -> None:
    expected = decide(POLICY, CONFIRMATION, history, RANG, NOW, at_once)

    assert isinstance(expected, NoRetry)
    assert decide(POLICY, CONFIRMATION, history, RANG, NOW, never) == expected


# ---- whole lives -----------------------------------------------------------------------------------------

rules = st.builds(
    OutcomeRule,
    max=st.none() | st.integers(1, 4),
    interval_seconds=st.none() | st.integers(1, 5000).map(float),
)
policies = st.builds(
    AttemptPolicy,
    max=st.integers(1, 6),
    interval_seconds=st.integers(1, 5000).map(float),
    fault_interval_seconds=st.integers(1, 500).map(float),
    by_outcome=st.dictionaries(st.sampled_from(Outcome), rules, max_size=3),
)
windows = st.builds(CallingWindow, st.integers(0, 86399), st.integers(0, 86399))
ended_attempts = st.tuples(st.sampled_from(Outcome), st.sampled_from([UNHEARD, RANG, ANSWERED, CONFIRMED]))


def shortest_interval(policy: AttemptPolicy, outcome: Outcome) -> float:
    rule = policy.by_outcome.get(outcome, OutcomeRule())
    if rule.interval_seconds is not None:
        return rule.interval_seconds
    if outcome is O.LATER:
        return CONFIRMATION.later_seconds
    return min(policy.interval_seconds, policy.fault_interval_seconds) if outcome in FAULTS else policy.interval_seconds


def in_window(window: CallingWindow) -> Constraint:
    return lambda at: window_opens_at(window, ("America/New_York",), at)


@given(policy=policies, window=windows, ends=st.lists(ended_attempts, min_size=40, max_size=40))
def test_given_any_life_then_both_limits_hold_and_each_call_is_due_at_a_permitted_time_after_its_interval(
    policy: AttemptPolicy, window: CallingWindow, ends: list[tuple[Outcome, Attempt]]
) -> None:
    history: tuple[Outcome, ...] = ()
    now, permitted = 1_784_000_000.0, in_window(window)
    for outcome, attempt in ends:
        if outcome is O.LATER and history.count(O.LATER) == FREE_LATERS:
            outcome = O.UNCONFIRMED  # the key does nothing any more
        history = (*history, outcome)
        decided = decide(policy, CONFIRMATION, history, attempt, now, permitted)
        assert decided == decide(policy, CONFIRMATION, history, attempt, now, permitted)
        if isinstance(decided, NoRetry):
            break
        assert decided.at >= now + shortest_interval(policy, outcome)
        assert permitted(decided.at) == decided.at
        now = decided.at + 30
    else:
        pytest.fail("called again and again")
    assert sum(outcome in COUNTED for outcome in history) <= policy.max
    assert sum(outcome in FAULTS for outcome in history) <= FAULTS_BEFORE_HOLD
    for limited, rule in policy.by_outcome.items():
        assert rule.max is None or history.count(limited) <= rule.max
    assert len(history) <= policy.max + FAULTS_BEFORE_HOLD - 1 + FREE_LATERS
    if decided.because is Because.ATTEMPTS_EXHAUSTED:
        assert outcome not in FAULTS
    if decided.because is Because.HELD_FOR_SUPERVISOR:
        assert outcome in FAULTS
