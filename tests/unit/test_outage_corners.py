"""The store is down while an engine stops, while customers are let go, and while nobody knows what was written."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.decision import Accepted
from engine.core.effects import Connect, DialCustomer, Effect, Release
from engine.core.events import (
    AttemptSeen,
    CancelRequested,
    KeyPressed,
    LegEnded,
    LegEntered,
    LegSeen,
    MoveRequested,
    NewNumber,
    PlayingFinished,
    ResultKind,
    StopRequested,
    TelephonyReady,
)
from engine.core.terms import CallbackId, CallbackState, Outcome, Presence, Reason
from engine.errors import CommitUnknownError, StoreError
from engine.lanes import EffectLanes
from tests.unit.store_down import AGENT_LEG, Store, agent_rung, announcing, started
from tests.unit.written_engine import AGENT_FIRST, CUSTOMER, READY, asked


@pytest.mark.parametrize("stored", [True, False])
async def test_a_cancellation_whose_commit_is_not_known_is_answered_by_what_is_stored(
    stored: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with Store().running() as store:
        await store.engine.runtime.submit(asked(1))
        store.fail(CommitUnknownError("the disk did not say"))
        cancel = CancelRequested(CallbackId("c1"), Reason.BY_CUSTOMER)
        asking = asyncio.create_task(store.engine.runtime.submit(cancel))
        await store.until(lambda: store.trouble)
        if stored:
            store.engine.journal.durable_groups.append(store.engine.journal.groups[-1])
        await store.mended()
        result = (await asyncio.gather(asking, return_exceptions=True))[0]
        yes = isinstance(result, Accepted)
        assert yes == (store.callback is None), f"answer {result}; the callback is {store.callback}"


@pytest.mark.parametrize("stored", [True, False])
async def test_another_number_whose_commit_is_not_known_is_answered_by_what_is_stored(
    stored: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async with Store().running() as store:
        await store.engine.runtime.submit(asked(1))
        store.fail(CommitUnknownError("the disk did not say"))
        other = MoveRequested(CallbackId("c1"), number=NewNumber("+12025559999"))
        asking = asyncio.create_task(store.engine.runtime.submit(other))
        await store.until(lambda: store.trouble)
        if stored:
            store.engine.journal.durable_groups.append(store.engine.journal.groups[-1])
        await store.mended()
        result = (await asyncio.gather(asking, return_exceptions=True))[0]
        assert isinstance(result, Accepted if stored else StoreError)
        assert store.callback is not None
        assert (store.callback.request.phone == "+12025559999") == stored


async def test_who_pressed_1_during_the_outage_and_was_let_go_is_called_again() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        await announcing(store)
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))
        store.engine.runtime.tell(KeyPressed(CUSTOMER, "1"))
        await store.until(lambda: started(store, Release))
        store.engine.runtime.tell(LegEnded(CUSTOMER, 16))
        await store.mended()
        assert store.callback is not None
        assert store.callback.outcomes == (Outcome.INTERRUPTED,)


async def test_the_agent_of_who_pressed_1_and_was_let_go_is_let_go_too() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        await announcing(store)
        store.fail()
        with pytest.raises(StoreError):
            await store.engine.runtime.submit(asked(2))
        store.engine.runtime.tell(KeyPressed(CUSTOMER, "1"))
        await store.until(lambda: started(store, Release))
        await store.mended()
        released = [effect.leg for effect in started(store, Release) if isinstance(effect, Release)]
        assert AGENT_LEG in released, "the lanes then drop the ring"


@pytest.mark.parametrize("answers", [False, True])
async def test_an_agent_who_is_rung_first_is_let_go_and_the_customer_waits_as_if_nothing_had_happened(
    answers: bool,  # noqa: FBT001 - in the moment in which nothing can be written
) -> None:
    async with Store(limit_seconds=0.1, configuration=AGENT_FIRST).running() as store:
        await store.engine.runtime.submit(READY)
        await store.engine.runtime.submit(asked(1))
        assert store.attempt.dialed_at is None
        store.fail()
        if answers:
            store.engine.runtime.tell(LegEntered(AGENT_LEG))
        else:
            with pytest.raises(StoreError):
                await store.engine.runtime.submit(asked(2))
        await store.until(lambda: store.trouble)
        assert started(store, DialCustomer) == [], "the dial is not written"

        await store.until(lambda: started(store, Release))
        store.engine.runtime.tell(LegEnded(AGENT_LEG, 16))
        await store.mended()

        assert AGENT_LEG in {effect.leg for effect in started(store, Release) if isinstance(effect, Release)}
        assert started(store, DialCustomer) == []
        assert store.callback is not None
        assert (store.callback.state, store.callback.outcomes) == (CallbackState.QUEUED, ())
        [amy] = store.dispatcher.desks.statuses()
        assert (amy.presence, amy.work) == (Presence.READY, None), "nobody blames them"


async def test_an_attempt_that_was_let_go_before_it_was_written_is_dialled_after_the_outage() -> None:
    async with Store(limit_seconds=0.1).running() as store:
        performed: list[Effect] = []

        async def perform(effect: Effect) -> tuple[ResultKind, str]:
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


async def test_a_stop_is_remembered_through_an_outage() -> None:
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


async def test_who_gives_up_while_the_commit_of_their_bridge_hangs_is_called_again() -> None:
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
