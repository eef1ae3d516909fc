"""/inbound: calls that came in, for staff: who waits now, with place and wait, and what became of the others."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from aiohttp import web
from pydantic import Field

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, Moment, Received, answer, moment, moment_or_none, read_query
from engine.api.callback_shapes import PhoneAsked, WaitView, wait_view
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.when import Asked
from engine.core.callerflow import CallerFlow
from engine.core.callphase import Phase
from engine.core.records import Classification, InboundCall
from engine.core.terms import AttemptId, InboundOutcome, ServiceId
from engine.store.queries import Queries


class InboundState(StrEnum):
    """Where a call stands. MENU: the caller is asked about a callback. RINGING: an agent's phone rings, or the agent
    hears whose call it is. CLOSING: it is decided how the call ends, and they are let go, perhaps after last words.
    """

    WAITING = "waiting"
    MENU = "menu"
    RINGING = "ringing"
    CONNECTED = "connected"
    CLOSING = "closing"
    ENDED = "ended"


class InboundQuery(Received):
    """Which calls to list, newest first."""

    service: str | None = None
    outcome: InboundOutcome | None = None
    phone: PhoneAsked | None = None
    entered_from: Asked | None = Field(None, alias="from")
    entered_to: Asked | None = Field(None, alias="to", description="Not included.")
    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = None


class InboundView(Answered):
    """A call that came in. `phone` is null if it is withheld or cannot be called.

    `joined_at`: since when their place in the line counts, which may be that of an older request; null: they are in
    none. `agent`: who is rung, talks or talked. `callback`: what came of the call. `transferred_at`: when the agent
    gave them to somebody else, with whom the call went on; `talk_seconds`: until then, or until its end.
    `wait_seconds`: until they talked, until they were gone, or until now; null if they never were in the line.
    """

    id: str
    service: str
    dialled: str
    phone: str | None
    language: str
    state: InboundState
    outcome: InboundOutcome | None
    position: int | None
    wait: WaitView | None
    agent: str | None
    callback: str | None
    disposition: str | None
    outcome_code: str | None
    notes: str | None
    entered_at: Moment
    joined_at: Moment | None
    bridged_at: Moment | None
    transferred_at: Moment | None
    ended_at: Moment | None
    talk_seconds: float | None
    wait_seconds: float | None


class InboundList(Answered):
    """One page; `next` is the cursor of the following one."""

    items: list[InboundView]
    next: str | None


class InboundCalls:
    """Calls that came in."""

    def __init__(self, engine: Engine, queries: Queries) -> None:
        self._engine = engine
        self._queries = queries

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/inbound",
                handle=self.list,
                summary="List calls that came in, newest first",
                tag="staff",
                roles=STAFF,
                query=InboundQuery,
                answers=(InboundList,),
            ),
            Endpoint(
                method="GET",
                path="/inbound/{id}",
                handle=self.show,
                summary="Follow a call that came in",
                tag="staff",
                roles=STAFF,
                answers=(InboundView,),
                codes=(Code.NOT_FOUND,),
            ),
        ]

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """One page, live and ended ones."""
        query = read_query(request, InboundQuery)
        try:
            page = await self._queries.inbound_calls(
                service=None if query.service is None else ServiceId(query.service),
                outcome=query.outcome,
                phone=query.phone,
                entered_from=query.entered_from.timestamp() if query.entered_from else None,
                entered_to=query.entered_to.timestamp() if query.entered_to else None,
                limit=query.limit,
                cursor=query.cursor,
            )
        except ValueError:
            raise ProblemError.of_field("cursor", "is not the `next` of an earlier page; begin without it") from None
        said = await self._queries.inbound_classifications_of_all(each.id for each in page.items)
        live = {flow.inbound.id: flow for flow in self._engine.dispatcher.callers()}
        items = []
        for each in page.items:
            items.append(self._view(each, live.get(each.id), said.get(each.id)))
            # Finding a place in a long line takes a while; calls must not wait for a whole page of them.
            await asyncio.sleep(0)
        return answer(InboundList(items=items, next=page.next))

    async def show(self, request: web.Request, _caller: Caller) -> web.Response:
        """One of them."""
        id_ = AttemptId(request.match_info["id"])
        call = await self._queries.inbound_call(id_)
        if call is None:
            raise ProblemError(Code.NOT_FOUND, "there is no such call; GET /inbound lists them")
        said = await self._queries.inbound_classifications_of_all([id_])
        live = next((flow for flow in self._engine.dispatcher.callers() if flow.inbound.id == id_), None)
        return answer(self._view(call, live, said.get(id_)))

    def _view(self, call: InboundCall, live: CallerFlow | None, said: Classification | None) -> InboundView:
        if live is not None:
            call = live.inbound  # the store may be a moment behind
        dispatcher = self._engine.dispatcher
        talked = call.outcome is InboundOutcome.CONNECTED
        return InboundView(
            id=call.id,
            service=call.service,
            dialled=call.dialled,
            phone=call.phone,
            language=call.language,
            state=_state(call, live),
            outcome=call.outcome,
            position=dispatcher.line.position(call.id),
            wait=wait_view(dispatcher.waits.of(call.id)),
            agent=live.agent if live is not None else call.agent if talked else None,
            callback=call.callback,
            disposition=said and said.disposition,
            outcome_code=said and said.outcome_code,
            notes=said and said.notes,
            entered_at=moment(call.entered_at),
            joined_at=moment_or_none(call.joined_at),
            bridged_at=moment_or_none(call.bridged_at),
            transferred_at=moment_or_none(call.transferred_at),
            ended_at=moment_or_none(call.ended_at),
            talk_seconds=_between(call.bridged_at, call.parted_at),
            wait_seconds=self._waited(call),
        )

    def _waited(self, call: InboundCall) -> float | None:
        if call.joined_at is None:
            return None
        return _between(call.entered_at, call.met_at or call.ended_at or self._engine.now())


def _state(call: InboundCall, live: CallerFlow | None) -> InboundState:
    if call.ended_at is not None:
        return InboundState.ENDED
    if call.outcome is not None:
        return InboundState.CLOSING
    if call.talks:
        return InboundState.CONNECTED
    if live is not None and live.phase is Phase.ASKING:
        return InboundState.MENU
    return InboundState.RINGING if live is not None and live.agent is not None else InboundState.WAITING


def _between(start: float | None, end: float | None) -> float | None:
    """Never less than nothing, whatever the clock did."""
    return None if start is None or end is None else max(0.0, round(end - start, 3))
