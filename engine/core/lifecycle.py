"""A callback's states and every move between them, as data.

A callback has exactly one state, and nothing changes it except a pair (state, cause) that stands in TABLE. The table is
shaped by two promises. First, an accepted request can always reach an end: from every state that is no end a path
leads to one. Second, no attempt starts unless the one before it is over: RESERVED is reachable only from QUEUED, and
QUEUED only from acceptance and from RETRY_WAIT, which an attempt enters by ending. An end is never left; who wants
another call after the end makes a new callback. The diagram in the documentation is drawn from this table.
"""

from __future__ import annotations

from enum import StrEnum

from engine.core.model import CallbackState as S
from engine.core.model import Reason


class Because(StrEnum):
    """What moves a callback."""

    ACCEPTED = "accepted"
    AGENT_RESERVED = "agent_reserved"
    DIALLED = "dialled"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    BRIDGED = "bridged"
    CALL_ENDED = "call_ended"
    CALL_ENDED_UNOBSERVED = "call_ended_unobserved"
    ATTEMPT_FAILED = "attempt_failed"
    LATER_BY_KEY = "later_by_key"
    CANCELLED_BY_KEY = "cancelled_by_key"
    NEVER_AGAIN_BY_KEY = "never_again_by_key"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    INVALID_NUMBER = "invalid_number"
    HELD_FOR_SUPERVISOR = "held_for_supervisor"
    RETRY_DUE = "retry_due"
    CANCELLED = "cancelled"
    LIFE_OVER = "life_over"
    NO_PERMITTED_TIME = "no_permitted_time"


_WAITING = (S.QUEUED, S.RETRY_WAIT)
_UNCONNECTED = (S.RESERVED, S.DIALING, S.ANNOUNCING, S.CONFIRMED)

TABLE: dict[tuple[S | None, Because], S] = {
    (None, Because.ACCEPTED): S.QUEUED,
    (S.QUEUED, Because.AGENT_RESERVED): S.RESERVED,
    (S.RESERVED, Because.DIALLED): S.DIALING,
    (S.DIALING, Because.ANSWERED): S.ANNOUNCING,
    (S.ANNOUNCING, Because.CONFIRMED): S.CONFIRMED,
    (S.ANNOUNCING, Because.LATER_BY_KEY): S.RETRY_WAIT,
    (S.ANNOUNCING, Because.CANCELLED_BY_KEY): S.CANCELLED,
    (S.ANNOUNCING, Because.NEVER_AGAIN_BY_KEY): S.CANCELLED,
    (S.CONFIRMED, Because.BRIDGED): S.CONNECTED,
    (S.CONFIRMED, Because.CALL_ENDED_UNOBSERVED): S.COMPLETED,
    (S.CONNECTED, Because.CALL_ENDED): S.COMPLETED,
    (S.CONNECTED, Because.CALL_ENDED_UNOBSERVED): S.COMPLETED,
    (S.RETRY_WAIT, Because.RETRY_DUE): S.QUEUED,
    **{(state, Because.ATTEMPT_FAILED): S.RETRY_WAIT for state in _UNCONNECTED},
    **{(state, Because.HELD_FOR_SUPERVISOR): S.RETRY_WAIT for state in _UNCONNECTED},
    **{(state, Because.ATTEMPTS_EXHAUSTED): S.UNSUCCESSFUL for state in _UNCONNECTED},
    **{(state, Because.INVALID_NUMBER): S.UNSUCCESSFUL for state in _UNCONNECTED},
    **{(state, Because.LIFE_OVER): S.EXPIRED for state in (*_WAITING, *_UNCONNECTED)},
    **{(state, Because.NO_PERMITTED_TIME): S.EXPIRED for state in _UNCONNECTED},
    **{(state, Because.CANCELLED): S.CANCELLED for state in _WAITING},
}

REASONS: dict[Because, Reason] = {
    Because.CALL_ENDED: Reason.TALKED,
    Because.CALL_ENDED_UNOBSERVED: Reason.ENDED_UNOBSERVED,
    Because.CANCELLED_BY_KEY: Reason.BY_KEY,
    Because.NEVER_AGAIN_BY_KEY: Reason.NEVER_AGAIN,
    Because.ATTEMPTS_EXHAUSTED: Reason.ATTEMPTS_EXHAUSTED,
    Because.INVALID_NUMBER: Reason.INVALID_NUMBER,
    Because.LIFE_OVER: Reason.LIFETIME,
    Because.NO_PERMITTED_TIME: Reason.NO_PERMITTED_TIME,
}
"""The reason an end is given for its cause; for CANCELLED whoever cancels gives it."""


class IllegalMoveError(Exception):
    """A pair that is not in the table: a defect of the caller, never of a customer or an operator."""


def after(state: S | None, because: Because) -> S:
    """The state that `because` leads to from `state` (None: not yet accepted). Raises IllegalMoveError."""
    try:
        return TABLE[state, because]
    except KeyError:
        raise IllegalMoveError(f"a callback in state {state} cannot move because of {because}") from None


def can(state: S, because: Because) -> bool:
    """Whether the move is legal."""
    return (state, because) in TABLE
