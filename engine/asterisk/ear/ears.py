"""Listens to customers: asks Asterisk for their audio, and tells the core where they talk and when a machine beeps.

It is a help, never a need: without an ear on a call Asterisk's own talk detection says what it can. So there is a
limit, nothing waits for an ear, and whatever goes wrong with one is counted and ends it. Nothing of the audio is kept.

What happens if the process dies: the connections end, and with them Asterisk's side of each ear; one that was not
connected yet is ended by the look after the next start. The next process begins anew with the announcement. An ear ends
with its call, and as soon as a customer has confirmed or is let go.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

from engine.asterisk.ari import AriClient, Refused, Result
from engine.asterisk.ari.snapshots import Channel
from engine.asterisk.ear.audiosocket import AudioSocket, Strangers
from engine.asterisk.ear.signs import FRAME_SECONDS, RATE, Sign, SignFinder
from engine.core.events import BeepHeard, EarClosed, EarOpened, Event, TalkFinished, TalkStarted
from engine.core.terms import LegId
from engine.metrics import Metrics

log = structlog.get_logger()

CONTEXT = "ringback-ear"
_SUFFIX = ".ear"
_FRAME_BYTES = round(RATE * FRAME_SECONDS) * 2
_SILENCE_LOOK_SECONDS = 0.1
_ENTERS_SECONDS = 5.0
_CONNECTS_SECONDS = 2.0
_NOT_CONNECTED = (
    "Asterisk must reach this address (ear_host, ear_port), have app_audiosocket, and the context [ringback-ear] of "
    "extensions.conf: ringback asterisk render"
)
_REFUSED = "Asterisk must have res_stasis_snoop"


@dataclass(frozen=True, slots=True)
class EarSettings:
    """`host`, `port` (0: any): where we listen, an address that Asterisk reaches. `limit`: calls at once; 0: no ear."""

    host: str = "127.0.0.1"
    port: int = 0
    limit: int = 100


class _Ear:
    """One customer's leg. It opens once at most, and `over` once: nothing is told of it from then on."""

    def __init__(
        self, leg: LegId, pause_seconds: float, tell: Callable[[Event], None], forget: Callable[[], object]
    ) -> None:
        self.leg = leg
        self.id = uuid4()
        self.entered = asyncio.Event()
        self.connected = asyncio.Event()
        self.over = False
        self._socket: AudioSocket | None = None
        self._signs = SignFinder(pause_seconds)
        self._tell = tell
        self._forget = forget
        self._rest = b""
        self._came_at = 0.0

    @property
    def channel(self) -> str:
        """Asterisk's side of it."""
        return f"{self.leg}{_SUFFIX}"

    @property
    def has_opened(self) -> bool:
        return self._socket is not None

    @property
    def is_open(self) -> bool:
        return self.has_opened and not self.over

    @property
    def received_seconds(self) -> float:
        return self._signs.frames * FRAME_SECONDS

    def open(self, audio: AudioSocket) -> None:
        self._socket = audio
        self.connected.set()
        self.tell_state()

    def tell_state(self) -> None:
        self._tell(EarOpened(self.leg))
        if self._signs.talks:
            self._tell(TalkStarted(self.leg))

    def audio(self, samples: bytes) -> None:
        now = self._came_at = asyncio.get_running_loop().time()
        samples = self._rest + samples
        whole = len(samples) - len(samples) % _FRAME_BYTES
        self._rest = samples[whole:]
        for at in range(0, whole, _FRAME_BYTES):
            for sign, seconds in self._signs.hear(samples[at : at + _FRAME_BYTES], now):
                self._say(sign, seconds)

    def look(self, now: float) -> None:
        """Silence is also that nothing comes."""
        if now - self._came_at >= _SILENCE_LOOK_SECONDS:
            for sign, seconds in self._signs.silence(now):
                self._say(sign, seconds)

    def end(self) -> None:
        self.over = True
        self.entered.set()
        self.connected.set()
        if self._socket is not None:
            self._socket.close()

    def gone(self) -> None:
        if not self.over:
            self.over = True
            self._forget()
            self._tell(EarClosed(self.leg))

    def _say(self, sign: Sign, seconds: float) -> None:
        match sign:
            case Sign.TALK_BEGAN:
                self._tell(TalkStarted(self.leg))
            case Sign.TALK_ENDED:
                self._tell(TalkFinished(self.leg, seconds))
            case Sign.BEEP:
                self._tell(BeepHeard(self.leg, seconds))


