"""/agent/stream: an agent's screen hears over a WebSocket what changes for them, first how everything stands.

Nobody waits for a screen: one that does not keep up, or whose agent may not come in any more, is closed with a code and
may come again. A process that dies leaves nothing: the next one begins with a snapshot.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from itertools import count

import structlog
from aiohttp import WSCloseCode, web

from engine.agent_news import AgentNews, Listener, News, NewsKind, load_of
from engine.api.access import Access, Caller
from engine.api.agents import ShownState, WorkKind, kind_of
from engine.api.bodies import Answered, Moment, moment, moment_or_none
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.own_desk import WorkCustomer, customer_of, own_agent
from engine.api.ports import Engine
from engine.api.problems import CODE_OF_ANSWER, ProblemError
from engine.config import AgentSettings
from engine.core.records import Work
from engine.errors import StoreError
from engine.store.queries import Queries
from engine.store.records import KeyRole

log = structlog.get_logger()

PING_SECONDS = 20.0
LOOK_SECONDS = 20.0
"""How long a stream is kept at most without a look whether its agent may still come in."""
CLOSE_SECONDS = 1.0
"""How long a client has to say goodbye."""
_MOST_HEARD_BYTES = 4096
_MOST_REASON_BYTES = 123


class CloseCode(IntEnum):
    """Why we close a stream."""

    STOPPING = WSCloseCode.GOING_AWAY
    TRY_AGAIN = WSCloseCode.TRY_AGAIN_LATER
    NOT_AUTHENTICATED = 4401
    FORBIDDEN = 4403
    TOO_MANY = 4429


class StreamAgent(Answered):
    """The agent then: what is shown, a call first, why they are not ready, how many they hold of each medium."""

    state: ShownState
    reason: str | None
    load: dict[str, int]


class StreamWork(Answered):
    """What a message is about. What is offered has to be answered until `respond_by`."""

    id: str
    kind: WorkKind
    media: str
    service: str
    attempt: str | None
    respond_by: Moment | None
    customer: WorkCustomer


class StreamMessage(Answered):
    """One message. `seq` counts up by 1; `work` of `state` and `snapshot` is what the agent attends to."""

    type: NewsKind
    seq: int
    at: Moment
    agent: StreamAgent
    work: StreamWork | None


class AgentStreams:
    """The open streams."""

    def __init__(self, engine: Engine, queries: Queries, access: Access, limits: AgentSettings) -> None:
        self._engine = engine
        self._queries = queries
        self._access = access
        self._limits = limits
        self._stopping = False
        self._news: AgentNews = engine.agent_news

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/agent/stream",
                handle=self.open,
                summary="A WebSocket: how things stand for an agent, then each change",
                tag="agents",
                roles=frozenset({KeyRole.AGENT}),
                answers=(StreamMessage,),
                status=101,
                codes=(Code.UPGRADE_REQUIRED,),
                refuse=self.refuse,
            )
        ]

    async def close(self, _app: web.Application) -> None:
        """End all streams; the engine stops."""
        self._stopping = True
        self._news.wake()

    async def refuse(self, request: web.Request, problem: ProblemError) -> web.StreamResponse:
        """Tell no in a way that a browser's page can see: the handshake succeeds, and a close code follows."""
        code = CloseCode.NOT_AUTHENTICATED if problem.code is Code.INVALID_TOKEN else CloseCode.FORBIDDEN
        socket = await _opened(request, problem)
        await _end(request, socket, code, problem.detail)
        return socket

    async def open(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Tell the agent's news until either side ends it."""
        try:
            agent = own_agent(self._engine, caller)
        except ProblemError as problem:
            return await self.refuse(request, problem)
        socket = await _opened(request)
        if self._news.listeners(agent.id) >= self._limits.max_streams_per_agent:
            await _end(request, socket, CloseCode.TOO_MANY, "this agent has too many streams open; close one")
            return socket
        if self._news.listeners() >= self._limits.max_streams:
            await _end(request, socket, CloseCode.TOO_MANY, "too many streams are open; try again later")
            return socket
        listener = self._news.listen(agent.id)
        telling = asyncio.create_task(self._tell(socket, caller, listener), name="agent stream, telling")
        try:
            end = await self._ended(socket, caller, listener, telling)
            if end is not None:
                # What is being told is not cut off before: a writer who is cancelled while they wait for a client
                # who does not read would take the close code with them.
                await _end(request, socket, *end)
        finally:
            await _cancelled(telling)
        return socket

    async def _ended(
        self, socket: web.WebSocketResponse, caller: Caller, listener: Listener, telling: asyncio.Task[None]
    ) -> tuple[CloseCode, str] | None:
        """Wait until we must end the stream, and say why; None: the client has gone."""
        # By itself: telling may wait for a client that does not read.
        watching = asyncio.create_task(self._watch(caller, listener), name="agent stream, watching")
        hearing = asyncio.create_task(_hear(socket), name="agent stream, hearing")
        try:
            await asyncio.wait({telling, watching, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._news.leave(listener)
            errors = await _cancelled(watching, hearing)
        if telling.done() and not telling.cancelled():
            errors.append(telling.exception())
        failed = next((_end_by(each) for each in errors if isinstance(each, Exception)), None)
        return self._end_of(caller, listener) or failed

    async def _tell(self, socket: web.WebSocketResponse, caller: Caller, listener: Listener) -> None:
        known: dict[str, WorkCustomer] = {}
        for seq in count(1):
            news = await listener.next()
            message = await self._message(seq, news, known)
            if self._end_of(caller, listener):
                return
            await socket.send_str(message.model_dump_json())

    async def _watch(self, caller: Caller, listener: Listener) -> None:
        while not self._end_of(caller, listener):
            session = caller.session
            left = LOOK_SECONDS if session is None else session.expires_at - self._engine.now()
            await listener.woken(min(LOOK_SECONDS, max(0.0, left)))

    async def _message(self, seq: int, news: News, known: dict[str, WorkCustomer]) -> StreamMessage:
        status, work = news.status, news.work
        return StreamMessage(
            type=news.kind,
            seq=seq,
            at=moment(news.at),
            agent=StreamAgent.model_validate({"state": status.shown, "reason": status.reason, "load": load_of(status)}),
            work=None
            if work is None
            else StreamWork(
                id=work.id,
                kind=kind_of(work),
                media=work.media,
                service=work.service,
                attempt=None if work.callback is None else work.attempt,
                respond_by=moment_or_none(news.respond_by),
                customer=await self._customer(work, news, known),
            ),
        )

    async def _customer(self, work: Work, news: News, known: dict[str, WorkCustomer]) -> WorkCustomer:
        """Whom it is for; what is over is known from before, or by the store."""
        callback = news.callback
        if callback is None and work.id in known:
            return known[work.id]
        if callback is None and work.callback is not None:
            callback = await self._queries.callback(work.callback)
        known[work.id] = await customer_of(self._engine, self._queries, work, callback)
        return known[work.id]

    def _end_of(self, caller: Caller, listener: Listener) -> tuple[CloseCode, str] | None:
        if self._stopping:
            return CloseCode.STOPPING, "the engine stops; try again in a moment"
        if not self._access.still_lets_in(caller):
            return CloseCode.NOT_AUTHENTICATED, "the session has ended, or the key was revoked; log in again"
        if listener.agent not in self._engine.dispatcher.configuration.agents:
            return CloseCode.FORBIDDEN, "this agent is not configured any more; ask an administrator"
        if listener.overrun:
            return CloseCode.TRY_AGAIN, "too much waited to be read; open the stream again"
        return None


async def _opened(request: web.Request, otherwise: ProblemError | None = None) -> web.WebSocketResponse:
    """The handshake is done. Raises ProblemError if the client speaks plain HTTP: `otherwise`, or that it must not."""
    socket = web.WebSocketResponse(
        heartbeat=PING_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=_MOST_HEARD_BYTES, compress=False
    )
    if not socket.can_prepare(request):
        raise otherwise or ProblemError(Code.UPGRADE_REQUIRED, headers={"Upgrade": "websocket"})
    await socket.prepare(request)
    return socket


async def _hear(socket: web.WebSocketResponse) -> None:
    """Until the client has gone. What it says is nothing to us: a screen acts through the other addresses."""
    async for _said in socket:
        pass


async def _cancelled(*tasks: asyncio.Task[None]) -> list[BaseException | None]:
    """End these tasks; what each ended with."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


def _end_by(error: Exception) -> tuple[CloseCode, str] | None:
    """How to end a stream whose part has failed."""
    if isinstance(error, ConnectionError):
        return None
    if isinstance(error, StoreError):
        log.warning("stream.closed", why=str(error))
        return CloseCode.TRY_AGAIN, "the store cannot be read; try again later"
    # One stream met a defect of ours; the others go on, and this client begins anew.
    log.error("stream.defect", exc_info=error)
    return CloseCode.TRY_AGAIN, "a defect of Ringback; its log says more"


async def _end(request: web.Request, socket: web.WebSocketResponse, code: CloseCode, why: str) -> None:
    """Close politely, but wait for nobody who does not answer."""
    socket[CODE_OF_ANSWER] = str(code.value)
    transport = request.transport
    try:
        async with asyncio.timeout(2 * CLOSE_SECONDS):
            await socket.close(code=code, message=why.encode()[:_MOST_REASON_BYTES])
    except (TimeoutError, ConnectionError):
        pass  # it has gone, or does not answer
    finally:
        if transport is not None:
            # What a client does not read would be kept for it for ever.
            transport.abort()
