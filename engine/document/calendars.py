"""Calendars of the services document as the core's: hours of the week, public holidays, special days.

Checks what a single field cannot know: days named twice, hours that overlap, holidays that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from engine.core.hours import DAY_SECONDS, Calendar, CalendarId, Interval
from engine.document.models import CalendarEntry, HolidaysEntry
from engine.document.public_holidays import public_holidays, regions_of
from engine.errors import FieldProblem
from engine.fields import nearest

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def calendar_of(entry: CalendarEntry) -> Calendar:
    """The calendar that an entry without problems means."""
    hours_of = {day: hours for days, hours in entry.weekly.items() for day in _days(days)}
    return Calendar(
        id=CalendarId(entry.id),
        timezone=entry.timezone,
        weekly=tuple(_intervals(hours_of.get(day, ())) for day in _WEEK),
        closed_days=_closed_days(entry.holidays) if entry.holidays else frozenset(),
        special_days={date.fromisoformat(day): _intervals(hours) for day, hours in entry.special_days.items()},
    )


def problems_of(entry: CalendarEntry, at: str) -> Iterator[FieldProblem]:
    """What keeps an entry from being a calendar; `at` is its path, such as `calendars[0]`."""
    named: dict[str, str] = {}
    for days, hours in entry.weekly.items():
        twice = [day for day in _days(days) if day in named]
        if twice:
            problem = f"{twice[0]} is in {named[twice[0]]} already; name each day once"
            yield FieldProblem(f"{at}.weekly.{days}", problem)
        named |= dict.fromkeys(_days(days), days)
        yield from _of_hours(hours, f"{at}.weekly.{days}")
    for special, hours in entry.special_days.items():
        yield from _of_hours(hours, f"{at}.special_days.{special}")
    if entry.holidays is not None:
        yield from _of_holidays(entry.holidays, f"{at}.holidays")


def _of_hours(hours: Sequence[str], at: str) -> Iterator[FieldProblem]:
    for n, each in enumerate(hours):
        start, end = _bounds(each)
        if start == end:
            yield FieldProblem(f"{at}[{n}]", "has no length; a whole day is 00:00-24:00")
            continue
        interval = _interval(each)
        for other in hours[:n]:
            before = _interval(other)
            if interval.start_seconds < before.end_seconds and before.start_seconds < interval.end_seconds:
                yield FieldProblem(f"{at}[{n}]", f"overlaps {other}; make one of the two")
                break


def _of_holidays(entry: HolidaysEntry, at: str) -> Iterator[FieldProblem]:
    if entry.country is None:
        if entry.region is not None or entry.exceptions:
            yield FieldProblem(f"{at}.country", "is missing; region and except need it")
        return
    regions = regions_of(entry.country)
    if regions is None:
        yield FieldProblem(f"{at}.country", "no holidays of it are known; leave it out and name each day in add")
        return
    if entry.region is not None and entry.region not in regions:
        hint = nearest(entry.region, regions) if regions else "its holidays are the same everywhere; leave it out"
        yield FieldProblem(f"{at}.region", f"is no region of {entry.country}; {hint}")
        return
    names = public_holidays(entry.country, entry.region).names()
    for n, name in enumerate(entry.exceptions):
        if name not in names:
            yield FieldProblem(f"{at}.except[{n}]", f"is no holiday there; {nearest(name, names)}")


def _closed_days(entry: HolidaysEntry) -> frozenset[date]:
    added = frozenset(date.fromisoformat(day) for day in entry.add)
    if entry.country is None:
        return added
    return added | public_holidays(entry.country, entry.region).without(frozenset(entry.exceptions))


def _days(days: str) -> tuple[str, ...]:
    """`mon-fri` as its days; `fri-mon` goes over the end of the week."""
    first, _, last = days.partition("-")
    start, end = _WEEK.index(first), _WEEK.index(last or first)
    return (*_WEEK[start:], *_WEEK[: end + 1]) if end < start else _WEEK[start : end + 1]


def _intervals(hours: Sequence[str]) -> tuple[Interval, ...]:
    return tuple(sorted((_interval(each) for each in hours), key=lambda each: each.start_seconds))


def _interval(hours: str) -> Interval:
    start, end = _bounds(hours)
    return Interval(start, end if end > start else end + DAY_SECONDS)


def _bounds(hours: str) -> tuple[int, int]:
    start, _, end = hours.partition("-")
    return _seconds(start), _seconds(end)


def _seconds(time: str) -> int:
    hour, minute, second = (*time.split(":"), "00")[:3]
    return int(hour) * 3600 + int(minute) * 60 + int(second)