class Ears:
    """All ears on one Asterisk. `begin` and `end` may be called at any time, for any leg, and return at once."""

    def __init__(
        self,
        settings: EarSettings,
        client: AriClient,
        application: str,
        tell: Callable[[Event], None],
        figures: Metrics,
    ) -> None:
        self._settings = settings
        self._client = client
        self._application = application
        self._tell = tell
        self._figures = figures
        self._ears: dict[LegId, _Ear] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers = Strangers()
        self._address = ""
        self._trouble_told = False

    async def run(self) -> None:
        """Listen until cancelled. Without an address to listen on, all calls go on without an ear."""
        settings, loop = self._settings, asyncio.get_running_loop()
        if settings.limit == 0:
            return
        try:
            # One address: with port 0, each address of a name would have a port of its own.
            found = await loop.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
            host, port = str(found[0][4][0]), settings.port
            server = await loop.create_server(lambda: AudioSocket(self._expected, self._strangers), host, port)
        except OSError as error:
            log.error("ear.deaf", host=settings.host, port=settings.port, why=str(error), mend="see ear_host, ear_port")
            return
        host, port = server.sockets[0].getsockname()[:2]
        # Asterisk is told where we listen in numbers: it would look a name up for each call, and make others wait.
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        log.info("ear.listening", address=self._address)
        try:
            while True:
                await asyncio.sleep(_SILENCE_LOOK_SECONDS)
                now = loop.time()
                for ear in self._ears.values():
                    if ear.is_open:
                        ear.look(now)
        finally:
            self._address = ""
            server.close()
            self._strangers.close()
            for ear in self._ears.values():
                ear.end()
            self._ears.clear()
            for task in self._tasks:
                task.cancel()

    def begin(self, leg: LegId, pause_seconds: float) -> None:
        """Listen to this leg, if there is an ear left."""
        if not self._address:
            return
        if (ear := self._ears.get(leg)) is not None:
            # Who asks again knows nothing of it: what was known of the call has been thrown away.
            if ear.is_open:
                ear.tell_state()
            return
        if len(self._ears) >= self._settings.limit:
            self._figures.ear("none_left")
            return
        ear = self._ears[leg] = _Ear(leg, pause_seconds, self._tell, lambda: self._ears.pop(leg))
        task = asyncio.create_task(self._open(ear), name=f"ear {leg}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self, leg: LegId) -> None:
        """Enough was heard, or the leg is gone."""
        if (ear := self._ears.pop(leg, None)) is not None:
            ear.end()

    def received_seconds(self, leg: LegId) -> float | None:
        """How much audio has come from a leg that is listened to; None: it is not."""
        ear = self._ears.get(leg)
        return ear.received_seconds if ear is not None and ear.is_open else None

    def entered(self, channel: str) -> None:
        """A channel has entered our application; Asterisk's side of an ear is sent on from there."""
        ear = self._ears.get(LegId(channel.removesuffix(_SUFFIX))) if channel.endswith(_SUFFIX) else None
        if ear is not None:
            ear.entered.set()

    async def only_these_are_left(self, channels: Container[str], live: Iterable[LegId]) -> None:
        """After a look: forget legs whose end nobody heard, and end what a process before us left of its ears."""
        for leg in [leg for leg in self._ears if leg not in channels]:
            self.end(leg)
        left = [name for name in (f"{leg}{_SUFFIX}" for leg in live if leg not in self._ears) if name in channels]
        await asyncio.gather(*(self._client.channels.hangup(name) for name in left))

    async def _open(self, ear: _Ear) -> None:
        """Ask for the leg's audio. Nothing cuts a request of this short: what it has made would stay."""
        channels = self._client.channels
        asked: Result[Channel] | Result[None] = await channels.snoop(ear.leg, ear.channel, self._application)
        if not isinstance(asked, Refused):
            await _within(_ENTERS_SECONDS, ear.entered)
            if ear.entered.is_set() and not ear.over:
                place = f"{ear.id} {self._address}"
                asked = await channels.continue_in_dialplan(ear.channel, context=CONTEXT, extension=place, priority=1)
                if not isinstance(asked, Refused):
                    await _within(_CONNECTS_SECONDS, ear.connected)
            if not ear.has_opened:
                await channels.hangup(ear.channel)
        if ear.has_opened or ear.over:
            return
        self.end(ear.leg)
        if isinstance(asked, Refused) and asked.gone:
            return  # the customer hung up, and we shall hear of it
        refused = isinstance(asked, Refused)
        self._figures.ear("refused" if refused else "not_connected")
        if not self._trouble_told:
            self._trouble_told = True
            if isinstance(asked, Refused):
                log.warning("ear.refused", leg=ear.leg, why=f"{asked.status} {asked.message}", mend=_REFUSED)
            else:
                log.warning("ear.not_connected", leg=ear.leg, address=self._address, mend=_NOT_CONNECTED)

    def _expected(self, called: UUID, audio: AudioSocket) -> _Ear | None:
        ear = next((each for each in self._ears.values() if each.id == called and not each.has_opened), None)
        if ear is not None:
            self._figures.ear("opened")
            self._trouble_told = False
            ear.open(audio)
        return ear


async def _within(seconds: float, happens: asyncio.Event) -> None:
    """Wait for it, but no longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await happens.wait()
