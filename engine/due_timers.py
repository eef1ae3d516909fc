"""The timers that are set, in the order in which they fall due; cleared ones are let go of in time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from engine.core.changes import TimerSet
from engine.core.records import Timer
from engine.core.timers import Timers

BEFORE_A_SWEEP = 10_000
"""A timer that is cleared or moved stays listed, and fires in vain; with so many, or twice as many as are set, the list
is made anew."""


class DueTimers:
    """A list beside the dispatcher's own: that one knows what is set, this one what is next."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._list()

    def __len__(self) -> int:
        """How many are listed."""
        return len(self._due)

    @property
    def next_at(self) -> float | None:
        """When the next one falls due."""
        return self._due[0][0] if self._due else None

    def note(self, changes: Iterable[object]) -> None:
        """Some may have been set by this."""
        for change in changes:
            if isinstance(change, TimerSet):
                heapq.heappush(self._due, (change.timer.due_at, change.timer.owner, change.timer.name))
        if len(self._due) >= self._sweep_at:
            self._list()

    def take(self, now: float, most: int) -> Iterator[Timer]:
        """Those whose moment has come, the earliest first."""
        while most > 0 and self._due and self._due[0][0] <= now:
            most -= 1
            due_at, owner, name = heapq.heappop(self._due)
            yield Timer(owner, name, due_at)

    def _list(self) -> None:
        self._due = [(timer.due_at, timer.owner, timer.name) for timer in self._timers.pending()]
        heapq.heapify(self._due)
        self._sweep_at = max(2 * len(self._due), BEFORE_A_SWEEP)
