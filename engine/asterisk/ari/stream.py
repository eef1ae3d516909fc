"""The event socket of one Stasis application: read, drop copies, hand on, reconnect.

The reader must never wait for anything but the socket. Asterisk queues events per application, and a slow
reader turns 3 ms into seconds for every call; so each event goes to a synchronous callback, which puts it
somewhere and returns. A callback that raises is logged and counted, and the reader goes on. Lost events are
not replayed by Asterisk: after every `on_connected` the owner has to subscribe again and to compare what runs
with what should run.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

import aiohttp
import structlog

from engine.asterisk.ari.backoff import Backoff
from engine.asterisk.ari.client import AriClient
from engine.asterisk.ari.duplicates import RecentTexts
from engine.asterisk.ari.events import ApplicationReplaced, AriEvent, UnrecognisedEvent
from engine.asterisk.ari.parsing import parse

log = structlog.get_logger()

# A socket that lived this long was a good one: the next loss starts the waits anew.
_SETTLED_SECONDS = 10.0
# Names of unknown types come from outside; more than this many different ones are counted together.
_TYPES_LIMIT = 100


@dataclass(slots=True)
class StreamCounts:
    """What the stream has seen since it was made; only the stream writes here."""

    events: Counter[str] = field(default_factory=Counter)  # handed on, by type
    unknown: Counter[str] = field(default_factory=Counter)  # of no type we use, or not readable, by type
    duplicates: int = 0
    connections: int = 0
    failed_attempts: int = 0
    callback_errors: int = 0

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(self.connections - 1, 0)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How one connection ended; one that never came about lasted no time."""

    why: str
    lasted_seconds: float = 0.0
    replaced: bool = False


class EventStream:
    """Events of `application` on the Asterisk of `client`.

    `on_event` gets each event once, in the order of the socket. `on_connected` comes after every successful
    connection, before its first event; `on_lost(why)` when such a connection is lost, `on_replaced` instead
    of it when another connection took the application's name: then `run` returns, and the owner must stop
    dialling. `heartbeat_seconds`: how long the socket may be silent before it is pinged; half of that later
    without an answer it is lost.
    """

    def __init__(
        self,
        client: AriClient,
        application: str,
        *,
        on_event: Callable[[AriEvent], None],
        on_connected: Callable[[], None],
        on_lost: Callable[[str], None],
        on_replaced: Callable[[], None],
        subscribe_all: bool = False,
        heartbeat_seconds: float = 5.0,
        backoff: Backoff | None = None,
        duplicate_memory: int = 4096,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._application = application
        self._on_event = on_event
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._on_replaced = on_replaced
        self._subscribe_all = subscribe_all
        self._heartbeat_seconds = heartbeat_seconds
        self._backoff = backoff if backoff is not None else Backoff()
        self._recent = RecentTexts(duplicate_memory)
        self._sleep = sleep
        self._connected = False
        self._reading: asyncio.Timeout | None = None
        self._dropped_why = ""
        self.counts = StreamCounts()

    @property
    def application(self) -> str:
        """The name of the Stasis application."""
        return self._application

    @property
    def connected(self) -> bool:
        """Whether the socket is open now, as far as is known."""
        return self._connected

    def drop(self, why: str) -> None:
        """Closes the socket, if there is one, as if it had been lost: `on_lost(why)`, and a new one follows."""
        if self._reading is not None:
            self._dropped_why = why
            self._reading.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Connects, reads and reconnects until it is cancelled or replaced; a cancelled stream tells nobody."""
        failures = 0
        while True:
            ended = await self._connect_and_read()
            if ended.replaced:
                return
            if ended.lasted_seconds >= _SETTLED_SECONDS:
                failures = 0
            failures += 1
            delay = self._backoff.delay_seconds(failures)
            log.info(
                "ari.stream.waits",
                application=self._application,
                why=ended.why,
                failures=failures,
                delay_ms=round(delay * 1000),
            )
            await self._sleep(delay)

    async def _connect_and_read(self) -> _Ended:
        try:
            socket = await self._client.open_stream(
                self._application, subscribe_all=self._subscribe_all, heartbeat_seconds=self._heartbeat_seconds
            )
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            self.counts.failed_attempts += 1
            return _Ended(_why_not(error))
        since = monotonic()
        self.counts.connections += 1
        self._connected = True
        log.info("ari.stream.connected", application=self._application, connections=self.counts.connections)
        try:
            self._tell("on_connected", self._on_connected)
            replaced, why = await self._read_until_dropped(socket)
            self._connected = False
            # Told before the socket is closed, which may take a second: the owner must stop dialling now.
            if replaced:
                log.warning("ari.stream.replaced", application=self._application)
                self._tell("on_replaced", self._on_replaced)
            else:
                log.warning("ari.stream.lost", application=self._application, why=why)
                self._tell("on_lost", self._on_lost, why)
        finally:
            self._connected = False
            await socket.close()
        return _Ended(why, lasted_seconds=monotonic() - since, replaced=replaced)

    async def _read_until_dropped(self, socket: aiohttp.ClientWebSocketResponse) -> tuple[bool, str]:
        try:
            async with asyncio.timeout(None) as self._reading:
                return await self._read(socket)
        except TimeoutError:
            return False, self._dropped_why
        finally:
            self._reading = None

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> tuple[bool, str]:
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                if self._take(message.data):
                    return True, "another connection took the application's name"
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._count_unknown(UnrecognisedEvent("", "a binary message"))
            elif message.type is aiohttp.WSMsgType.ERROR:
                return False, f"the socket broke: {type(message.data).__name__}"
            else:
                return False, f"the socket was closed, code {socket.close_code}"

    def _take(self, text: str) -> bool:
        """Hands one message on; whether it says that this connection was replaced."""
        if self._recent.seen(text):
            self.counts.duplicates += 1
            return False
        event = parse(text)
        if isinstance(event, UnrecognisedEvent):
            self._count_unknown(event)
            return False
        self.counts.events[type(event).__name__] += 1
        if isinstance(event, ApplicationReplaced):
            return True
        self._tell("on_event", self._on_event, event)
        return False

    def _count_unknown(self, event: UnrecognisedEvent) -> None:
        counts, kind = self.counts.unknown, event.type
        if kind not in counts and (len(counts) >= _TYPES_LIMIT or not (kind.isascii() and kind.isidentifier())):
            kind = "other"
        counts[kind] += 1
        if counts[kind] == 1:
            log.info("ari.stream.unknown_event", application=self._application, type=kind, reason=event.reason)

    def _tell(self, callback: str, call: Callable[..., None], *values: object) -> None:
        try:
            call(*values)
        except Exception:
            self.counts.callback_errors += 1
            log.exception("ari.stream.callback_failed", application=self._application, callback=callback)


def _why_not(error: Exception) -> str:
    # The repr of a handshake error holds the request's headers, and with them the password: only the status is used.
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"Asterisk answered {error.status} to the handshake"
    if isinstance(error, TimeoutError):
        return "no answer to the handshake"
    return f"no connection: {type(error).__name__}"
