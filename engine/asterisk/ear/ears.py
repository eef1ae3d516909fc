"""Listens to customers: asks Asterisk for their audio, and tells the core where they talk and when a machine beeps.

It is a help, never a need: without an ear on a call Asterisk's own talk detection says what it can. So there is a
limit, nothing waits for an ear, and whatever goes wrong with one is counted and ends it.

What happens if the process dies: the connections end, and with them Asterisk's side of each ear; the next process
begins anew with the announcement. An ear ends with its call, and as soon as a customer has confirmed or is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

from engine.asterisk.ari import AriClient, Ok
from engine.asterisk.ear.audiosocket import AudioSocket
from engine.asterisk.ear.signs import FRAME_SECONDS, RATE, Sign, SignFinder
from engine.core.events import BeepHeard, EarClosed, EarOpened, Event, TalkFinished, TalkStarted
from engine.core.terms import LegId
from engine.metrics import Metrics

log = structlog.get_logger()

CONTEXT = "ringback-ear"
_SUFFIX = ".ear"
_FRAME_BYTES = round(RATE * FRAME_SECONDS) * 2
_SILENCE_LOOK_SECONDS = 0.1
_CONNECTS_SECONDS = 2.0
_NOT_CONNECTED = (
    "Asterisk must reach this address (ear_host, ear_port), have app_audiosocket, and the context [ringback-ear] of "
    "extensions.conf: ringback asterisk render"
)


@dataclass(frozen=True, slots=True)
class EarSettings:
    """`host`, `port` (0: any): where we listen, an address that Asterisk reaches. `limit`: calls at once; 0: no ear."""

    host: str = "127.0.0.1"
    port: int = 0
    limit: int = 100


class _Ear:
    """One customer's leg."""

    def __init__(self, leg: LegId, pause_seconds: float, tell: Callable[[Event], None]) -> None:
        self.leg = leg
        self.id = uuid4()
        self.entered = asyncio.Event()
        self.socket: AudioSocket | None = None
        self.task: asyncio.Task[None] | None = None
        self._signs = SignFinder(pause_seconds)
        self._tell = tell
        self._rest = b""
        self._came_at = 0.0

    @property
    def received_seconds(self) -> float:
        return self._signs.frames * FRAME_SECONDS

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

    def gone(self) -> None:
        self.socket = None
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
        self._server: asyncio.Server | None = None
        self._address = ""

    async def run(self) -> None:
        """Listen until cancelled. Without an address to listen on, all calls go on without an ear."""
        settings, loop = self._settings, asyncio.get_running_loop()
        if settings.limit == 0:
            return
        try:
            self._server = await loop.create_server(lambda: AudioSocket(self._expected), settings.host, settings.port)
        except OSError as error:
            log.error("ear.deaf", host=settings.host, port=settings.port, why=str(error), mend="see ear_host, ear_port")
            return
        port = self._server.sockets[0].getsockname()[1]
        self._address = f"{settings.host}:{port}"
        log.info("ear.listening", address=self._address)
        try:
            while True:
                await asyncio.sleep(_SILENCE_LOOK_SECONDS)
                now = loop.time()
                for ear in self._ears.values():
                    if ear.socket is not None:
                        ear.look(now)
        finally:
            self._server.close()
            for leg in list(self._ears):
                self.end(leg)

    def begin(self, leg: LegId, pause_seconds: float) -> None:
        """Listen to this leg, if there is an ear left."""
        if leg in self._ears or not self._address:
            return
        if len(self._ears) >= self._settings.limit:
            self._figures.ear("none_left")
            return
        ear = self._ears[leg] = _Ear(leg, pause_seconds, self._tell)
        ear.task = asyncio.create_task(self._ask_for_audio(ear), name=f"ear {leg}")

    def end(self, leg: LegId) -> None:
        """Enough was heard, or the leg is gone."""
        ear = self._ears.pop(leg, None)
        if ear is None:
            return
        if ear.task is not None:
            ear.task.cancel()
        if ear.socket is not None:
            ear.socket.close()

    def received_seconds(self, leg: LegId) -> float | None:
        """How much audio has come from a leg that is listened to; None: it is not."""
        ear = self._ears.get(leg)
        return ear.received_seconds if ear is not None and ear.socket is not None else None

    def entered(self, channel: str) -> None:
        """A channel has entered our application; Asterisk's side of an ear is sent on from there."""
        ear = self._ears.get(LegId(channel.removesuffix(_SUFFIX))) if channel.endswith(_SUFFIX) else None
        if ear is not None:
            ear.entered.set()

    async def _ask_for_audio(self, ear: _Ear) -> None:
        channels, name = self._client.channels, f"{ear.leg}{_SUFFIX}"
        if isinstance(await channels.snoop(ear.leg, name, self._application), Ok):
            await ear.entered.wait()
            place = f"{ear.id} {self._address}"
            sent_on = await channels.continue_in_dialplan(name, context=CONTEXT, extension=place, priority=1)
            if isinstance(sent_on, Ok):
                await asyncio.sleep(_CONNECTS_SECONDS)
                if ear.socket is None:
                    self._figures.ear("not_connected")
                    log.warning("ear.not_connected", leg=ear.leg, address=self._address, mend=_NOT_CONNECTED)
                return
        self._figures.ear("refused")

    def _expected(self, called: UUID, socket: AudioSocket) -> _Ear | None:
        ear = next((each for each in self._ears.values() if each.id == called and each.socket is None), None)
        if ear is not None:
            ear.socket = socket
            self._figures.ear("opened")
            self._tell(EarOpened(ear.leg))
        return ear
