"""Calls placed by plain ARI requests, for tests of the lab and the dialplan that must not depend on the engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import aiohttp

from engine.lab import Lab

UNNOTICED_SECONDS = 0.5
"""Asterisk takes note of a closed event socket in a thread of its own, and nothing tells when it has."""


def endpoint(dialled: str) -> str:
    return f"PJSIP/agent-{dialled}" if len(dialled) == 4 else f"PJSIP/{dialled}@trunk"


class Legs:
    """Channels of an application of their own, by plain requests."""

    def __init__(self, lab: Lab) -> None:
        self._url = lab.pbx.ari_url
        self._headers = lab.pbx.headers()
        self.application = f"legs-{uuid4().hex[:8]}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        self._events = await self._session.ws_connect(f"{self._url}/events?app={self.application}")
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._events.close()
        await self._session.close()

    @asynccontextmanager
    async def deaf(self) -> AsyncIterator[None]:
        """Without event socket; what happens meanwhile is never told."""
        await self._events.close()
        await asyncio.sleep(UNNOTICED_SECONDS)
        yield
        self._events = await self._session.ws_connect(f"{self._url}/events?app={self.application}")

    async def request(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.request(method, f"{self._url}{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.status == 200 and answer.content_length else {}

    async def dial(self, dialled: str) -> str:
        """Dial and wait for the answer; the id of the channel."""
        channel = await self.post(dialled, {})
        await self.when("StasisStart")
        return channel

    async def post(self, dialled: str, variables: dict[str, str]) -> str:
        """Dial with variables set on the channel, and do not wait; the id of the channel."""
        channel = f"{self.application}.{dialled}"
        body = {"endpoint": endpoint(dialled), "app": self.application, "variables": variables}
        await self.request("POST", f"/channels/{channel}", body)
        return channel

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """All events up to the next of this kind, which is the last."""
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(40):
            while not events or events[-1]["type"] != kind:
                events.append(await self._events.receive_json())
        return events

    async def when(self, *kinds: str) -> dict[str, Any]:
        """The next event of one of these kinds."""
        async with asyncio.timeout(40):
            while True:
                event: dict[str, Any] = await self._events.receive_json()
                if event["type"] in kinds:
                    return event
