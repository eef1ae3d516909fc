"""What clients of scheduled callbacks met: a time or number held already, an expansion that ran on, a daily cap.

Also what lists rest on: the slots that may be booked, bookings that are no longer permitted, and the next place.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.configuration import Configuration, Limits, Service, SlotPolicy, Widening
from engine.core.decision import Accepted, Refusal, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.events import (
    CallbackRequested,
    CancelRequested,
    ConfigurationApplied,
    MoveRequested,
    NewNumber,
    PresenceRequested,
    PreviewRescheduled,
    TimerFired,
)
from engine.core.expressions import parse
from engine.core.hours import Calendar
from engine.core.line import Line, Need, Place
from engine.core.records import Request
from engine.core.slots import (
    Conflict,
    SlotBook,
    Unbookable,
    conflicts,
    free_between,
    slot_at,
    slots_between,
    unbookable,
)
from engine.core.terms import CallbackId, CallbackState, ConnectMode, Presence, Reason, RequestChannel, WorkId
from engine.core.values import replace
from tests.unit.core.calendars import NEW_YORK, calendar, moment, odd_calendars
from tests.unit.core.world import AMY, BILLING, NO_CAPS, START, World

ALWAYS = calendar(NEW_YORK, "00:00-24:00")
MIDNIGHT = moment("2023-11-15T00:00-05:00")
"""The next one in New York: the world begins at 17:13 there."""
NINE, TEN = moment("2023-11-15T09:00-05:00"), moment("2023-11-15T10:00-05:00")
WIDER = Widening(60, parse("billing or sales"))
SLOTTED = replace(BILLING, calendar=ALWAYS.id, slots=SlotPolicy(minutes=60, capacity=2))


def configured(service: Service, limits: Limits = NO_CAPS) -> ConfigurationApplied:
    configuration = Configuration(
        services={service.id: service}, agents={AMY.id: AMY}, calendars={ALWAYS.id: ALWAYS}, limits=limits
    )
    return ConfigurationApplied(configuration, "the document")


def world(service: Service = SLOTTED, limits: Limits = NO_CAPS) -> World:
    made = World(agents=())
    made.tell(configured(service, limits))
    return made


def request_of(n: int, when: float | None = None, zones: tuple[str, ...] = ()) -> CallbackRequested:
    request = Request(SLOTTED.id, f"+1202555010{n}", "en", RequestChannel.WEB, zones=zones)
    return CallbackRequested(CallbackId(f"c{n}"), request, "hash", when=when)


def booked(made: World, n: int, when: float) -> CallbackId:
    reply = made.tell(request_of(n, when)).reply
    assert isinstance(reply, Accepted), reply
    return reply.callback.id


def test_given_a_slot_when_it_is_moved_to_the_same_slot_then_nothing_changes_and_its_turn_is_kept() -> None:
    made = world()
    first, second = booked(made, 1, NINE), booked(made, 2, NINE)
    made.pass_time(5)
    decision = made.tell(MoveRequested(first, NINE))
    assert isinstance(decision.reply, Accepted)
    assert decision.changes == []
    made.restart()
    assert made.dispatcher.slots.booked(SLOTTED.id, NINE) == (first, second)


def test_given_a_stated_zone_when_the_same_number_is_given_again_then_the_zone_stays() -> None:
    made = world()
    made.tell(request_of(1, NINE, ("Asia/Tokyo",)))
    decision = made.tell(MoveRequested(CallbackId("c1"), TEN, number=NewNumber("+12025550101", ("America/New_York",))))
    assert isinstance(decision.reply, Accepted)
    assert decision.reply.callback.scheduled_for == TEN
    assert decision.reply.callback.request.zones == ("Asia/Tokyo",)


def test_given_an_expansion_when_who_waits_moves_to_a_slot_then_it_counts_from_the_slot_on() -> None:
    made = world(replace(SLOTTED, expansion=(WIDER,)))
    made.tell(request_of(1))
    made.tell(MoveRequested(CallbackId("c1"), NINE))
    made.pass_time(NINE - START - 1)
    assert made.journal.callbacks[CallbackId("c1")].widened == 0
    made.pass_time(60)
    waiting = made.journal.callbacks[CallbackId("c1")]
    assert (waiting.state, waiting.widened) == (CallbackState.QUEUED, 0)
    made.pass_time(2)
    assert made.journal.callbacks[CallbackId("c1")].widened == 1


def test_given_an_expansion_when_an_agent_puts_a_preview_off_then_it_counts_from_that_time_on() -> None:
    made = Dispatcher(Snapshot())
    made.handle(configured(replace(SLOTTED, expansion=(WIDER,), connect=ConnectMode.PREVIEW)), START)
    made.handle(request_of(1), START)
    made.handle(PresenceRequested(AMY.id, Presence.READY), START)
    made.handle(PreviewRescheduled(AMY.id, WorkId("c1-1"), NINE), START + 1)
    made.handle(TimerFired("c1", "widen"), START + 120)
    put_off = made.book.get(CallbackId("c1"))
    assert put_off is not None
    assert (put_off.state, put_off.widened) == (CallbackState.SCHEDULED, 0)


def test_given_a_number_that_asked_too_often_today_then_it_is_told_when_its_day_ends() -> None:
    made = world(limits=replace(NO_CAPS, per_number_per_day=1))
    booked(made, 1, NINE)
    made.tell(CancelRequested(CallbackId("c1"), Reason.BY_CUSTOMER))
    made.pass_time(100)
    refusal = made.tell(request_of(1, NINE)).reply
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.retry_after_seconds) == ("too-many-requests", MIDNIGHT - made.now)


def test_given_four_in_the_line_then_the_next_place_is_behind_those_of_its_priority_and_of_higher_ones() -> None:
    line, need = Line(), Need(BILLING.id, parse("billing"))
    assert line.position_of_new(BILLING.id, 0, 9.0) == 1
    line.join(Place("high", need, 5.0, priority=1))
    line.join(Place("same", need, 9.0, asked_at=9.0))
    line.join(Place("low", need, 1.0, priority=-1))
    line.join(Place("head", need, 8.0, priority=-1, at_head=True))
    assert line.position_of_new(BILLING.id, 0, 9.0) == 4
    line.park("same")
    assert line.position_of_new(BILLING.id, 0, 9.0) == 4
    assert line.position_of_new(BILLING.id, 2, 9.0) == 2


@settings(deadline=None, derandomize=True, max_examples=50)
@given(odd_calendars(), st.integers(-86400, 86400), st.integers(0, 3), st.sets(st.integers(0, 300)))
def test_given_any_calendar_then_free_slots_are_those_that_may_be_booked(
    odd: tuple[Calendar, float], now_at: int, days_ahead: int, full: set[int]
) -> None:
    hours, midnight = odd
    now, start, end = midnight + now_at, midnight - 86400, midnight + 6 * 86400
    policy = SlotPolicy(minutes=30, capacity=1, days_ahead=days_ahead, min_notice_seconds=600)
    every = slots_between(hours, 30, start, end)
    book = SlotBook()
    for n in full & set(range(len(every))):
        book.set_capacity(BILLING.id, every[n].start, 0)
    free = [slot for slot in every if unbookable(hours, policy, book, BILLING.id, slot.start, now) is None]
    assert free_between(hours, policy, book, BILLING.id, start, end, now) == free


@settings(deadline=None, derandomize=True, max_examples=50)
@given(odd_calendars(), st.lists(st.integers(-20 * 96, 20 * 96), max_size=40))
def test_given_any_bookings_then_conflicts_are_those_without_a_slot_or_beyond_its_capacity(
    odd: tuple[Calendar, float], quarters: list[int]
) -> None:
    hours, midnight = odd
    policy, book = SlotPolicy(minutes=60, capacity=1), SlotBook()
    for n, quarter in enumerate(quarters):
        book.book(BILLING.id, midnight + quarter * 900, CallbackId(f"c{n}"))
    expected = []
    for start in book.starts(BILLING.id):
        is_slot = slot_at(hours, 60, start) is not None
        beyond = book.booked(BILLING.id, start)[1 if is_slot else 0 :]
        expected += [Conflict(each, start, Unbookable.FULL if is_slot else Unbookable.NOT_A_SLOT) for each in beyond]
    assert conflicts(hours, policy, book, BILLING.id) == expected
