"""People who ring in, behind the real HTTP side: what Asterisk would report of their calls is told as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from engine.api.endpoints import PREFIX
from engine.core.effects import Connect, Play, RingAgent
from engine.core.events import (
    CallerEntered,
    EffectEnded,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    NewNumber,
    PlayingFinished,
    ResultKind,
)
from engine.core.terms import AttemptId, LegId
from tests.component.api_harness import AGENT, PHONE
from tests.component.desk_harness import Floor, answered, desk_document, running_floor

DIALLED = "+12025550100"
NEW_YORK = "America/New_York"


def inbound_document() -> dict[str, Any]:
    """The desks' document; `billing` also takes calls, all that come in."""
    document = desk_document()
    document["services"][0]["inbound"] = {}
    return document


def rings_in(call: str, phone: str | None = PHONE, dialled: str = DIALLED) -> CallerEntered:
    """Somebody rings in; `phone` None: with a number that nobody can call."""
    number = None if phone is None else NewNumber(phone, (NEW_YORK,))
    return CallerEntered(AttemptId(call), LegId(f"pbx-{call}"), dialled, number)


@dataclass
class Callers:
    """The callers' side of a floor."""

    floor: Floor
    _names: count[int] = field(default_factory=lambda: count(1))

    async def rings_in(self, phone: str | None = PHONE, dialled: str = DIALLED) -> str:
        """Somebody rings in; what their call is called."""
        call = f"calltest-{next(self._names)}"
        await self.floor.api.engine.submit(rings_in(call, phone, dialled))
        return call

    async def presses(self, call: str, keys: str) -> None:
        for key in keys:
            await self.floor.api.engine.submit(KeyPressed(LegId(f"pbx-{call}"), key))

    async def hangs_up(self, call: str) -> None:
        await self.floor.api.engine.submit(LegEnded(LegId(f"pbx-{call}"), 16))

    async def agent_answers(self, call: str) -> None:
        """The agent's phone, which rings, is picked up, and they hear the whisper: the two are connected."""
        engine = self.floor.api.engine
        ringing = [effect for effect in engine.effects if isinstance(effect, RingAgent)][-1]
        assert ringing.attempt == call
        for happened in (LegAnswered, LegEntered):
            await engine.submit(happened(ringing.leg))
        whisper = [effect for effect in engine.effects if isinstance(effect, Play)][-1]
        assert whisper.leg == ringing.leg
        await engine.submit(PlayingFinished(ringing.leg, whisper.tag))
        connect = [effect for effect in engine.effects if isinstance(effect, Connect)][-1]
        await engine.submit(EffectEnded(connect, ResultKind.OK))

    async def talks(self, phone: str | None = PHONE, agent: str = AGENT) -> str:
        """Somebody rings in while the agent is ready, and they talk; what the call is called."""
        await self.floor.ready(agent)
        call = await self.rings_in(phone)
        await self.agent_answers(call)
        return call

    async def call_is_over(self, phone: str | None = PHONE) -> str:
        """The same, and they have parted; the agent's wrap-up is over."""
        call = await self.talks(phone)
        await self.hangs_up(call)
        await self.floor.wrap_up_ends()
        return call

    async def seen(self, call: str) -> dict[str, Any]:
        """What staff see of a call."""
        return await answered(await self.floor.api.ask("GET", f"{PREFIX}/inbound/{call}"))

    async def listed(self, query: str = "") -> list[dict[str, Any]]:
        """The first page of the staff's list."""
        found = await answered(await self.floor.api.ask("GET", f"{PREFIX}/inbound{query}"))
        items: list[dict[str, Any]] = found["items"]
        return items


@asynccontextmanager
async def running_callers(folder: Path, document: dict[str, Any] | None = None) -> AsyncIterator[Callers]:
    """A floor that takes calls: Amy and Ben, nobody logged in, on a Wednesday morning."""
    async with running_floor(folder, document or inbound_document()) as floor:
        yield Callers(floor)
