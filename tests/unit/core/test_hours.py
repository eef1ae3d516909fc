"""When a calendar is open: tables written by hand, and a naive look at the clock on the wall for every minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.hours import (
    Calendar,
    Period,
    closes_at,
    date_at,
    day_begins,
    is_open,
    open_periods,
    opens_at,
)
from tests.unit.core.calendars import APIA, AUCKLAND, NEW_YORK, SANTIAGO, ST_JOHNS, calendar, moment, odd_calendars
from tests.unit.core.hours_cases import CASES, Case, stretch, stretches


def test_given_the_table_then_it_has_readable_ids_each_once() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_given_a_calendar_and_a_range_then_it_is_open_exactly_then(case: Case) -> None:
    assert open_periods(case.calendar, *stretch(case.within)) == stretches(case.expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_given_the_edges_of_the_table_then_the_single_moment_says_the_same(case: Case) -> None:
    start, end = stretch(case.within)
    for period in stretches(case.expected):
        assert is_open(case.calendar, period.start)
        assert is_open(case.calendar, period.end - 0.001)
        if period.start > start:
            assert not is_open(case.calendar, period.start - 0.001)
        if period.end < end:
            assert not is_open(case.calendar, period.end)
            assert closes_at(case.calendar, period.start) == period.end


OFFICE = calendar(
    NEW_YORK,
    dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-12:00 13:00-17:00"),
    closed="2025-07-04 2025-12-25 2025-12-26",
    special={"2025-12-24": "09:00-11:00"},
)
ALWAYS = calendar(NEW_YORK, "00:00-24:00")
NEVER = calendar(NEW_YORK, "-")
DOUBLED = calendar(NEW_YORK, "01:15-01:45")
MISSING = calendar(NEW_YORK, "02:30-04:00")
NIGHTS = calendar(NEW_YORK, "22:00-26:00")


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        pytest.param(OFFICE, "2025-06-02T09:30-04:00", "2025-06-02T09:30-04:00", id="open-now"),
        pytest.param(OFFICE, "2025-06-02T09:00-04:00", "2025-06-02T09:00-04:00", id="opens-this-moment"),
        pytest.param(OFFICE, "2025-06-02T08:59:59.5-04:00", "2025-06-02T09:00-04:00", id="half-a-second-early"),
        pytest.param(OFFICE, "2025-06-02T12:00-04:00", "2025-06-02T13:00-04:00", id="at-noon-after-lunch"),
        pytest.param(OFFICE, "2025-06-02T17:00-04:00", "2025-06-03T09:00-04:00", id="in-the-evening-tomorrow"),
        pytest.param(OFFICE, "2025-06-06T17:00-04:00", "2025-06-09T09:00-04:00", id="on-friday-evening-monday"),
        pytest.param(OFFICE, "2025-07-03T18:00-04:00", "2025-07-07T09:00-04:00", id="over-holiday-and-weekend"),
        pytest.param(OFFICE, "2025-12-24T11:00-05:00", "2025-12-29T09:00-05:00", id="over-christmas"),
        pytest.param(OFFICE, "2025-03-08T12:00-05:00", "2025-03-10T09:00-04:00", id="over-the-change-in-spring"),
        pytest.param(OFFICE, "2025-10-31T17:00-04:00", "2025-11-03T09:00-05:00", id="over-the-change-in-fall"),
        pytest.param(MISSING, "2025-03-09T01:00-05:00", "2025-03-09T03:00-04:00", id="opens-as-the-clock-goes-on"),
        pytest.param(DOUBLED, "2025-11-02T01:45-04:00", "2025-11-02T01:15-05:00", id="opens-again-in-the-second-hour"),
        pytest.param(NIGHTS, "2025-06-03T02:00-04:00", "2025-06-03T22:00-04:00", id="after-the-night"),
        pytest.param(
            calendar("UTC", "-", special={"2026-02-04": "23:00-24:00"}),
            "2025-01-01T00:00+00:00",
            "2026-02-04T23:00+00:00",
            id="one-day-400-days-ahead",
        ),
        pytest.param(
            calendar("UTC", "-", special={"2026-02-05": "00:00-24:00"}),
            "2025-01-01T00:00+00:00",
            None,
            id="later-than-that-nobody-looks",
        ),
        pytest.param(NEVER, "2025-06-02T12:00-04:00", None, id="never"),
    ],
)
def test_given_a_moment_then_the_next_opening_is(hours: Calendar, at: str, expected: str | None) -> None:
    assert opens_at(hours, moment(at)) == (expected and moment(expected))


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        pytest.param(OFFICE, "2025-06-02T09:00-04:00", "2025-06-02T12:00-04:00", id="opened-this-moment"),
        pytest.param(OFFICE, "2025-06-02T16:59:59.5-04:00", "2025-06-02T17:00-04:00", id="half-a-second-before"),
        pytest.param(OFFICE, "2025-06-02T17:00-04:00", None, id="closed-this-moment"),
        pytest.param(OFFICE, "2025-07-04T10:00-04:00", None, id="closed-on-a-holiday"),
        pytest.param(OFFICE, "2025-12-24T10:00-05:00", "2025-12-24T11:00-05:00", id="special-day"),
        pytest.param(NIGHTS, "2025-06-02T23:00-04:00", "2025-06-03T02:00-04:00", id="past-midnight"),
        pytest.param(NIGHTS, "2025-06-03T01:00-04:00", "2025-06-03T02:00-04:00", id="asked-past-midnight"),
        pytest.param(NIGHTS, "2025-11-01T22:00-04:00", "2025-11-02T02:00-05:00", id="long-night-in-fall"),
        pytest.param(DOUBLED, "2025-11-02T01:30-04:00", "2025-11-02T01:45-04:00", id="first-time-round"),
        pytest.param(DOUBLED, "2025-11-02T01:30-05:00", "2025-11-02T01:45-05:00", id="second-time-round"),
        pytest.param(
            calendar(NEW_YORK, "00:00-24:00", closed="2025-06-16"),
            "2025-06-02T00:00-04:00",
            "2025-06-16T00:00-04:00",
            id="two-weeks-without-a-break",
        ),
        pytest.param(
            calendar("UTC", "00:00-24:00", closed="2026-02-04"),
            "2025-01-01T00:00+00:00",
            "2026-02-04T00:00+00:00",
            id="more-than-a-year-without-a-break",
        ),
        pytest.param(ALWAYS, "2025-06-02T12:00-04:00", None, id="never-closes"),
        pytest.param(NEVER, "2025-06-02T12:00-04:00", None, id="never-opens"),
    ],
)
def test_given_a_moment_then_the_next_close_is(hours: Calendar, at: str, expected: str | None) -> None:
    assert closes_at(hours, moment(at)) == (expected and moment(expected))


@pytest.mark.parametrize(
    ("timezone", "day", "begins"),
    [
        (NEW_YORK, "2025-06-02", "2025-06-02T00:00-04:00"),
        (NEW_YORK, "2025-01-01", "2025-01-01T00:00-05:00"),
        (SANTIAGO, "2025-09-07", "2025-09-07T01:00-03:00"),
        (SANTIAGO, "2025-04-06", "2025-04-06T00:00-04:00"),
        (ST_JOHNS, "2010-11-07", "2010-11-07T00:00-02:30"),
        (APIA, "2011-12-30", "2011-12-31T00:00+14:00"),
    ],
)
def test_given_a_day_then_it_begins_when_the_wall_first_shows_it(timezone: str, day: str, begins: str) -> None:
    assert day_begins(timezone, date.fromisoformat(day)) == moment(begins)


def test_given_a_moment_then_its_date_is_that_of_the_zone() -> None:
    assert date_at(AUCKLAND, moment("2025-06-02T23:00+00:00")) == date(2025, 6, 3)
    assert date_at(NEW_YORK, moment("2025-06-02T03:59:59.9+00:00")) == date(2025, 6, 1)


# ---- against a naive clock on the wall -----------------------------------------------------------------


def naively_open(hours: Calendar, at: float) -> bool:
    """The definition, read from the clock on the wall."""
    wall = datetime.fromtimestamp(int(at), ZoneInfo(hours.timezone)).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        if day in hours.special_days:
            intervals = hours.special_days[day]
        elif day in hours.closed_days:
            continue
        else:
            intervals = hours.weekly[day.weekday()]
        shown = (wall - datetime(day.year, day.month, day.day)).total_seconds()  # noqa: DTZ001 a wall has no zone
        if any(each.start_seconds <= shown < each.end_seconds for each in intervals):
            return True
    return False


@settings(deadline=None, derandomize=True)
@given(odd_calendars(), st.integers(-36 * 60, 24 * 60), st.integers(0, 36 * 60))
def test_given_any_calendar_then_it_is_open_exactly_in_the_minutes_that_the_wall_shows(
    odd: tuple[Calendar, float], minutes: int, length: int
) -> None:
    hours, midnight = odd
    start = midnight + minutes * 60
    end = start + length * 60
    expected: list[Period] = []
    for n in range(length):
        at = start + n * 60
        if naively_open(hours, at):
            if expected and expected[-1].end == at:
                expected[-1] = Period(expected[-1].start, at + 60)
            else:
                expected.append(Period(at, at + 60))
    assert open_periods(hours, start, end) == expected


@settings(deadline=None, derandomize=True)
@given(odd_calendars(unit=1), st.lists(st.integers(-2 * 86400, 2 * 86400), min_size=1, max_size=50))
def test_given_hours_to_the_second_then_every_moment_agrees_with_the_wall(
    odd: tuple[Calendar, float], seconds: list[int]
) -> None:
    hours, midnight = odd
    periods = open_periods(hours, midnight - 3 * 86400, midnight + 3 * 86400)
    edges = [edge + step for period in periods for edge in (period.start, period.end) for step in (-1, 0)]
    for at in [*(midnight + each for each in seconds), *edges]:
        if midnight - 3 * 86400 <= at < midnight + 3 * 86400:
            open_then = naively_open(hours, at)
            assert is_open(hours, at) is open_then
            assert any(period.start <= at < period.end for period in periods) is open_then


@settings(deadline=None, derandomize=True)
@given(odd_calendars(), st.integers(-2 * 86400, 2 * 86400))
def test_given_any_moment_then_opening_and_close_are_edges_of_the_open_periods(
    odd: tuple[Calendar, float], seconds: int
) -> None:
    hours, midnight = odd
    at = midnight + seconds
    periods = open_periods(hours, at, at + 9 * 86400)
    if not periods:
        assert not is_open(hours, at)
        return
    assert opens_at(hours, at) == periods[0].start
    closes = closes_at(hours, at)
    if periods[0].start > at:
        assert closes is None
    elif periods[0].end < at + 9 * 86400:
        assert closes == periods[0].end
