"""One stream of RTP packets going out: RFC 3550 headers, RFC 3551 talk spurts, RFC 4733 keys, packets lost in bursts.

The caller says once per frame of 20 ms what is sent in it, also that nothing is; the stream keeps count.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from engine.lab.phone.g711 import FRAME_SAMPLES, ULAW_TO_ALAW

PCMU, PCMA = 0, 8
KEYS = "0123456789*#ABCD"
KEY_SAMPLES = 1200
"""How long a key is held: 150 ms."""
KEY_FRAMES = -(-KEY_SAMPLES // FRAME_SAMPLES)
_REPEATED = 3
_VOLUME = 10
_END = 0x80
_MARKER = 0x80
_BURST_PACKETS = 3.0

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")


def bursts(share: float, chance: Random) -> Callable[[], bool]:
    """Asked once a packet: is it lost? Two states after Gilbert; `share` of all are lost, three in a row on average."""
    if not share:
        return lambda: False
    leave = 1 / _BURST_PACKETS
    enter = leave * share / (1 - share)
    lost = False

    def next_is_lost() -> bool:
        nonlocal lost
        lost = chance.random() < (1 - leave if lost else enter)
        return lost

    return next_is_lost


class Stream:
    """What one side of a call sends. `key_type`: the payload type of telephone events, None if there are none."""

    __slots__ = (
        "_alaw", "_in_talk_spurt", "_is_lost", "_key_type", "_payload_type", "_sequence", "_ssrc", "_timestamp",
        "lost", "sent",
    )  # fmt: skip

    def __init__(self, payload_type: int, key_type: int | None, chance: Random, is_lost: Callable[[], bool]) -> None:
        self._payload_type = payload_type
        self._key_type = key_type
        self._alaw = payload_type == PCMA
        self._ssrc = chance.getrandbits(32)
        self._sequence = chance.getrandbits(16)
        self._timestamp = chance.getrandbits(32)
        self._in_talk_spurt = False
        self._is_lost = is_lost
        self.sent = 0
        self.lost = 0

    def audio(self, ulaw: bytes) -> tuple[bytes, ...]:
        """The packet of this frame; empty when it is lost."""
        marker = 0 if self._in_talk_spurt else _MARKER
        self._in_talk_spurt = True
        packets = self._packet(
            self._payload_type | marker, self._timestamp, ulaw.translate(ULAW_TO_ALAW) if self._alaw else ulaw
        )
        self._timestamp = self._timestamp + FRAME_SAMPLES & 0xFFFFFFFF
        return packets

    def nothing(self) -> tuple[bytes, ...]:
        """In this frame nothing is sent: time goes on, packets are not counted, the next one begins a talk spurt."""
        self._in_talk_spurt = False
        self._timestamp = self._timestamp + FRAME_SAMPLES & 0xFFFFFFFF
        return ()

    def key(self, key: str, frame: int) -> tuple[bytes, ...]:
        """The packets of one frame, 0 to KEY_FRAMES - 1, of a key that is pressed instead of audio.

        The first frame and the last go out three times, each packet with a number of its own.
        """
        if self._key_type is None:
            return self.nothing()
        began = self._timestamp - frame * FRAME_SAMPLES & 0xFFFFFFFF
        is_first, is_last = frame == 0, frame == KEY_FRAMES - 1
        held = min(KEY_SAMPLES, (frame + 1) * FRAME_SAMPLES)
        event = _EVENT.pack(KEYS.index(key), _VOLUME | (_END if is_last else 0), held)
        kind = self._key_type | (_MARKER if is_first else 0)
        packets = [self._packet(kind, began, event) for _ in range(_REPEATED if is_first or is_last else 1)]
        self._timestamp = self._timestamp + FRAME_SAMPLES & 0xFFFFFFFF
        return sum(packets, ())

    def _packet(self, kind: int, timestamp: int, payload: bytes) -> tuple[bytes, ...]:
        sequence = self._sequence
        self._sequence = sequence + 1 & 0xFFFF
        if self._is_lost():
            self.lost += 1
            return ()
        self.sent += 1
        return (_HEADER.pack(0x80, kind, sequence, timestamp, self._ssrc) + payload,)


def payload_of(packet: bytes) -> bytes | None:
    """What an RTP packet carries; None when it is no RTP version 2 packet, or cut short."""
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    start, end = 12 + 4 * (packet[0] & 0x0F), len(packet)
    if packet[0] & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
    if packet[0] & 0x20:
        end -= packet[-1]
    return packet[start:end] if start <= end else None
