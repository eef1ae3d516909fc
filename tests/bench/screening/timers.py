"""What is to be done later, in the order in which it is due. Seconds of the monotonic clock."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Timers:
    """A heap of callbacks; nothing is ever taken back, so a callback looks whether it is still wanted."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.now = 0.0

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it once so many seconds have passed since the time that was told last."""
        heappush(self._due, (self.now + seconds, next(self._order), do))

    def run(self, now: float) -> None:
        """It is that late now: do what is due."""
        self.now = now
        while self._due and self._due[0][0] <= now:
            heappop(self._due)[2]()
