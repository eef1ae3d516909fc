"""Whether Asterisk's events still reach us. An open event socket does not prove it.

Asterisk registers an application by its name. When an old socket's end and a new one's registration meet
(`app_update` in its res/stasis/app.c finds that the application was deactivated while it told the old socket), the new
socket stays open, answers pings, and never brings an event; requests, filters and subscriptions go on to work. Every
customer who answers is then told "one moment", and nobody comes. So we send ourselves an event and wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.asterisk.ari import AriClient, EventStream, Ok, Refused

ANSWER_SECONDS = 3.0
"""How long our event may take: longer than Asterisk writes to one socket (`websocket_write_timeout`, 2 s), and much
shorter than a customer waits in the dialplan (20 s)."""
QUIET_SECONDS = 10.0
"""Without any event for so long, we ask."""
_NAME = "hearing"


class Hearing:
    """Of the application of one stream, whose owner calls `came` for every event: any is as good as the one we send.

    `on_deaf(why)` is called before a deaf socket is closed. It is then lost like any other, and the next one follows.
    """

    def __init__(
        self,
        client: AriClient,
        stream: EventStream,
        on_deaf: Callable[[str], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._stream = stream
        self._on_deaf = on_deaf
        self._sleep = sleep
        self._came = asyncio.Event()

    def came(self) -> None:
        """An event has come."""
        self._came.set()

    async def drop_if_deaf(self) -> bool:
        """Whether the socket brought nothing and was closed. Our event's type must pass the application's filter."""
        connection = self._stream.counts.connections
        why = await self._why_deaf()
        if why is None or not self._stream.connected or self._stream.counts.connections != connection:
            return False  # what was asked of a socket that is lost by now says nothing about the next one
        self._on_deaf(why)
        self._stream.drop(why)
        return True

    async def watch(self, is_due: Callable[[], bool]) -> None:
        """Drops a socket that is deaf, without end: asks when nothing has come for a while and `is_due` says so."""
        while True:
            self._came.clear()
            await self._sleep(QUIET_SECONDS)
            if not self._came.is_set() and is_due():
                await self.drop_if_deaf()

    async def _why_deaf(self) -> str | None:
        """None also if Asterisk gave no answer or none that we know: that proves nothing."""
        self._came.clear()
        match await self._client.user_events.send(_NAME, self._stream.application):
            case Refused(status=404):
                return f"Asterisk has no Stasis application {self._stream.application!r}, though its socket is open"
            case Ok():
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._came.wait()
                except TimeoutError:
                    return f"the event socket is open, and no event came within {ANSWER_SECONDS:g} s"
        return None
