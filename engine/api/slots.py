"""/services/{id}/slots: the slots of a service for staff, who holds a place in them, and capacities of their own."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.availability import calendar_of
from engine.api.bodies import answer, read_body, read_query
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.slot_listing import slots_listed
from engine.api.slot_shapes import (
    SlotCapacityWanted,
    SlotsQuery,
    StaffSlot,
    StaffSlots,
    booking_conflicts,
    staff_slot,
)
from engine.api.when import start_of
from engine.core.configuration import Service, SlotPolicy
from engine.core.decision import Done, Refusal
from engine.core.events import SlotCapacityRequested
from engine.core.hours import Calendar
from engine.core.slots import Slot, slots_between
from engine.core.terms import ServiceId


class Slots:
    """Slots as staff see and change them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        one = "/services/{id}/slots/{start}"
        return [
            Endpoint(
                method="GET",
                path="/services/{id}/slots",
                handle=self.listed,
                summary="The slots of a service with their bookings, and bookings that are no longer permitted",
                tag="staff",
                roles=STAFF,
                query=SlotsQuery,
                answers=(StaffSlots,),
                codes=(Code.UNKNOWN_SERVICE,),
            ),
            Endpoint(
                method="PUT",
                path=one,
                handle=self.set_capacity,
                summary="Give one slot a capacity of its own; bookings beyond it stay and are told as conflicts",
                tag="staff",
                roles=STAFF,
                body=SlotCapacityWanted,
                answers=(StaffSlot,),
                codes=(Code.UNKNOWN_SERVICE, Code.SLOT_NOT_AVAILABLE, Code.IN_THE_PAST, Code.TOO_FAR_AHEAD),
            ),
            Endpoint(
                method="DELETE",
                path=one,
                handle=self.clear,
                summary="Give one slot the service's capacity again",
                tag="staff",
                roles=STAFF,
                status=204,
                codes=(Code.UNKNOWN_SERVICE, Code.INVALID_FIELD),
            ),
        ]

    async def listed(self, request: web.Request, _caller: Caller) -> web.Response:
        """The slots from a day or moment on, in order; those that have begun too."""
        query = read_query(request, SlotsQuery)
        service, now, dispatcher = self._service(request), self._engine.now(), self._engine.dispatcher
        calendar, policy = calendar_of(dispatcher.configuration, service), service.slots
        slots: list[StaffSlot] = []
        if calendar is not None and policy is not None:
            cut = partial(self._cut, service.id, calendar, policy)
            slots = await slots_listed(cut, query.first, query.days, calendar.timezone, now)
        view = StaffSlots(
            service=service.id,
            timezone=None if calendar is None else calendar.timezone,
            slot_minutes=None if policy is None else policy.minutes,
            slots=slots,
            conflicts=list(booking_conflicts(dispatcher.configuration, service.id, dispatcher.slots, now)),
        )
        return answer(view)

    async def set_capacity(self, request: web.Request, _caller: Caller) -> web.Response:
        """Set it; a second time changes nothing."""
        service, start = self._service(request), _start(request)
        wanted = await read_body(request, SlotCapacityWanted)
        if service.slots is None:
            raise ProblemError(Code.SLOT_NOT_AVAILABLE, "this service has no slots", more={"slots": []})
        await self._submit(SlotCapacityRequested(service.id, start, wanted.capacity))
        return answer(self._shown(service.id, service.slots, Slot(start, start + service.slots.minutes * 60.0)))

    async def clear(self, request: web.Request, _caller: Caller) -> web.Response:
        """Clear it, also of a slot that is none any more; one without a capacity of its own is no error."""
        service, start = self._service(request), _start(request)
        await self._submit(SlotCapacityRequested(service.id, start, None))
        return web.Response(status=204)

    def _service(self, request: web.Request) -> Service:
        service = self._engine.dispatcher.configuration.services.get(ServiceId(request.match_info["id"]))
        if service is None:
            raise ProblemError(Code.UNKNOWN_SERVICE, "there is no service with this id")
        return service

    async def _submit(self, event: SlotCapacityRequested) -> None:
        reply = await self._engine.submit(event)
        match reply:
            case Done():
                return
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a slot's capacity was answered with {type(reply).__name__}")

    def _cut(
        self, service: ServiceId, calendar: Calendar, policy: SlotPolicy, start: float, end: float
    ) -> list[StaffSlot]:
        return [self._shown(service, policy, each) for each in slots_between(calendar, policy.minutes, start, end)]

    def _shown(self, service: ServiceId, policy: SlotPolicy, slot: Slot) -> StaffSlot:
        book = self._engine.dispatcher.slots
        own = book.own_capacity(service, slot.start)
        capacity = book.capacity(service, policy, slot.start)
        return staff_slot(slot, capacity, own, book.booked(service, slot.start))


def _start(request: web.Request) -> float:
    try:
        return start_of(request.match_info["start"]).timestamp()
    except ValueError as error:
        raise ProblemError.of_field("start", str(error)) from None
