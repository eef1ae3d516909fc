"""Takes HTTP connections, but never so many that no open file is left for Asterisk and the database.

A connection is an open file of the process, and anybody may open one and say nothing. Without a bound that keeps the
engine from calling, and each further connection is a complaint in the log until the disk is full. Whoever comes beyond
the bound is hung up on at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import time
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from engine.errors import ConfigError

log = structlog.get_logger()

IDLE_SECONDS = 75.0
"""How long a connection is kept for the next request."""
_TELL_SECONDS = 60.0


@contextlib.asynccontextmanager
async def listening(app: web.Application, host: str, port: int, *, most: int | None = None) -> AsyncIterator[int]:
    """Serve `app` and say at which port; `most` connections, or as many as half of the files that may be open.

    Raises ConfigError with one line that says how to mend it.
    """
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=5.0, keepalive_timeout=IDLE_SECONDS
    )
    await runner.setup()
    server = runner.server
    if server is None:
        raise RuntimeError("a runner that was set up has no server")
    door = _Door(server, most or resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    try:
        try:
            listener = await asyncio.get_running_loop().create_server(door, host, port, backlog=128)
        except OSError as error:
            raise ConfigError(_cannot_listen(error, host, port)) from None
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
    finally:
        await runner.cleanup()


class _Door:
    """Makes the protocol of each connection: the server's, or one that hangs up."""

    def __init__(self, server: web.Server, most: int) -> None:
        self._server = server
        self._most = most
        self._told_at = float("-inf")

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) < self._most:
            return self._server()
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._told_at = time.monotonic()
            log.warning("http.full", connections=self._most)
        return _Refusal()


class _Refusal(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close before anything is read."""
        transport.close()


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop the other program or set [http] port"
    return f"cannot listen on {host}:{port}: {error.strerror}; set [http] host and port"
