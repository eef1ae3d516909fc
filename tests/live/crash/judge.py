"""Whether the guarantees held. Each rule is a function from the evidence to the violations it found, in words.

The witness of the simulated network is believed for what happened to customers, the database for what was promised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.lab.witness import WitnessCall
from tests.live.crash.evidence import Answer, AttemptSeen, Evidence

KEY_MARGIN_SECONDS = 0.3
"""A key counts when its tone has ended (0.15 s), its event was heard and its decision is written. One pressed so
shortly before a death may be lost like one pressed during it."""
CLOCK_TOLERANCE_SECONDS = 0.3
"""An interval is counted from when the engine's side knows of the end; the far end's BYE may be answered a moment
later or, on a busy machine, be written down later."""
AT_ONCE_SECONDS = 0.5
"""A far end that refuses sooner than this has rung nobody."""
NEVER_DIALLED = frozenset({"interrupted", "refused"})
FAULTS = frozenset({"interrupted", "no_agent", "refused"})

Rule = Callable[[Evidence], Iterator[str]]


def accepted_requests_exist_and_end(seen: Evidence) -> Iterator[str]:
    """1: what was accepted is there and ends; what was refused is not there."""
    by_id = {callback.id: callback for callback in seen.callbacks}
    numbers = {callback.number for callback in seen.callbacks}
    for asked in seen.asked:
        if asked.answer is Answer.ACCEPTED:
            callback = by_id.get(asked.id)
            if callback is None or callback.number != asked.number:
                yield f"{asked.number}: accepted as {asked.id}, and the database does not know it"
            elif callback.ended_at is None:
                yield f"{asked.number}: accepted as {asked.id}, and still {callback.state} after the final wait"
        elif asked.answer is Answer.REFUSED and asked.number in numbers:
            yield f"{asked.number}: refused with {asked.status}, and the database has it"
    asked_for = {asked.number for asked in seen.asked}
    for callback in seen.callbacks:
        if callback.number not in asked_for:
            yield f"{callback.number}: {callback.id} is in the database and nobody asked for it"


def invites_are_written_attempts(seen: Evidence) -> Iterator[str]:
    """2: each INVITE belongs to exactly one attempt, each attempt that reached the network to exactly one INVITE."""
    times = Counter(call.call_id for call in seen.calls)
    for call_id, count in times.items():
        if count > 1:
            yield f"Call-ID {call_id} came {count} times"
    invites: Counter[str] = Counter()
    for number, calls in seen.calls_of.items():
        for call in calls:
            fitting = _attempts_at(seen, call)
            invites.update(attempt.id for attempt in fitting)
            if len(fitting) != 1:
                yield f"{number}: the INVITE at {call.invited_at:.3f} lies in {len(fitting)} attempts"
    for attempt in seen.attempts:
        if invites[attempt.id] > 1:
            yield f"{attempt.id}: one attempt with {invites[attempt.id]} INVITEs"
        if invites[attempt.id] == 0 and (attempt.outcome not in NEVER_DIALLED or attempt.answered_at is not None):
            yield f"{attempt.id}: {attempt.outcome}, answered_at {attempt.answered_at}, and no INVITE arrived"


def nobody_is_called_again_too_soon(seen: Evidence) -> Iterator[str]:
    """3: the interval of the first attempt's outcome lies between its call and the next INVITE."""
    for number, calls in seen.calls_of.items():
        for first, second in pairwise(calls):
            fitting = _attempts_at(seen, first)
            if len(fitting) != 1 or first.ended_at is None or _refused_at_once(first):
                continue  # the first two are violations of other rules
            wanted = _interval(seen, first, fitting[0])
            passed = second.invited_at - first.ended_at
            if passed < wanted - CLOCK_TOLERANCE_SECONDS:
                yield (
                    f"{number}: called again {passed:.2f} s after a call of outcome {fitting[0].outcome} "
                    f"({fitting[0].id}), at least {wanted:.0f} s are promised"
                )


def nobody_who_talked_is_called_again(seen: Evidence) -> Iterator[str]:
    """4: who has heard an agent is not called again."""
    for number, calls in seen.calls_of.items():
        for call in calls:
            if call.met_at is not None and (again := _call_after(calls, call.met_at)):
                yield f"{number}: talked at {call.met_at:.3f} and was called again at {again.invited_at:.3f}"


def nobody_who_declined_is_called_again(seen: Evidence) -> Iterator[str]:
    """5: who pressed 3 or 9 while somebody was there to hear it is not called again.

    Also while the store was down: the engine keeps the key and writes it down afterwards. Only if the engine is killed
    before the store was back the key is lost with it, and counts as pressed in an outage.
    """
    for number, calls in seen.calls_of.items():
        for key in (key for call in calls for key in call.keys):
            if key.key in "39" and not _is_lost(seen, key.at) and (again := _call_after(calls, key.at)):
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


RULES: Mapping[str, Rule] = {
    "lost": accepted_requests_exist_and_end,
    "unwritten": invites_are_written_attempts,
    "too-soon": nobody_is_called_again_too_soon,
    "talked": nobody_who_talked_is_called_again,
    "declined": nobody_who_declined_is_called_again,
    "overlap": calls_do_not_overlap_and_end,
    "interrupted": interruptions_have_a_cause,
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
        keys_lost=sum(_is_lost(seen, key.at) for call in seen.calls for key in call.keys),
    )


def _call_after(calls: Sequence[WitnessCall], moment: float) -> WitnessCall | None:
    return next((call for call in calls if call.invited_at > moment), None)


def _attempts_at(seen: Evidence, call: WitnessCall) -> list[AttemptSeen]:
    return [attempt for attempt in seen.attempts_of.get(call.number, ()) if attempt.lasts_at(call.invited_at)]


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


def _is_lost(seen: Evidence, pressed_at: float) -> bool:
    return any(
        outage.start - outage.lag_seconds - KEY_MARGIN_SECONDS <= pressed_at <= outage.end for outage in seen.outages
    )
