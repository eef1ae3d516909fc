"""Decides on what callers ask for by keys: their place, the wait, the slots there are, a callback instead of the call.

A promise is kept before it is said (callermenu.py): the callback holds the place of the call, or that in a slot.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.core.callerends import Promise
from engine.core.calling import Calling
from engine.core.configuration import Service
from engine.core.lifecycle import Because, can
from engine.core.records import Callback, InboundCall, Request
from engine.core.slots import Slot, free_between
from engine.core.terms import CallbackId, CallbackState, Prompt, PromptId, RequestChannel
from engine.core.values import replace
from engine.core.wait import Wait

OFFERED_SLOTS = 5
DAYS_NAMED = 6
"""So many days ahead a weekday means only one date."""
_WEEKDAYS = (
    PromptId.MONDAY,
    PromptId.TUESDAY,
    PromptId.WEDNESDAY,
    PromptId.THURSDAY,
    PromptId.FRIDAY,
    PromptId.SATURDAY,
    PromptId.SUNDAY,
)


class Promising(Calling):
    """What a call that came in asks of the switchboard: callerends.Reception."""

    def position_of(self, call: InboundCall) -> int | None:
        """The caller's place, 1-based; they do not stand behind their own callback."""
        place, position = self.line.place(call.id), self.line.position(call.id)
        if place is None or position is None:
            return None
        own = [self.line.place(callback.id) for callback in self._callbacks_of(call)]
        return position - sum(each.key < place.key for each in own if each is not None)

    def wait_of(self, call: InboundCall) -> Wait | None:
        """How long they will wait."""
        return self.waits.of(call.id)

    def free_slots(self, call: InboundCall, now: float) -> list[Slot]:
        """The nearest slots whose day can be named by a word."""
        service = self.configuration.services[call.service]
        calendar, policy = self._calendar_of(service), service.slots
        if calendar is None or policy is None:
            return []
        until = now + DAYS_NAMED * 86400
        return free_between(calendar, policy, self.slots, service.id, now, until, now)[:OFFERED_SLOTS]

    def spoken(self, start: float, service: Service, now: float) -> tuple[Prompt, ...]:
        """Such as: on Monday at nine o'clock."""
        zone = ZoneInfo(self._zone_of(service))
        when, today = (datetime.fromtimestamp(each, UTC).astimezone(zone) for each in (start, now))
        day = _WEEKDAYS[when.weekday()]
        if when.date() == today.date():
            day = PromptId.TODAY
        elif when.date() == today.date() + timedelta(days=1):
            day = PromptId.TOMORROW
        minutes: tuple[Prompt, ...] = (PromptId.O_CLOCK,)
        if when.minute:
            minutes = (when.minute,) if when.minute >= 10 else (0, when.minute)
        return (day, PromptId.AT, when.hour, *minutes)

    def keep_promise(self, call: InboundCall, promise: Promise, now: float) -> CallbackId | None:
        """The callback holds the place of the call; one that they have already takes the better place of the two."""
        service = self.configuration.services[call.service]
        bookable = promise.slot is not None and self._is_bookable(service, promise.slot, now)
        for callback in self.book.open_of(promise.number.phone, service.id):
            if promise.slot is None and (
                callback.state is CallbackState.PREVIEWING or can(callback.state, Because.CANCELLED)
            ):
                return self._take_place(callback, call, now)
            if promise.slot is not None and bookable and can(callback.state, Because.MOVED):
                self._promised.add(callback.id)
                return self._to_slot(callback, promise.slot, now).id
        request = Request(
            service=service.id,
            phone=promise.number.phone,
            language=call.language,
            channel=RequestChannel.PHONE,
            zones=promise.number.zones,
        )
        if self._refusal_of_number(request.phone, request, service, now) is not None:
            return None
        if promise.slot is not None and not bookable:
            return None
        joined_at = promise.slot if promise.slot is not None else call.joined_at
        if joined_at is None:
            return None
        callback = Callback(
            id=CallbackId("cb" + call.id.replace("-", "x")),
            request=request,
            state=CallbackState.QUEUED if promise.slot is None else CallbackState.SCHEDULED,
            created_at=now,
            joined_at=joined_at,
            token_hash="",
            priority=call.priority if promise.slot is None else service.priority,
            scheduled_for=promise.slot,
            booked=promise.slot is not None,
            asked_at=now if promise.slot is not None else joined_at,
            widened=call.widened if promise.slot is None else 0,
        )
        self._promised.add(callback.id)
        self._take_in(callback, now)
        return callback.id

    def _take_place(self, callback: Callback, call: InboundCall, now: float) -> CallbackId:
        """What they had asked for already gets the place of the call, if that is the better one."""
        self._promised.add(callback.id)
        if callback.state in (CallbackState.SCHEDULED, CallbackState.RETRY_WAIT):
            callback = self._to_now(callback, now)
        joined_at = callback.joined_at if call.joined_at is None else min(callback.joined_at, call.joined_at)
        placed = replace(callback, joined_at=joined_at, priority=max(callback.priority, call.priority))
        if placed != callback:
            placed = replace(placed, widened=self._needs.widened_at(placed, now))
            self._write(self.book.keep(placed))
            self._widen_in_time(placed)
            self._rejoin(placed)
        return callback.id

    def _callbacks_of(self, call: InboundCall) -> list[Callback]:
        return [] if call.phone is None else self.book.open_of(call.phone, call.service)
