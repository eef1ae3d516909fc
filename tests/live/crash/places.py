"""Rules about people who ring in: nobody is hung up on, and who keeps the place keeps it, once.

As in `judge`, each rule is a function from the evidence to the violations it found, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.lab.rung_in import RungIn
from tests.live.crash.evidence import CallbackSeen, Evidence, InboundSeen

DIALS_AT_ONCE_SECONDS = 0.5
"""An INVITE may be under way while the database says already that they talk."""
KEYS_TO_KEEP = 2

Rule = Callable[[Evidence], Iterator[str]]


def nobody_who_waits_is_hung_up_on(seen: Evidence) -> Iterator[str]:
    """17: whose call we ended has talked, or may have, or was promised a callback that is there."""
    for call in seen.rung_in:
        if call.answered_at is None or call.hung_up_at is not None or call.met_at is not None:
            continue
        if call.ended_at is None:
            yield f"{_number(call)}: the call that rang in at {call.started_at:.3f} has not ended"
        elif not seen.died_with_the_pbx(call.ended_at) and not any(map(_was_for_a_reason, seen.rows_of(call))):
            told = ", ".join(f"{row.id} {row.outcome}" for row in seen.rows_of(call)) or "nothing"
            yield f"{_number(call)}: was hung up on at {call.ended_at:.3f}; the database says {told}"


def a_kept_place_is_kept(seen: Evidence) -> Iterator[str]:
    """18: a promised callback is there, in the place of the call or a better one."""
    for row in seen.inbound:
        if row.outcome != "callback":
            continue
        callback = seen.by_id.get(row.callback or "")
        if callback is None:
            yield f"{row.number}: {row.id} was promised {row.callback}, which the database does not know"
        elif row.joined_at is None or callback.asked_at > row.joined_at:
            yield f"{row.number}: {row.id} joined at {row.joined_at}, {callback.id} has {callback.asked_at}"


def a_place_is_kept_once(seen: Evidence) -> Iterator[str]:
    """19: at no time a number has two callbacks of the service that people ring in to, but by an agent's wish."""
    of_number: dict[str, list[CallbackSeen]] = {}
    for callback in sorted(seen.callbacks, key=lambda each: each.created_at):
        if callback.service == seen.inward and callback.parent_id is None:
            of_number.setdefault(callback.number, []).append(callback)
    for number, callbacks in of_number.items():
        for n, earlier in enumerate(callbacks):
            for later in callbacks[n + 1 :]:
                if earlier.ended_at is None or later.created_at < earlier.ended_at:
                    yield f"{number}: {later.id} was made while {earlier.id} was open"


def who_talked_is_not_called_back(seen: Evidence) -> Iterator[str]:
    """20: who rang in and talked is not called for the callback that they had.

    Unless somebody had answered that callback's call by then: two calls of one number are up, and each goes its way.
    """
    for call in seen.rung_in:
        if call.met_at is None:
            continue
        number = _number(call)
        for invite in seen.calls_of.get(number, ()):
            attempt = seen.attempt_of(invite)
            callback = None if attempt is None else seen.by_id.get(attempt.callback)
            if callback is None or callback.service != seen.inward or callback.created_at > call.met_at:
                continue
            late = invite.invited_at > call.met_at + DIALS_AT_ONCE_SECONDS
            if late and not _was_on_another_call(seen, callback, call.met_at):
                yield f"{number}: rang in and talked at {call.met_at:.3f}, and was called at {invite.invited_at:.3f}"


def calls_that_came_in_end_as_they_were(seen: Evidence) -> Iterator[str]:
    """21: each row has an end; who talked is written as connected, once."""
    for row in seen.inbound:
        if row.ended_at is None:
            yield f"{row.number}: {row.id} is still open after the final wait"
    for call in seen.rung_in:
        if call.met_at is not None and not any(row.outcome == "connected" for row in seen.rows_of(call)):
            told = ", ".join(f"{row.id} {row.outcome}" for row in seen.rows_of(call)) or "nothing"
            yield f"{_number(call)}: rang in and talked at {call.met_at:.3f}; the database says {told}"


def made_by_a_call(seen: Evidence, callback: CallbackSeen) -> bool:
    """Whether somebody who rang in asked for this callback, by the network's record: they pressed the keys for it."""
    rows = [row.id for row in seen.inbound if row.callback == callback.id and row.number == callback.number]
    pressed = any(
        _number(call) == callback.number
        and len([key for key in call.keys if key.at < callback.created_at]) >= KEYS_TO_KEEP
        for call in seen.rung_in
    )
    return bool(rows) and pressed


RULES: Mapping[str, Rule] = {
    "hung-up-on": nobody_who_waits_is_hung_up_on,
    "place": a_kept_place_is_kept,
    "kept-twice": a_place_is_kept_once,
    "called-in": who_talked_is_not_called_back,
    "inbound": calls_that_came_in_end_as_they_were,
}


def _was_for_a_reason(row: InboundSeen) -> bool:
    return row.outcome == "callback" or row.bridging_at is not None


def _was_on_another_call(seen: Evidence, callback: CallbackSeen, moment: float) -> bool:
    return any(
        attempt.callback == callback.id
        and attempt.lasts_at(moment)
        and attempt.answered_at is not None
        and attempt.answered_at < moment
        for attempt in seen.attempts
    )


def _number(call: RungIn) -> str:
    return call.caller.lstrip("+")
