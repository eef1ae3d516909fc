"""Slots for scheduled callbacks: how they are cut from business hours, which of them are taken, and which are free.

Slots depend on the calendar alone: the hours that belong to one day are cut from their own beginning in steps of real
time, whatever range is asked for, and a piece that is shorter than a slot is none. Where the night of the day before
reaches into a day, that time is cut with the night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice

from engine.core.configuration import SlotPolicy
from engine.core.hours import DAY_SECONDS, Calendar, Period, date_at, day_begins, days_around, periods_of
from engine.core.terms import CallbackId, ServiceId
from engine.core.values import Value

_CUT_AT_ONCE_SECONDS = 7 * DAY_SECONDS


class Slot(Value):
    """One slot of real time; `end` is the first moment outside."""

    start: float
    end: float


class Unbookable(StrEnum):
    """Why a start may not be booked. The first that holds is told."""

    IN_THE_PAST = "in_the_past"
    TOO_FAR_AHEAD = "too_far_ahead"
    NOT_A_SLOT = "not_a_slot"
    TOO_SOON = "too_soon"
    FULL = "full"


class Conflict(Value):
    """A booking that calendar or capacity no longer permit: NOT_A_SLOT or FULL."""

    callback: CallbackId
    start: float
    why: Unbookable


class SlotBook:
    """Which callbacks hold a place in which slot, and the slots with a capacity of their own, for all services.

    It knows nothing of time and refuses nothing: whoever books asks `unbookable` first. A place is held until it is
    released or moved, also after the slot has begun. Lowering a capacity moves nobody.
    """

    def __init__(self) -> None:
        # Callbacks of a slot in the order of their booking; a dictionary is an ordered set.
        self._booked: dict[ServiceId, dict[float, dict[CallbackId, None]]] = {}
        self._places: dict[CallbackId, tuple[ServiceId, float]] = {}
        self._overrides: dict[tuple[ServiceId, float], int] = {}

    def restore(
        self,
        bookings: Iterable[tuple[ServiceId, float, CallbackId]],
        overrides: Iterable[tuple[ServiceId, float, int]],
    ) -> None:
        """Take over what was written down, in the order in which it was booked; what was known before is forgotten."""
        self._booked, self._places, self._overrides = {}, {}, {}
        for service, start, callback in bookings:
            self.book(service, start, callback)
        for service, start, capacity in overrides:
            self.set_capacity(service, start, capacity)

    def capacity(self, service: ServiceId, policy: SlotPolicy, start: float) -> int:
        """How many a slot may hold: its own capacity, else the service's."""
        return self._overrides.get((service, start), policy.capacity)

    def own_capacity(self, service: ServiceId, start: float) -> int | None:
        """The capacity that a slot was given for itself; None: the service's counts."""
        return self._overrides.get((service, start))

    def remaining(self, service: ServiceId, policy: SlotPolicy, start: float) -> int:
        """How many more a slot may hold; 0 also where more are booked than it may hold."""
        booked = len(self._booked.get(service, {}).get(start, ()))
        return max(0, self.capacity(service, policy, start) - booked)

    def booked(self, service: ServiceId, start: float) -> tuple[CallbackId, ...]:
        """Who holds a place in a slot, in the order of their booking."""
        return tuple(self._booked.get(service, {}).get(start, ()))

    def starts(self, service: ServiceId) -> list[float]:
        """The slots of a service in which somebody holds a place, in order of time."""
        return sorted(self._booked.get(service, {}))

    def book(self, service: ServiceId, start: float, callback: CallbackId) -> None:
        """Give a callback its place; one that it held elsewhere is given up, in the same slot it is kept."""
        if self._places.get(callback) == (service, start):
            return
        self.release(callback)
        self._places[callback] = service, start
        self._booked.setdefault(service, {}).setdefault(start, {})[callback] = None

    def release(self, callback: CallbackId) -> None:
        """Give up a callback's place; one without is no error."""
        place = self._places.pop(callback, None)
        if place is None:
            return
        service, start = place
        del self._booked[service][start][callback]
        if not self._booked[service][start]:
            del self._booked[service][start]

    def set_capacity(self, service: ServiceId, start: float, capacity: int | None) -> None:
        """Give a slot a capacity of its own; None: the service's again."""
        if capacity is None:
            self._overrides.pop((service, start), None)
        else:
            self._overrides[service, start] = capacity

    def overrides(self) -> dict[tuple[ServiceId, float], int]:
        """The slots that have a capacity of their own, as `{(service, start): capacity}`, in order."""
        return dict(sorted(self._overrides.items()))


def slots_between(calendar: Calendar, minutes: int, start: float, end: float) -> list[Slot]:
    """Every slot that begins in [start, end), in order; the last may end after the range."""
    length = minutes * 60.0
    return [Slot(each, each + length) for each in _starts(calendar, minutes, start, end)]


def slot_at(calendar: Calendar, minutes: int, start: float) -> Slot | None:
    """The slot that begins exactly then, if there is one."""
    return next((slot for slot in slots_between(calendar, minutes, start, start + 1) if slot.start == start), None)


