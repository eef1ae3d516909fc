"""A cable between the engine and Asterisk, for tests that pull it out, make it slow or watch what passes."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

Notice = Callable[[float, str], None]
"""Told when a request passed to Asterisk (epoch seconds) and which, as in `GET /ari/channels`, without its query."""
_EVENT_SOCKET = b"/events?"
_REQUEST = re.compile(rb"(?:^|\n)([A-Z]+ /[^ ?]*)\S* HTTP/1\.1\r\n")


@dataclass(eq=False, slots=True)
class _Line:
    """One connection. `events`: it is the event socket, as its first request said."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    dead: asyncio.Event
    events: bool = False

    def cut(self) -> None:
        self.near.transport.abort()
        self.far.transport.abort()


class Cable:
    """A TCP relay to Asterisk that can be cut (both ends learn of it), unplugged, go dead (nobody does) or be slow.

    `answers_lost_of`: once such words have passed to Asterisk, the near end's connection is cut before the answer; it
    happens once. `event_delay_seconds`, `answer_delay_seconds`: how late all that Asterisk says arrives from now on.
    """

    def __init__(self, port: int, on_request: Notice | None = None) -> None:
        self.answers_lost_of: bytes | None = None
        self.event_delay_seconds = 0.0
        self.answer_delay_seconds = 0.0
        self._port = port
        self._on_request = on_request
        self._events_refused = self._all_refused = False
        self._lines: set[_Line] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._dead = asyncio.Event()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.cut()
            if self._carrying:
                await asyncio.wait(set(self._carrying), timeout=5)

    def cut(self) -> None:
        for line in self._lines:
            line.cut()

    def cut_events(self) -> None:
        """Cut the event socket alone; requests go on."""
        for line in self._lines:
            if line.events:
                line.cut()

    def unplug(self) -> None:
        """Cut everything; until it is plugged in, a new connection is accepted and ended at once, as by a proxy."""
        self._all_refused = True
        self.cut()

    def unplug_events(self) -> None:
        """The same for the event socket alone; requests go on."""
        self._events_refused = True
        self.cut_events()

    def plug_in(self) -> None:
        """Carry new connections again."""
        self._events_refused = self._all_refused = False

    def go_dead(self) -> None:
        """Connections of now carry nothing any more; later ones do."""
        self._dead.set()
        self._dead = asyncio.Event()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer), name="cable line")
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:  # no Asterisk: the near end learns it at once
            writer.transport.abort()
            return
        line = _Line(writer, far_writer, self._dead)
        if self._all_refused:
            line.cut()
            return
        self._lines.add(line)
        try:
            await asyncio.gather(self._to_asterisk(reader, line), self._from_asterisk(far_reader, line))
        finally:
            self._lines.discard(line)
            for end in (line.near, line.far):
                end.close()

    async def _to_asterisk(self, reader: asyncio.StreamReader, line: _Line) -> None:
        first = True
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if first:
                    line.events = _EVENT_SOCKET in data.partition(b"\r\n")[0]
                    first = False
                    if line.events and self._events_refused:
                        line.cut()
                        return
                if not line.dead.is_set():
                    self._notice(data)
                    line.far.write(data)
                    await line.far.drain()
                if self.answers_lost_of is not None and self.answers_lost_of in data:
                    self.answers_lost_of = None
                    line.near.transport.abort()
        if not line.dead.is_set():
            line.far.close()  # also after a reset: a process that is killed with words unread resets its connections

    def _notice(self, data: bytes) -> None:
        if self._on_request is not None:
            at = time.time()
            for request in _REQUEST.findall(data):
                self._on_request(at, request.decode())

    async def _from_asterisk(self, reader: asyncio.StreamReader, line: _Line) -> None:
        """Reading goes on while what was read waits for its moment, so a delay does not make the line narrower."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(waiting, line), name="cable delivery")
        now = asyncio.get_running_loop().time
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    delay = self.event_delay_seconds if line.events else self.answer_delay_seconds
                    waiting.put_nowait((now() + delay, data))
            waiting.put_nowait((0.0, b""))
            await delivery
        finally:
            delivery.cancel()

    async def _deliver(self, waiting: "asyncio.Queue[tuple[float, bytes]]", line: _Line) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while True:
                due_at, data = await waiting.get()
                await asyncio.sleep(max(0.0, due_at - loop.time()))
                if line.dead.is_set():
                    return
                if not data:
                    line.near.close()
                    return
                line.near.write(data)
                await line.near.drain()


class CableInThread:
    """A cable to `ari_url` in a thread of its own, for tests without an event loop; `do` acts on it there.

    `port`, `ari_url`: where it begins. `on_request` is called in its thread.
    """

    def __init__(self, ari_url: str, on_request: Notice | None = None) -> None:
        self.port = 0
        self._far = urlsplit(ari_url)
        self._on_request = on_request
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Cable]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="cable", daemon=True)

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._far.path}"

    def do(self, action: Callable[[Cable], None]) -> None:
        """Act on the cable in its thread; returns when it is done. Raises what the action raises."""
        loop, _end, cable = self._begun.result()

        async def act() -> None:
            action(cable)

        asyncio.run_coroutine_threadsafe(act(), loop).result(10)

    async def _run(self) -> None:
        cable, end = Cable(self._far.port or 0, self._on_request), asyncio.Event()
        async with cable.laid() as self.port:
            self._begun.set_result((asyncio.get_running_loop(), end, cable))
            await end.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop, end, _cable = self._begun.result()
        loop.call_soon_threadsafe(end.set)
        self._thread.join(10)
