"""Whether the guarantees held. Each rule is a function from the evidence to the violations it found, in words.

The witness of the simulated network is believed for what happened to customers, the database for what was promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.lab.witness import WitnessCall
from tests.live.crash import places, promises
from tests.live.crash.evidence import Answer, Asked, AttemptSeen, CallbackSeen, Evidence, Word

CLOCK_TOLERANCE_SECONDS = 0.3
"""An interval is counted from when the engine's side knows of the end; the far end's BYE may be answered a moment
later or, on a busy machine, be written down later."""
AT_ONCE_SECONDS = 0.5
"""A far end that refuses sooner than this has rung nobody."""
NEVER_DIALLED = frozenset({"interrupted", "refused"})
FAULTS = frozenset({"interrupted", "no_agent", "refused"})
OF_MACHINES = frozenset({"machine", "message_left", "fax"})

Rule = Callable[[Evidence], Iterator[str]]


def accepted_requests_exist_and_end(seen: Evidence) -> Iterator[str]:
    """1: what was accepted is there and ends; what was refused, or never asked for, is not there."""
    told = {asked.id for asked in seen.asked if asked.answer is Answer.ACCEPTED}
    untold = [callback for callback in seen.callbacks if callback.id not in told and callback.parent_id is None]
    for asked in seen.asked:
        if asked.answer is Answer.ACCEPTED:
            callback = seen.by_id.get(asked.id)
            if callback is None or callback.number != asked.number:
                yield f"{asked.number}: accepted as {asked.id}, and the database does not know it"
        elif asked.answer is Answer.REFUSED and any(_was_made_by(asked, callback) for callback in untold):
            yield f"{asked.number}: refused with {asked.status}, and the database has it"
    for callback in seen.callbacks:
        if callback.ended_at is None:
            yield f"{callback.number}: {callback.id} is still {callback.state} after the final wait"
    unanswered = {asked.number for asked in seen.asked if asked.answer is Answer.NONE}
    for callback in untold:
        if callback.number not in unanswered and not places.made_by_a_call(seen, callback):
            yield f"{callback.number}: {callback.id} is in the database and nobody asked for it"
    for parent, children in Counter(callback.parent_id for callback in seen.callbacks if callback.parent_id).items():
        wanted = sum(said.word is Word.RESCHEDULE and said.callback == parent for said in seen.said)
        if children > wanted:
            yield f"{parent}: called again {children} times, and agents wanted that {wanted} times"


def invites_are_written_attempts(seen: Evidence) -> Iterator[str]:
    """2: each INVITE belongs to exactly one attempt, each attempt that reached the network to exactly one INVITE."""
    times = Counter(call.call_id for call in seen.calls)
    for call_id, count in times.items():
        if count > 1:
            yield f"Call-ID {call_id} came {count} times"
    invites: Counter[str] = Counter()
    for number, calls in seen.calls_of.items():
        for call in calls:
            fitting = seen.attempts_at(call)
            invites.update(attempt.id for attempt in fitting)
            if len(fitting) != 1:
                yield f"{number}: the INVITE at {call.invited_at:.3f} lies in {len(fitting)} attempts"
    for attempt in seen.attempts:
        if invites[attempt.id] > 1:
            yield f"{attempt.id}: one attempt with {invites[attempt.id]} INVITEs"
        never_dialled = NEVER_DIALLED | ({"no_agent"} if seen.mode(attempt.callback) == "agent_first" else set())
        if invites[attempt.id] == 0 and (attempt.outcome not in never_dialled or attempt.answered_at is not None):
            yield f"{attempt.id}: {attempt.outcome}, answered_at {attempt.answered_at}, and no INVITE arrived"


def nobody_is_called_again_too_soon(seen: Evidence) -> Iterator[str]:
    """3: the interval of the first attempt's outcome lies between its call and the next INVITE."""
    for calls in seen.calls_of_wishes():
        for first, second in pairwise(calls):
            attempt = seen.attempt_of(first)
            if attempt is None or first.ended_at is None or _refused_at_once(first):
                continue  # the first two are violations of other rules
            wanted = _interval(seen, first, attempt)
            passed = second.invited_at - first.ended_at
            if passed < wanted - CLOCK_TOLERANCE_SECONDS:
                yield (
                    f"{first.number}: called again {passed:.2f} s after a call of outcome {attempt.outcome} "
                    f"({attempt.id}), at least {wanted:.0f} s are promised"
                )


def nobody_who_talked_is_called_again(seen: Evidence) -> Iterator[str]:
    """4: who has heard an agent is not called again, unless the agent said so."""
    for calls in seen.calls_of_wishes():
        for call in calls:
            if call.met_at is not None and (again := _call_after(calls, call.met_at)):
                yield f"{call.number}: talked at {call.met_at:.3f} and was called again at {again.invited_at:.3f}"


