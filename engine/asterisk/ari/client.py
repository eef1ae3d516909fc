"""The ARI client of one Asterisk: its resources over a shared pool of connections.

It holds no state of calls, raises nothing for network trouble and repeats nothing but reads. Events come by
`EventStream`.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp

from engine.asterisk.ari.applications import Applications
from engine.asterisk.ari.asterisk import AsteriskResource
from engine.asterisk.ari.bridges import Bridges
from engine.asterisk.ari.channels import Channels
from engine.asterisk.ari.endpoints import Endpoints
from engine.asterisk.ari.playbacks import Playbacks
from engine.asterisk.ari.transport import Transport
from engine.asterisk.ari.user_events import UserEvents


class AriClient:
    """`async with AriClient("http://127.0.0.1:8088/ari", user, password) as client: ...`

    Each request ends within `request_timeout_seconds`; half of it may pass until a connection is had.
    `max_connections` bounds requests at the same time, the others wait. It stays below 10, the queue of connections
    that Asterisk has not yet accepted (its main/tcptls.c): the kernel drops those beyond, and each comes again only
    after a second. Raises ValueError for an address that is none, or that holds a password. Before `open` and after
    `close` every request is Unknown, not sent. `observe` is told how each request ended: its kind, such as
    `POST /channels/{id}/play/{id}`, and ok, refused or unknown.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        request_timeout_seconds: float = 5.0,
        max_connections: int = 8,
        observe: Callable[[str, str], None] = lambda _operation, _result: None,
    ) -> None:
        self._transport = Transport(
            url,
            user,
            password,
            request_timeout_seconds=request_timeout_seconds,
            max_connections=max_connections,
            observe=observe,
        )
        self.channels = Channels(self._transport)
        self.bridges = Bridges(self._transport)
        self.playbacks = Playbacks(self._transport)
        self.applications = Applications(self._transport)
        self.endpoints = Endpoints(self._transport)
        self.asterisk = AsteriskResource(self._transport)
        self.user_events = UserEvents(self._transport)

    @property
    def url(self) -> str:
        """The address it was made with; it holds no password."""
        return self._transport.base

    async def open(self) -> None:
        """Prepares connections; reaches out to nobody. Idempotent."""
        await self._transport.open()

    async def close(self) -> None:
        """Ends every connection; requests on their way end as Unknown. Idempotent."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open_stream(
        self, application: str, *, subscribe_all: bool, heartbeat_seconds: float
    ) -> aiohttp.ClientWebSocketResponse:
        """For `EventStream`: the event socket. Raises aiohttp.ClientError, OSError or TimeoutError when there
        is none.
        """
        return await self._transport.open_stream(
            application, subscribe_all=subscribe_all, heartbeat_seconds=heartbeat_seconds
        )
