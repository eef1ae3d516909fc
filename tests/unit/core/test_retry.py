"""Retry decisions as a table: policy, history and the last attempt in; time, place and cause out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from engine.core.lifecycle import Because
from engine.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptPolicy,
    CallbackId,
    Confirmation,
    Outcome,
    OutcomeRule,
)
from engine.core.retry import COUNTED, FAULTS, NoRetry, RetryDecision, decide

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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_given_a_history_then_the_decision_is(case: Case) -> None:
    attempt = replace(case.attempt, outcome=case.history[-1], ended_at=NOW)

    assert decide(case.policy, CONFIRMATION, case.history, attempt, NOW) == case.expected


def test_given_the_closed_lists_then_every_outcome_has_one_kind() -> None:
    ends = {O.CONNECTED, O.CANCELLED_BY_KEY, O.NEVER_AGAIN, O.INVALID_NUMBER}
    kinds = [COUNTED, FAULTS, ends, {O.LATER}]
    assert sum(len(kind) for kind in kinds) == len(Outcome)
    assert set().union(*kinds) == set(Outcome)


@pytest.mark.parametrize("outcome", sorted(COUNTED))
def test_given_a_counted_outcome_then_the_third_ends_it(outcome: Outcome) -> None:
    for made in (1, 2):
        assert isinstance(decide(POLICY, CONFIRMATION, (outcome,) * made, ANSWERED, NOW), RetryDecision)
    assert decide(POLICY, CONFIRMATION, (outcome,) * 3, ANSWERED, NOW) == EXHAUSTED
