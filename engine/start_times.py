"""How long each part of a start took, from the birth of the process to the first moment at which people may be called.

The parts follow each other: `imports` (interpreter, imports, settings), `store` (open and load), `building` (document,
prompts, dispatcher), `connecting` (until the event socket is up; the HTTP side starts beside it) and `looks` (what the
recovery finds at Asterisk). Whatever comes later, such as a lost socket, is not part of the start.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

log = structlog.get_logger()

_STARTED_FIELD = 22
"""Of /proc/self/stat, counted from 1: the process's birth in clock ticks after boot (man 5 proc)."""


class StartTimes:
    """One for each start; `reached` is told of each part's end in turn."""

    def __init__(self) -> None:
        self._last = self._born = process_born()
        self._parts: dict[str, float] = {}
        self._over = False

    def reached(self, part: str) -> None:
        """This part ends now; only its first end counts."""
        if self._over or part in self._parts:
            return
        now = _now()
        self._parts[part] = now - self._last
        self._last = now

    def ready(self) -> Mapping[str, float]:
        """The start is over; the seconds of each part. The first time it is said in the log."""
        self.reached("looks")
        if not self._over:
            self._over = True
            seconds = {f"{part}_seconds": round(each, 3) for part, each in self._parts.items()}
            log.info("engine.ready", seconds=round(self._last - self._born, 3), **seconds)
        return self._parts


def process_born() -> float:
    """When this process was forked, in seconds after boot, to a hundredth; now, where the system does not say it."""
    try:
        # The second field, a name in parentheses, may hold blanks.
        fields = Path("/proc/self/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return int(fields[_STARTED_FIELD - 3]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return _now()


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
