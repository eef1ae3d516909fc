"""/interactions: chats, e-mails and other work that outside systems announce, to be given to agents beside calls.

The conversation itself stays where it is; here is only who takes it when. Calls are not announced here.
"""

from __future__ import annotations

import json
import re
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field

from engine.api.access import STAFF, Caller
from engine.api.bodies import (
    NOT_KEPT,
    Answered,
    Moment,
    Nothing,
    Received,
    answer,
    moment,
    moment_or_none,
    read_body,
    read_nothing,
    read_query,
)
from engine.api.callback_shapes import Context
from engine.api.codes import Code
from engine.api.credentials import new_interaction_id
from engine.api.endpoints import Endpoint
from engine.api.idempotency import Once, Repetitions, hash_of_body, key_of
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Refusal
from engine.core.events import IdempotencyKey, InteractionEndRequested, InteractionRequested
from engine.core.records import Interaction
from engine.core.terms import VOICE, InteractionId, InteractionState, Media, ServiceId
from engine.document.values import Id, Whole
from engine.store.queries import Queries


def _media(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", value, re.ASCII):
        raise ValueError("must be 1 to 32 of a-z, 0-9 and _, beginning with a letter, such as chat")
    if value == VOICE:
        raise ValueError("calls are not announced here; ask for one with POST /callbacks")
    return value


class InteractionWanted(Received):
    """Work for an agent. `context` is what they are shown; without a priority the service's counts."""

    media: Annotated[str, AfterValidator(_media)]
    service: Id
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] | None = None
    context: Context = Field(default_factory=dict)


class InteractionQuery(Received):
    """Which work to list, newest first."""

    state: list[InteractionState] = Field([], description="May be repeated, or several with commas.")
    service: str | None = None
    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = None


class InteractionView(Answered):
    """Work from outside: `position` is its place in the line, `agent` who has it, or had it last."""

    id: str
    media: str
    service: str
    state: InteractionState
    priority: int
    position: int | None
    context: dict[str, str]
    agent: str | None
    created_at: Moment
    offered_at: Moment | None
    accepted_at: Moment | None
    ended_at: Moment | None


class InteractionList(Answered):
    """One page; `next` is the cursor of the following one."""

    items: list[InteractionView]
    next: str | None


