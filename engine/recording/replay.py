"""Tells a dispatcher again what a record says it was told, at the same times, and compares what it decides.

Nothing is done and nothing is written: a replay needs neither Asterisk nor a database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.core.decision import Decision
from engine.core.dispatcher import Dispatcher
from engine.core.events import Event
from engine.errors import RecordError
from engine.recording.lines import Decided, Digest, Started, digest, read_lines

DIFFERENCES_TOLD = 5
"""What comes after a first difference is mostly its consequence."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that was decided on otherwise than in the record. `line` counts from 1, `event` is its kind."""

    line: int
    event: str
    recorded: Digest
    replayed: Digest

    def __str__(self) -> str:
        parts = [
            f"{part} {_told(self.recorded, part)} in the record, {_told(self.replayed, part)} now"
            for part in sorted({*self.recorded, *self.replayed})
            if self.recorded.get(part) != self.replayed.get(part)
        ]
        return f"line {self.line}, {self.event}: {'; '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a record, told again; `decision` is None if the dispatcher raised."""

    line: int
    now: float
    event: Event
    decision: Decision | None
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many events were told, how many of them were decided otherwise, and the first of those."""

    events: int
    differing: int
    differences: tuple[Difference, ...]


def replay(path: Path) -> Replayed:
    """Replay a whole record. Raises RecordError if it cannot be read."""
    events = differing = 0
    told: list[Difference] = []
    for step in steps(path):
        events += 1
        if step.difference is not None:
            differing += 1
            told += [step.difference][: DIFFERENCES_TOLD - len(told)]
    return Replayed(events, differing, tuple(told))


def steps(path: Path) -> Iterator[Step]:
    """Replay a record event by event. Raises RecordError when it comes to what cannot be read."""
    dispatcher: Dispatcher | None = None
    for number, line in read_lines(path):
        if not isinstance(line, Decided):
            dispatcher = _dispatcher_of(path, number, line)
        elif dispatcher is None:
            raise RecordError(f"{path}, line {number}: an event before any snapshot; the record lacks its beginning")
        else:
            yield _step(dispatcher, number, line)


def _dispatcher_of(path: Path, number: int, line: Started) -> Dispatcher:
    try:
        return Dispatcher(line.snapshot)
    except Exception as error:
        raise RecordError(f"{path}, line {number}: no dispatcher can be made from this snapshot: {error}") from error


def _step(dispatcher: Dispatcher, number: int, line: Decided) -> Step:
    decision: Decision | None = None
    try:
        decision = dispatcher.handle(line.event, line.now)
    except Exception as error:  # noqa: BLE001 - whatever it raises is a way to decide otherwise, or was recorded too
        found: Digest = {"raised": type(error).__name__}
    else:
        found = digest(decision)
    difference = None
    if found != line.decision:
        difference = Difference(number, type(line.event).__name__, line.decision, found)
    return Step(number, line.now, line.event, decision, difference)


def _told(digest: Digest, part: str) -> str:
    return digest.get(part, "none")
