"""Keeps one session with an Asterisk's manager interface: connects, serves, waits and connects again.

Each session begins anew: nothing of the one before is sent again. A refused login is tried again slowly, since only an
operator can mend it; anything else with the backoff of ARI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from engine.asterisk.ami.session import AmiSession, AmiSettings, LoginRefusedError, NoAmiError
from engine.asterisk.ami.wire import Fields
from engine.asterisk.ari.backoff import Backoff

log = structlog.get_logger()

REFUSED_SECONDS = 60.0
"""Between two logins after a refused one."""
STEADY_SECONDS = 10.0
"""A session that lasted so long was a good one: the backoff begins anew after it."""


class AmiLink:
    """`serve` is called with each session and works on it until it is lost; `lost` is told why, once for each.

    `trouble`: why there is no session; None while there is one that is served.
    """

    def __init__(
        self,
        name: str,
        settings: AmiSettings,
        *,
        serve: Callable[[AmiSession], Coroutine[object, object, None]],
        on_event: Callable[[Fields], None],
        lost: Callable[[str], None],
        backoff: Backoff | None = None,
        refused_seconds: float = REFUSED_SECONDS,
    ) -> None:
        self.trouble: str | None = "not connected yet"
        self._name = name
        self._settings = settings
        self._serve = serve
        self._on_event = on_event
        self._tell_lost = lost
        self._backoff = backoff or Backoff(first_seconds=0.5, ceiling_seconds=30.0)
        self._refused_seconds = refused_seconds
        self._told: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                await self._one_session()
            except LoginRefusedError as error:
                self._away(str(error))
                await asyncio.sleep(self._refused_seconds)
                continue
            except NoAmiError as error:
                self._away(str(error))
            failures = 1 if loop.time() - began > STEADY_SECONDS else failures + 1
            await asyncio.sleep(self._backoff.delay_seconds(failures))

    async def _one_session(self) -> None:
        """Raises NoAmiError with why it was lost, and what `AmiSession.open` raises."""
        async with await AmiSession.open(self._settings, self._on_event) as session:
            log.info("ami.connected", node=self._name)
            self.trouble = self._told = None
            serving = asyncio.create_task(self._serve(session), name=f"work with AMI of {self._name}")
            losing = asyncio.create_task(session.lost(), name=f"watch on AMI of {self._name}")
            try:
                await asyncio.wait([serving, losing], return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    serving.result()  # a defect is not hidden
                why = losing.result() if losing.done() else "given up"
            finally:
                for each in (serving, losing):
                    each.cancel()
                await asyncio.gather(serving, losing, return_exceptions=True)
        self._tell_lost(why)
        raise NoAmiError(f"AMI at {self._settings.where} was lost ({why}); trying again")

    def _away(self, why: str) -> None:
        """One line for each new reason; `/readyz` keeps saying it."""
        self.trouble = why
        if why != self._told:
            log.error("ami.away", node=self._name, why=why)
        self._told = why
