"""A runtime on a real dispatcher and a journal that writes when the test lets it, with a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from engine.core.configuration import Agent, Configuration, Service
from engine.core.decision import Reply, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Effect
from engine.core.events import (
    CallbackRequested,
    Event,
    PresenceRequested,
    TimerFired,
)
from engine.core.expressions import parse
from engine.core.records import AgentStatus, Request, Timer
from engine.core.terms import AgentId, CallbackId, ConnectMode, LegId, Presence, RequestChannel, ServiceId
from engine.core.values import replace
from engine.runtime import Runtime
from engine.store.records import Entry

START = 1_700_000_000.0
BILLING = Service(ServiceId("billing"), "Billing", "Example Ltd", parse("billing"))
AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"billing": 5})
CONFIGURATION = Configuration(services={BILLING.id: BILLING}, agents={AMY.id: AMY})
AGENT_FIRST = Configuration(
    services={BILLING.id: replace(BILLING, connect=ConnectMode.AGENT_FIRST)}, agents={AMY.id: AMY}
)
CUSTOMER = LegId("c1-1.customer")
READY = PresenceRequested(AMY.id, Presence.READY)
NOT_READY = PresenceRequested(AMY.id, Presence.NOT_READY, "lunch")
HARMLESS = PresenceRequested(AgentId("nobody"), Presence.READY)


def asked(n: int) -> CallbackRequested:
    request = Request(BILLING.id, f"+1202555{n:04}", "en", RequestChannel.WEB)
    return CallbackRequested(CallbackId(f"c{n}"), request, "hash")


@dataclass
class Writing:
    """A journal that writes when the test lets it, or fails."""

    groups: list[Sequence[Entry]] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None
    durable_groups: list[Sequence[Entry]] = field(default_factory=list)

    @property
    def durable(self) -> int:
        """How many commits there were."""
        return len(self.durable_groups)

    async def commit(self, changes: Sequence[Entry]) -> None:
        self.groups.append(changes)
        self.began.set()
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        self.durable_groups.append(changes)


class Engine:
    """A runtime on a real dispatcher; `started` has each effect with the number of commits before it."""

    def __init__(
        self, *timers: Timer, agents: tuple[AgentStatus, ...] = (), configuration: Configuration = CONFIGURATION
    ) -> None:
        self.now = START
        self.journal = Writing()
        self.journal.may_end.set()
        self.told: list[Event] = []
        self.started: list[tuple[Effect, int]] = []
        dispatcher = Dispatcher(Snapshot(configuration, timers=timers, agents=agents))
        self.runtime = Runtime(dispatcher, self.journal, clock=lambda: self.now, told=self._hear)
        self.runtime.effects = self
        self.task: asyncio.Task[None] | None = None

    def _hear(self, event: Event, _reply: Reply | None) -> None:
        self.told.append(event)

    def start(self, effect: Effect) -> None:
        self.started.append((effect, self.journal.durable))

    def kinds(self) -> list[type[Effect]]:
        return [type(effect) for effect, _ in self.started]

    async def settle(self) -> None:
        """Until everything told so far is decided and what fell due has fired."""
        for _ in range(3):
            await self.runtime.submit(HARMLESS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Engine]:
        self.task = asyncio.create_task(self.runtime.run())
        try:
            yield self
        finally:
            self.journal.may_end.set()
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def held(self, *events: Event) -> list[asyncio.Task[Reply | None]]:
        """Requests that are decided together, their commit under way."""
        self.journal.may_end.clear()
        self.journal.began.clear()
        tasks = [asyncio.create_task(self.runtime.submit(event)) for event in events]
        await self.journal.began.wait()
        return tasks

    @property
    def fired(self) -> list[str]:
        return [event.name for event in self.told if isinstance(event, TimerFired)]
