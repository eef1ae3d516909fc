"""Proofs of the review; each test states what should hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.core.dispatcher import Accepted
from engine.core.effects import Connect, DialCustomer, Play, Release, RingAgent
from engine.core.events import (
    AttemptSeen,
    CancelRequested,
    EffectEnded,
    KeyPressed,
    LegEnded,
    LegEntered,
    LegSeen,
    PlayingFinished,
    ResultKind,
    StopRequested,
    TelephonyReady,
)
from engine.core.model import AttemptPolicy, CallbackId, CallbackState, Outcome, Presence, Reason
from engine.errors import CommitUnknownError, StoreError
from engine.lanes import EffectLanes
from tests.unit.core.world import World
from tests.unit.test_outage import AGENT_LEG, Store, agent_rung, announcing, started
from tests.unit.written_engine import CUSTOMER, NOT_READY, READY, asked

import pytest


@pytest.mark.parametrize("stored", [True, False])
async def test_c_cancel_of_unknown_commit(stored: bool) -> None:
    async with Store().running() as store:
        await store.engine.runtime.submit(asked(1))
        store.fail(CommitUnknownError("the disk did not say"))
        asking = asyncio.create_task(store.engine.runtime.submit(CancelRequested(CallbackId("c1"), Reason.BY_CUSTOMER)))
        await store.until(lambda: store.trouble)
        if stored:
            store.engine.journal.durable_groups.append(store.engine.journal.groups[-1])
        await store.mended()
        result = (await asyncio.gather(asking, return_exceptions=True))[0]
        yes = isinstance(result, Accepted)
        assert yes == (store.callback is None), f"answer {result}; the callback is {store.callback}"


async def test_d_pressed_one_then_let_go() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        await announcing(store)
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))
        store.engine.runtime.tell(KeyPressed(CUSTOMER, "1"))
        await store.until(lambda: started(store, Release))
        store.engine.runtime.tell(LegEnded(CUSTOMER, 16))
        await store.mended()
        assert store.callback.outcomes == (Outcome.INTERRUPTED,), store.callback


async def test_d2_pressed_one_then_let_go_and_agent_rung() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        await announcing(store)
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))
        store.engine.runtime.tell(KeyPressed(CUSTOMER, "1"))
        await store.until(lambda: started(store, Release))
        await store.mended()
        assert (AGENT_LEG in [r.leg for r in started(store, Release)]), "the lanes then drop the ring"


async def test_e_dial_dropped_after_outage() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        performed = []

        async def perform(effect):
            performed.append(effect)
            return (ResultKind.OK, "") if isinstance(effect, DialCustomer) else (ResultKind.REFUSED, "404")

        lanes = EffectLanes(perform, store.engine.runtime.tell, lambda a: store.dispatcher.is_live(a))
        store.engine.runtime.effects = lanes
        store.guard._effects = lanes
        await store.engine.runtime.submit(asked(1))
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(READY)  # decides the dial of c1-1
        await store.until(lambda: performed)
        store.mend()
        async with asyncio.timeout(5):
            await store.restored.wait()
        lanes.forget_ended()  # as the composition root does
        await store.told(TelephonyReady())
        await store.engine.runtime.submit(READY)
        await lanes.idle()
        await store.engine.settle()
        assert any(isinstance(e, DialCustomer) for e in performed), f"{performed} {store.callback}"


async def test_a_stop_is_forgotten_by_an_outage() -> None:
    async with Store().running() as store:
        await store.engine.runtime.submit(READY)
        await store.engine.runtime.submit(StopRequested())
        await store.engine.runtime.submit(asked(1))
        assert started(store, DialCustomer) == []
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))
        await store.mended()
        await store.told(TelephonyReady())
        assert started(store, DialCustomer) == [], "a stopping engine calls somebody"


async def test_h_slow_commit_of_connect_and_both_give_up() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        await agent_rung(store)
        await store.told(LegEntered(AGENT_LEG))
        store.engine.journal.may_end.clear()
        store.engine.journal.began.clear()
        store.engine.runtime.tell(PlayingFinished(AGENT_LEG, "whisper"))
        await store.until(lambda: store.trouble)
        store.engine.runtime.tell(LegEnded(CUSTOMER, 16))
        store.engine.runtime.tell(LegEnded(AGENT_LEG, 16))
        store.engine.journal.may_end.set()
        await store.mended()
        for flow in list(store.dispatcher.live()):
            await store.told(AttemptSeen(flow.attempt.id, LegSeen.GONE, LegSeen.GONE))
        assert started(store, Connect) == []
        assert store.callback is not None, "they never met, and nobody calls the customer again"


def test_b_older_look_than_entry() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.rings()
    customer.picks_up()  # in the dialplan
    world.lose_telephony()
    before = customer.attempt
    customer.enters()  # heard on the new socket, after the look of Asterisk was made
    assert customer.attempt == before, "the node cannot see by the attempt that the call went on"
    world.see(customer.attempt.id, LegSeen.RINGING)
    world.regain_telephony()
    customer.hears_announcement()
    customer.presses("9")
    world.pass_time(60)
    assert customer.outcomes == () or customer.outcomes == (Outcome.NEVER_AGAIN,), (customer.outcomes, customer.state)


def test_b2_older_look_than_agents_entry() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.lose_telephony()
    before = customer.attempt
    world.agent().picks_up()
    assert customer.attempt == before
    world.see(customer.attempt.id, LegSeen.ENTERED, LegSeen.RINGING)
    world.regain_telephony()
    world.agent().hears_whisper()
    world.pass_time(20)
    assert (customer.state, world.agent().status.presence) == (CallbackState.CONNECTED, Presence.READY)
