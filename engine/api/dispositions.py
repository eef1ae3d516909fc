"""/dispositions: the codes by which agents classify calls. They are set with the services document."""

from __future__ import annotations

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, answer, read_query
from engine.api.endpoints import Endpoint
from engine.api.paging import Listed, ListQuery, page_of
from engine.api.ports import Engine
from engine.core.terms import DispositionKind
from engine.store.records import KeyRole


class DispositionView(Listed):
    """A code. `kind`: it classifies the call itself, or what came out of it; no `services`: it is for all."""

    name: str
    kind: DispositionKind
    services: list[str]


class DispositionList(Answered):
    """One page, in the document's order; `next` is the cursor of the following one."""

    items: list[DispositionView]
    next: str | None


class Dispositions:
    """The codes in force."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/dispositions",
                handle=self.list,
                summary="Codes to classify calls with",
                tag="agents",
                roles=STAFF | {KeyRole.AGENT},
                query=ListQuery,
                answers=(DispositionList,),
            )
        ]

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """All codes."""
        items = [
            DispositionView(id=each.id, name=each.name, kind=each.kind, services=sorted(each.services))
            for each in self._engine.dispatcher.configuration.dispositions.values()
        ]
        page, following = page_of(items, read_query(request, ListQuery))
        return answer(DispositionList(items=page, next=following))
