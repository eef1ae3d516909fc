"""The audio of one call of a telephone: it speaks with one tone and tells which tones it hears, in RTP of 20 ms frames.

A phone that mixes two calls passes what it hears in one on to the other. Nothing is kept but the frames' verdicts.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from random import Random

from engine.lab.phone.g711 import ALAW_AMPLITUDES, FRAME_SAMPLES, FRAME_SECONDS, RATE, ULAW_AMPLITUDES, encoded
from engine.lab.phone.rtp import KEY_FRAMES, PCMA, Stream, payload_of
from engine.lab.phone.sdp import Offer
from engine.lab.phone.sip import Address
from engine.lab.phone.wire import HOST
from engine.lab.sounds import TONES

CUSTOMER_HERTZ, AGENT_HERTZ = TONES
VOICES = (*TONES, 1500, 2000)
"""The voices of customers and agents in the simulated network, and two more; those that are told apart, in hertz."""
LOUDNESS = 4000
AUDIBLE = 100
"""Mean amplitude from which a frame is heard at all."""
SHARE = 0.2
"""A tone is heard when this share of a frame's energy is in it; two voices that are mixed have about half each."""
OTHER = 0
"""Heard, but none of the tones: music, speech."""
HEAR_SECONDS = 10.0


class Audio(asyncio.DatagramProtocol):
    """Opened by `open`. `hertz`: its own voice. `talk_to`: where the other side hears; `speaks`: not silent."""

    def __init__(self, hertz: int) -> None:
        self._tone = [round(LOUDNESS * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(RATE)]
        self._at = 0
        self._stream: Stream | None = None
        self._to: Address | None = None
        self._amplitudes: Sequence[int] = ULAW_AMPLITUDES
        self._keys: list[tuple[str, int]] = []
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._heard: list[tuple[float, frozenset[int]]] = []
        self._came = asyncio.Event()
        self.heard_last: list[int] = []
        self.mixed_with: Audio | None = None
        self.speaks = True

    async def open(self) -> Address:
        """Bind; where this side hears."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        self._transport = transport
        address: Address = transport.get_extra_info("sockname")
        return address

    def talk_to(self, offer: Offer) -> None:
        """Send to this address from now on; the codec stays as it was first."""
        self._to = offer.address
        if self._stream is None:
            self._stream = Stream(offer.payload_type, offer.key_type, Random(), lambda: False)  # noqa: S311
            self._amplitudes = ALAW_AMPLITUDES if offer.payload_type == PCMA else ULAW_AMPLITUDES
            self._task = asyncio.create_task(self._speak(), name="speak")

    def press(self, key: str) -> None:
        """Press a key for 150 ms."""
        self._keys += [(key, frame) for frame in range(KEY_FRAMES)]

    def heard(self, since: float) -> dict[int, float]:
        """Seconds in which each tone was heard since a time of the loop's clock; OTHER is any other sound."""
        # A frame is counted once for each tone in it.
        frames = Counter(tone for at, tones in self._heard if at >= since for tone in tones)
        return {tone: round(count * FRAME_SECONDS, 2) for tone, count in frames.items()}

    async def hear(self, tone: int, seconds: float = 0.3, *, within: float = HEAR_SECONDS) -> None:
        """Wait until a tone, or OTHER, has been heard for so long without a break. Raises TimeoutError."""
        in_a_row, seen = 0, len(self._heard)
        async with asyncio.timeout(within):
            while in_a_row * FRAME_SECONDS < seconds:
                self._came.clear()
                await self._came.wait()
                for _, tones in self._heard[seen:]:
                    in_a_row = in_a_row + 1 if tone in tones else 0
                seen = len(self._heard)

    def close(self) -> None:
        """Fall silent and let go of the socket."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:  # noqa: ARG002 - asyncio's name
        """Whatever arrived: only audio of a whole frame counts."""
        payload = payload_of(data)
        if payload is None or len(payload) != FRAME_SAMPLES:
            return
        values = [self._amplitudes[code] for code in payload]
        self.heard_last = values
        self._came.set()
        self._heard.append((asyncio.get_running_loop().time(), frozenset(self._tones(values))))

    def _tones(self, values: Sequence[int]) -> list[int]:
        if sum(map(abs, values)) < AUDIBLE * len(values):
            return []
        energy = sum(value * value for value in values)
        heard = [tone for tone in VOICES if _energy_at(tone, values) > SHARE * energy]
        return heard or [OTHER]

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await asyncio.sleep(max(0.0, (due := due + FRAME_SECONDS) - loop.time()))
            if self._stream is not None and self._to is not None and self._transport is not None:
                for packet in self._frame(self._stream):
                    self._transport.sendto(packet, self._to)

    def _frame(self, stream: Stream) -> tuple[bytes, ...]:
        if self._keys:
            return stream.key(*self._keys.pop(0))
        if not self.speaks:
            return stream.nothing()
        values = self._tone[self._at : self._at + FRAME_SAMPLES]
        self._at = (self._at + FRAME_SAMPLES) % RATE
        if self.mixed_with is not None and self.mixed_with.heard_last:
            values = [one + other for one, other in zip(values, self.mixed_with.heard_last, strict=True)]
        return stream.audio(encoded(values))


def _energy_at(hertz: int, values: Sequence[int]) -> float:
    """The energy of a tone in a frame, after Goertzel; a pure tone has all of the frame's."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for value in values:
        last, before = value + turn * last - before, last
    return (last * last + before * before - turn * last * before) * 2 / len(values)
