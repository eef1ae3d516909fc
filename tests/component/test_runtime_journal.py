"""The runtime on a real journal: what was answered with yes is there after a restart, and what failed is not."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engine.core.configuration import Agent, Configuration, Service
from engine.core.decision import Accepted, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.effects import DialCustomer, Effect
from engine.core.events import CallbackRequested, ConfigurationApplied, PresenceRequested
from engine.core.expressions import parse
from engine.core.records import Request
from engine.core.terms import AgentId, CallbackId, Presence, RequestChannel, ServiceId
from engine.errors import StoreError
from engine.runtime import Runtime
from engine.store.journal import Journal
from engine.store.records import Entry, StoredState
from tests.component.store_samples import url_of

BILLING = Service(ServiceId("billing"), "Billing", "Example Ltd", parse("billing"))
AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"billing": 5})
CONFIGURATION = Configuration(services={BILLING.id: BILLING}, agents={AMY.id: AMY})


def asked(n: int) -> CallbackRequested:
    request = Request(BILLING.id, f"+1202555{n:04}", "en", RequestChannel.WEB)
    return CallbackRequested(CallbackId(f"c{n}"), request, "hash")


class Watched:
    """A journal that says when a commit begins."""

    def __init__(self, journal: Journal) -> None:
        self.began = asyncio.Event()
        self._journal = journal

    async def commit(self, changes: Sequence[Entry]) -> None:
        self.began.set()
        await self._journal.commit(changes)


class Engine:
    """A runtime on a journal; counts its commits and keeps its effects."""

    def __init__(self, journal: Journal | Watched) -> None:
        self.effects: list[Effect] = []
        self.sizes: list[int] = []
        self.runtime = Runtime(Dispatcher(Snapshot()), journal, observe=lambda size, _seconds: self.sizes.append(size))
        self.runtime.effects = self
        self.task = asyncio.create_task(self.runtime.run())

    def start(self, effect: Effect) -> None:
        self.effects.append(effect)

    async def end(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError, StoreError):
            await self.task


async def stored(path: Path) -> StoredState:
    async with await Journal.open(url_of(path)) as journal:
        return await journal.load()


async def test_what_was_accepted_and_dialled_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    async with await Journal.open(url_of(path)) as journal:
        engine = Engine(journal)
        await engine.runtime.submit(ConfigurationApplied(CONFIGURATION, "the document"))
        replies = await asyncio.gather(*(engine.runtime.submit(asked(n)) for n in range(200)))
        await engine.runtime.submit(PresenceRequested(AMY.id, Presence.READY))
        await engine.end()
    assert all(isinstance(reply, Accepted) for reply in replies)
    assert max(engine.sizes) == 200
    state = await stored(path)
    assert len(state.callbacks) == 200
    assert [attempt.id for attempt in state.attempts] == [
        effect.attempt for effect in engine.effects if isinstance(effect, DialCustomer)
    ]


async def test_a_stop_in_the_middle_of_a_commit_leaves_the_group_whole_and_dials_nobody(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    async with await Journal.open(url_of(path)) as journal:
        watched = Watched(journal)
        engine = Engine(watched)
        await engine.runtime.submit(ConfigurationApplied(CONFIGURATION, "the document"))
        watched.began.clear()
        waiting = [
            asyncio.create_task(engine.runtime.submit(event))
            for event in (asked(1), PresenceRequested(AMY.id, Presence.READY))
        ]
        await watched.began.wait()
        await engine.end()
        for waiter in waiting:
            # Neither told yes nor no: the group is stored.
            with pytest.raises(asyncio.CancelledError):
                await waiter
    assert engine.effects == []
    state = await stored(path)
    assert (len(state.callbacks), len(state.attempts)) == (1, 1)


async def test_a_database_that_is_held_by_another_program_ends_the_runtime_and_stores_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    async with await Journal.open(url_of(path), busy_timeout_seconds=0.05) as journal:
        engine = Engine(journal)
        await engine.runtime.submit(ConfigurationApplied(CONFIGURATION, "the document"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(StoreError):
                await engine.runtime.submit(asked(1))
            assert time.monotonic() - began < 5
            with pytest.raises(StoreError, match="another program holds the database"):
                await engine.task
            other.execute("ROLLBACK")
        assert not engine.runtime.accepting
    assert (await stored(path)).callbacks == ()
