"""How long agents are kept by one item of work, from its reservation to the end of the wrap-up, for each service.

Everything counts for which somebody leaves the line: also a call that nobody answers keeps an agent for a while.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.changes import HandleTimeKept
from engine.core.terms import ServiceId
from engine.core.wait import Recent

KEPT = 500
"""So many of the latest count."""


class HandleTimes:
    """A mean for each service, and one of all for a service that nobody has been served for yet."""

    def __init__(self) -> None:
        self._of: dict[ServiceId, Recent] = {}

    def restore(self, kept: Iterable[HandleTimeKept]) -> None:
        for each in kept:
            self._of[each.service] = Recent(KEPT, each.seconds, each.count, each.count)

    def note(self, service: ServiceId, seconds: float) -> HandleTimeKept:
        recent = self._of.get(service)
        if recent is None:
            recent = self._of[service] = Recent(KEPT)
        recent.add(max(0.0, seconds), 1.0)
        return HandleTimeKept(service, recent.above, recent.below)

    def mean(self, service: ServiceId) -> float | None:
        """Seconds; None while nobody has been served."""
        own = self._of.get(service)
        if own is not None and own.above > 0:
            return own.ratio
        count = sum(each.below for each in self._of.values())
        seconds = sum(each.above for each in self._of.values())
        return seconds / count if seconds > 0 else None
