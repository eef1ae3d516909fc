"""Slots: how they are cut, who holds a place, and which may be booked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.hours import Calendar, open_periods
from engine.core.model import CallbackId, ServiceId, SlotPolicy
from engine.core.slots import (
    Conflict,
    Slot,
    SlotBook,
    Unbookable,
    conflicts,
    nearest_free,
    slot_at,
    slots_between,
    unbookable,
)
from tests.unit.core.calendars import (
    AUCKLAND,
    BERLIN,
    LORD_HOWE,
    NEW_YORK,
    SANTIAGO,
    ST_JOHNS,
    calendar,
    moment,
    odd_calendars,
)

BILLING, SALES = ServiceId("billing"), ServiceId("sales")
AMY, BOB, CORA, DAN = map(CallbackId, ("amy", "bob", "cora", "dan"))


@dataclass(frozen=True)
class Case:
    """`week` in a zone; its slots that begin in `within` begin at `starts`, in order."""

    id: str
    timezone: str
    week: dict[str, str] | str
    minutes: int
    within: str
    starts: str
    closed: str = ""
    special: dict[str, str] = field(default_factory=dict)

    @property
    def calendar(self) -> Calendar:
        return calendar(self.timezone, self.week, closed=self.closed, special=self.special)


MONDAY = "2025-06-02T00:00-04:00 to 2025-06-03T00:00-04:00"
TWO_DAYS = "2025-06-02T00:00-04:00 to 2025-06-04T00:00-04:00"
NY_SPRING = "2025-03-09T00:00-05:00 to 2025-03-10T00:00-04:00"
NY_FALL = "2025-11-02T00:00-04:00 to 2025-11-03T00:00-05:00"

CASES = [
    Case(
        "half-hours",
        NEW_YORK,
        "09:00-11:00",
        30,
        MONDAY,
        "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00 2025-06-02T10:00-04:00 2025-06-02T10:30-04:00",
    ),
    Case(
        "a-last-piece-is-no-slot", NEW_YORK, "09:00-10:20", 30, MONDAY, "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00"
    ),
    Case("hours-shorter-than-a-slot", NEW_YORK, "09:00-09:59", 60, MONDAY, ""),
    Case("hours-of-exactly-one-slot", NEW_YORK, "09:00-10:00", 60, MONDAY, "2025-06-02T09:00-04:00"),
    Case(
        "cut-from-an-odd-beginning",
        NEW_YORK,
        "09:10-11:30",
        60,
        MONDAY,
        "2025-06-02T09:10-04:00 2025-06-02T10:10-04:00",
    ),
    Case(
        "each-interval-from-its-own-beginning",
        NEW_YORK,
        "09:00-10:15 11:05-12:10",
        30,
        MONDAY,
        "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00 2025-06-02T11:05-04:00 2025-06-02T11:35-04:00",
    ),
    Case(
        "intervals-that-touch-are-cut-as-one",
        NEW_YORK,
        "09:00-09:45 09:45-10:30",
        30,
        MONDAY,
        "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00 2025-06-02T10:00-04:00",
    ),
    Case(
        "a-range-takes-its-beginning-and-leaves-its-end",
        NEW_YORK,
        "09:00-12:00",
        30,
        "2025-06-02T09:30-04:00 to 2025-06-02T10:30-04:00",
        "2025-06-02T09:30-04:00 2025-06-02T10:00-04:00",
    ),
    Case("a-range-inside-a-slot", NEW_YORK, "09:00-12:00", 60, "2025-06-02T09:10-04:00 to 2025-06-02T09:50-04:00", ""),
    # The two odd days.
    Case(
        "new-york-spring-half-hours-skip-the-missing-hour",
        NEW_YORK,
        "01:30-04:30",
        30,
        NY_SPRING,
        "2025-03-09T01:30-05:00 2025-03-09T03:00-04:00 2025-03-09T03:30-04:00 2025-03-09T04:00-04:00",
    ),
    Case(
        "new-york-spring-hours-are-of-real-time",
        NEW_YORK,
        "01:30-04:30",
        60,
        NY_SPRING,
        "2025-03-09T01:30-05:00 2025-03-09T03:30-04:00",
    ),
    Case("new-york-spring-no-slot-in-the-missing-hour", NEW_YORK, "02:00-03:00", 15, NY_SPRING, ""),
    Case(
        "new-york-fall-the-doubled-hour-has-slots-twice",
        NEW_YORK,
        "00:30-02:30",
        30,
        NY_FALL,
        """2025-11-02T00:30-04:00 2025-11-02T01:00-04:00 2025-11-02T01:30-04:00
        2025-11-02T01:00-05:00 2025-11-02T01:30-05:00 2025-11-02T02:00-05:00""",
    ),
    Case(
        "new-york-fall-pieces-of-the-doubled-hour-are-cut-each",
        NEW_YORK,
        "01:15-01:45",
        15,
        NY_FALL,
        "2025-11-02T01:15-04:00 2025-11-02T01:30-04:00 2025-11-02T01:15-05:00 2025-11-02T01:30-05:00",
    ),
    Case("new-york-fall-two-pieces-make-no-slot", NEW_YORK, "01:15-01:45", 60, NY_FALL, ""),
    Case(
        "lord-howe-fall",
        LORD_HOWE,
        "01:00-02:30",
        30,
        "2025-04-06T00:00+11:00 to 2025-04-07T00:00+10:30",
        "2025-04-06T01:00+11:00 2025-04-06T01:30+11:00 2025-04-06T01:30+10:30 2025-04-06T02:00+10:30",
    ),
    Case(
        "lord-howe-spring",
        LORD_HOWE,
        "01:30-03:00",
        30,
        "2025-10-05T00:00+10:30 to 2025-10-06T00:00+11:00",
        "2025-10-05T01:30+10:30 2025-10-05T02:30+11:00",
    ),
    Case(
        "lord-howe-spring-an-hour-over-the-change",
        LORD_HOWE,
        "01:15-03:15",
        60,
        "2025-10-05T00:00+10:30 to 2025-10-06T00:00+11:00",
        "2025-10-05T01:15+10:30",
    ),
    Case(
        "berlin-fall-night",
        BERLIN,
        {"sat": "23:30-27:30"},
        60,
        "2025-10-25T00:00+02:00 to 2025-10-27T00:00+01:00",
        """2025-10-25T23:30+02:00 2025-10-26T00:30+02:00 2025-10-26T01:30+02:00
        2025-10-26T02:30+02:00 2025-10-26T02:30+01:00""",
    ),
    Case(
        "santiago-fall-night",
        SANTIAGO,
        {"sat": "22:00-26:00"},
        60,
        "2025-04-05T00:00-03:00 to 2025-04-07T00:00-04:00",
        """2025-04-05T22:00-03:00 2025-04-05T23:00-03:00 2025-04-05T23:00-04:00
        2025-04-06T00:00-04:00 2025-04-06T01:00-04:00""",
    ),
    Case(
        "auckland-fall-begins-in-the-doubled-hour",
        AUCKLAND,
        "02:40-03:10",
        15,
        "2025-04-06T00:00+13:00 to 2025-04-07T00:00+12:00",
        "2025-04-06T02:40+13:00 2025-04-06T02:40+12:00 2025-04-06T02:55+12:00",
    ),
    Case(
        "st-johns-fall-saturday-comes-back",
        ST_JOHNS,
        {"sat": "23:00-24:00"},
        30,
        "2010-11-06T00:00-02:30 to 2010-11-08T00:00-03:30",
        "2010-11-06T23:00-02:30 2010-11-06T23:30-02:30 2010-11-06T23:01-03:30",
    ),
    # Past midnight.
    Case(
        "a-night-is-cut-from-its-own-beginning",
        NEW_YORK,
        {"mon": "22:40-25:15"},
        30,
        TWO_DAYS,
        """2025-06-02T22:40-04:00 2025-06-02T23:10-04:00 2025-06-02T23:40-04:00
        2025-06-03T00:10-04:00 2025-06-03T00:40-04:00""",
    ),
    Case(
        "a-night-seen-from-its-middle",
        NEW_YORK,
        {"mon": "22:40-25:15"},
        30,
        "2025-06-03T00:00-04:00 to 2025-06-04T00:00-04:00",
        "2025-06-03T00:10-04:00 2025-06-03T00:40-04:00",
    ),
    Case(
        "a-morning-that-the-night-reaches-into-begins-after-it",
        NEW_YORK,
        {"mon": "23:00-26:20", "tue": "01:00-04:00"},
        60,
        TWO_DAYS,
        """2025-06-02T23:00-04:00 2025-06-03T00:00-04:00 2025-06-03T01:00-04:00
        2025-06-03T02:20-04:00""",
    ),
    Case(
        "a-morning-that-the-night-touches-is-cut-by-itself",
        NEW_YORK,
        {"mon": "23:10-25:00", "tue": "01:00-03:00"},
        60,
        TWO_DAYS,
        "2025-06-02T23:10-04:00 2025-06-03T01:00-04:00 2025-06-03T02:00-04:00",
    ),
    Case(
        "a-night-reaching-into-hours-that-reach-into-the-next-night",
        NEW_YORK,
        {"mon": "12:00-25:00", "tue": "00:30-24:10", "wed": "00:00-03:00"},
        60,
        "2025-06-03T22:00-04:00 to 2025-06-05T00:00-04:00",
        "2025-06-03T22:00-04:00 2025-06-03T23:00-04:00 2025-06-04T00:10-04:00 2025-06-04T01:10-04:00",
    ),
    Case(
        "a-night-far-west-that-begins-late-and-ends-late",
        "Pacific/Honolulu",
        {"mon": "21:00-44:20", "tue": "20:00-43:50"},
        60,
        "2025-06-04T18:00-10:00 to 2025-06-04T19:00-10:00",
        "2025-06-04T18:20-10:00",
    ),
    Case(
        "round-the-clock-each-day-from-its-midnight",
        NEW_YORK,
        "00:00-24:00",
        60,
        "2025-06-02T22:17-04:00 to 2025-06-03T01:30-04:00",
        "2025-06-02T23:00-04:00 2025-06-03T00:00-04:00 2025-06-03T01:00-04:00",
    ),
    Case(
        "almost-round-the-clock-leaves-a-piece",
        NEW_YORK,
        "00:10-24:00",
        60,
        "2025-06-02T22:00-04:00 to 2025-06-03T02:00-04:00",
        "2025-06-02T22:10-04:00 2025-06-03T00:10-04:00 2025-06-03T01:10-04:00",
    ),
    # Holidays and special days on the edges of slots.
    Case(
        "a-holiday-ends-a-day-round-the-clock",
        NEW_YORK,
        "00:00-24:00",
        60,
        "2025-06-02T22:00-04:00 to 2025-06-04T02:00-04:00",
        "2025-06-02T22:00-04:00 2025-06-02T23:00-04:00 2025-06-04T00:00-04:00 2025-06-04T01:00-04:00",
        closed="2025-06-03",
    ),
    Case(
        "a-night-into-a-holiday-keeps-its-slots",
        NEW_YORK,
        {"mon": "23:30-24:30", "tue": "09:00-10:00"},
        30,
        TWO_DAYS,
        "2025-06-02T23:30-04:00 2025-06-03T00:00-04:00",
        closed="2025-06-03",
    ),
    Case(
        "a-special-day-has-its-own-slots",
        NEW_YORK,
        "09:00-17:00",
        60,
        MONDAY,
        "2025-06-02T10:20-04:00 2025-06-02T11:20-04:00",
        closed="2025-06-02",
        special={"2025-06-02": "10:20-12:30"},
    ),
    Case(
        "an-ordinary-day-of-the-zone-farthest-east",
        "Pacific/Kiritimati",
        {"mon": "00:00-01:00"},
        30,
        "2025-06-01T00:00+00:00 to 2025-06-03T00:00+00:00",
        "2025-06-02T00:00+14:00 2025-06-02T00:30+14:00",
    ),
    Case(
        "an-ordinary-day-of-the-zone-farthest-west",
        "Pacific/Pago_Pago",
        {"mon": "23:00-25:00"},
        60,
        "2025-06-03T10:00+00:00 to 2025-06-03T12:00+00:00",
        "2025-06-02T23:00-11:00 2025-06-03T00:00-11:00",
    ),
    Case("closed-for-ever", NEW_YORK, "-", 15, TWO_DAYS, ""),
]


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


# ---- places --------------------------------------------------------------------------------------------

NINE, TEN = moment("2025-06-02T09:00-04:00"), moment("2025-06-02T10:00-04:00")
TWO_EACH = SlotPolicy(minutes=60, capacity=2, days_ahead=14, min_notice_seconds=0)


def test_given_bookings_then_a_slot_has_so_much_less_room_and_others_have_theirs() -> None:
    book = SlotBook()
    book.book(BILLING, NINE, AMY)
    assert book.remaining(BILLING, TWO_EACH, NINE) == 1
    assert book.remaining(BILLING, TWO_EACH, TEN) == 2
    assert book.remaining(SALES, TWO_EACH, NINE) == 2
    book.book(BILLING, NINE, BOB)
    assert book.remaining(BILLING, TWO_EACH, NINE) == 0
    assert book.booked(BILLING, NINE) == (AMY, BOB)


def test_given_a_booking_when_it_is_released_then_its_place_is_free_and_releasing_again_is_no_error() -> None:
    book = SlotBook()
    book.book(BILLING, NINE, AMY)
    book.release(AMY)
    book.release(AMY)
    assert book.booked(BILLING, NINE) == ()
    assert book.starts(BILLING) == []


def test_given_a_booking_when_it_is_moved_then_it_holds_one_place_only() -> None:
    book = SlotBook()
    book.book(BILLING, NINE, AMY)
    book.book(SALES, TEN, AMY)
    assert book.booked(BILLING, NINE) == ()
    assert book.booked(SALES, TEN) == (AMY,)


def test_given_a_booking_when_it_is_made_again_then_it_keeps_its_turn() -> None:
    book = SlotBook()
    book.book(BILLING, NINE, AMY)
    book.book(BILLING, NINE, BOB)
    book.book(BILLING, NINE, AMY)
    assert book.booked(BILLING, NINE) == (AMY, BOB)


def test_given_a_capacity_of_its_own_then_it_goes_before_the_services_until_it_is_cleared() -> None:
    book = SlotBook()
    book.set_capacity(BILLING, TEN, 5)
    book.set_capacity(BILLING, NINE, 0)
    assert (book.capacity(BILLING, TWO_EACH, NINE), book.capacity(BILLING, TWO_EACH, TEN)) == (0, 5)
    assert book.capacity(SALES, TWO_EACH, NINE) == 2
    assert list(book.overrides(BILLING).items()) == [(NINE, 0), (TEN, 5)]
    book.set_capacity(BILLING, NINE, None)
    book.set_capacity(SALES, NINE, None)
    assert book.capacity(BILLING, TWO_EACH, NINE) == 2
    assert book.overrides(BILLING) == {TEN: 5}
    assert book.overrides(SALES) == {}


def test_given_a_full_slot_when_its_capacity_is_lowered_then_nobody_is_moved_and_nothing_is_left() -> None:
    book = SlotBook()
    book.book(BILLING, NINE, AMY)
    book.book(BILLING, NINE, BOB)
    book.set_capacity(BILLING, NINE, 1)
    assert book.booked(BILLING, NINE) == (AMY, BOB)
    assert book.remaining(BILLING, TWO_EACH, NINE) == 0


def test_given_what_was_written_down_then_a_book_takes_it_over_and_forgets_the_rest() -> None:
    book = SlotBook()
    book.book(SALES, NINE, DAN)
    book.set_capacity(SALES, NINE, 7)
    book.restore([(BILLING, TEN, BOB), (BILLING, NINE, CORA), (BILLING, TEN, AMY)], [(BILLING, TEN, 3)])
    assert book.booked(BILLING, TEN) == (BOB, AMY)
    assert book.starts(BILLING) == [NINE, TEN]
    assert book.overrides(BILLING) == {TEN: 3}
    assert book.booked(SALES, NINE) == ()
    assert book.overrides(SALES) == {}
    book.release(CORA)
    assert book.starts(BILLING) == [TEN]


WHO = st.sampled_from([AMY, BOB, CORA, DAN])
WHERE = st.tuples(st.sampled_from([BILLING, SALES]), st.sampled_from([NINE, TEN]))
STEPS = st.one_of(
    st.tuples(st.just("book"), WHERE, WHO),
    st.tuples(st.just("release"), WHERE, WHO),
    st.tuples(st.just("capacity"), WHERE, st.none() | st.integers(0, 3)),
)


@settings(derandomize=True)
@given(st.lists(STEPS, max_size=60), st.integers(0, 3))
def test_given_bookings_asked_for_first_then_no_slot_ever_takes_more_than_its_capacity(
    steps: list[tuple[str, tuple[ServiceId, float], CallbackId | int | None]], capacity: int
) -> None:
    policy = SlotPolicy(capacity=capacity)
    book = SlotBook()
    places: dict[CallbackId, tuple[ServiceId, float]] = {}
    overrides: dict[tuple[ServiceId, float], int] = {}
    for what, where, value in steps:
        match what, value:
            case "book", str() if book.remaining(where[0], policy, where[1]):
                book.book(*where, CallbackId(value))
                places[CallbackId(value)] = where
                assert list(places.values()).count(where) <= overrides.get(where, capacity)
            case "release", str():
                book.release(CallbackId(value))
                places.pop(CallbackId(value), None)
            case "capacity", int():
                book.set_capacity(*where, value)
                overrides[where] = value
            case "capacity", None:
                book.set_capacity(*where, None)
                overrides.pop(where, None)
        for service in (BILLING, SALES):
            for start in (NINE, TEN):
                held = {who for who, place in places.items() if place == (service, start)}
                room = overrides.get((service, start), capacity) - len(held)
                assert set(book.booked(service, start)) == held
                assert book.remaining(service, policy, start) == max(0, room)


# ---- what may be booked --------------------------------------------------------------------------------

OFFICE = calendar(NEW_YORK, dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-12:00"), closed="2025-06-04")
# Monday; the last day that may be booked is Monday in a week.
NOW = moment("2025-06-02T09:10-04:00")
WEEK_AHEAD = SlotPolicy(minutes=60, capacity=1, days_ahead=7, min_notice_seconds=3600)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        pytest.param("2025-06-02T11:00-04:00", None, id="today"),
        pytest.param("2025-06-02T09:00-04:00", Unbookable.IN_THE_PAST, id="has-begun"),
        pytest.param("2025-06-02T09:10-04:00", Unbookable.IN_THE_PAST, id="this-moment"),
        pytest.param("2025-06-02T08:30-04:00", Unbookable.IN_THE_PAST, id="past-and-no-slot"),
        pytest.param("2025-06-02T10:00-04:00", Unbookable.TOO_SOON, id="within-the-notice"),
        pytest.param("2025-06-02T10:05-04:00", Unbookable.NOT_A_SLOT, id="no-slot-within-the-notice"),
        pytest.param("2025-06-02T11:30-04:00", Unbookable.NOT_A_SLOT, id="inside-a-slot"),
        pytest.param("2025-06-02T12:00-04:00", Unbookable.NOT_A_SLOT, id="at-the-close"),
        pytest.param("2025-06-04T09:00-04:00", Unbookable.NOT_A_SLOT, id="on-a-holiday"),
        pytest.param("2025-06-07T09:00-04:00", Unbookable.NOT_A_SLOT, id="on-a-saturday"),
        pytest.param("2025-06-09T11:00-04:00", None, id="the-last-slot-of-the-last-day"),
        pytest.param("2025-06-10T09:00-04:00", Unbookable.TOO_FAR_AHEAD, id="the-day-after-the-last"),
        pytest.param("2025-06-10T00:00-04:00", Unbookable.TOO_FAR_AHEAD, id="the-midnight-after-the-last-day"),
        pytest.param("2025-06-09T23:59:59-04:00", Unbookable.NOT_A_SLOT, id="a-second-before-it"),
        pytest.param("9999-12-31T23:00+00:00", Unbookable.TOO_FAR_AHEAD, id="the-end-of-the-calendar"),
        pytest.param("2025-06-03T09:00-04:00", Unbookable.FULL, id="full"),
    ],
)
def test_given_a_start_then_it_may_be_booked_or_why_not(start: str, why: Unbookable | None) -> None:
    book = SlotBook()
    book.book(BILLING, moment("2025-06-03T09:00-04:00"), AMY)
    book.book(SALES, moment("2025-06-02T11:00-04:00"), BOB)
    assert unbookable(OFFICE, WEEK_AHEAD, book, BILLING, moment(start), NOW) is why


def test_given_exactly_the_notice_then_a_slot_may_still_be_booked() -> None:
    ten = moment("2025-06-02T10:00-04:00")
    assert unbookable(OFFICE, WEEK_AHEAD, SlotBook(), BILLING, ten, ten - 3600) is None
    assert unbookable(OFFICE, WEEK_AHEAD, SlotBook(), BILLING, ten, ten - 3599) is Unbookable.TOO_SOON


def test_given_another_zone_then_days_ahead_are_counted_there() -> None:
    hours = calendar(AUCKLAND, "00:00-24:00")
    tomorrow = SlotPolicy(minutes=60, capacity=1, days_ahead=1)
    # Eleven in the evening of 1 June in Auckland: the 2nd may be booked, the 3rd not.
    now = moment("2025-06-01T11:00+00:00")
    assert unbookable(hours, tomorrow, SlotBook(), BILLING, moment("2025-06-02T23:00+12:00"), now) is None
    too_far = unbookable(hours, tomorrow, SlotBook(), BILLING, moment("2025-06-03T00:00+12:00"), now)
    assert too_far is Unbookable.TOO_FAR_AHEAD


def test_given_a_night_then_its_slots_after_midnight_count_as_the_next_day() -> None:
    nights = calendar(NEW_YORK, "22:00-26:00")
    today = SlotPolicy(minutes=60, capacity=1, days_ahead=1)
    now = moment("2025-06-02T09:00-04:00")
    assert unbookable(nights, today, SlotBook(), BILLING, moment("2025-06-03T23:00-04:00"), now) is None
    after = unbookable(nights, today, SlotBook(), BILLING, moment("2025-06-04T01:00-04:00"), now)
    assert after is Unbookable.TOO_FAR_AHEAD


@pytest.mark.parametrize(
    ("wanted", "limit", "expected"),
    [
        pytest.param(
            "2025-06-03T10:00-04:00",
            4,
            "2025-06-03T10:00-04:00 2025-06-03T11:00-04:00 2025-06-02T11:00-04:00 2025-06-05T09:00-04:00",
            id="what-is-wanted-is-free",
        ),
        pytest.param(
            "2025-06-03T09:00-04:00", 2, "2025-06-03T10:00-04:00 2025-06-03T11:00-04:00", id="what-is-wanted-is-full"
        ),
        pytest.param(
            "2025-06-03T10:30-04:00", 2, "2025-06-03T10:00-04:00 2025-06-03T11:00-04:00", id="the-earlier-of-two"
        ),
        pytest.param(
            "2025-06-01T10:00-04:00", 2, "2025-06-02T11:00-04:00 2025-06-03T10:00-04:00", id="wanted-in-the-past"
        ),
        pytest.param(
            "2030-01-01T00:00+00:00", 2, "2025-06-09T11:00-04:00 2025-06-09T10:00-04:00", id="wanted-too-far-ahead"
        ),
        pytest.param(
            "2025-06-04T10:00-04:00", 2, "2025-06-03T11:00-04:00 2025-06-05T09:00-04:00", id="wanted-on-a-holiday"
        ),
        pytest.param(
            "2025-06-07T12:00-04:00", 2, "2025-06-06T11:00-04:00 2025-06-06T10:00-04:00", id="wanted-on-saturday"
        ),
        pytest.param("2025-06-03T10:00-04:00", 0, "", id="none-asked-for"),
        pytest.param(
            "2025-06-05T10:00-04:00",
            99,
            """2025-06-05T10:00-04:00 2025-06-05T09:00-04:00 2025-06-05T11:00-04:00
            2025-06-06T09:00-04:00 2025-06-06T10:00-04:00 2025-06-06T11:00-04:00
            2025-06-03T11:00-04:00 2025-06-03T10:00-04:00 2025-06-02T11:00-04:00
            2025-06-09T09:00-04:00 2025-06-09T10:00-04:00 2025-06-09T11:00-04:00""",
            id="all-there-are",
        ),
    ],
)
def test_given_a_wish_then_the_nearest_slots_that_may_be_booked_are(wanted: str, limit: int, expected: str) -> None:
    book = SlotBook()
    book.book(BILLING, moment("2025-06-03T09:00-04:00"), AMY)
    book.book(SALES, moment("2025-06-03T11:00-04:00"), BOB)
    found = nearest_free(OFFICE, WEEK_AHEAD, book, BILLING, moment(wanted), NOW, limit)
    assert found == [Slot(at, at + 3600) for at in map(moment, expected.split())]


def test_given_a_slot_that_begins_now_then_it_is_not_offered_without_notice_either() -> None:
    free = nearest_free(OFFICE, TWO_EACH, SlotBook(), BILLING, NINE, NINE, 1)
    assert free == [Slot(TEN, TEN + 3600)]


def test_given_a_service_that_is_never_open_then_nothing_is_offered() -> None:
    assert nearest_free(calendar(NEW_YORK, "-"), WEEK_AHEAD, SlotBook(), BILLING, NOW, NOW) == []


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    odd_calendars(),
    st.integers(-86400, 86400),
    st.integers(-5 * 86400, 9 * 86400),
    st.integers(0, 3),
    st.sets(st.integers(0, 500)),
)
def test_given_any_wish_then_what_is_offered_may_be_booked_and_nothing_nearer_may(
    odd: tuple[Calendar, float], now_at: int, wanted_at: int, days_ahead: int, full: set[int]
) -> None:
    hours, midnight = odd
    now, wanted = midnight + now_at, midnight + wanted_at
    policy = SlotPolicy(minutes=30, capacity=1, days_ahead=days_ahead, min_notice_seconds=600)
    every = slots_between(hours, 30, midnight - 2 * 86400, midnight + 8 * 86400)
    book = SlotBook()
    for n in full & set(range(len(every))):
        book.set_capacity(BILLING, every[n].start, 0)
    free = [slot for slot in every if unbookable(hours, policy, book, BILLING, slot.start, now) is None]
    free.sort(key=lambda slot: (abs(slot.start - wanted), slot.start))
    assert nearest_free(hours, policy, book, BILLING, wanted, now, 5) == free[:5]


def test_given_a_year_of_full_slots_then_the_one_that_is_free_is_found_soon() -> None:
    always = calendar(NEW_YORK, "00:00-24:00")
    year = SlotPolicy(minutes=15, capacity=0, days_ahead=365)
    book = SlotBook()
    last = moment("2026-06-02T23:45-04:00")
    book.set_capacity(BILLING, last, 1)
    began = time.process_time()
    assert nearest_free(always, year, book, BILLING, NOW, NOW) == [Slot(last, last + 900)]
    # 35,000 slots take some hundredths of a second; what looks at them again for each of them takes minutes.
    assert time.process_time() - began < 2


# ---- what is no longer permitted -----------------------------------------------------------------------


def test_given_bookings_that_fit_then_there_is_no_conflict() -> None:
    book = SlotBook()
    book.restore([(BILLING, NINE, AMY), (BILLING, NINE, BOB), (BILLING, TEN, CORA)], [])
    assert conflicts(OFFICE, TWO_EACH, book, BILLING) == []


def test_given_a_day_that_closes_then_its_bookings_are_conflicts_in_order() -> None:
    book = SlotBook()
    book.restore([(BILLING, TEN, CORA), (BILLING, NINE, BOB), (BILLING, NINE, AMY), (SALES, NINE, DAN)], [])
    closed = calendar(NEW_YORK, "09:00-12:00", closed="2025-06-02")
    assert conflicts(closed, TWO_EACH, book, BILLING) == [
        Conflict(BOB, NINE, Unbookable.NOT_A_SLOT),
        Conflict(AMY, NINE, Unbookable.NOT_A_SLOT),
        Conflict(CORA, TEN, Unbookable.NOT_A_SLOT),
    ]


def test_given_slots_that_begin_elsewhere_then_bookings_between_them_are_conflicts() -> None:
    book = SlotBook()
    book.restore([(BILLING, NINE, AMY), (BILLING, TEN, BOB)], [])
    later = calendar(NEW_YORK, "09:30-10:00", special={"2025-06-02": "10:00-12:00"})
    assert conflicts(later, TWO_EACH, book, BILLING) == [Conflict(AMY, NINE, Unbookable.NOT_A_SLOT)]


def test_given_a_capacity_that_was_lowered_then_those_who_booked_last_are_conflicts() -> None:
    book = SlotBook()
    book.restore(
        [(BILLING, NINE, BOB), (BILLING, NINE, AMY), (BILLING, NINE, CORA), (BILLING, TEN, DAN)],
        [(BILLING, TEN, 0)],
    )
    assert conflicts(OFFICE, TWO_EACH, book, BILLING) == [
        Conflict(CORA, NINE, Unbookable.FULL),
        Conflict(DAN, TEN, Unbookable.FULL),
    ]
