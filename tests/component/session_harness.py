"""Agents with usernames and passwords behind the real HTTP side: they log in, and their screens hold streams."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientWebSocketResponse, WSMsgType

from engine.api.endpoints import PREFIX
from engine.config import AgentSettings, HttpSettings
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT, running_api
from tests.component.desk_harness import BEN, Floor, answered, desk_document
from tests.component.slot_harness import Clock

PASSWORD = "correct horse battery"
OURS = "http://127.0.0.1:8080"
"""The origin of the settings' own `public_url`."""
FOREIGN = "https://elsewhere.example"


def login_document() -> dict[str, Any]:
    """The desks' document; both agents have usernames, which are not their ids."""
    document = desk_document()
    for agent in document["agents"]:
        agent["username"] = f"{agent['id']}-desk"
    return document


@dataclass
class Office(Floor):
    """A floor whose agents log in. Amy has a password, Ben has none."""

    async def log_in(
        self, username: str = "amy-desk", password: str = PASSWORD, headers: Mapping[str, str] | None = None
    ) -> ClientResponse:
        """POST /sessions as a browser would; its cookie is not kept."""
        wanted = {"username": username, "password": password}
        response = await self.api.ask("POST", f"{PREFIX}/sessions", role=None, json=wanted, headers=headers)
        self.api.client.session.cookie_jar.clear()
        return response

    async def token(self, username: str = "amy-desk", password: str = PASSWORD) -> str:
        """The token of a new session."""
        return str((await answered(await self.log_in(username, password), 201))["token"])

    async def set_password(self, password: str, agent: str = AGENT) -> ClientResponse:
        return await self.api.ask("PUT", f"{PREFIX}/agents/{agent}/password", json={"password": password})

    async def get_desk(self, headers: Mapping[str, str]) -> ClientResponse:
        return await self.api.ask("GET", f"{PREFIX}/agent", role=None, headers=headers)

    async def stream(self, headers: Mapping[str, str] | None = None, agent: str = AGENT) -> Stream:
        """A stream, by the agent's key unless `headers` say who comes."""
        sent = bearer(self.keys[agent]) if headers is None else dict(headers)
        socket = await self.api.client.ws_connect(f"{PREFIX}/agent/stream", headers=sent, autoping=True)
        return Stream(socket)

    async def apply(self, document: dict[str, Any]) -> None:
        await answered(await self.api.ask("POST", f"{PREFIX}/config", json={"document": document}))


@dataclass
class Stream:
    """An agent's screen."""

    socket: ClientWebSocketResponse

    async def next(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(5):
            message = await self.socket.receive_json()
        assert list(message) == ["type", "seq", "at", "agent", "work"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["at"])
        assert set(message["agent"]) == {"state", "reason", "load"}
        if message["work"] is not None:
            shape = ["id", "kind", "media", "service", "attempt", "respond_by", "customer"]
            assert list(message["work"]) == shape
        result: dict[str, Any] = message
        return result

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to the next of this kind."""
        heard = [await self.next()]
        while heard[-1]["type"] != kind:
            heard.append(await self.next())
        return heard

    async def close_code(self) -> int | None:
        """The code with which the engine ends the stream, whatever it still says before."""
        async with asyncio.timeout(10):
            while (await self.socket.receive()).type is WSMsgType.TEXT:
                pass
        return self.socket.close_code


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def cookie(token: str, origin: str | None = None) -> dict[str, str]:
    """What a browser sends from a page of `origin`."""
    sent = {"Cookie": f"ringback_session={token}"}
    return sent if origin is None else sent | {"Origin": origin}


@asynccontextmanager
async def running_office(
    folder: Path,
    *,
    agents: AgentSettings | None = None,
    http: HttpSettings | None = None,
) -> AsyncIterator[Office]:
    """An office on a Wednesday morning; a second one in the same folder finds what the first has left."""
    clock, again = Clock(), (folder / "ringback.db").exists()
    async with running_api(folder, document=login_document(), clock=clock, agents=agents, http=http) as api:
        office = Office(api, clock, {AGENT: api.keys[KeyRole.AGENT]})
        wanted = {"name": "Ben", "role": "agent", "subject": BEN}
        office.keys[BEN] = (await answered(await api.ask("POST", f"{PREFIX}/keys", json=wanted), 201))["key"]
        if not again:
            assert (await office.set_password(PASSWORD)).status == 204
        yield office
