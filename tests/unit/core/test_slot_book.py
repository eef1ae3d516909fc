"""Who holds a place in a slot, which slots may be booked, and which bookings are no longer permitted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.configuration import SlotPolicy
from engine.core.hours import Calendar
from engine.core.slots import (
    Conflict,
    Slot,
    SlotBook,
    Unbookable,
    conflicts,
    nearest_free,
    slots_between,
    unbookable,
)
from engine.core.terms import CallbackId, ServiceId
from tests.unit.core.calendars import AUCKLAND, NEW_YORK, calendar, moment, odd_calendars

BILLING, SALES = ServiceId("billing"), ServiceId("sales")
AMY, BOB, CORA, DAN = map(CallbackId, ("amy", "bob", "cora", "dan"))
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
    assert list(book.overrides().items()) == [((BILLING, NINE), 0), ((BILLING, TEN), 5)]
    book.set_capacity(BILLING, NINE, None)
    book.set_capacity(SALES, NINE, None)
    assert book.capacity(BILLING, TWO_EACH, NINE) == 2
    assert book.overrides() == {(BILLING, TEN): 5}


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
    assert book.overrides() == {(BILLING, TEN): 3}
    assert book.booked(SALES, NINE) == ()
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
