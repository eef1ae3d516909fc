"""Decides on requests: who is accepted, booked, moved, cancelled or refused. On a refusal nothing changes."""

from __future__ import annotations

from enum import StrEnum

from engine.core.changes import IdempotencyKept
from engine.core.configuration import Service
from engine.core.decision import Accepted, Refusal
from engine.core.events import (
    CallbackRequested,
    CancelRequested,
    MoveRequested,
    NewNumber,
)
from engine.core.hours import is_open, opens_at
from engine.core.lifecycle import Because, can
from engine.core.line import LAST_ID, Place
from engine.core.number_history import kept_seconds
from engine.core.overrides import FARTHEST_SECONDS, Overrides
from engine.core.permission import local_midnight_after
from engine.core.records import Callback, Request
from engine.core.slots import Unbookable, nearest_free, unbookable
from engine.core.switchboard import PERMITTED, RETRY, SLOT, WIDEN
from engine.core.terms import CallbackId, CallbackState, ServiceId
from engine.core.values import replace
from engine.core.wait import Wait

_UNBOOKABLE = {
    Unbookable.IN_THE_PAST: ("in-the-past", "this time has passed"),
    Unbookable.TOO_FAR_AHEAD: ("too-far-ahead", "nothing can be booked as far ahead as that"),
    Unbookable.NOT_A_SLOT: ("slot-not-available", "no slot begins at this time"),
    Unbookable.TOO_SOON: ("slot-not-available", "this slot begins too soon to be booked"),
    Unbookable.FULL: ("slot-not-available", "this slot is full"),
}


class Unjoinable(StrEnum):
    """Why nobody is taken into the line of a service. CLOSING: their turn would come after it has closed."""

    CLOSED = "closed"
    CLOSING = "closing"
    FULL = "queue-full"


