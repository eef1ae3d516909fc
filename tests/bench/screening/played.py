"""One call of the bench as both sides know it: what the far end saw, and what the engine found out, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.changes import AttemptChanged
from engine.core.terms import Evidence, Outcome, Verdict
from engine.recording import steps
from tests.bench.screening.call_result import CallResult
from tests.bench.screening.outline import Outline


@dataclass(frozen=True, slots=True)
class Found:
    """A verdict, what it rests on, and when it was found, in epoch seconds."""

    verdict: Verdict
    evidence: Evidence
    at: float


@dataclass(frozen=True, slots=True)
class Played:
    """`found`: every verdict of the call in order, the last is the one that counts; empty if there was none."""

    outline: Outline
    result: CallResult
    found: tuple[Found, ...]
    outcome: Outcome | None


def histories(record: Path) -> tuple[Mapping[str, tuple[Found, ...]], int]:
    """What an engine found of each number (digits), from its record, and of how many events. Raises RecordError."""
    found: dict[str, list[Found]] = defaultdict(list)
    events = 0
    for step in steps(record):
        events += 1
        for change in step.decision.changes if step.decision else ():
            if not isinstance(change, AttemptChanged):
                continue
            attempt = change.attempt
            verdict, evidence, at = attempt.verdict, attempt.evidence, attempt.judged_at
            if verdict is None or evidence is None or at is None:
                continue
            all_found, now = found[attempt.phone.removeprefix("+")], Found(verdict, evidence, at)
            if not all_found or all_found[-1] != now:
                all_found.append(now)
    return {number: tuple(each) for number, each in found.items()}, events