class Interactions:
    """Work from outside."""

    def __init__(self, engine: Engine, queries: Queries) -> None:
        self._engine = engine
        self._queries = queries
        self._repetitions = Repetitions(queries, engine.now)

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="POST",
                path="/interactions",
                handle=self.create,
                summary="Announce work from outside, such as a chat",
                tag="staff",
                roles=STAFF,
                body=InteractionWanted,
                answers=(InteractionView,),
                status=201,
                creates_once=True,
                codes=(Code.UNKNOWN_SERVICE, Code.QUEUE_FULL),
            ),
            Endpoint(
                method="GET",
                path="/interactions",
                handle=self.list,
                summary="List work from outside, newest first",
                tag="staff",
                roles=STAFF,
                query=InteractionQuery,
                answers=(InteractionList,),
            ),
            Endpoint(
                method="GET",
                path="/interactions/{id}",
                handle=self.show,
                summary="Follow work from outside",
                tag="staff",
                roles=STAFF,
                answers=(InteractionView,),
                codes=(Code.NOT_FOUND,),
            ),
            Endpoint(
                method="POST",
                path="/interactions/{id}/complete",
                handle=self.complete,
                summary="Say that it is done",
                tag="staff",
                roles=STAFF,
                body=Nothing,
                body_needed=False,
                answers=(InteractionView,),
                codes=(Code.NOT_FOUND, Code.ALREADY_ENDED),
            ),
            Endpoint(
                method="DELETE",
                path="/interactions/{id}",
                handle=self.cancel,
                summary="Say that it is not wanted any more",
                tag="staff",
                roles=STAFF,
                answers=(InteractionView,),
                codes=(Code.NOT_FOUND, Code.ALREADY_ENDED),
            ),
        ]

    async def create(self, request: web.Request, caller: Caller) -> web.Response:
        """Put work into the line, once for each Idempotency-Key."""
        wanted = await read_body(request, InteractionWanted)
        key = key_of(request, caller)
        if key is None:
            return _created((await self._announce(wanted, None)).model_dump_json())
        once = Once(key, hash_of_body(wanted, of="interaction"))
        async with self._repetitions.alone(key):
            if kept := await self._repetitions.earlier(key, once.body_hash):
                if sent := self._repetitions.sent(kept.callback):
                    return _created(sent)
                return _created(self._view(await self._find(InteractionId(kept.callback))).model_dump_json())
            made = await self._announce(wanted, once)
            text = made.model_dump_json()
            self._repetitions.remember(made.id, text)
            return _created(text)

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """One page, open and ended ones."""
        query = read_query(request, InteractionQuery, lists=frozenset({"state"}))
        try:
            page = await self._queries.interactions(
                states=query.state or None,
                service=None if query.service is None else ServiceId(query.service),
                limit=query.limit,
                cursor=query.cursor,
            )
        except ValueError:
            raise ProblemError.of_field("cursor", "is not the `next` of an earlier page; begin without it") from None
        return answer(InteractionList(items=[self._view(each) for each in page.items], next=page.next))

    async def show(self, request: web.Request, _caller: Caller) -> web.Response:
        """One of them."""
        return answer(self._view(await self._find(_id_in(request))))

    async def complete(self, request: web.Request, _caller: Caller) -> web.Response:
        """End it as done."""
        await read_nothing(request)
        return await self._end(_id_in(request), completed=True)

    async def cancel(self, request: web.Request, _caller: Caller) -> web.Response:
        """End it as not wanted."""
        return await self._end(_id_in(request), completed=False)

    async def _announce(self, wanted: InteractionWanted, once: Once | None) -> InteractionView:
        if not self._engine.accepting:
            raise ProblemError(Code.NOT_READY, headers={"Retry-After": "5"})
        made = InteractionId(new_interaction_id())
        reply = await self._engine.submit(
            InteractionRequested(
                made,
                Media(wanted.media),
                ServiceId(wanted.service),
                wanted.priority,
                dict(wanted.context),
                None if once is None else IdempotencyKey(once.key, once.body_hash, json.dumps({"id": made})),
            )
        )
        # It may have been offered in the same moment.
        return self._view(self._engine.dispatcher.interactions.get(made) or _interaction(reply))

    async def _end(self, interaction: InteractionId, *, completed: bool) -> web.Response:
        await self._find(interaction)
        reply = await self._engine.submit(InteractionEndRequested(interaction, completed))
        return answer(self._view(_interaction(reply)))

    async def _find(self, interaction: InteractionId) -> Interaction:
        found = await self._queries.interaction(interaction)
        if found is None:
            raise ProblemError(Code.NOT_FOUND, "there is no such work; GET /interactions lists it")
        return found

    def _view(self, interaction: Interaction) -> InteractionView:
        return InteractionView(
            id=interaction.id,
            media=interaction.media,
            service=interaction.service,
            state=interaction.state,
            priority=interaction.priority,
            position=self._engine.dispatcher.line.position(interaction.id),
            context=dict(interaction.context),
            agent=interaction.agent,
            created_at=moment(interaction.created_at),
            offered_at=moment_or_none(interaction.offered_at),
            accepted_at=moment_or_none(interaction.accepted_at),
            ended_at=moment_or_none(interaction.ended_at),
        )


def _id_in(request: web.Request) -> InteractionId:
    return InteractionId(request.match_info["id"])


def _interaction(reply: object) -> Interaction:
    match reply:
        case Interaction():
            return reply
        case Refusal():
            raise ProblemError.of_refusal(reply)
        case _:
            raise TypeError(f"work from outside was answered with {type(reply).__name__}")


def _created(text: str) -> web.Response:
    return web.Response(status=201, text=text, content_type="application/json", headers=NOT_KEPT)