class Admission(Overrides):
    """The customers' side of the switchboard."""

    # ---- asking --------------------------------------------------------------------------------------

    def _requested(self, event: CallbackRequested, now: float) -> None:
        request = event.request
        service = self.configuration.services.get(request.service)
        if service is None:
            self._refuse("unknown-service", f"there is no service {request.service!r}")
            return
        refusal = self._refusal_of_number(request.phone, request, service, now)
        if refusal is not None:
            self._decision.reply = refusal
            return
        place = forecast = None
        if event.when is None:
            place = self._place_of_new(event.id, request, service.priority, now)
            forecast = self.waits.of_new(place)
            if not self._joins_now(service, None if forecast is None else forecast.wait, now):
                return
        elif event.freely:
            if not self._may_be_asked_for(service, event.when, now):
                return
        elif not self._may_be_booked(service, event.when, now):
            return
        callback = Callback(
            id=event.id,
            request=request,
            state=CallbackState.QUEUED if event.when is None else CallbackState.SCHEDULED,
            created_at=now,
            joined_at=now if event.when is None else event.when,
            token_hash=event.token_hash,
            priority=service.priority,
            parent_id=event.parent_id,
            scheduled_for=event.when,
            booked=event.when is not None and not event.freely,
            asked_at=now,
            told=None if forecast is None else forecast.wait,
        )
        if event.idempotency is not None:
            self._write([IdempotencyKept(event.idempotency, callback.id, now)])
        if place is not None:
            self.waits.tell(place, forecast, now)
        self._take_in(callback, now)
        self._decision.reply = Accepted(callback, None)

    def _take_in(self, callback: Callback, now: float) -> None:
        """From now on the request stands."""
        self._history.note_request(callback.request.phone, now)
        self._history.forget(now - kept_seconds(self.configuration.limits))
        self._write(self.book.accept(callback, now))
        self._place(callback)

    def _place(self, callback: Callback) -> None:
        """Into the line, or into its slot; the callback's life counts from there."""
        self._live_until(callback)
        if callback.booked:
            self.slots.book(callback.request.service, callback.joined_at, callback.id)
        else:
            self.slots.release(callback.id)
        if callback.state is CallbackState.SCHEDULED:
            self._write(self.timers.clear(callback.id, WIDEN))
            self._write(self.timers.set(callback.id, SLOT, callback.joined_at))
        else:
            self._widen_in_time(callback)
            self._join(callback)

    def _place_of_new(self, callback: CallbackId, request: Request, priority: int, now: float) -> Place:
        """Where it would wait."""
        need = self._needs.of_new(request.service, request.subject, request.skill)
        return Place(callback, need, now, now, priority)

    def _refusal_of_number(self, phone: str, request: Request, service: Service, now: float) -> Refusal | None:
        """Why this number may not have one more request; the request's own callback does not count."""
        limits = self.configuration.limits
        zone = (request.zones or (self._zone_of(service),))[0]
        if phone in self.suppressions:
            return Refusal("phone-not-allowed", "this number is not called back")
        if self._dialled.are_ours(phone):
            # We would call ourselves, and an agent would talk to our own announcement.
            return Refusal("phone-not-allowed", "this is a number of ours; give the one where you can be reached")
        if self.book.open_of(phone, request.service):
            return Refusal("duplicate-request", "this number already has an open request of this service")
        if len(self.book.open_of(phone)) >= limits.max_open_per_number:
            return Refusal("duplicate-request", f"this number already has {limits.max_open_per_number} open requests")
        if self._history.requests_today(phone, zone, now) >= limits.per_number_per_day:
            return Refusal(
                "too-many-requests",
                "this number has made too many requests today; try again tomorrow",
                retry_after_seconds=local_midnight_after(zone, now) - now,
            )
        return None

    def may_join(self, service: Service, wait: Wait | None, now: float) -> Unjoinable | None:
        """Why nobody who would wait so long is taken into the line now; None: they are."""
        calendar = self._calendar_of(service)
        opening = None if calendar is None else self.openings.of(calendar, now)
        if opening is not None and not opening.open:
            return Unjoinable.CLOSED
        if self.line.waiting(service.id) >= service.queue_cap:
            return Unjoinable.FULL
        if opening is not None and opening.until is not None and wait is not None:
            return Unjoinable.CLOSING if now + wait.p50_seconds >= opening.until else None
        return None

    def wait_of_new(self, service: ServiceId, subject: str | None, now: float) -> Wait | None:
        """What somebody would be told who asked now; None: nobody can say."""
        need, priority = self._needs.of_new(service, subject), self.configuration.services[service].priority
        forecast = self.waits.of_new(Place(LAST_ID, need, now, now, priority))
        return None if forecast is None else forecast.wait

    def _joins_now(self, service: Service, wait: Wait | None, now: float) -> bool:
        """Whether they are taken into the line; else the refusal is the reply."""
        why, calendar = self.may_join(service, wait, now), self._calendar_of(service)
        until = None if calendar is None else self.openings.of(calendar, now).until
        match why:
            case None:
                return True
            case Unjoinable.FULL:
                self._refuse("queue-full", "too many customers wait for this service; try again later")
            case Unjoinable.CLOSED:
                self._decision.reply = Refusal("closed", "the service is closed at this time", until)
            case Unjoinable.CLOSING:
                opens = None if calendar is None or until is None else opens_at(calendar, until)
                detail = "too many customers wait for all to be called before the service closes"
                self._decision.reply = Refusal("closed", detail, opens)
        return False

    def _may_be_booked(self, service: Service, start: float, now: float, holder: CallbackId | None = None) -> bool:
        """Whether the slot that begins then has a place; else the reply is a refusal with the nearest free ones."""
        calendar, policy = self._calendar_of(service), service.slots
        if calendar is None or policy is None:
            self._refuse("slot-not-available", "this service has no slots; ask to be called now")
            return False
        if holder in self.slots.booked(service.id, start) and start > now:
            return True
        why = unbookable(calendar, policy, self.slots, service.id, start, now)
        if why is None:
            return True
        code, detail = _UNBOOKABLE[why]
        nearest = nearest_free(calendar, policy, self.slots, service.id, start, now)
        self._decision.reply = Refusal(code, detail, slots=tuple(nearest))
        return False

    def _is_bookable(self, service: Service, start: float, now: float) -> bool:
        """The same for somebody who can be told no more than yes or no."""
        calendar, policy = self._calendar_of(service), service.slots
        if calendar is None or policy is None:
            return False
        return unbookable(calendar, policy, self.slots, service.id, start, now) is None

    def _may_be_asked_for(self, service: Service, when: float, now: float) -> bool:
        """Whether staff may put a call to this moment, in business hours or, without a calendar, at any time."""
        calendar = self._calendar_of(service)
        if when <= now:
            self._refuse("in-the-past", "this time has passed")
        elif when > now + FARTHEST_SECONDS:
            self._refuse("too-far-ahead", "a call cannot be put off for more than a year")
        elif calendar is not None and not is_open(calendar, when):
            self._decision.reply = Refusal("closed", "the service is closed at that time", opens_at(calendar, when))
        else:
            return True
        return False

    # ---- changing ------------------------------------------------------------------------------------

    def _cancel(self, event: CancelRequested, now: float) -> None:
        callback = self._changeable(event.id)
        if callback is not None:
            self._end(callback, Because.CANCELLED, now, event.reason)
            self._decision.reply = Accepted(callback, None)

    def _move(self, event: MoveRequested, now: float) -> None:
        """Another time, another number, or both; all of it or nothing."""
        callback = self._changeable(event.id)
        if callback is None:
            return
        service = self._service_of(callback)
        # What it has already is kept as it is: its turn in the slot, and the zones that the customer stated.
        number = event.number if event.number and event.number.phone != callback.request.phone else None
        start = None if event.when is not None and _is_booked_for(callback, event.when) else event.when
        if number is not None:
            request = replace(callback.request, phone=number.phone, zones=number.zones)
            refusal = self._refusal_of_number(number.phone, request, service, now)
            if refusal is not None:
                self._decision.reply = refusal
                return
        if event.when is not None and not self._may_be_booked(service, event.when, now, callback.id):
            return
        joins = event.now and callback.state is not CallbackState.QUEUED
        if joins and not self._joins_now(service, None, now):
            return
        if number is not None:
            callback = self._renumber(callback, number)
        if start is not None:
            callback = self._to_slot(callback, start, now)
        elif joins:
            callback = self._to_now(callback, now)
        self._decision.reply = Accepted(callback, None)

    def _renumber(self, callback: Callback, number: NewNumber) -> Callback:
        """Another number is another person's phone for all we know: its gaps and windows count from now on."""
        request = replace(callback.request, phone=number.phone, zones=number.zones)
        renumbered = replace(callback, request=request)
        self._history.move_request(callback.request.phone, number.phone, callback.created_at)
        self._write(self.book.keep(renumbered))
        self._look_anew(renumbered)
        return renumbered

    def _to_slot(self, callback: Callback, start: float, now: float) -> Callback:
        """Who holds a place of this slot already keeps it, and its place among the others."""
        if callback.state is CallbackState.SCHEDULED and callback.booked and callback.joined_at == start:
            return callback
        self.line.leave(callback.id)
        self.waits.forget(callback.id)
        for name in (RETRY, PERMITTED, WIDEN):
            self._write(self.timers.clear(callback.id, name))
        return self._appoint(replace(callback, booked=True), start, Because.MOVED, now)

    def _appoint(self, callback: Callback, when: float, because: Because, now: float) -> Callback:
        """It joins the line at `when`, as if it had not waited before."""
        moved = replace(
            callback,
            joined_at=when,
            scheduled_for=when,
            asked_at=now,
            at_head=False,
            next_attempt_at=None,
            widened=0,
        )
        self._write(self.book.move(moved, because, now))
        moved = self._open(callback.id)
        self._place(moved)
        return moved

    def _to_now(self, callback: Callback, now: float) -> Callback:
        """An appointment joins the line now; whoever has waited there before goes back to their place."""
        for name in (RETRY, SLOT):
            self._write(self.timers.clear(callback.id, name))
        moved = replace(callback, scheduled_for=None, booked=False, next_attempt_at=None)
        if callback.state is CallbackState.SCHEDULED:
            moved = replace(moved, joined_at=now, asked_at=now)
        self._write(self.book.move(moved, Because.MOVED_TO_NOW, now))
        moved = self._open(callback.id)
        self._place(moved)
        return moved

    def _changeable(self, callback_id: CallbackId) -> Callback | None:
        """The callback if it may be changed; else the refusal is the reply."""
        callback = self.book.get(callback_id)
        if callback is None:
            self._refuse("already-ended", "this request has already ended")
        elif not can(callback.state, Because.CANCELLED):
            self._refuse("call-in-progress", "we are calling right now")
        else:
            return callback
        return None

    # ---- slots ---------------------------------------------------------------------------------------

    def _slot_starts(self, callback: Callback, now: float) -> None:
        """All who booked a slot join together, so that the order of booking decides and not whose timer fired first."""
        others = self.slots.booked(callback.request.service, callback.joined_at) if callback.booked else ()
        together = [self._open(each) for each in {callback.id, *others}]
        for each in sorted(together, key=lambda each: self._place_of(each).key):
            if each.state is CallbackState.SCHEDULED:
                self._write(self.timers.clear(each.id, SLOT))
                self._write(self.book.move(each, Because.SLOT_STARTED, now))
                joined = self._open(each.id)
                self._widen_in_time(joined)
                self._join(joined)


def _is_booked_for(callback: Callback, start: float) -> bool:
    return callback.state is CallbackState.SCHEDULED and callback.booked and callback.scheduled_for == start
