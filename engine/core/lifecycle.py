"""A callback's states and every move between them, as data.

A callback has exactly one state, and nothing changes it except a pair (state, cause) that stands in TABLE. The table is
shaped by three promises. First, an accepted request can always reach an end: from every state that is no end a path
leads to one. Second, no attempt starts unless the one before it is over: RESERVED is reachable only from QUEUED (and
from PREVIEWING, before anything is dialled), and QUEUED only from states in which no attempt lives, or by the end of
one in which nobody was dialled. Third, who has talked is never called again: CONNECTED leads to COMPLETED only, also if
the customer is given to somebody else, or waits for another agent meanwhile; such moves are kept, and change no state.
An end is never left; who wants another call after the end makes a new callback. The diagram in the documentation is
drawn from this table.
"""

from __future__ import annotations

from enum import StrEnum

from engine.core.terms import CallbackState as S
from engine.core.terms import Reason


class Because(StrEnum):
    """What moves a callback."""

    ACCEPTED = "accepted"
    BOOKED = "booked"
    SLOT_STARTED = "slot_started"
    MOVED = "moved"
    MOVED_TO_NOW = "moved_to_now"
    AGENT_RESERVED = "agent_reserved"
    AGENT_RINGING = "agent_ringing"
    NOT_DIALLED = "not_dialled"
    PREVIEW_OFFERED = "preview_offered"
    PREVIEW_ACCEPTED = "preview_accepted"
    PREVIEW_REJECTED = "preview_rejected"
    PREVIEW_MISSED = "preview_missed"
    PREVIEW_WITHDRAWN = "preview_withdrawn"
    RESCHEDULED_BY_AGENT = "rescheduled_by_agent"
    DIALLED = "dialled"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    BRIDGED = "bridged"
    TRANSFERRED = "transferred"
    TRANSFER_UNANSWERED = "transfer_unanswered"
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
    SUPPRESSED = "suppressed"
    LIFE_OVER = "life_over"
    NO_PERMITTED_TIME = "no_permitted_time"


_WAITING = (S.SCHEDULED, S.QUEUED, S.RETRY_WAIT)
_UNCONNECTED = (S.RESERVED, S.RINGING_AGENT, S.DIALING, S.ANNOUNCING, S.CONFIRMED)

TABLE: dict[tuple[S | None, Because], S] = {
    (None, Because.ACCEPTED): S.QUEUED,
    (None, Because.BOOKED): S.SCHEDULED,
    (S.SCHEDULED, Because.SLOT_STARTED): S.QUEUED,
    **{(state, Because.MOVED): S.SCHEDULED for state in _WAITING},
    **{(state, Because.MOVED_TO_NOW): S.QUEUED for state in (S.SCHEDULED, S.RETRY_WAIT)},
    (S.QUEUED, Because.AGENT_RESERVED): S.RESERVED,
    (S.RESERVED, Because.AGENT_RINGING): S.RINGING_AGENT,
    (S.RINGING_AGENT, Because.NOT_DIALLED): S.QUEUED,
    (S.RESERVED, Because.PREVIEW_OFFERED): S.PREVIEWING,
    (S.PREVIEWING, Because.PREVIEW_ACCEPTED): S.RESERVED,
    **{
        (S.PREVIEWING, because): S.QUEUED
        for because in (Because.PREVIEW_REJECTED, Because.PREVIEW_MISSED, Because.PREVIEW_WITHDRAWN)
    },
    (S.PREVIEWING, Because.RESCHEDULED_BY_AGENT): S.SCHEDULED,
    (S.RESERVED, Because.DIALLED): S.DIALING,
    (S.RINGING_AGENT, Because.DIALLED): S.DIALING,
    (S.DIALING, Because.ANSWERED): S.ANNOUNCING,
    (S.ANNOUNCING, Because.CONFIRMED): S.CONFIRMED,
    (S.ANNOUNCING, Because.LATER_BY_KEY): S.RETRY_WAIT,
    (S.ANNOUNCING, Because.CANCELLED_BY_KEY): S.CANCELLED,
    (S.ANNOUNCING, Because.NEVER_AGAIN_BY_KEY): S.CANCELLED,
    (S.CONFIRMED, Because.BRIDGED): S.CONNECTED,
    (S.CONFIRMED, Because.CALL_ENDED_UNOBSERVED): S.COMPLETED,
    **{
        (S.CONNECTED, because): S.CONNECTED
        for because in (Because.TRANSFERRED, Because.TRANSFER_UNANSWERED, Because.BRIDGED)
    },
    (S.CONNECTED, Because.CALL_ENDED): S.COMPLETED,
    (S.CONNECTED, Because.CALL_ENDED_UNOBSERVED): S.COMPLETED,
    (S.RETRY_WAIT, Because.RETRY_DUE): S.QUEUED,
    **{(state, Because.ATTEMPT_FAILED): S.RETRY_WAIT for state in _UNCONNECTED},
    **{(state, Because.HELD_FOR_SUPERVISOR): S.RETRY_WAIT for state in _UNCONNECTED},
    **{(state, Because.ATTEMPTS_EXHAUSTED): S.UNSUCCESSFUL for state in _UNCONNECTED},
    **{(state, Because.INVALID_NUMBER): S.UNSUCCESSFUL for state in _UNCONNECTED},
    **{(state, Because.LIFE_OVER): S.EXPIRED for state in (*_WAITING, S.PREVIEWING, *_UNCONNECTED)},
    **{(state, Because.NO_PERMITTED_TIME): S.EXPIRED for state in (S.QUEUED, S.RETRY_WAIT, *_UNCONNECTED)},
    **{(state, Because.CANCELLED): S.CANCELLED for state in _WAITING},
    **{(state, Because.SUPPRESSED): S.UNSUCCESSFUL for state in (*_WAITING, S.PREVIEWING, *_UNCONNECTED)},
}

REASONS: dict[Because, Reason] = {
    Because.CALL_ENDED: Reason.TALKED,
    Because.CALL_ENDED_UNOBSERVED: Reason.ENDED_UNOBSERVED,
    Because.CANCELLED_BY_KEY: Reason.BY_KEY,
    Because.NEVER_AGAIN_BY_KEY: Reason.NEVER_AGAIN,
    Because.ATTEMPTS_EXHAUSTED: Reason.ATTEMPTS_EXHAUSTED,
    Because.INVALID_NUMBER: Reason.INVALID_NUMBER,
    Because.SUPPRESSED: Reason.NOT_PERMITTED,
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
