"""How slots are cut: a table written by hand, and a naive walk through the minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.hours import Calendar, open_periods
from engine.core.slots import Slot, slot_at, slots_between
from tests.unit.core.calendars import NEW_YORK, calendar, moment, odd_calendars
from tests.unit.core.slots_cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_given_a_calendar_and_a_range_then_its_slots_are(case: Case) -> None:
    start, end = map(moment, case.within.split(" to "))
    expected = [Slot(at, at + case.minutes * 60) for at in map(moment, case.starts.split())]
    assert slots_between(case.calendar, case.minutes, start, end) == expected
    for slot in expected:
        assert slot_at(case.calendar, case.minutes, slot.start) == slot


@pytest.mark.parametrize(
    ("day", "minutes", "count"), [("2025-03-09", 60, 23), ("2025-11-02", 60, 25), ("2025-11-02", 15, 100)]
)
def test_given_a_day_round_the_clock_then_it_has_as_many_slots_as_it_has_time(
    day: str, minutes: int, count: int
) -> None:
    open_that_day = calendar(NEW_YORK, "-", special={day: "00:00-24:00"})
    near = moment(f"{day}T12:00-04:00")
    assert len(slots_between(open_that_day, minutes, near - 2 * 86400, near + 2 * 86400)) == count


@pytest.mark.parametrize("at", ["08:30", "08:59:59.5", "09:00:01", "09:00:00.5", "09:15", "12:00", "17:00"])
def test_given_a_moment_that_begins_no_slot_then_there_is_none(at: str) -> None:
    office = calendar(NEW_YORK, "09:00-12:00 13:00-17:00")
    assert slot_at(office, 30, moment(f"2025-06-02T{at}-04:00")) is None


# ---- against a naive walk through the minutes ----------------------------------------------------------


def naive_owner(hours: Calendar, at: float) -> date | None:
    """The day whose hours a minute belongs to; the evening before goes first."""
    wall = datetime.fromtimestamp(int(at), ZoneInfo(hours.timezone)).replace(tzinfo=None)
    for day in (wall.date() - timedelta(days=1), wall.date()):
        shown = (wall - datetime(day.year, day.month, day.day)).total_seconds()  # noqa: DTZ001 a wall has no zone
        if any(each.start_seconds <= shown < each.end_seconds for each in hours.hours_of(day)):
            return day
    return None


def naive_slots(hours: Calendar, minutes: int, start: float, end: float) -> Iterator[Slot]:
    """Slots that begin in the range, cut from stretches of minutes that one day owns; starts well before it."""
    at, begun, owner = start - 3 * 86400, 0.0, None
    while at < end + 3600:
        now = naive_owner(hours, at)
        if now != owner:
            begun, owner = at, now
        at += 60
        if owner is not None and at - begun == minutes * 60:
            if start <= begun < end:
                yield Slot(begun, at)
            begun = at


@settings(deadline=None, derandomize=True, max_examples=25)
@given(odd_calendars(), st.sampled_from([15, 30, 60]))
def test_given_any_calendar_then_its_slots_are_those_that_a_walk_through_the_minutes_finds(
    odd: tuple[Calendar, float], minutes: int
) -> None:
    hours, midnight = odd
    start, end = midnight - 43200, midnight + 86400
    assert slots_between(hours, minutes, start, end) == list(naive_slots(hours, minutes, start, end))


@settings(deadline=None, derandomize=True)
@given(odd_calendars(unit=1), st.sampled_from([15, 30, 60]))
def test_given_any_calendar_then_slots_lie_in_open_periods_and_never_overlap(
    odd: tuple[Calendar, float], minutes: int
) -> None:
    hours, midnight = odd
    slots = slots_between(hours, minutes, midnight - 3 * 86400, midnight + 3 * 86400)
    periods = open_periods(hours, midnight - 4 * 86400, midnight + 5 * 86400)
    for slot in slots:
        assert slot.end - slot.start == minutes * 60
        assert any(period.start <= slot.start and slot.end <= period.end for period in periods)
    assert all(one.end <= other.start for one, other in pairwise(slots))


@settings(deadline=None, derandomize=True)
@given(
    odd_calendars(), st.sampled_from([15, 30, 60]), st.lists(st.integers(-3 * 86400, 3 * 86400), min_size=2, max_size=6)
)
def test_given_any_calendar_then_its_slots_do_not_depend_on_the_range_asked_for(
    odd: tuple[Calendar, float], minutes: int, cuts: list[int]
) -> None:
    hours, midnight = odd
    edges = sorted(midnight + each for each in cuts)
    pieces = [slots_between(hours, minutes, *pair) for pair in pairwise(edges)]
    whole = slots_between(hours, minutes, edges[0], edges[-1])
    assert [slot for piece in pieces for slot in piece] == whole
    assert [slot_at(hours, minutes, slot.start) for slot in whole] == whole
