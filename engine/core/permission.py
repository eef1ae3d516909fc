"""When a number may be called: the calling window in the customer's own time of day, and local days.

Pure: the tz database is read as the table that it is. All answers are exact to the second, also on the days on which
clocks change. A wall time that a change skips counts as the moment of the change, so a window that opens within the
skipped hour opens when the clock jumps. An hour that comes twice is inside the window both times or neither.
Nothing here knows callbacks or services: each rule maps a moment to the earliest permitted one, and `earliest` finds
the first moment that all rules permit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache, lru_cache, partial
from typing import TypeAlias
from zoneinfo import ZoneInfo

from engine.core.hours import DAY_SECONDS
from engine.core.values import Value

COMMON_DAYS = 3
"""How long a moment is looked for that is inside the window in each zone a customer may be in."""
SEARCHED_DAYS = 400
"""How far ahead a moment is looked for that all rules permit: any weekday, holiday or season comes within it."""
SEARCHED_ROUNDS = 1000
"""How often all rules are asked in turn; two that open several times a day and never together need no more."""

Constraint: TypeAlias = Callable[[float], float | None]
"""From a moment to the earliest permitted one that is not before it; None if there is none."""


class CallingWindow(Value):
    """The times of day, in the customer's zone, at which they may be called: from the start, up to before the end.

    Both are seconds after midnight by the wall clock, 0 to 86400. An end that is not after the start is on the next
    day, so two equal times are the whole day.
    """

    start_seconds: int
    end_seconds: int

    def holds(self, second: int) -> bool:
        """Whether a second of the day, 0 to 86399, is inside."""
        if self.start_seconds < self.end_seconds:
            return self.start_seconds <= second < self.end_seconds
        return second >= self.start_seconds or second < self.end_seconds


def window_opens_at(window: CallingWindow, zones: tuple[str, ...], at: float) -> float:
    """`at` if it is inside the window in every zone a customer may be in, else the next moment that is.

    Zones too far apart have no such moment. If there is none within COMMON_DAYS of the first zone's next one, only the
    first zone, the likeliest, counts. Raises ValueError without a zone, ZoneInfoNotFoundError for an unknown one.
    """
    if not zones:
        raise ValueError("a calling window needs a zone to be looked at in")
    likeliest = _opens_at(window, _zone(zones[0]), at)
    if len(zones) == 1:
        return likeliest
    openings = [partial(_opens_at, window, _zone(name)) for name in zones]
    # Counted from the first zone's answer, so that asking again at that answer gives it again.
    common = _agreed(at, openings, until=likeliest + COMMON_DAYS * DAY_SECONDS)
    return likeliest if common is None else common


def local_day(zone: str, at: float) -> date:
    """The calendar day there. Raises ZoneInfoNotFoundError for an unknown zone."""
    return _day(_zone(zone), math.floor(at))


def local_midnight_after(zone: str, at: float) -> float:
    """The first moment after `at` whose calendar day there is a later one than `at`'s.

    A midnight that does not exist is the moment the clock jumps. Raises ZoneInfoNotFoundError for an unknown zone.
    """
    there, since = _zone(zone), math.floor(at)
    today = _day(there, since)
    return float(next(moment for moment in _moments(there, 0, since) if _day(there, moment) > today))


def earliest(at: float, *constraints: Constraint) -> float | None:
    """The first moment not before `at` that every rule permits; None if there is none within SEARCHED_DAYS.

    Each rule has to be monotone, as "the next moment that is allowed" always is: then the first moment is found and
    never stepped over.
    """
    return _agreed(at, constraints, until=at + SEARCHED_DAYS * DAY_SECONDS)


def _agreed(at: float, constraints: Iterable[Constraint], until: float) -> float | None:
    rules = tuple(constraints)
    for _round in range(SEARCHED_ROUNDS):
        before = at
        for rule in rules:
            moment = rule(at)
            if moment is None or moment > until:
                return None
            at = moment
        if at == before:
            return at
    return None


def _opens_at(window: CallingWindow, zone: ZoneInfo, at: float) -> float:
    # The window's ends and all changes of clocks are whole seconds, so a part of one changes nothing.
    since = math.floor(at)
    if window.holds(_second_of_day(zone, since)):
        return at
    openings = _moments(zone, window.start_seconds, since)
    return float(next(moment for moment in openings if window.holds(_second_of_day(zone, moment))))


def _moments(zone: ZoneInfo, second: int, after: int) -> Iterator[int]:
    """The moments after `after`, in order, at which it is that second of the day there or the clock is changed."""
    while True:
        offset = _offset(zone, after)
        moment = after + DAY_SECONDS - (after + offset - second) % DAY_SECONDS
        if _offset(zone, moment) != offset:
            moment = _changed_at(zone, after, moment)
        yield moment
        after = moment


def _changed_at(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second with another offset than `before`'s; no zone changes its clock twice within a day."""
    offset = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=4096)
def _second_of_day(zone: ZoneInfo, at: int) -> int:
    """Kept for a while: many customers of one zone are looked at in the same second."""
    there = datetime.fromtimestamp(at, zone)
    return there.hour * 3600 + there.minute * 60 + there.second


def _offset(zone: ZoneInfo, at: int) -> int:
    """Seconds east of UTC."""
    return int(datetime.fromtimestamp(at, zone).replace(tzinfo=UTC).timestamp()) - at


def _day(zone: ZoneInfo, at: int) -> date:
    return datetime.fromtimestamp(at, zone).date()


@cache
def _zone(name: str) -> ZoneInfo:
    """Kept for good: ZoneInfo's own cache keeps eight, and a number may belong to forty zones."""
    return ZoneInfo(name)
