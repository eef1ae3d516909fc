"""What is received and answered about slots and business hours, to customers and to staff.

Customers see only slots that may be booked; staff also see who holds a place in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from engine.api.bodies import Answered, Moment, Received
from engine.api.callback_shapes import Language, PageUrl, WaitView
from engine.api.moments import utc_text_of
from engine.api.when import DayOrMoment
from engine.core.configuration import Configuration
from engine.core.slots import Conflict, Slot, SlotBook, Unbookable, conflicts
from engine.core.terms import CallbackId, ServiceId
from engine.document.values import Id, Whole

MOST_CAPACITY = 100_000
# Thousands of these stand in one answer; a text is written as it is.
UtcTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class SlotsQuery(Received):
    """From when on, and how many calendar days of the service's zone, the first of them included."""

    first: DayOrMoment | None = Field(
        None, alias="from", description="A day in the service's zone, or a time; left out: now."
    )
    days: int = Field(7, ge=1, le=366)


class AvailabilityQuery(SlotsQuery):
    """What would be asked for: checked like a request's, so that what is told here is true of it."""

    subject: Id | None = None
    page_url: PageUrl | None = None
    language: Language | None = None


class SlotCapacityWanted(Received):
    """How many the slot may hold; 0 closes it for new bookings."""

    capacity: Annotated[Whole, Field(ge=0, le=MOST_CAPACITY)]


class BookableSlot(Answered):
    """A slot with room; `end` is the first moment outside."""

    start: UtcTime
    end: UtcTime
    capacity: int
    remaining: int


class Immediate(Answered):
    """Whether to offer a call now, and the place and wait it would have; else why not.

    While `paused` a request is taken all the same, and waits. `closing`: their turn would come after the service has
    closed. A `wait` of null is not known: nobody is on duty who could serve them, or nobody has been served yet.
    """

    offered: bool
    reason: Literal["closed", "closing", "queue-full", "paused", "not-ready"] | None
    position: int | None
    wait: WaitView | None


class AvailabilityView(Answered):
    """When a service may be asked for. `timezone` and `slot_minutes` are null without a calendar and without slots.

    `opens_at` is told while it is closed, `closes_at` while it is open; null also if that is not within 400 days.
    """

    service: str
    timezone: str | None
    open: bool
    opens_at: Moment | None
    closes_at: Moment | None
    immediate: Immediate
    slot_minutes: int | None
    slots: list[BookableSlot]


class StaffSlot(BookableSlot):
    """A slot; `own_capacity` is null where the service's counts, `callbacks` are in the order of their booking."""

    own_capacity: int | None
    booked: int
    callbacks: list[str]


class BookingConflict(Answered):
    """A booking that is not permitted any more; it stays until somebody moves or cancels it.

    `not_a_slot`: no slot begins then. `full`: more are booked than the slot may hold, and this is one of the last.
    """

    callback: str
    service: str
    start: UtcTime
    why: Literal["not_a_slot", "full"]


class StaffSlots(Answered):
    """The slots of a service, and all of its bookings that are no longer permitted."""

    service: str
    timezone: str | None
    slot_minutes: int | None
    slots: list[StaffSlot]
    conflicts: list[BookingConflict]


def bookable_slot(slot: Slot, capacity: int, remaining: int) -> BookableSlot:
    """A slot as customers see it."""
    start, end = utc_text_of(slot.start), utc_text_of(slot.end)
    return BookableSlot(start=start, end=end, capacity=capacity, remaining=remaining)


def staff_slot(slot: Slot, capacity: int, own_capacity: int | None, callbacks: tuple[CallbackId, ...]) -> StaffSlot:
    """A slot as staff see it."""
    return StaffSlot(
        start=utc_text_of(slot.start),
        end=utc_text_of(slot.end),
        capacity=capacity,
        own_capacity=own_capacity,
        booked=len(callbacks),
        remaining=max(0, capacity - len(callbacks)),
        callbacks=list(callbacks),
    )


def booking_conflicts(
    configuration: Configuration, service: ServiceId, book: SlotBook, now: float
) -> Iterator[BookingConflict]:
    """The bookings of a service that a configuration does not permit, of slots that have not begun.

    Who is in the line already is served whatever becomes of the slot.
    """
    for each in _conflicts(configuration, service, book):
        if each.start > now:
            why: Literal["not_a_slot", "full"] = "full" if each.why is Unbookable.FULL else "not_a_slot"
            yield BookingConflict(callback=each.callback, service=service, start=utc_text_of(each.start), why=why)


def _conflicts(configuration: Configuration, service_id: ServiceId, book: SlotBook) -> list[Conflict]:
    service = configuration.services[service_id]
    if service.calendar is not None and service.slots is not None:
        return conflicts(configuration.calendars[service.calendar], service.slots, book, service_id)
    return [
        Conflict(callback, start, Unbookable.NOT_A_SLOT)
        for start in book.starts(service_id)
        for callback in book.booked(service_id, start)
    ]
