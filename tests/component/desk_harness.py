"""Agents at their desks behind the real HTTP side: each with a key of their own, and calls that go as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse

from engine.api.endpoints import PREFIX
from engine.core.effects import Connect, DialCustomer, Play, RingAgent
from engine.core.events import (
    EffectEnded,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    PlayingFinished,
    ResultKind,
    TimerFired,
)
from engine.core.switchboard import WRAP_UP
from engine.core.terms import AgentId, LegId
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT, DOCUMENT, PHONE, Api, running_api
from tests.component.slot_harness import Clock

BEN = "ben"
DISPOSITIONS = [
    {"id": "sold", "name": "Sold"},
    {"id": "complaint", "name": "Complaint", "services": ["hidden"]},
    {"id": "paid", "name": "Paid", "kind": "outcome", "services": ["billing"]},
]


def desk_document() -> dict[str, Any]:
    """The harness's document: previews for `billing`, business hours, two agents who also take chats, and codes."""
    document = deepcopy(DOCUMENT)
    document["calendars"] = [
        {"id": "office", "timezone": "America/New_York", "weekly": {"mon-fri": ["09:00-17:00"]}},
    ]
    document["services"][0] |= {"connect": "preview", "preview_seconds": 20, "calendar": "office"}
    document["agents"] = [
        {
            "id": agent,
            "name": agent.capitalize(),
            "endpoint": f"PJSIP/{agent}",
            "skills": {"billing": 5, "hidden": 1},
            "capacity_rule": "voice <= 1 and chat <= 2",
        }
        for agent in (AGENT, BEN)
    ]
    document["dispositions"] = deepcopy(DISPOSITIONS)
    return document


@dataclass
class Floor:
    """The agents' side of an API. `clock` stands still until a test sets it."""

    api: Api
    clock: Clock
    keys: dict[str, str] = field(default_factory=dict)

    async def as_agent(
        self, method: str, path: str, json: object = None, *, agent: str = AGENT, data: str | None = None
    ) -> ClientResponse:
        """One request below /agent with the agent's own key."""
        headers = {"Authorization": f"Bearer {self.keys[agent]}"}
        return await self.api.ask(method, f"{PREFIX}/agent{path}", role=None, json=json, headers=headers, data=data)

    async def desk(self, agent: str = AGENT) -> dict[str, Any]:
        """What the agent sees."""
        return await answered(await self.as_agent("GET", "", agent=agent))

    async def ready(self, agent: str = AGENT) -> dict[str, Any]:
        """The agent takes work, and what they see then."""
        return await answered(await self.as_agent("PUT", "/state", {"state": "ready"}, agent=agent))

    async def previewed(self, agent: str = AGENT, **fields: object) -> str:
        """A customer asks, and the agent is asked about them; the id of the work."""
        await self.api.accepted(**fields)
        work = (await self.ready(agent))["work"]
        assert work["stage"] == "offered"
        return str(work["id"])

    async def talks(self, work: str) -> None:
        """The agent accepts the preview, the customer answers and presses 1: they are connected."""
        await answered(await self.as_agent("POST", f"/work/{work}/accept"))
        customer, agent = LegId(f"{work}.customer"), LegId(f"{work}.agent.1")
        await self._done(DialCustomer)
        for happened in (LegRinging, LegAnswered, LegEntered):
            await self.api.engine.submit(happened(customer))
        await self.api.engine.submit(KeyPressed(customer, "1"))
        await self._done(RingAgent)
        for happened in (LegAnswered, LegEntered):
            await self.api.engine.submit(happened(agent))
        whisper = [effect for effect in self.api.engine.effects if isinstance(effect, Play)][-1]
        assert whisper.leg == agent
        await self.api.engine.submit(PlayingFinished(agent, whisper.tag))
        await self._done(Connect)

    async def hangs_up(self, work: str) -> None:
        """Customer and agent hang up: wrap-up begins."""
        for leg in (f"{work}.customer", f"{work}.agent.1"):
            await self.api.engine.submit(LegEnded(LegId(leg), 16))

    async def wrap_up_ends(self, agent: str = AGENT) -> None:
        """Its time is over."""
        self.clock.at += 30
        await self.api.engine.submit(TimerFired(AgentId(agent), WRAP_UP))

    async def call_is_over(self, phone: str = PHONE, agent: str = AGENT) -> str:
        """A customer was called and has hung up, and the agent's wrap-up is over; the id of the work."""
        work = await self.previewed(agent, phone=phone)
        await self.talks(work)
        await self.hangs_up(work)
        await self.wrap_up_ends(agent)
        return work

    async def _done(self, kind: type[DialCustomer | RingAgent | Connect]) -> None:
        effect = [effect for effect in self.api.engine.effects if isinstance(effect, kind)][-1]
        await self.api.engine.submit(EffectEnded(effect, ResultKind.OK))


async def answered(response: ClientResponse, status: int = 200) -> dict[str, Any]:
    """The body of an answer with this status."""
    assert response.status == status, await response.text()
    body: dict[str, Any] = await response.json()
    return body


@asynccontextmanager
async def running_floor(folder: Path, document: dict[str, Any] | None = None) -> AsyncIterator[Floor]:
    """A floor with Amy and Ben, nobody logged in, on a Wednesday morning."""
    clock = Clock()
    async with running_api(folder, document=document or desk_document(), clock=clock) as api:
        floor = Floor(api, clock, {AGENT: api.keys[KeyRole.AGENT]})
        wanted = {"name": "Ben", "role": "agent", "subject": BEN}
        floor.keys[BEN] = (await answered(await api.ask("POST", f"{PREFIX}/keys", json=wanted), 201))["key"]
        yield floor
