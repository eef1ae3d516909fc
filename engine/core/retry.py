"""Whether and when a customer is called again: a pure function of policy, history, how the last attempt ended, and of
the times at which they may be called.

Outcomes of the customer's side count against `max`. Our own failures have a limit of their own, after which the
callback waits for a supervisor instead of ringing a customer for ever because something here is broken. A wish to be
called later counts against neither: how often it is granted, decides the call in which the key is pressed.
"""

from __future__ import annotations

from typing import TypeAlias

from engine.core.configuration import AttemptPolicy, Confirmation, OutcomeRule
from engine.core.lifecycle import Because
from engine.core.permission import Constraint
from engine.core.records import Attempt
from engine.core.terms import Outcome
from engine.core.values import Value

COUNTED = frozenset(
    {
        Outcome.ABANDONED,
        Outcome.UNCONFIRMED,
        Outcome.HUNG_UP,
        Outcome.MACHINE,
        Outcome.MESSAGE_LEFT,
        Outcome.FAX,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.REJECTED,
        Outcome.NETWORK_FAILURE,
    }
)
FAULTS = frozenset({Outcome.INTERRUPTED, Outcome.NO_AGENT, Outcome.REFUSED})
FAULTS_BEFORE_HOLD = 5
ENDS = {
    Outcome.CONNECTED: Because.CALL_ENDED,
    Outcome.CANCELLED_BY_KEY: Because.CANCELLED_BY_KEY,
    Outcome.NEVER_AGAIN: Because.NEVER_AGAIN_BY_KEY,
    Outcome.INVALID_NUMBER: Because.INVALID_NUMBER,
}


class RetryDecision(Value):
    """Call again at `at`; `at_head`: before everybody who waits off the phone."""

    at: float
    at_head: bool
    because: Because


class NoRetry(Value):
    """The callback ends, or (HELD_FOR_SUPERVISOR) waits for a person."""

    because: Because


Decision: TypeAlias = RetryDecision | NoRetry


def decide(
    policy: AttemptPolicy,
    confirmation: Confirmation,
    history: tuple[Outcome, ...],
    attempt: Attempt,
    now: float,
    permitted: Constraint,
) -> Decision:
    """What follows `attempt`, whose outcome is the last of `history`.

    The interval counts from `now`, the end of the attempt. `permitted` gives the first moment from then on at which the
    customer may be called, by business hours, calling window and caps together; None: never.
    """
    outcome = history[-1]
    if outcome in ENDS:
        return NoRetry(ENDS[outcome])
    rule = policy.by_outcome.get(outcome, OutcomeRule())
    if rule.max is not None and history.count(outcome) >= rule.max:
        return NoRetry(Because.HELD_FOR_SUPERVISOR if outcome in FAULTS else Because.ATTEMPTS_EXHAUSTED)
    if outcome in FAULTS and sum(past in FAULTS for past in history) >= FAULTS_BEFORE_HOLD:
        return NoRetry(Because.HELD_FOR_SUPERVISOR)
    if sum(past in COUNTED for past in history) >= policy.max:
        return NoRetry(Because.ATTEMPTS_EXHAUSTED)
    interval = rule.interval_seconds
    if interval is None:
        interval = _interval(policy, confirmation, attempt, outcome)
    at_head = outcome is Outcome.ABANDONED or (outcome in FAULTS and attempt.confirmed_at is not None)
    at = permitted(now + interval)
    if at is None:
        return NoRetry(Because.NO_PERMITTED_TIME)
    because = Because.LATER_BY_KEY if outcome is Outcome.LATER else Because.ATTEMPT_FAILED
    return RetryDecision(at, at_head, because)


def _interval(policy: AttemptPolicy, confirmation: Confirmation, attempt: Attempt, outcome: Outcome) -> float:
    if outcome is Outcome.LATER:
        return confirmation.later_seconds
    undisturbed = not attempt.rang and attempt.answered_at is None
    # Somebody who confirmed is waiting for us; somebody whose phone never rang does not know that we tried.
    if outcome in FAULTS and (undisturbed or attempt.confirmed_at is not None):
        return min(policy.fault_interval_seconds, policy.interval_seconds)
    return policy.interval_seconds
