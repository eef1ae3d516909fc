"""Carries out effects: those of one attempt one after another, attempts side by side.

Every effect that was started ends as an EffectEnded event, except one that is dropped because its attempt or its leg
is over; a dial that is dropped while its attempt lives is told as refused, since it is known that nobody rang.

A release waits only for the effect under way: what is queued for the same leg is cancelled, since a leg that is let go
must neither be rung nor played to afterwards. That holds also for an effect that comes after the release was carried
out: a dial waits for its commit, and the release of a later decision in the same group does not.

If the process dies before an effect, its decision is in the journal and the look at Asterisk after the next start finds
that nothing happened; if it dies after, the same look finds the leg. Nothing is repeated from here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from engine import crash_points
from engine.core.effects import (
    AnswerCaller,
    CheckNumber,
    Connect,
    CountAudio,
    DialCustomer,
    Dismantle,
    Effect,
    Farewell,
    Limit,
    Listen,
    Record,
    Release,
    RingAgent,
)
from engine.core.events import EffectEnded, ResultKind
from engine.core.terms import AttemptId, LegId

log = structlog.get_logger()

Perform = Callable[[Effect], Awaitable[tuple[ResultKind, str]]]


class EffectLanes:
    """One lane for each attempt that has effects; a lane ends when it is empty."""

    def __init__(
        self,
        perform: Perform,
        report: Callable[[EffectEnded], None],
        is_live: Callable[[AttemptId], bool],
        *,
        observe: Callable[[str, str], None] = lambda _effect, _result: None,
    ) -> None:
        self._perform = perform
        self._report = report
        self._is_live = is_live
        self._observe = observe
        self._lanes: dict[AttemptId, deque[Effect]] = {}
        self._released: dict[AttemptId, set[LegId]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, effect: Effect) -> None:
        """Queue an effect behind those of its attempt; a release goes before them."""
        lane = self._lanes.get(effect.attempt)
        if lane is None:
            lane = self._lanes[effect.attempt] = deque()
            task = asyncio.create_task(self._run(effect.attempt, lane), name=f"effects {effect.attempt}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if isinstance(effect, Release | Farewell):
            self._remember(effect.attempt, effect.leg)
            for cancelled in [each for each in lane if effect.leg in _legs(each)]:
                lane.remove(cancelled)
                self._drop(cancelled)
            lane.appendleft(effect)
        else:
            lane.append(effect)

    def forget_ended(self) -> None:
        """The dispatcher is a new one: what it does not know may be made again, under the same names."""
        for ended in [each for each in self._released if not self._is_live(each)]:
            del self._released[ended]

    async def idle(self) -> None:
        """Wait until every lane is empty."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _run(self, attempt: AttemptId, lane: deque[Effect]) -> None:
        try:
            while lane:
                effect = lane.popleft()
                if self._is_stale(effect):
                    self._drop(effect)
                    continue
                about = partial(_concerned, effect)
                crash_points.reached(f"{type(effect).__name__}.before", about)
                try:
                    result, detail = await self._perform(effect)
                except Exception:
                    # The attempt must go on to an end even if this effect met a defect of ours.
                    log.exception("effect.failed", effect=type(effect).__name__, attempt=attempt)
                    result, detail = ResultKind.UNKNOWN, "internal error"
                crash_points.reached(f"{type(effect).__name__}.after", about)
                if result is not ResultKind.OK and not isinstance(effect, Dismantle | Release | Farewell):
                    log.warning("effect.not_done", effect=type(effect).__name__, attempt=attempt, why=detail)
                self._observe(type(effect).__name__, result)
                self._report(EffectEnded(effect, result, detail))
        finally:
            del self._lanes[attempt]

    def _is_stale(self, effect: Effect) -> bool:
        if isinstance(effect, Release | Farewell | Dismantle):
            return False
        released = self._released.get(effect.attempt, ())
        return not self._is_live(effect.attempt) or any(leg in released for leg in _legs(effect))

    def _drop(self, effect: Effect) -> None:
        log.info("effect.dropped", effect=type(effect).__name__, attempt=effect.attempt)
        if isinstance(effect, DialCustomer | RingAgent) and self._is_live(effect.attempt):
            self._report(EffectEnded(effect, ResultKind.REFUSED, "let go before it was dialled"))

    def _remember(self, attempt: AttemptId, leg: LegId) -> None:
        """Keep the legs that were let go for as long as their attempt lives; after it nothing is done anyway."""
        self.forget_ended()
        self._released.setdefault(attempt, set()).add(leg)


def _legs(effect: Effect) -> tuple[LegId, ...]:
    match effect:
        case Connect(customer=customer, agent=agent):
            return customer, agent
        case Dismantle() | Record():
            return ()
        case _:
            return (effect.leg,)


def _concerned(effect: Effect) -> tuple[str, ...]:
    """The service an effect speaks for, as a crash point names it."""
    if isinstance(effect, Connect | CountAudio | Dismantle | Limit | Listen | AnswerCaller):
        return ()
    return (effect.service,) if isinstance(effect, CheckNumber) else (effect.voice.service,)
