"""An engine with its guard on a store that fails when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from engine.core.configuration import Configuration
from engine.core.dispatcher import Dispatcher
from engine.core.events import (
    Event,
    KeyPressed,
    LegEntered,
)
from engine.core.records import Attempt, Callback
from engine.core.terms import CallbackId, LegId
from engine.errors import StoreError
from engine.outage import StoreGuard
from tests.unit.core.journal import Journal as Rows
from tests.unit.written_engine import CONFIGURATION, CUSTOMER, READY, Engine, asked

AGENT_LEG = LegId("c1-1.agent.1")
FULL = StoreError("the disk is full")


class Store:
    """An engine with its guard. What was written durably is what a reload reads; `down` keeps it from answering."""

    def __init__(self, limit_seconds: float = 60.0, configuration: Configuration = CONFIGURATION) -> None:
        self.engine = Engine(configuration=configuration)
        self.down: StoreError | None = None
        self.kinds_of_failure: list[str] = []
        self.restored = asyncio.Event()
        self._rows = Rows()
        self._rows.configuration = configuration
        for status in self.engine.runtime.dispatcher.desks.statuses():
            self._rows.agents[status.id] = status
        self.guard = StoreGuard(
            self.engine.runtime,
            self.engine,
            self._reload,
            limit_seconds=limit_seconds,
            settled=self._settled,
            restored=self.restored.set,
            down=self.kinds_of_failure.append,
        )

    @property
    def dispatcher(self) -> Dispatcher:
        return self.engine.runtime.dispatcher

    @property
    def trouble(self) -> str | None:
        return self.guard.trouble

    @property
    def callback(self) -> Callback | None:
        return self.dispatcher.book.get(CallbackId("c1"))

    @property
    def attempt(self) -> Attempt:
        (flow,) = self.dispatcher.live()
        return flow.attempt

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Store]:
        task = asyncio.create_task(self.guard.run())
        try:
            yield self
        finally:
            self.engine.journal.may_end.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0)

    async def told(self, *events: Event) -> None:
        """Facts that are decided on and written."""
        for event in events:
            self.engine.runtime.tell(event)
        await self.engine.settle()

    def fail(self, error: StoreError = FULL) -> None:
        self.down = self.engine.journal.failure = error

    def mend(self) -> None:
        self.down = self.engine.journal.failure = None

    async def mended(self) -> None:
        self.mend()
        async with asyncio.timeout(5):
            await self.restored.wait()
        await self.engine.settle()

    async def _settled(self) -> None:
        """Effects end at once here."""

    async def _reload(self) -> Dispatcher:
        if self.down is not None:
            raise self.down
        rows = Rows()
        rows.configuration = self._rows.configuration
        rows.agents = dict(self._rows.agents)
        for group in self.engine.journal.durable_groups:
            for change in group:
                rows._keep(change)  # type: ignore[arg-type]
        return Dispatcher(rows.snapshot())


async def announcing(store: Store) -> None:
    """A customer hears the announcement."""
    await store.engine.runtime.submit(asked(1))
    await store.engine.runtime.submit(READY)
    await store.told(LegEntered(CUSTOMER))


async def agent_rung(store: Store) -> None:
    """The customer has confirmed and hears music, and the agent's phone rings."""
    await announcing(store)
    await store.told(KeyPressed(CUSTOMER, "1"))


def started(store: Store, kind: type) -> list[object]:
    return [effect for effect, _ in store.engine.started if isinstance(effect, kind)]
