"""Effects of one attempt run in order, attempts side by side; a release overtakes and cancels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.core.effects import Connect, DialCustomer, Dismantle, Effect, Farewell, Play, Release, RingAgent, Voice
from engine.core.events import EffectEnded, ResultKind
from engine.core.records import Attempt
from engine.core.terms import AgentId, AttemptId, CallbackId, LegId, PromptId, ServiceId
from engine.lanes import EffectLanes

VOICE = Voice(ServiceId("billing"), "en")
OK = ResultKind.OK


def attempt(name: str) -> Attempt:
    return Attempt(AttemptId(name), CallbackId(name.partition("-")[0]), 1, None, 0.0, agent_legs=1)


ONE, TWO = attempt("c1-1"), attempt("c2-1")
CUSTOMER, AGENT = ONE.customer_leg, ONE.agent_leg


def dial(of: Attempt = ONE) -> DialCustomer:
    return DialCustomer(of.id, of.customer_leg, "+12025550100", None, VOICE, 20.0, 200.0)


def ring(of: Attempt = ONE) -> RingAgent:
    return RingAgent(of.id, of.agent_leg, AgentId("amy"), "PJSIP/a", "+12025550100", VOICE, 15.0, 60.0)


def play(of: Attempt = ONE, tag: str = "announcement.1") -> Play:
    return Play(of.id, of.customer_leg, (PromptId.ANNOUNCE,), VOICE, tag)


def connect(of: Attempt = ONE) -> Connect:
    return Connect(of.id, of.bridge, of.customer_leg, of.agent_leg, 3600.0, 60.0)


def release(leg: LegId = CUSTOMER, of: Attempt = ONE) -> Release:
    return Release(of.id, leg, (), VOICE)


class Outside:
    """Whoever performs: each effect waits until the test lets it end."""

    def __init__(self) -> None:
        self.live = {ONE.id, TWO.id}
        self.begun: list[Effect] = []
        self.told: list[EffectEnded] = []
        self.results: dict[type[Effect], tuple[ResultKind, str] | Exception] = {}
        self._ends: dict[int, asyncio.Event] = {}
        self._moved = asyncio.Event()
        self.lanes = EffectLanes(self._perform, self.told.append, lambda each: each in self.live)

    async def _perform(self, effect: Effect) -> tuple[ResultKind, str]:
        self.begun.append(effect)
        end = self._ends.setdefault(id(effect), asyncio.Event())
        self._moved.set()
        await end.wait()
        result = self.results.get(type(effect), (OK, ""))
        if isinstance(result, Exception):
            raise result
        return result

    def may_end(self, *effects: Effect) -> None:
        for effect in effects:
            self._ends.setdefault(id(effect), asyncio.Event()).set()

    async def until_begun(self, *effects: Effect) -> None:
        while not all(any(each is begun for begun in self.begun) for each in effects):
            self._moved.clear()
            await self._moved.wait()

    async def all_end(self) -> None:
        """Whatever is under way or comes to its turn ends."""
        idle = asyncio.ensure_future(self.lanes.idle())
        while not idle.done():
            self.may_end(*self.begun)
            await asyncio.sleep(0)

    @property
    def ended(self) -> list[Effect]:
        return [each.effect for each in self.told]


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside()
    yield made
    await made.all_end()
    assert made.lanes._lanes == {}
    assert made.lanes._tasks == set()


async def test_effects_of_one_attempt_run_one_after_another_in_order(outside: Outside) -> None:
    first, second, third = dial(), play(), connect()
    for effect in (first, second, third):
        outside.lanes.start(effect)
    await outside.until_begun(first)
    assert outside.begun == [first]
    await outside.all_end()
    assert outside.begun == outside.ended == [first, second, third]


async def test_attempts_run_side_by_side(outside: Outside) -> None:
    slow, other = dial(ONE), dial(TWO)
    outside.lanes.start(slow)
    outside.lanes.start(other)
    await outside.until_begun(slow, other)
    outside.may_end(other)
    behind = play(TWO)
    outside.lanes.start(behind)
    await outside.until_begun(behind)
    assert outside.ended == [other]


async def test_a_release_overtakes_and_cancels_what_is_queued_for_its_leg(outside: Outside) -> None:
    under_way, queued, bridge, agent, hang_up = dial(), play(), connect(), ring(), release()
    outside.lanes.start(under_way)
    await outside.until_begun(under_way)
    for effect in (queued, bridge, agent, hang_up):
        outside.lanes.start(effect)
    await outside.all_end()
    assert outside.begun == outside.ended == [under_way, hang_up, agent]


async def test_a_farewell_overtakes_as_a_release_does(outside: Outside) -> None:
    under_way, queued = dial(), play()
    last_words = Farewell(ONE.id, CUSTOMER, (PromptId.CANCEL_CONFIRMED,), VOICE)
    outside.lanes.start(under_way)
    await outside.until_begun(under_way)
    for effect in (queued, last_words):
        outside.lanes.start(effect)
    await outside.all_end()
    assert outside.begun == outside.ended == [under_way, last_words]


async def test_a_dial_that_is_queued_when_its_leg_is_released_is_never_performed_and_told_as_refused(
    outside: Outside,
) -> None:
    under_way, never, hang_up = play(), ring(), release(AGENT)
    outside.lanes.start(under_way)
    await outside.until_begun(under_way)
    for effect in (never, hang_up):
        outside.lanes.start(effect)
    await outside.all_end()
    assert outside.begun == [under_way, hang_up]
    assert [each.result for each in outside.told if each.effect == never] == [ResultKind.REFUSED]


@pytest.mark.parametrize("late", [dial(), play(), connect()])
async def test_an_effect_that_comes_after_the_release_was_carried_out_is_never_performed(
    outside: Outside, late: Effect
) -> None:
    hang_up = release()
    outside.lanes.start(hang_up)
    await outside.all_end()
    outside.lanes.start(late)
    await outside.all_end()
    assert outside.begun == [hang_up]
    assert [each.effect for each in outside.told[1:]] == ([late] if isinstance(late, DialCustomer) else [])


async def test_a_released_agent_does_not_keep_the_next_agent_from_being_rung(outside: Outside) -> None:
    again = Attempt(ONE.id, ONE.callback, 1, None, 0.0, agent_legs=2)
    hang_up, next_agent = release(AGENT), ring(again)
    outside.lanes.start(hang_up)
    await outside.all_end()
    outside.lanes.start(next_agent)
    await outside.all_end()
    assert outside.ended == [hang_up, next_agent]


async def test_effects_of_an_attempt_that_has_ended_are_dropped_but_its_legs_are_let_go(outside: Outside) -> None:
    under_way, dropped, hang_up, bridge = play(), dial(), release(AGENT), Dismantle(ONE.id, ONE.bridge)
    for effect in (under_way, dropped, bridge):
        outside.lanes.start(effect)
    await outside.until_begun(under_way)
    outside.live.discard(ONE.id)
    outside.lanes.start(hang_up)
    await outside.all_end()
    assert outside.ended == [under_way, hang_up, bridge]


async def test_the_end_of_each_effect_is_told_with_result_and_detail(outside: Outside) -> None:
    outside.results = {DialCustomer: (ResultKind.REFUSED, "500 Allocation failed"), Play: (ResultKind.UNKNOWN, "cut")}
    first, second = dial(), play()
    outside.lanes.start(first)
    outside.lanes.start(second)
    await outside.all_end()
    assert outside.told == [
        EffectEnded(first, ResultKind.REFUSED, "500 Allocation failed"),
        EffectEnded(second, ResultKind.UNKNOWN, "cut"),
    ]


async def test_a_defect_in_performing_ends_as_unknown_and_the_lane_goes_on(outside: Outside) -> None:
    outside.results = {DialCustomer: ValueError("a defect")}
    first, second = dial(), play()
    outside.lanes.start(first)
    outside.lanes.start(second)
    await outside.all_end()
    assert [each.result for each in outside.told] == [ResultKind.UNKNOWN, OK]


async def test_what_was_released_is_forgotten_once_its_attempt_is_over(outside: Outside) -> None:
    outside.lanes.start(release())
    await outside.all_end()
    outside.live.discard(ONE.id)
    outside.lanes.start(release(TWO.customer_leg, TWO))
    await outside.all_end()
    assert set(outside.lanes._released) == {TWO.id}
