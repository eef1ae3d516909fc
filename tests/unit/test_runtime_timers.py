"""When timers fire: not before they are armed, in order, once, and whatever the clock does."""

from __future__ import annotations

import pytest

from engine.core.changes import TimerCleared
from engine.core.events import (
    CancelRequested,
    LegEntered,
    TelephonyLost,
    TelephonyReady,
    TimerFired,
)
from engine.core.records import Timer
from engine.core.terms import CallbackId, Reason
from tests.unit.written_engine import (
    BILLING,
    CUSTOMER,
    READY,
    START,
    Engine,
    asked,
)


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


async def test_timers_that_were_cleared_are_not_listed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.due_timers.BEFORE_A_SWEEP", 10)
    engine = Engine(timer("later", 60))
    async with engine.running():
        engine.runtime.arm_timers()
        for n in range(100):
            await engine.runtime.submit(asked(n))
            await engine.runtime.submit(CancelRequested(CallbackId(f"c{n}"), Reason.BY_CUSTOMER))
        assert len(engine.runtime._due) <= 10
        await engine.runtime.submit(asked(100))
        engine.now += BILLING.life_seconds
        await engine.settle()
    assert [name for name in engine.fired if name == "later"] == ["later"]
    assert engine.runtime.dispatcher.book.get(CallbackId("c100")) is None
