"""A relay before Asterisk that notes when each request of a client passed: a witness that is no part of the client."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_REQUEST = re.compile(rb"(?:^|\n)(GET|POST|PUT|DELETE) (/ari/[^ ?]*)\S* HTTP/1\.1\r\n")
_EFFECT = re.compile(r"(?:POST|DELETE) /ari/(?:channels|bridges)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that went to Asterisk; `at` in epoch seconds, `request` as in `GET /ari/channels`."""

    at: float
    request: str

    @property
    def is_effect(self) -> bool:
        """Whether it does something to a call; looks and subscriptions do not."""
        return _EFFECT.match(self.request) is not None


class Relay:
    """Carries TCP to the Asterisk at `ari_url` from a port of its own, in a thread of its own."""

    def __init__(self, ari_url: str) -> None:
        where = urlsplit(ari_url)
        self._host, self._port, self._path = where.hostname or "", where.port or 0, where.path
        self._own_port: Future[int] = Future()
        self._passed: list[Passed] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    @property
    def ari_url(self) -> str:
        """Where a client finds Asterisk through the relay."""
        return f"http://127.0.0.1:{self._own_port.result(10)}{self._path}"

    def since(self, moment: float) -> list[Passed]:
        """What has passed since then (epoch seconds)."""
        return [each for each in list(self._passed) if each.at >= moment]

    def first_effect(self, since: float, limit_seconds: float) -> Passed | None:
        """The first request after `since` that does something to a call; None if none comes in time."""
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            for each in self.since(since):
                if each.is_effect:
                    return each
            time.sleep(0.02)
        return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self._own_port.set_result(server.sockets[0].getsockname()[1])
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):  # cancelled only when the relay ends
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            there, back = self._pump(reader, far_writer, noting=True), self._pump(far_reader, writer, noting=False)
            await asyncio.gather(there, back)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, noting: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if noting:
                    at = time.time()
                    self._passed += [
                        Passed(at, f"{method.decode()} {path.decode()}") for method, path in _REQUEST.findall(data)
                    ]
                writer.write(data)
                await writer.drain()
        with suppress(ConnectionError):
            writer.close()
