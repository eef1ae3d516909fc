"""Write, then act: what the runtime does before, after and instead of a commit, and when timers fire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from engine.core.changes import TimerCleared
from engine.core.dispatcher import Accepted, Dispatcher, Refusal, Reply, Snapshot
from engine.core.effects import DialCustomer, Effect, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import (
    CallbackRequested,
    ConfigurationApplied,
    Event,
    KeyPressed,
    LegEntered,
    PresenceRequested,
    TelephonyLost,
    TelephonyReady,
    TimerFired,
)
from engine.core.expressions import parse
from engine.core.model import (
    Agent,
    AgentId,
    AgentStatus,
    CallbackId,
    CallbackState,
    Configuration,
    LegId,
    Presence,
    Request,
    RequestChannel,
    Service,
    ServiceId,
    Timer,
)
from engine.errors import StoreError
from engine.runtime import Runtime
from engine.store.records import Entry, KeyRevoked

START = 1_700_000_000.0
BILLING = Service(ServiceId("billing"), "Billing", "Example Ltd", parse("billing"))
AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"billing": 5})
CONFIGURATION = Configuration(services={BILLING.id: BILLING}, agents={AMY.id: AMY})
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
    durable: int = 0

    async def commit(self, changes: Sequence[Entry]) -> None:
        self.groups.append(changes)
        self.began.set()
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        self.durable += 1


class Engine:
    """A runtime on a real dispatcher; `started` has each effect with the number of commits before it."""

    def __init__(self, *timers: Timer, agents: tuple[AgentStatus, ...] = ()) -> None:
        self.now = START
        self.journal = Writing()
        self.journal.may_end.set()
        self.told: list[Event] = []
        self.started: list[tuple[Effect, int]] = []
        dispatcher = Dispatcher(Snapshot(CONFIGURATION, timers=timers, agents=agents))
        self.runtime = Runtime(dispatcher, self.journal, clock=lambda: self.now, told=self.told.append)
        self.runtime.effects = self
        self.task: asyncio.Task[None] | None = None

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


# ---- one commit for what waits, replies and calls only after it ------------------------------------------


async def test_requests_that_wait_together_are_one_commit_and_each_gets_its_own_reply() -> None:
    engine = Engine()
    waiting = [asyncio.create_task(engine.runtime.submit(asked(n))) for n in range(1, 4)]
    await asyncio.sleep(0)
    async with engine.running():
        replies = await asyncio.gather(*waiting)
    assert len(engine.journal.groups) == 1
    ids = [reply.callback.id for reply in replies if isinstance(reply, Accepted)]
    assert ids == ["c1", "c2", "c3"]


async def test_nobody_is_answered_or_called_before_the_commit() -> None:
    engine = Engine()
    async with engine.running():
        replies = await engine.held(asked(1), READY)
        assert not any(reply.done() for reply in replies)
        assert engine.started == []
        engine.journal.may_end.set()
        await asyncio.gather(*replies)
    assert [(type(effect), commits) for effect, commits in engine.started] == [(DialCustomer, 1)]


async def test_media_and_release_start_before_the_commit_and_a_ring_after_it() -> None:
    engine = Engine()
    async with engine.running():
        await engine.runtime.submit(asked(1))
        await engine.runtime.submit(READY)
        before = engine.journal.durable
        held = await engine.held(LegEntered(CUSTOMER), KeyPressed(CUSTOMER, "1"))
        assert engine.kinds() == [DialCustomer, Play, HoldWithMusic]
        engine.journal.may_end.set()
        await asyncio.gather(*held)
        assert engine.started[-1][1] == before + 1
        assert engine.kinds()[-1] is RingAgent


async def test_a_release_does_not_wait_for_the_commit() -> None:
    engine = Engine()
    async with engine.running():
        await engine.runtime.submit(asked(1))
        await engine.runtime.submit(READY)
        held = await engine.held(NOT_READY)
        assert engine.kinds() == [DialCustomer, Release]
        engine.journal.may_end.set()
        await asyncio.gather(*held)


async def test_a_request_that_changes_nothing_is_answered_without_a_commit() -> None:
    engine = Engine()
    async with engine.running():
        assert isinstance(await engine.runtime.submit(HARMLESS), Refusal)
    assert engine.journal.groups == []


async def test_a_record_is_written_without_a_decision() -> None:
    engine = Engine()
    record = KeyRevoked("key-1", START)
    async with engine.running():
        await engine.runtime.write(record)
    assert engine.journal.groups == [[record]]
    assert engine.told == []


async def test_a_client_that_goes_away_does_not_disturb_the_others() -> None:
    engine = Engine()
    async with engine.running():
        first, second = await engine.held(asked(1), asked(2))
        first.cancel()
        engine.journal.may_end.set()
        assert isinstance(await second, Accepted)


# ---- a commit that fails, and one that is cancelled ------------------------------------------------------


async def test_a_failed_commit_says_no_to_everybody_calls_nobody_and_ends_the_runtime() -> None:
    engine = Engine()
    engine.journal.failure = StoreError("the disk is full")
    async with engine.running():
        decided = await engine.held(asked(1), READY)
        queued = asyncio.create_task(engine.runtime.submit(asked(2)))
        await asyncio.sleep(0)
        engine.journal.may_end.set()
        for waiter in (*decided, queued):
            with pytest.raises(StoreError):
                await waiter
        assert engine.task is not None
        with pytest.raises(StoreError, match="the disk is full"):
            await engine.task
        assert not engine.runtime.accepting
        assert engine.started == []
        with pytest.raises(StoreError):
            await engine.runtime.submit(HARMLESS)


async def test_a_defect_in_a_decision_ends_the_runtime_and_leaves_nobody_waiting() -> None:
    engine = Engine()
    engine.journal.failure = ValueError("a defect")
    async with engine.running():
        (waiter,) = await engine.held(asked(1))
        engine.journal.may_end.set()
        with pytest.raises(StoreError):
            await waiter
        assert engine.task is not None
        with pytest.raises(ValueError, match="a defect"):
            await engine.task


async def test_a_stop_in_the_middle_of_a_commit_says_no_and_calls_nobody() -> None:
    engine = Engine()
    async with engine.running():
        decided = await engine.held(asked(1), READY)
        queued = asyncio.create_task(engine.runtime.submit(asked(2)))
        await asyncio.sleep(0)
        assert engine.task is not None
        engine.task.cancel()
        for waiter in (*decided, queued):
            with pytest.raises(StoreError):
                await waiter
        assert engine.started == []


# ---- timers ----------------------------------------------------------------------------------------------


def timer(name: str, seconds: float) -> Timer:
    return Timer("amy", name, START + seconds)


async def test_no_timer_fires_before_timers_are_armed_then_the_overdue_ones_in_order() -> None:
    engine = Engine(timer("second", -5), timer("first", -9), timer("later", 60))
    async with engine.running():
        await engine.settle()
        assert engine.fired == []
        engine.runtime.arm_timers()
        await engine.settle()
        assert engine.fired == ["first", "second"]


async def test_overdue_timers_come_before_what_is_told_after_arming() -> None:
    engine = Engine(timer("overdue", -5))
    async with engine.running():
        engine.runtime.arm_timers()
        engine.runtime.tell(TelephonyReady())
        await engine.settle()
    assert [type(event) for event in engine.told[:2]] == [TimerFired, TelephonyReady]


async def test_a_request_whose_life_ended_while_the_engine_was_away_is_not_dialled() -> None:
    engine = Engine()
    async with engine.running():
        engine.runtime.tell(TelephonyLost())
        await engine.runtime.submit(asked(1))
        await engine.runtime.submit(READY)
        engine.now += BILLING.life_seconds + 1
        engine.runtime.arm_timers()
        engine.runtime.tell(TelephonyReady())
        await engine.settle()
    assert engine.runtime.dispatcher.book.get(CallbackId("c1")) is None
    assert engine.kinds() == []


async def test_a_timer_set_by_a_decision_fires_when_its_moment_has_come() -> None:
    engine = Engine()
    async with engine.running():
        engine.runtime.arm_timers()
        await engine.runtime.submit(asked(1))
        engine.now += BILLING.life_seconds - 1
        await engine.settle()
        assert engine.fired == []
        engine.now += 1
        await engine.settle()
        assert engine.fired == ["life"]


async def test_a_timer_that_was_cleared_meanwhile_changes_nothing() -> None:
    engine = Engine()
    async with engine.running():
        engine.runtime.arm_timers()
        await engine.runtime.submit(asked(1))
        await engine.runtime.submit(READY)
        engine.runtime.tell(LegEntered(CUSTOMER))
        await engine.settle()
        assert TimerCleared("c1-1", "ring") in engine.journal.groups[-1]
        written = len(engine.journal.groups)
        engine.now += BILLING.ring_timeout_seconds
        await engine.settle()
    assert engine.fired == ["ring"]
    assert len(engine.journal.groups) == written


async def test_a_clock_that_is_set_back_between_look_and_decision_does_not_lose_the_timer() -> None:
    engine = Engine()
    async with engine.running():
        await engine.runtime.submit(asked(1))
        engine.now += BILLING.life_seconds
        engine.runtime.arm_timers()  # looks at the clock
        engine.now -= 3600
        await engine.settle()
    assert engine.fired == ["life"]
    assert engine.runtime.dispatcher.book.get(CallbackId("c1")) is None


async def test_a_clock_that_is_set_back_delays_a_timer_and_fires_it_once() -> None:
    engine = Engine()
    async with engine.running():
        engine.runtime.arm_timers()
        await engine.runtime.submit(asked(1))
        engine.now -= 7200
        await engine.settle()
        assert engine.fired == []
        engine.now += 7200 + BILLING.life_seconds
        await engine.settle()
        await engine.settle()
    assert engine.fired == ["life"]


async def test_a_clock_that_jumps_ahead_fires_everything_on_the_way_in_order() -> None:
    engine = Engine(timer("c", 300), timer("a", 100), timer("b", 200))
    async with engine.running():
        engine.runtime.arm_timers()
        await engine.settle()
        engine.now += 86_400
        await engine.settle()
    assert engine.fired == ["a", "b", "c"]


async def test_an_agent_who_leaves_before_the_commit_of_the_dial_has_its_release_started_before_the_dial() -> None:
    """Why the lanes remember what was released: the dial waits for the commit, the release does not."""
    engine = Engine()
    async with engine.running():
        await engine.runtime.submit(asked(1))
        held = await engine.held(READY, NOT_READY)
        assert engine.kinds() == [Release]
        engine.journal.may_end.set()
        await asyncio.gather(*held)
    assert engine.kinds() == [Release, DialCustomer]


async def test_a_configuration_is_answered_with_its_version() -> None:
    engine = Engine()
    async with engine.running():
        reply = await engine.runtime.submit(ConfigurationApplied(CONFIGURATION, "the document"))
    assert isinstance(reply, Configuration)
    assert reply.version == CONFIGURATION.version + 1


async def test_every_event_is_told_once_when_it_is_decided_on() -> None:
    engine = Engine()
    async with engine.running():
        await engine.runtime.submit(asked(1))
        await engine.runtime.submit(READY)
    assert engine.told == [asked(1), READY]
    dialled = engine.runtime.dispatcher.book.get(CallbackId("c1"))
    assert dialled is not None
    assert dialled.state is CallbackState.RESERVED