def nobody_who_declined_is_called_again(seen: Evidence) -> Iterator[str]:
    """5: who pressed 3 or 9 while somebody was there to hear it is not called again.

    Also while the store was down: the engine keeps the key and writes it down afterwards. Only if the engine is killed
    before the store was back the key is lost with it, and counts as pressed in an outage.
    """
    for number, calls in seen.calls_of.items():
        for key in (key for call in calls for key in call.keys):
            if key.key in "39" and not seen.is_lost(key.at) and (again := _call_after(calls, key.at)):
                yield f"{number}: pressed {key.key} at {key.at:.3f} and was called again at {again.invited_at:.3f}"


def calls_do_not_overlap_and_end(seen: Evidence) -> Iterator[str]:
    """6: a number has one call at a time, and at the end nobody is in a call."""
    for number, calls in seen.calls_of.items():
        for first, second in pairwise(calls):
            if first.ended_at is None or first.ended_at > second.invited_at:
                yield f"{number}: called at {second.invited_at:.3f} during the call of {first.invited_at:.3f}"
        if calls[-1].ended_at is None:
            yield f"{number}: the call of {calls[-1].invited_at:.3f} has not ended"


def interruptions_have_a_cause(seen: Evidence) -> Iterator[str]:
    """7: no more interrupted attempts than calls that a kill or fault could interrupt, those on their way included."""
    interrupted = sum(attempt.outcome == "interrupted" for attempt in seen.attempts)
    live = sum(
        max(blow.live, sum(attempt.lasts_at(blow.at) for attempt in seen.attempts))
        for blow in (*seen.kills, *seen.faults)
    )
    if interrupted > live:
        yield f"{interrupted} attempts are interrupted, {live} calls were live at kills and faults"


def nobody_who_presses_a_key_is_a_machine(seen: Evidence) -> Iterator[str]:
    """16: a key that somebody was there to hear outranks every verdict about who answered."""
    for calls in seen.calls_of.values():
        for call in calls:
            attempt = seen.attempt_of(call)
            pressed = [key for key in call.keys if not seen.is_lost(key.at)]
            if attempt is not None and attempt.outcome in OF_MACHINES and pressed:
                yield (
                    f"{call.number}: pressed {pressed[0].key} at {pressed[0].at:.3f}, and {attempt.id} ended as "
                    f"{attempt.outcome}"
                )


RULES: Mapping[str, Rule] = {
    "lost": accepted_requests_exist_and_end,
    "unwritten": invites_are_written_attempts,
    "too-soon": nobody_is_called_again_too_soon,
    "talked": nobody_who_talked_is_called_again,
    "declined": nobody_who_declined_is_called_again,
    "overlap": calls_do_not_overlap_and_end,
    "interrupted": interruptions_have_a_cause,
    **promises.RULES,
    **places.RULES,
    "screened": nobody_who_presses_a_key_is_a_machine,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Violations by the rule that found them, and what happened in numbers."""

    violations: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, int]
    outcomes: Mapping[str, int]
    keys_lost: int

    @property
    def holds(self) -> bool:
        return not any(self.violations.values())


def judge(seen: Evidence) -> Verdict:
    """Look at the evidence by every rule."""
    return Verdict(
        violations={name: tuple(rule(seen)) for name, rule in RULES.items()},
        reasons=Counter(f"{callback.state}/{callback.reason}" for callback in seen.callbacks),
        outcomes=Counter(str(attempt.outcome) for attempt in seen.attempts),
        keys_lost=sum(seen.is_lost(key.at) for call in seen.calls for key in call.keys),
    )


def _call_after(calls: Sequence[WitnessCall], moment: float) -> WitnessCall | None:
    return next((call for call in calls if call.invited_at > moment), None)


def _was_made_by(asked: Asked, callback: CallbackSeen) -> bool:
    same = (callback.number, callback.service) == (asked.number, asked.service or callback.service)
    return same and asked.sent_at <= callback.created_at <= asked.answered_at


def _refused_at_once(call: WitnessCall) -> bool:
    ended_at = call.ended_at
    return (
        call.sip_code is not None
        and call.answered_at is None
        and ended_at is not None
        and ended_at - call.invited_at < AT_ONCE_SECONDS
    )


def _interval(seen: Evidence, call: WitnessCall, attempt: AttemptSeen) -> float:
    """As engine.core.retry promises it, by what the far end saw."""
    if attempt.outcome == "later":
        return seen.intervals.later
    confirmed = attempt.confirmed_at is not None and "1" in call.pressed
    if attempt.outcome in FAULTS and confirmed:
        return min(seen.intervals.fault, seen.intervals.retry)
    return seen.intervals.retry
