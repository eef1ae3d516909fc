"""Business hours: when a calendar is open, in the wall clock of its own zone.

A moment is open if the clock on the wall shows a time inside the hours of the day they belong to. So an hour that the
clock leaves out is never open, and one that it shows twice is open twice. Between two changes of its offset a zone is
plain arithmetic; all answers here are put together from such eras, to the second, and depend on nothing but the
calendar and the rules of its zone. Moments lie between the years 1900 and 9900.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import floor
from typing import NamedTuple, NewType
from zoneinfo import ZoneInfo

from engine.core.values import Value, field

CalendarId = NewType("CalendarId", str)

DAY_SECONDS = 86400
SEARCH_DAYS = 400
# Wide enough that a closed weekend is one step, narrow enough that an opening tomorrow is found without a year's hours.
_STEP_SECONDS = 7 * DAY_SECONDS
_EPOCH = date(1970, 1, 1).toordinal()


class Interval(Value):
    """Hours of one day, in seconds since its midnight; an end above 86400 lies in the night after it.

    The start is below 86400 and the end at most 172800: hours never reach the day after next.
    """

    start_seconds: int
    end_seconds: int


class Calendar(Value):
    """The hours of a week (Monday first) in one zone of the tz database, and the days that differ.

    A special day replaces the hours of its weekday and a holiday; an empty one is closed. Hours of the evening before
    that reach past midnight stay, whatever the day itself is.
    """

    id: CalendarId
    timezone: str
    weekly: tuple[tuple[Interval, ...], ...]
    closed_days: frozenset[date] = frozenset()
    special_days: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def hours_of(self, day: date) -> tuple[Interval, ...]:
        """The hours that belong to a day; empty if it is closed."""
        special = self.special_days.get(day)
        if special is not None:
            return special
        return () if day in self.closed_days else self.weekly[day.weekday()]


class Period(Value, order=True):
    """A stretch of real time; `end` is the first moment outside."""

    start: float
    end: float


def is_open(calendar: Calendar, at: float) -> bool:
    """Whether the calendar is open at a moment."""
    local = datetime.fromtimestamp(floor(at), ZoneInfo(calendar.timezone))
    day, seconds = local.date(), local.hour * 3600 + local.minute * 60 + local.second
    return _within(calendar.hours_of(day), seconds) or _within(
        calendar.hours_of(day - timedelta(days=1)), seconds + DAY_SECONDS
    )


def open_periods(calendar: Calendar, start: float, end: float) -> list[Period]:
    """When the calendar is open in [start, end): in order, clipped to the range, periods that touch made one."""
    found = []
    for day in days_around(start, end):
        for period in periods_of(calendar, day):
            opens, closes = max(period.start, start), min(period.end, end)
            if opens < closes:
                found.append((opens, closes))
    return _merged(found)


def opens_at(calendar: Calendar, at: float) -> float | None:
    """`at` itself if the calendar is open then, else its next opening; None if that is not within 400 days."""
    if is_open(calendar, at):
        return at
    limit = at + SEARCH_DAYS * DAY_SECONDS
    while at < limit:
        if periods := open_periods(calendar, at, min(at + _STEP_SECONDS, limit)):
            return periods[0].start
        at += _STEP_SECONDS
    return None


def closes_at(calendar: Calendar, at: float) -> float | None:
    """When the calendar, open at `at`, closes next. None if it is closed then, or closes not within 400 days."""
    if not is_open(calendar, at):
        return None
    limit = at + SEARCH_DAYS * DAY_SECONDS
    while at < limit:
        periods = open_periods(calendar, at, at + _STEP_SECONDS)
        if not periods or periods[0].start > at:
            return at
        at = periods[0].end
    return None


def periods_of(calendar: Calendar, day: date) -> list[Period]:
    """The real time of the hours that belong to one day, its night included; periods that touch are made one."""
    hours = calendar.hours_of(day)
    if not hours:
        return []
    midnight = (day.toordinal() - _EPOCH) * DAY_SECONDS
    found = []
    for since, until, offset in _eras(calendar.timezone, day.year):
        for interval in hours:
            opens = max(midnight + interval.start_seconds - offset, since)
            closes = min(midnight + interval.end_seconds - offset, until)
            if opens < closes:
                found.append((opens, closes))
    return _merged(found)


def days_around(start: float, end: float) -> Iterable[date]:
    """Every day whose hours may reach into [start, end), whatever the zone; some others too."""
    # A zone is less than a day from UTC, and hours reach less than a day into the next one.
    first, last = floor(start / DAY_SECONDS) - 2, floor(end / DAY_SECONDS) + 1
    return map(date.fromordinal, range(_EPOCH + first, _EPOCH + last + 1))


def date_at(timezone: str, at: float) -> date:
    """The date that the clock on the wall shows."""
    return datetime.fromtimestamp(floor(at), ZoneInfo(timezone)).date()


def day_begins(timezone: str, day: date) -> float:
    """The first moment at which the clock on the wall shows this date, or a later one if it leaves the date out."""
    midnight = (day.toordinal() - _EPOCH) * DAY_SECONDS
    return float(
        min(
            max(midnight - offset, since)
            for since, until, offset in _eras(timezone, day.year)
            if midnight - offset < until
        )
    )


class _Era(NamedTuple):
    """Real time [since, until), in whole seconds, in which a zone keeps one offset to UTC."""

    since: int
    until: int
    offset: int


@lru_cache(maxsize=4096)
def _eras(timezone: str, year: int) -> tuple[_Era, ...]:
    """The eras of a year, with some days before and after it for other offsets and for hours past midnight."""
    zone = ZoneInfo(timezone)
    first, last = ((date(each, 1, 1).toordinal() - _EPOCH) * DAY_SECONDS for each in (year, year + 1))
    since, until = first - 3 * DAY_SECONDS, last + 3 * DAY_SECONDS
    eras: list[_Era] = []
    # No zone changes twice within a day: the shortest era of the years 2015 to 2060 is a week.
    for day in range(since, until, DAY_SECONDS):
        offset = _offset(zone, day)
        if offset != _offset(zone, day + DAY_SECONDS):
            changed = _first_change(zone, day, day + DAY_SECONDS)
            eras.append(_Era(since, changed, offset))
            since = changed
    return (*eras, _Era(since, until, _offset(zone, until)))


def _first_change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second with the offset of `after`, which is another than that of `before`."""
    old = _offset(zone, before)
    return before + bisect_left(range(before, after), True, key=lambda at: _offset(zone, at) != old)


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset() or timedelta()
    return offset.days * DAY_SECONDS + offset.seconds


def _within(hours: Iterable[Interval], seconds: int) -> bool:
    return any(each.start_seconds <= seconds < each.end_seconds for each in hours)


def _merged(found: Iterable[tuple[float, float]]) -> list[Period]:
    merged: list[Period] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1].end:
            merged[-1] = Period(merged[-1].start, max(merged[-1].end, float(end)))
        else:
            merged.append(Period(float(start), float(end)))
    return merged
