"""Lists slots from a day or moment on, in pieces: calls must not wait for a year of slots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypeVar

from engine.api.problems import ProblemError
from engine.core.hours import DAY_SECONDS, date_at, day_begins

T = TypeVar("T")
MOST_SLOTS = 5000
"""In one answer; whoever wants more asks again with a later `from`."""
_AT_ONCE_SECONDS = 7 * DAY_SECONDS


async def slots_listed(
    cut: Callable[[float, float], list[T]], first: date | None, days: int, zone: str, now: float
) -> list[T]:
    """The slots that `cut` finds from a day or moment (None: now) to the end of the last of `days` days of the zone.

    `cut` is asked for a week at once, as [start, end), and others may go on in between. Raises ProblemError for too
    many slots.
    """
    start, end = _span(first, days, zone, now)
    found: list[T] = []
    while start < end:
        until = min(start + _AT_ONCE_SECONDS, end)
        found += cut(start, until)
        if len(found) > MOST_SLOTS:
            message = f"has more than {MOST_SLOTS} slots; ask for fewer days, and go on with a later from"
            raise ProblemError.of_field("days", message)
        start = until
        await asyncio.sleep(0)
    return found


def _span(first: date | None, days: int, zone: str, now: float) -> tuple[float, float]:
    if first is None or isinstance(first, datetime):
        start = now if first is None else first.timestamp()
        day = date_at(zone, start)
    else:
        start, day = day_begins(zone, first), first
    return start, day_begins(zone, day + timedelta(days=days))
