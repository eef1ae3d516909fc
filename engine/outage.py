"""Outlasts a store that cannot be written: lets go of those who would wait for nobody, and goes on when it answers.

A failed commit ends `Runtime.run`. Nothing is decided from then on, so no request is taken and nobody is called.
Customers who have not confirmed are released once the store has been down for `limit_seconds`; whoever waits with music
keeps it, who rang in and is asked something gets it, and conversations are left alone. When the store takes writes
again, a new dispatcher is made from the journal and what happened meanwhile is decided on again; then Asterisk is
looked at as after a start.

If the process dies on the way: before a release, the next start finds the legs and goes on with them; after it, the
next start finds them gone and calls again after the normal interval. Conversations need nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

import structlog

from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Release
from engine.core.events import AttemptLetGo
from engine.core.terms import AttemptId
from engine.errors import StoreError
from engine.runtime import Effects, Runtime

log = structlog.get_logger()

LOOK_SECONDS = 0.5
"""Between two tries whether the store takes writes."""
WATCH_SECONDS = 0.25
SETTLE_SECONDS = 12.0
"""The longest wait for effects under way; each ends by itself earlier, with looks at Asterisk."""


class StoreGuard:
    """Runs the runtime.

    `reload` proves that the store takes writes and reads it anew, or raises StoreError. `settled` waits until every
    effect that was begun has ended: a bridge that is still being made must not be looked for too early.
    """

    def __init__(
        self,
        runtime: Runtime,
        effects: Effects,
        reload: Callable[[], Awaitable[Dispatcher]],
        *,
        limit_seconds: float,
        settled: Callable[[], Awaitable[None]],
        restored: Callable[[], None],
        down: Callable[[str], None] = lambda _kind: None,
    ) -> None:
        self.trouble: str | None = None
        self._runtime = runtime
        self._effects = effects
        self._reload = reload
        self._limit_seconds = limit_seconds
        self._settled = settled
        self._restored = restored
        self._down = down
        self._let_go: set[AttemptId] = set()
        self._comforted: set[AttemptId] = set()

    async def run(self) -> NoReturn:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="watch on the store")
            while True:
                try:
                    await self._runtime.run()
                except StoreError as error:
                    await self._outlast(error)

    def release_unconfirmed(self) -> None:
        """Let go, unwritten, of every customer who would wait for nobody, and give music to callers who are asked
        something; each once.
        """
        for flow in list(self._runtime.dispatcher.live()):
            attempt = flow.call.id
            if attempt in self._let_go or not (effects := _letting_go(flow)):
                continue
            self._let_go.add(attempt)
            self._runtime.tell(AttemptLetGo(attempt))
            for effect in effects:
                self._effects.start(effect)
        for caller in list(self._runtime.dispatcher.callers()):
            if caller.phase in (Phase.ASKING, Phase.CLOSING) and caller.call.id not in self._comforted:
                # Nobody hears their answer, or it could not be kept: they would wait in silence. To whom the last words
                # are being said, no music is played any more.
                self._comforted.add(caller.call.id)
                self._effects.start(caller.music_now())

    async def _watch(self) -> None:
        """A commit that hangs fails nothing and answers nobody: after the limit it counts as a store that is down."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            since = self._runtime.unwritten_since
            if since is None or time.monotonic() - since < self._limit_seconds:
                continue
            if self._runtime.accepting:
                self._tell_down(f"a commit has not ended for {self._limit_seconds:.0f} s", "slow")
                self._runtime.close_intake()
            self.release_unconfirmed()

    async def _outlast(self, error: StoreError) -> None:
        if self.trouble is None:
            self._tell_down(str(error), "failed")
        since = self._runtime.unwritten_since or time.monotonic()
        while True:
            try:
                dispatcher = await self._reload()
                break
            except StoreError as still:
                if str(still) != self.trouble:
                    log.error("store.down", why=str(still))
                self.trouble = str(still)
            await asyncio.sleep(LOOK_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._settled()
        self._runtime.restore(dispatcher)
        log.warning("store.up", down_seconds=round(time.monotonic() - since, 1), customers_let_go=len(self._let_go))
        self.trouble = None
        self._let_go.clear()
        self._comforted.clear()
        self._restored()

    def _tell_down(self, why: str, kind: str) -> None:
        self.trouble = why
        log.error("store.down", why=why)
        self._down(kind)


def _letting_go(flow: CallFlow) -> list[Release]:
    """What releases a customer who has not confirmed, and an agent who was rung for one; nothing for the others.

    Who pressed a key that ends the call waits for words that cannot be said before the wish is written. Who rang in is
    not asked for: they may go on waiting, with Asterisk's music.
    """
    if flow.phase in (Phase.RINGING_FIRST, Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING):
        return [each for each in flow.end_politely(time.time()).effects if isinstance(each, Release)]
    return [flow.release_now()] if flow.phase is Phase.CLOSING else []
