"""Write, then act: what the runtime does before, after and instead of a commit."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.configuration import Configuration
from engine.core.decision import Accepted, Refusal
from engine.core.effects import DialCustomer, HoldWithMusic, Listen, Play, Release, RingAgent
from engine.core.events import (
    ConfigurationApplied,
    KeyPressed,
    LegEntered,
)
from engine.core.terms import CallbackId, CallbackState
from engine.errors import StoreError
from engine.store.records import KeyRevoked
from tests.unit.written_engine import (
    CONFIGURATION,
    CUSTOMER,
    HARMLESS,
    NOT_READY,
    READY,
    START,
    Engine,
    asked,
)

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
        assert engine.kinds() == [DialCustomer, Play, Listen, HoldWithMusic]
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


async def test_a_stop_in_the_middle_of_a_commit_promises_nothing_and_calls_nobody() -> None:
    engine = Engine()
    async with engine.running():
        decided = await engine.held(asked(1), READY)
        queued = asyncio.create_task(engine.runtime.submit(asked(2)))
        await asyncio.sleep(0)
        assert engine.task is not None
        engine.task.cancel()
        for waiter in decided:
            # The commit may still come about, so neither yes nor no would be true.
            with pytest.raises(asyncio.CancelledError):
                await waiter
        with pytest.raises(StoreError):
            await queued
        assert engine.started == []


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
