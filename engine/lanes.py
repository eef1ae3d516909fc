"""Carries out effects: those of one attempt one after another, attempts side by side.

Every effect that was started ends as an EffectEnded event, except one that is dropped because its attempt or its leg
is over. A release waits only for the effect under way: what is queued for the same leg is cancelled, since a leg that
is let go must neither be rung nor played to afterwards.

If the process dies before an effect, its decision is in the journal and the look at Asterisk after the next start finds
that nothing happened; if it dies after, the same look finds the leg. Nothing is repeated from here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from engine.core.effects import Connect, Dismantle, Effect, Farewell, Release
from engine.core.events import EffectEnded, ResultKind
from engine.core.model import AttemptId, LegId

log = structlog.get_logger()

Perform = Callable[[Effect], Awaitable[tuple[ResultKind, str]]]


@dataclass(slots=True)
class _Lane:
    waiting: deque[Effect] = field(default_factory=deque)
    released: set[LegId] = field(default_factory=set)


class EffectLanes:
    """One lane for each attempt that has effects; a lane ends when it is empty."""

    def __init__(
        self,
        perform: Perform,
        report: Callable[[EffectEnded], None],
        is_live: Callable[[AttemptId], bool],
    ) -> None:
        self._perform = perform
        self._report = report
        self._is_live = is_live
        self._lanes: dict[AttemptId, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, effect: Effect) -> None:
        """Queue an effect behind those of its attempt; a release goes before them."""
        lane = self._lanes.get(effect.attempt)
        if lane is None:
            lane = self._lanes[effect.attempt] = _Lane()
            task = asyncio.create_task(self._run(effect.attempt, lane), name=f"effects {effect.attempt}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if isinstance(effect, Release | Farewell):
            lane.released.add(effect.leg)
            lane.waiting = deque(each for each in lane.waiting if effect.leg not in _legs(each))
            lane.waiting.appendleft(effect)
        else:
            lane.waiting.append(effect)

    async def idle(self) -> None:
        """Wait until every lane is empty."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _run(self, attempt: AttemptId, lane: _Lane) -> None:
        try:
            while lane.waiting:
                effect = lane.waiting.popleft()
                if self._is_stale(effect, lane):
                    log.info("effect.dropped", effect=type(effect).__name__, attempt=attempt)
                    continue
                try:
                    result, detail = await self._perform(effect)
                except Exception:
                    # The attempt must go on to an end even if this effect met a defect of ours.
                    log.exception("effect.failed", effect=type(effect).__name__, attempt=attempt)
                    result, detail = ResultKind.UNKNOWN, "internal error"
                self._report(EffectEnded(effect, result, detail))
        finally:
            del self._lanes[attempt]

    def _is_stale(self, effect: Effect, lane: _Lane) -> bool:
        if isinstance(effect, Release | Farewell | Dismantle):
            return False
        return not self._is_live(effect.attempt) or any(leg in lane.released for leg in _legs(effect))


def _legs(effect: Effect) -> tuple[LegId, ...]:
    match effect:
        case Connect(customer=customer, agent=agent):
            return customer, agent
        case Dismantle():
            return ()
        case _:
            return (effect.leg,)
