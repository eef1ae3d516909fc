"""The store is down for a while: who is answered what, who is let go, and what is decided again afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from engine.core.dispatcher import Accepted, Dispatcher
from engine.core.effects import Connect, DialCustomer, Farewell, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import (
    AttemptSeen,
    Event,
    KeyPressed,
    LegEnded,
    LegEntered,
    LegSeen,
    PlayingFinished,
    TelephonyLost,
    TelephonyReady,
)
from engine.core.model import Attempt, Callback, CallbackId, CallbackState, LegId, Outcome, PromptId
from engine.errors import CommitUnknownError, StoreError
from engine.outage import Restored, StoreGuard
from tests.unit.core.journal import Journal as Rows
from tests.unit.written_engine import CONFIGURATION, CUSTOMER, READY, Engine, asked

AGENT_LEG = LegId("c1-1.agent.1")
FULL = StoreError("the disk is full")


class Store:
    """An engine with its guard. What was written durably is what a reload reads; `down` keeps it from answering."""

    def __init__(self, limit_seconds: float = 60.0) -> None:
        self.engine = Engine()
        self.down: StoreError | None = None
        self.kinds_of_failure: list[str] = []
        self.restored = asyncio.Event()
        self._rows = Rows()
        self._rows.configuration = CONFIGURATION
        for status in self.engine.runtime.dispatcher.desks.statuses():
            self._rows.agents[status.id] = status
        self.guard = StoreGuard(
            self.engine.runtime,
            self.engine,
            self._reload,
            limit_seconds=limit_seconds,
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

    async def _reload(self) -> Restored:
        if self.down is not None:
            raise self.down
        rows = Rows()
        rows.configuration = CONFIGURATION
        rows.agents = dict(self._rows.agents)
        for group in self.engine.journal.durable_groups:
            for change in group:
                rows._keep(change)  # type: ignore[arg-type]
        still_open = {callback.id for callback in rows.callbacks.values() if callback.open}
        return Dispatcher(rows.snapshot()), still_open.__contains__


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with Store().running() as running:
        yield running


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


# ---- requests ----------------------------------------------------------------------------------------


async def test_nobody_is_told_yes_while_nothing_can_be_written_and_it_goes_on_without_a_restart(store: Store) -> None:
    store.fail()
    with pytest.raises(StoreError):
        await store.engine.runtime.submit(asked(1))
    await store.until(lambda: store.trouble)
    with pytest.raises(StoreError):
        await store.engine.runtime.submit(asked(2))
    assert store.trouble == "the disk is full"
    before = store.dispatcher

    await store.mended()

    assert store.dispatcher is not before
    assert list(store.dispatcher.book) == [], "who was told no is not called"
    assert isinstance(await store.engine.runtime.submit(asked(2)), Accepted)
    assert store.kinds_of_failure == ["failed"]
    assert not store.trouble


@pytest.mark.parametrize("stored", [True, False])
async def test_a_commit_whose_end_is_not_known_is_answered_by_what_the_store_holds_afterwards(
    store: Store,
    stored: bool,  # noqa: FBT001 - a column of the table
) -> None:
    store.fail(CommitUnknownError("the disk did not say"))
    asking = asyncio.create_task(store.engine.runtime.submit(asked(1)))
    await store.until(lambda: store.trouble)
    assert not asking.done(), "neither yes nor no would be true"
    if stored:
        store.engine.journal.durable_groups.append(store.engine.journal.groups[-1])

    await store.mended()

    if stored:
        assert isinstance(await asking, Accepted)
    else:
        with pytest.raises(StoreError):
            await asking
    assert (store.callback is not None) == stored


async def test_a_commit_that_hangs_closes_the_intake_and_is_answered_when_it_ends() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        (hanging,) = await store.engine.held(asked(1))
        queued = asyncio.create_task(store.engine.runtime.submit(asked(2)))
        with pytest.raises(StoreError):
            await queued
        assert not hanging.done()
        assert store.kinds_of_failure == ["slow"]

        store.engine.journal.may_end.set()

        assert isinstance(await hanging, Accepted), "it is stored"
        await store.mended()
        assert [callback.id for callback in store.dispatcher.book] == ["c1"]


# ---- what happened to calls is not lost ----------------------------------------------------------------


@pytest.mark.parametrize("when", ["in the failed commit", "while it is down"])
async def test_a_key_that_ends_the_call_counts_although_its_commit_failed(store: Store, when: str) -> None:
    await announcing(store)
    pressed = KeyPressed(CUSTOMER, "3")
    store.fail()
    if when == "in the failed commit":
        store.engine.runtime.tell(pressed)
        await store.until(lambda: store.trouble)
    else:
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))
        await store.until(lambda: store.trouble)
        store.engine.runtime.tell(pressed)
    assert started(store, Farewell) == [], "nothing is promised"

    await store.mended()

    assert started(store, Farewell) != []
    assert store.attempt.outcome is Outcome.CANCELLED_BY_KEY
    await store.told(LegEnded(CUSTOMER))
    assert store.callback is None, "it has ended"


async def test_facts_have_the_time_at_which_they_happened(store: Store) -> None:
    await store.engine.runtime.submit(asked(1))
    await store.engine.runtime.submit(READY)
    store.fail()
    store.engine.runtime.tell(LegEntered(CUSTOMER))
    await store.until(lambda: store.trouble)
    answered_at, store.engine.now = store.engine.now, store.engine.now + 30

    await store.mended()

    assert store.attempt.answered_at == answered_at
    assert len(started(store, DialCustomer)) == 1


async def test_nobody_is_bridged_before_it_is_written_that_they_may_talk(store: Store) -> None:
    await agent_rung(store)
    assert len(started(store, RingAgent)) == 1
    await store.told(LegEntered(AGENT_LEG))
    store.fail()
    store.engine.runtime.tell(PlayingFinished(AGENT_LEG, "whisper"))
    await store.until(lambda: store.trouble)
    assert started(store, Connect) == []

    await store.mended()
    attempt = store.attempt.id
    await store.told(AttemptSeen(attempt, LegSeen.ENTERED, LegSeen.ENTERED), PlayingFinished(AGENT_LEG, "whisper"))

    assert len(started(store, Connect)) == 1
    assert store.attempt.bridging_at is not None


async def test_telephony_counts_as_lost_until_the_calls_have_been_looked_at(store: Store) -> None:
    store.fail()
    store.engine.runtime.tell(TelephonyReady())
    with pytest.raises(StoreError):
        await store.engine.runtime.submit(asked(1))
    await store.mended()
    await store.engine.runtime.submit(asked(1))
    await store.engine.runtime.submit(READY)
    assert started(store, DialCustomer) == []
    assert TelephonyLost() in store.engine.told
    await store.told(TelephonyReady())
    assert len(started(store, DialCustomer)) == 1


# ---- who would wait for nobody is let go ---------------------------------------------------------------


async def test_who_has_not_confirmed_is_let_go_after_the_limit_with_an_apology_and_called_again_later() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        await announcing(store)
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))

        await store.until(lambda: started(store, Release))

        (release,) = started(store, Release)
        assert isinstance(release, Release)
        assert (release.leg, release.prompts) == (CUSTOMER, (PromptId.APOLOGY,))
        store.engine.runtime.tell(LegEnded(CUSTOMER, 16))
        await store.mended()
        assert store.callback is not None
        assert (store.callback.state, store.callback.outcomes) == (CallbackState.RETRY_WAIT, (Outcome.INTERRUPTED,))


async def test_a_short_outage_lets_nobody_go_and_a_confirmed_customer_keeps_the_music() -> None:
    async with Store(limit_seconds=0.1).running() as confirmed, Store(limit_seconds=60).running() as short:
        await agent_rung(confirmed)
        await announcing(short)
        for store in (confirmed, short):
            store.fail()
            with pytest.raises(StoreError):
                await store.engine.runtime.submit(asked(2))
        await asyncio.sleep(0.5)  # several looks of the watch
        for store in (confirmed, short):
            assert started(store, Release) == []
            await store.mended()
            assert started(store, Release) == []
        assert len(started(confirmed, HoldWithMusic)) == 1
        assert len(started(short, Play)) == 1
