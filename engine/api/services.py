"""/services: what customers may ask for."""

from __future__ import annotations

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, answer, read_query
from engine.api.current import CurrentDocument
from engine.api.endpoints import Endpoint
from engine.api.paging import Listed, ListQuery, page_of
from engine.api.ports import Engine
from engine.store.records import KeyRole


class SubjectView(Answered):
    """What a customer may ask about."""

    id: str
    name: str


class ServiceView(Listed):
    """A service as customers see it; the first language is the default."""

    name: str
    languages: list[str]
    subjects: list[SubjectView]


class ServiceList(Answered):
    """One page; `next` is the cursor of the following one."""

    items: list[ServiceView]
    next: str | None


class StaffServiceView(ServiceView):
    """A service as staff see it; one that is paused calls nobody."""

    paused: bool


class StaffServiceList(Answered):
    """One page; `next` is the cursor of the following one."""

    items: list[StaffServiceView]
    next: str | None


class Services:
    """The services in force."""

    def __init__(self, engine: Engine, documents: CurrentDocument) -> None:
        self._engine = engine
        self._documents = documents

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/services",
                handle=self.list,
                summary="Services that callbacks can be asked of; staff also see those that are not public",
                tag="customers",
                roles=frozenset({KeyRole.PUBLIC}) | STAFF,
                query=ListQuery,
                answers=(ServiceList, StaffServiceList),
            )
        ]

    async def list(self, request: web.Request, caller: Caller) -> web.Response:
        """The services in the document's order."""
        version = self._engine.dispatcher.configuration.version
        services = await self._documents.services(version, only_public=not caller.staff)
        items = [
            ServiceView(
                id=each.id,
                name=each.name,
                languages=list(each.languages),
                subjects=[SubjectView(id=subject.id, name=subject.name) for subject in each.subjects],
            )
            for each in services.values()
        ]
        page, following = page_of(items, read_query(request, ListQuery))
        if not caller.staff:
            return answer(ServiceList(items=page, next=following))
        paused = self._engine.dispatcher.paused
        shown = [StaffServiceView(**each.model_dump(), paused=each.id in paused) for each in page]
        return answer(StaffServiceList(items=shown, next=following))