def unbookable(
    calendar: Calendar, policy: SlotPolicy, book: SlotBook, service: ServiceId, start: float, now: float
) -> Unbookable | None:
    """Why a callback may not be booked for `start`; None if it may. Any number is a `start` that can be asked for."""
    if start <= now:
        return Unbookable.IN_THE_PAST
    if start >= _booking_ends(calendar, policy, now):
        return Unbookable.TOO_FAR_AHEAD
    if slot_at(calendar, policy.minutes, start) is None:
        return Unbookable.NOT_A_SLOT
    if start < now + policy.min_notice_seconds:
        return Unbookable.TOO_SOON
    return None if book.remaining(service, policy, start) else Unbookable.FULL


def nearest_free(
    calendar: Calendar,
    policy: SlotPolicy,
    book: SlotBook,
    service: ServiceId,
    wanted: float,
    now: float,
    limit: int = 5,
) -> list[Slot]:
    """The slots that may be booked, nearest to `wanted` first, the earlier of two that are as near.

    `wanted` may lie in the past, too far ahead or outside the hours.
    """
    first, last = now + policy.min_notice_seconds, _booking_ends(calendar, policy, now)
    later = _later(calendar, policy.minutes, max(wanted, first), last)
    earlier = _earlier(calendar, policy.minutes, first, min(wanted, last))
    length = policy.minutes * 60.0
    free = (
        Slot(start, start + length)
        for start in merge(earlier, later, key=lambda start: (abs(start - wanted), start))
        if start > now and book.remaining(service, policy, start)
    )
    return list(islice(free, limit))


def free_between(
    calendar: Calendar, policy: SlotPolicy, book: SlotBook, service: ServiceId, start: float, end: float, now: float
) -> list[Slot]:
    """Every slot that begins in [start, end) and may be booked, in order."""
    first = max(start, now + policy.min_notice_seconds)
    last = min(end, _booking_ends(calendar, policy, now))
    return [
        slot
        for slot in slots_between(calendar, policy.minutes, first, last)
        if slot.start > now and book.remaining(service, policy, slot.start)
    ]


def conflicts(calendar: Calendar, policy: SlotPolicy, book: SlotBook, service: ServiceId) -> list[Conflict]:
    """Bookings of a service that are no longer permitted, by start and then in the order of their booking.

    Of a slot that holds more than its capacity, those who booked last are named, as many as are too many.
    """
    found = []
    slots: set[float] = set()
    cut_until = float("-inf")
    for start in book.starts(service):
        booked = book.booked(service, start)
        if start >= cut_until:
            cut_until = start + _CUT_AT_ONCE_SECONDS
            slots = set(_starts(calendar, policy.minutes, start, cut_until))
        if start not in slots:
            found += [Conflict(each, start, Unbookable.NOT_A_SLOT) for each in booked]
        else:
            beyond = booked[book.capacity(service, policy, start) :]
            found += [Conflict(each, start, Unbookable.FULL) for each in beyond]
    return found


def _booking_ends(calendar: Calendar, policy: SlotPolicy, now: float) -> float:
    """The first moment that is more than `days_ahead` days after today in the calendar's zone."""
    today = date_at(calendar.timezone, now)
    return day_begins(calendar.timezone, today + timedelta(days=policy.days_ahead + 1))


def _later(calendar: Calendar, minutes: int, start: float, end: float) -> Iterator[float]:
    """Slots that begin in [start, end), first to last, found a little further with each step."""
    days = 1
    while start < end:
        until = min(start + days * DAY_SECONDS, end)
        yield from _starts(calendar, minutes, start, until)
        start, days = until, min(2 * days, 32)


def _earlier(calendar: Calendar, minutes: int, start: float, end: float) -> Iterator[float]:
    """Slots that begin in [start, end), last to first, found a little further with each step."""
    days = 1
    while start < end:
        since = max(end - days * DAY_SECONDS, start)
        yield from reversed(_starts(calendar, minutes, since, end))
        end, days = since, min(2 * days, 32)


def _starts(calendar: Calendar, minutes: int, start: float, end: float) -> list[float]:
    """When slots begin in [start, end), in order."""
    length = minutes * 60
    found = []
    before: list[Period] = []
    # Nothing of the first day reaches into the range; it is there for its night, which the second is cut without.
    for day in days_around(start - DAY_SECONDS, end):
        periods = periods_of(calendar, day)
        for period in periods:
            for piece in _outside(period, before):
                at = piece.start
                while at + length <= piece.end:
                    if start <= at < end:
                        found.append(at)
                    at += length
        before = periods
    return sorted(found)


def _outside(period: Period, taken: list[Period]) -> Iterator[Period]:
    """What is left of a period without those taken, which are in order."""
    start = period.start
    for other in taken:
        if start < other.end and other.start < period.end:
            if start < other.start:
                yield Period(start, other.start)
            start = other.end
    if start < period.end:
        yield Period(start, period.end)
