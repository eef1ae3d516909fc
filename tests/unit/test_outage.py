"""The store is down for a while: who is answered what, who is let go, and what is decided again afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.core.changes import InboundChanged
from engine.core.configuration import Inbound
from engine.core.decision import Accepted
from engine.core.effects import Connect, DialCustomer, Farewell, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import (
    AttemptSeen,
    CallerEntered,
    InteractionRequested,
    KeyPressed,
    LegEnded,
    LegEntered,
    LegSeen,
    NewNumber,
    PhonesUnknown,
    PlayingFinished,
    TelephonyLost,
    TelephonyReady,
)
from engine.core.records import InboundCall, Interaction
from engine.core.terms import AttemptId, CallbackState, InboundOutcome, InteractionId, LegId, Media, Outcome, PromptId
from engine.core.values import replace
from engine.errors import CommitUnknownError, StoreError
from tests.unit.store_down import AGENT_LEG, Store, agent_rung, announcing, started
from tests.unit.written_engine import BILLING, CONFIGURATION, CUSTOMER, READY, asked

TAKES_CALLS = replace(CONFIGURATION, services={BILLING.id: replace(BILLING, inbound=Inbound(wait_limit_seconds=60))})
CALLER = CallerEntered(AttemptId("callpbx-1"), LegId("pbx.1"), "", NewNumber("+12025557001", ()))


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with Store().running() as running:
        yield running


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


@pytest.mark.parametrize("stored", [True, False])
async def test_work_from_outside_whose_commit_is_not_known_is_answered_by_what_the_store_holds_afterwards(
    store: Store,
    stored: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A no for what is stored would be announced again, and done twice."""
    store.fail(CommitUnknownError("the disk did not say"))
    chat = InteractionRequested(InteractionId("i1"), Media("chat"), BILLING.id)
    announcing = asyncio.create_task(store.engine.runtime.submit(chat))
    await store.until(lambda: store.trouble)
    assert not announcing.done(), "neither yes nor no would be true"
    if stored:
        store.engine.journal.durable_groups.append(store.engine.journal.groups[-1])

    await store.mended()

    if stored:
        assert isinstance(await announcing, Interaction)
    else:
        with pytest.raises(StoreError):
            await announcing
    assert (chat.id in store.dispatcher.interactions) == stored


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


async def test_a_caller_who_is_asked_something_hears_music_after_the_limit_and_waits_on_afterwards() -> None:
    """Their answer is what could not be written; without the store nobody would ever say anything more."""
    async with Store(0.1, TAKES_CALLS).running() as store:
        await store.told(CALLER, KeyPressed(CALLER.leg, "1"))
        store.fail()
        before = len(started(store, HoldWithMusic))
        store.engine.runtime.tell(KeyPressed(CALLER.leg, "1"))
        await store.until(lambda: len(started(store, HoldWithMusic)) > before)
        music = [each for each in started(store, HoldWithMusic)[before:] if isinstance(each, HoldWithMusic)]
        assert [(each.leg, each.prompts) for each in music] == [(CALLER.leg, ())]
        assert not started(store, Farewell), "nothing was promised"

        await store.mended()
        await store.told(TelephonyReady(), AttemptSeen(CALLER.call, LegSeen.ENTERED, LegSeen.GONE))

        assert store.dispatcher.line.position(CALLER.call) == 1
        assert not list(store.dispatcher.book)


async def test_nobody_is_rung_for_a_caller_who_hears_the_last_words_though_that_could_not_be_written() -> None:
    """Nobody came within the limit; that it was decided is lost, and an agent is free at last."""
    async with Store(configuration=TAKES_CALLS).running() as store:
        await store.told(CALLER)
        store.engine.runtime.arm_timers()
        store.fail()
        store.engine.now += 60
        store.engine.runtime.tell(PhonesUnknown())
        await store.until(lambda: store.trouble)
        last_words = [each.prompts for each in started(store, Release) if isinstance(each, Release)]
        assert last_words == [(PromptId.INBOUND_SORRY,)]

        await store.mended()
        await store.told(TelephonyReady(), AttemptSeen(CALLER.call, LegSeen.ENTERED, LegSeen.GONE))
        await store.engine.runtime.submit(READY)
        assert not started(store, RingAgent)

        await store.told(LegEnded(CALLER.leg, 16))
        assert [each.outcome for each in callers_gone(store)] == [InboundOutcome.INTERRUPTED]


async def test_callers_who_ring_in_and_leave_while_nothing_can_be_written_are_written_down_afterwards() -> None:
    second = CallerEntered(AttemptId("callpbx-2"), LegId("pbx.2"), "", None)
    async with Store(configuration=TAKES_CALLS).running() as store:
        store.fail()
        store.engine.runtime.tell(CALLER)
        await store.until(lambda: store.trouble)
        for told in (second, LegEnded(CALLER.leg, 16)):
            store.engine.runtime.tell(told)
        came_at = store.engine.now
        store.engine.now += 60

        await store.mended()

        assert [(each.id, each.outcome, each.ended_at) for each in callers_gone(store)] == [
            (CALLER.call, InboundOutcome.ABANDONED, came_at)
        ]
        assert [flow.inbound.joined_at for flow in store.dispatcher.callers()] == [came_at]


def callers_gone(store: Store) -> list[InboundCall]:
    """Calls that came in and are written down as over."""
    changes = [change for group in store.engine.journal.durable_groups for change in group]
    calls = [change.call for change in changes if isinstance(change, InboundChanged)]
    return [call for call in calls if call.ended_at is not None]
