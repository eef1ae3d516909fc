"""/services/{service}/availability and /resolve: what a customer may be offered before they ask.

Nothing is promised here: a place that is listed as free may be taken by the next request.
"""

from __future__ import annotations

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, Received, answer, moment_or_none, read_query
from engine.api.callback_shapes import Language, PageUrl, wait_view
from engine.api.codes import Code
from engine.api.current import CurrentDocument
from engine.api.endpoints import Endpoint
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.slot_listing import slots_listed
from engine.api.slot_shapes import (
    AvailabilityQuery,
    AvailabilityView,
    BookableSlot,
    Immediate,
    bookable_slot,
)
from engine.api.targets import offered_language, target_of
from engine.core.configuration import Configuration, Service
from engine.core.dispatcher import Dispatcher
from engine.core.hours import Calendar
from engine.core.slots import free_between
from engine.core.terms import ServiceId
from engine.document.values import Id
from engine.store.records import KeyRole

_CUSTOMERS = frozenset({KeyRole.PUBLIC}) | STAFF


class ResolveQuery(Received):
    """Where the customer is, and what they chose."""

    page_url: PageUrl | None = None
    subject: Id | None = None
    language: Language | None = None


class Resolved(Answered):
    """The service and subject that a request with these fields would have, and the language of its announcement."""

    service: str
    subject: str | None
    language: str


class Availability:
    """The customers' look ahead."""

    def __init__(self, engine: Engine, documents: CurrentDocument) -> None:
        self._engine = engine
        self._documents = documents

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/services/{service}/availability",
                handle=self.show,
                summary="Whether a service is open, and which slots may be booked",
                tag="customers",
                roles=_CUSTOMERS,
                query=AvailabilityQuery,
                answers=(AvailabilityView,),
                codes=(Code.UNKNOWN_SERVICE, Code.UNKNOWN_SUBJECT),
            ),
            Endpoint(
                method="GET",
                path="/resolve",
                handle=self.resolve,
                summary="Which service and subject a page or a subject means",
                tag="customers",
                roles=_CUSTOMERS,
                query=ResolveQuery,
                answers=(Resolved,),
                codes=(Code.UNKNOWN_SERVICE,),
            ),
        ]

    async def resolve(self, request: web.Request, caller: Caller) -> web.Response:
        """What a request would mean."""
        query = read_query(request, ResolveQuery)
        services = await self._documents.services(self._version, only_public=caller.public)
        target = target_of(services, service=None, subject=query.subject, page_url=query.page_url)
        language = offered_language(query.language, target.service.languages)
        return answer(Resolved(service=target.service.id, subject=target.subject, language=language))

    async def show(self, request: web.Request, caller: Caller) -> web.Response:
        """One service from a day or moment on."""
        query = read_query(request, AvailabilityQuery)
        services = await self._documents.services(self._version, only_public=caller.public)
        target = target_of(
            services, service=request.match_info["service"], subject=query.subject, page_url=query.page_url
        )
        dispatcher, now = self._engine.dispatcher, self._engine.now()
        service = dispatcher.configuration.services.get(ServiceId(target.service.id))
        if service is None:
            raise ProblemError.of_field("service", "there is no such service", Code.UNKNOWN_SERVICE)
        calendar = calendar_of(dispatcher.configuration, service)
        opening = None if calendar is None else dispatcher.openings.of(calendar, now)
        slots = await _bookable(dispatcher, service, query, now)
        view = AvailabilityView(
            service=service.id,
            timezone=None if calendar is None else calendar.timezone,
            open=opening is None or opening.open,
            opens_at=None if opening is None or opening.open else moment_or_none(opening.until),
            closes_at=moment_or_none(opening.until) if opening is not None and opening.open else None,
            immediate=self._immediate(service, target.subject, now),
            slot_minutes=None if service.slots is None else service.slots.minutes,
            slots=slots,
        )
        return answer(view)

    @property
    def _version(self) -> int:
        return self._engine.dispatcher.configuration.version

    def _immediate(self, service: Service, subject: str | None, now: float) -> Immediate:
        dispatcher = self._engine.dispatcher
        if not self._engine.accepting:
            return Immediate(offered=False, reason="not-ready", position=None, wait=None)
        if service.id in dispatcher.paused:
            return Immediate(offered=False, reason="paused", position=None, wait=None)
        wait = dispatcher.wait_of_new(service.id, subject, now)
        match dispatcher.may_join(service, wait, now):
            case None:
                position = dispatcher.line.position_of_new(service.id, service.priority, now)
                return Immediate(offered=True, reason=None, position=position, wait=wait_view(wait))
            case why:
                return Immediate(offered=False, reason=why.value, position=None, wait=None)


def calendar_of(configuration: Configuration, service: Service) -> Calendar | None:
    """The calendar a service is open by; None: always."""
    return None if service.calendar is None else configuration.calendars[service.calendar]


async def _bookable(
    dispatcher: Dispatcher, service: Service, query: AvailabilityQuery, now: float
) -> list[BookableSlot]:
    calendar, policy, book = calendar_of(dispatcher.configuration, service), service.slots, dispatcher.slots
    if calendar is None or policy is None:
        return []

    def cut(start: float, end: float) -> list[BookableSlot]:
        return [
            bookable_slot(
                slot, book.capacity(service.id, policy, slot.start), book.remaining(service.id, policy, slot.start)
            )
            for slot in free_between(calendar, policy, book, service.id, start, end, now)
        ]

    return await slots_listed(cut, query.first, query.days, calendar.timezone, now)
