"""The shell around the dispatcher: queue -> dispatcher -> one commit -> effects, and the timers.

All changes go through this one queue, so no two handlers race. Events that wait together are decided together and
written in one transaction; only then are people called and requests answered. Media and release effects need no
written decision and start at once. A commit that fails leaves the dispatcher ahead of the journal: the runtime then
answers nobody with a yes, starts nothing, and ends with the store's error.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from engine.core.changes import TimerSet
from engine.core.dispatcher import Dispatcher, Reply
from engine.core.effects import Effect, EffectClass
from engine.core.events import Event, TimerFired
from engine.errors import StoreError
from engine.store.records import Entry, KeyKept, KeyRevoked

log = structlog.get_logger()

GROUP_LIMIT = 500
"""Events decided and written together at most; bounds how long the first of them waits."""


class Writer(Protocol):
    """What the runtime needs of the journal."""

    async def commit(self, changes: Sequence[Entry]) -> None:
        """Write all or nothing. Raises StoreError."""


class Effects(Protocol):
    """What the runtime needs of those who act."""

    def start(self, effect: Effect) -> None:
        """Begin an effect; its end comes back as an event."""


@dataclass(slots=True)
class _Item:
    """An event to decide on, or a record to write; `answer` is set once it is durable."""

    event: Event | None = None
    record: KeyKept | KeyRevoked | None = None
    answer: asyncio.Future[Reply | None] | None = None


class Runtime:
    """One for each engine. `observe` is told each group's size and the seconds its commit took."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        journal: Writer,
        *,
        clock: Callable[[], float] = time.time,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
        decided: Callable[[Sequence[Entry]], None] = lambda _changes: None,
    ) -> None:
        self.dispatcher = dispatcher
        self.accepting = True
        self.effects: Effects | None = None
        self._journal = journal
        self._clock = clock
        self._observe = observe
        self._decided = decided
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._due = [(timer.due_at, timer.owner, timer.name) for timer in dispatcher.timers.pending()]
        heapq.heapify(self._due)
        self._timers_armed = False

    def tell(self, event: Event) -> None:
        """Queue what happened; never waits."""
        self._queue.put_nowait(_Item(event))

    async def submit(self, event: Event) -> Reply | None:
        """Decide on a request and return its reply once it is durable. Raises StoreError."""
        return await self._put(_Item(event))

    async def write(self, record: KeyKept | KeyRevoked) -> None:
        """Write something that needs no decision. Raises StoreError."""
        await self._put(_Item(record=record))

    def arm_timers(self) -> None:
        """Let timers fire from now on, overdue ones first and in order."""
        self._timers_armed = True
        self._queue.put_nowait(_Item())

    async def run(self) -> None:
        """Decide, write and act until cancelled. Raises StoreError when a commit failed."""
        try:
            while True:
                items = await self._next_group()
                await self._handle(items)
        except BaseException:
            self._close()
            raise

    async def _put(self, item: _Item) -> Reply | None:
        if not self.accepting:
            raise StoreError("the engine takes no requests now; try again later")
        item.answer = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(item)
        return await item.answer

    async def _next_group(self) -> list[_Item]:
        items: list[_Item] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(self._until_next_timer()):
                items.append(await self._queue.get())
        while len(items) < GROUP_LIMIT and not self._queue.empty():
            items.append(self._queue.get_nowait())
        if self._timers_armed:
            now = self._clock()
            while self._due and self._due[0][0] <= now:
                _, owner, name = heapq.heappop(self._due)
                items.append(_Item(TimerFired(owner, name)))
        return items

    def _until_next_timer(self) -> float | None:
        if not self._timers_armed or not self._due:
            return None
        return max(0.0, self._due[0][0] - self._clock())

    async def _handle(self, items: list[_Item]) -> None:
        changes: list[Entry] = []
        effects: list[Effect] = []
        answers: list[tuple[asyncio.Future[Reply | None], Reply | None]] = []
        try:
            for item in items:
                reply: Reply | None = None
                if item.record is not None:
                    changes.append(item.record)
                if item.event is not None:
                    decision = self.dispatcher.handle(item.event, self._clock())
                    changes += decision.changes
                    for effect in decision.effects:
                        if effect.kind is EffectClass.IRREVERSIBLE:
                            effects.append(effect)
                        else:
                            self._start(effect)
                    reply = decision.reply
                if item.answer is not None:
                    answers.append((item.answer, reply))
            if changes:
                began = time.perf_counter()
                await self._journal.commit(changes)
                self._observe(len(items), time.perf_counter() - began)
        except BaseException:
            for item in items:
                if item.answer is not None and not item.answer.done():
                    item.answer.set_exception(StoreError("the request could not be written down; try again later"))
            raise
        for change in changes:
            if isinstance(change, TimerSet):
                heapq.heappush(self._due, (change.timer.due_at, change.timer.owner, change.timer.name))
        for effect in effects:
            self._start(effect)
        for answer, reply in answers:
            if not answer.done():
                answer.set_result(reply)
        self._decided(changes)

    def _start(self, effect: Effect) -> None:
        if self.effects is None:
            raise RuntimeError("an effect was decided before anybody could carry it out")
        self.effects.start(effect)

    def _close(self) -> None:
        self.accepting = False
        while not self._queue.empty():
            item = self._queue.get_nowait()
            if item.answer is not None and not item.answer.done():
                item.answer.set_exception(StoreError("the engine is stopping; try again later"))
