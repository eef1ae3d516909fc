"""What changes for each agent, for whoever listens at that moment: their screens.

It speaks of what is durable only. Nobody waits for a listener: each has a bounded queue, and one that does not keep up
gets nothing more and has to begin anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from engine.core.changes import AgentChanged, AgentMoved, CallbackChanged
from engine.core.dispatcher import Dispatcher
from engine.core.records import AgentStatus, Callback, Work
from engine.core.switchboard import ANSWER, PREVIEW
from engine.core.terms import AgentId, CallbackId, Stage
from engine.store.records import Entry
from engine.written import Written

MOST_WAITING = 100
"""Pieces of news that may wait for one listener."""


class NewsKind(StrEnum):
    """What a piece of news tells. SNAPSHOT: how everything stands, whatever was told before."""

    SNAPSHOT = "snapshot"
    STATE = "state"
    PREVIEW = "preview"
    RINGING = "ringing"
    CONNECTED = "connected"
    HELD = "held"
    ENDED = "ended"
    WRAP_UP = "wrap_up"


_KIND_OF_STAGE = {
    Stage.OFFERED: NewsKind.PREVIEW,
    Stage.RESERVED: NewsKind.STATE,
    Stage.RINGING: NewsKind.RINGING,
    Stage.ACTIVE: NewsKind.CONNECTED,
    Stage.HELD: NewsKind.HELD,
    Stage.WRAP_UP: NewsKind.WRAP_UP,
}


@dataclass(frozen=True, slots=True)
class News:
    """One change for an agent, who then stands as `status` says. `work`: what it is about, or what they attend to.

    `respond_by`: until when the work has to be answered. `callback`: whose call it is, as written with this change or
    still open; None: look it up.
    """

    kind: NewsKind
    at: float
    status: AgentStatus
    work: Work | None = None
    respond_by: float | None = None
    callback: Callback | None = None


class Listener:
    """Somebody who wants an agent's news. `overrun`: more came than was taken, and some of it is lost."""

    def __init__(self, agent: AgentId) -> None:
        self.agent = agent
        self.overrun = False
        self._waiting: asyncio.Queue[News] = asyncio.Queue(MOST_WAITING)
        self._woken = asyncio.Event()

    def put(self, news: News) -> None:
        """Never waits."""
        try:
            self._waiting.put_nowait(news)
        except asyncio.QueueFull:
            self.overrun = True
            self.wake()

    def begin_anew(self) -> None:
        """Forget what waits."""
        while not self._waiting.empty():
            self._waiting.get_nowait()

    async def next(self) -> News:
        """The next piece of news."""
        return await self._waiting.get()

    def wake(self) -> None:
        """Whoever listens is to look whether they still may."""
        self._woken.set()

    async def woken(self, most_seconds: float) -> None:
        """Wait for a `wake`, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_seconds):
                await self._woken.wait()
        self._woken.clear()


class AgentNews:
    """The listeners of one engine. Build it before anything is decided: what the dispatcher holds then is durable."""

    def __init__(
        self, written: Written, dispatcher: Callable[[], Dispatcher], clock: Callable[[], float] = time.time
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._listeners: dict[AgentId, list[Listener]] = {}
        self._statuses: dict[AgentId, AgentStatus] = {}
        self._read()
        written.listen(self._written, self._restored)

    def connected(self, agent: AgentId) -> bool:
        """Whether anybody listens for this agent now."""
        return agent in self._listeners

    def listeners(self, agent: AgentId | None = None) -> int:
        """How many listen for this agent; None: in all."""
        if agent is not None:
            return len(self._listeners.get(agent, ()))
        return sum(len(each) for each in self._listeners.values())

    def listen(self, agent: AgentId) -> Listener:
        """Begin to listen; what waits first is a snapshot. Whoever listens must `leave`."""
        listener = Listener(agent)
        self._listeners.setdefault(agent, []).append(listener)
        self._put_snapshot(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        left = [each for each in self._listeners.get(listener.agent, ()) if each is not listener]
        if left:
            self._listeners[listener.agent] = left
        else:
            self._listeners.pop(listener.agent, None)

    def wake(self) -> None:
        """Let every listener look whether they still may."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.wake()

    def _read(self) -> None:
        self._statuses = {status.id: status for status in self._dispatcher().desks.statuses()}

    def _restored(self) -> None:
        """What was told is true no more for certain."""
        self._read()
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.begin_anew()
                self._put_snapshot(listener)

    def _put_snapshot(self, listener: Listener) -> None:
        """How the agent stands; each further thing they hold follows as if it had just come to that."""
        status, at = self._statuses.get(listener.agent, AgentStatus(listener.agent)), self._clock()
        first = attended(status)
        listener.put(self._news(NewsKind.SNAPSHOT, at, status, first, {}))
        for work in status.works:
            if work is not first:
                listener.put(self._news(_KIND_OF_STAGE[work.stage], at, status, work, {}))

    def _written(self, changes: Sequence[Entry]) -> None:
        moments = {each.agent: each.at for each in changes if isinstance(each, AgentMoved)}
        callbacks = {each.callback.id: each.callback for each in changes if isinstance(each, CallbackChanged)}
        for change in changes:
            if not isinstance(change, AgentChanged):
                continue
            status = change.status
            before = self._statuses.get(status.id, AgentStatus(status.id))
            self._statuses[status.id] = status
            for listener in self._listeners.get(status.id, ()):
                at = moments.get(status.id, self._clock())
                for kind, work in differences(before, status):
                    listener.put(self._news(kind, at, status, work, callbacks))

    def _news(
        self,
        kind: NewsKind,
        at: float,
        status: AgentStatus,
        work: Work | None,
        callbacks: dict[CallbackId, Callback],
    ) -> News:
        if work is None:
            return News(kind, at, status)
        callback = respond_by = None
        if work.callback is not None:
            callback = callbacks.get(work.callback) or self._dispatcher().book.get(work.callback)
        if work.stage is Stage.OFFERED and kind is not NewsKind.ENDED:
            timers = self._dispatcher().timers
            respond_by = timers.due_at(work.callback, PREVIEW) if work.callback else timers.due_at(work.id, ANSWER)
        return News(kind, at, status, work, respond_by, callback)


def attended(status: AgentStatus) -> Work | None:
    """What the agent attends to: a call first, then what waits for an answer."""
    offered = (work for work in status.works if work.stage is Stage.OFFERED)
    return status.work or next(offered, None) or next(iter(status.works), None)


def load_of(status: AgentStatus) -> dict[str, int]:
    """How many items of each medium they hold."""
    return Counter(work.media for work in status.works)


def differences(before: AgentStatus, after: AgentStatus) -> Iterator[tuple[NewsKind, Work | None]]:
    """What an agent has to be told: one piece for each thing that came, moved on or went, else that their state is
    another one.
    """
    held, holds = ({work.id: work for work in each.works} for each in (before, after))
    moved = False
    for work_id, work in held.items():
        if work_id not in holds:
            moved = True
            yield NewsKind.ENDED, work
    for work_id, work in holds.items():
        if work_id not in held or held[work_id].stage is not work.stage:
            moved = True
            yield _KIND_OF_STAGE[work.stage], work
    if not moved and (before.presence, before.reason) != (after.presence, after.reason):
        yield NewsKind.STATE, attended(after)
