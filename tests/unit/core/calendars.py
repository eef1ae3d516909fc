"""Calendars for tests: written as text, where hours count on past 24 into the night, and drawn at random.

Those drawn stand near the days on which the clock of their zone changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from engine.core.hours import Calendar, CalendarId, Interval

NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
SANTIAGO, AUCKLAND, ST_JOHNS, APIA = "America/Santiago", "Pacific/Auckland", "America/St_Johns", "Pacific/Apia"
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ODD_DAYS = {
    NEW_YORK: (date(2025, 3, 9), date(2025, 11, 2)),
    BERLIN: (date(2025, 3, 30), date(2025, 10, 26)),
    LORD_HOWE: (date(2025, 4, 6), date(2025, 10, 5)),
    SANTIAGO: (date(2025, 4, 6), date(2025, 9, 7)),
    AUCKLAND: (date(2025, 4, 6), date(2025, 9, 28)),
    ST_JOHNS: (date(2010, 3, 14), date(2010, 11, 7)),
    APIA: (date(2011, 12, 30), date(2012, 1, 1)),
    "Asia/Kathmandu": (date(2024, 2, 29), date(2024, 12, 31)),
}


def moment(text: str) -> float:
    """`2025-03-09T01:30-05:00` as seconds since the epoch."""
    at = datetime.fromisoformat(text)
    assert at.tzinfo is not None, text
    return at.timestamp()


def hours(text: str) -> tuple[Interval, ...]:
    """`09:00-12:00 22:00-26:00` as intervals; a dash alone: none."""
    return () if text == "-" else tuple(Interval(*map(_seconds, each.split("-"))) for each in text.split())


def calendar(
    timezone: str, week: Mapping[str, str] | str, *, closed: str = "", special: Mapping[str, str] | None = None
) -> Calendar:
    """`week`: hours of each day named, or of all days. `closed`: dates in a row."""
    by_day = dict.fromkeys(WEEK, week) if isinstance(week, str) else week
    return Calendar(
        CalendarId("office"),
        timezone,
        tuple(hours(by_day.get(day, "-")) for day in WEEK),
        frozenset(map(date.fromisoformat, closed.split())),
        {date.fromisoformat(day): hours(text) for day, text in (special or {}).items()},
    )


def _seconds(text: str) -> int:
    hour, minute, *second = map(int, text.split(":"))
    return hour * 3600 + minute * 60 + sum(second)


@st.composite
def intervals(draw: st.DrawFn, unit: int) -> tuple[Interval, ...]:
    """Up to three intervals of one day, apart, in multiples of `unit` seconds; the last may go past midnight."""
    day = 86400 // unit
    bounds = sorted(draw(st.sets(st.integers(0, day - 1), max_size=6)))
    pairs = [Interval(start * unit, end * unit) for start, end in zip(bounds[::2], bounds[1::2], strict=False)]
    if len(bounds) % 2:
        end = draw(st.integers(bounds[-1] + 1, bounds[-1] + day - 1))
        pairs.append(Interval(bounds[-1] * unit, end * unit))
    return tuple(pairs)


@st.composite
def odd_calendars(draw: st.DrawFn, unit: int = 60) -> tuple[Calendar, float]:
    """A calendar and a moment near a day on which the clock of its zone changes."""
    timezone = draw(st.sampled_from(sorted(ODD_DAYS)))
    odd = draw(st.sampled_from(ODD_DAYS[timezone]))
    near = st.integers(-2, 2).map(lambda days: odd + timedelta(days=days))
    whole_day = st.just((Interval(0, 86400),))
    hours = st.one_of(intervals(unit), whole_day)
    weekly = draw(st.tuples(*[hours] * 7))
    closed = draw(st.frozensets(near, max_size=2))
    special = draw(st.dictionaries(near, hours, max_size=2))
    midnight = datetime(odd.year, odd.month, odd.day, tzinfo=ZoneInfo("UTC")).timestamp()
    return Calendar(CalendarId("odd"), timezone, weekly, closed, special), midnight
