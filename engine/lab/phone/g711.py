"""G.711 by tables: mu-law and A-law in, mu-law out, and whether a frame can be heard.

Everything that is sent is made as mu-law once; A-law is translated from it on the way out.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from operator import add

RATE = 8000
FRAME_SAMPLES = 160
"""Samples of one packet: 20 ms."""
FRAME_SECONDS = FRAME_SAMPLES / RATE

_BIAS = 132
_LOUDEST_SUM = 65536
_UNIT = 8
"""Amplitudes are counted in these steps, so that one fits a byte; what is louder than 2040 counts as that."""
_AUDIBLE = 13
"""Mean amplitude, in units, from which a frame is heard: 104 of 32768 is -50 dBov."""


def _ulaw_amplitude(code: int) -> int:
    bits = ~code & 0xFF
    magnitude: int = (((bits & 0x0F) << 3) + _BIAS << (bits >> 4 & 7)) - _BIAS
    return -magnitude if bits & 0x80 else magnitude


def _alaw_amplitude(code: int) -> int:
    bits = code ^ 0x55
    exponent = bits >> 4 & 7
    magnitude = ((bits & 0x0F) << 4) + 8
    if exponent:
        magnitude = magnitude + 256 << exponent - 1
    return magnitude if bits & 0x80 else -magnitude


def _half(sign: int) -> bytes:
    """The codes of the magnitudes 0 to 65536 of one sign; from 32636 on all have the loudest."""
    codes = bytearray()
    for segment in range(8):
        for step in range(16):
            first = segment == step == 0
            codes += bytes([~(sign | segment << 4 | step) & 0xFF]) * (4 if first else 8 << segment)
    return bytes(codes) + codes[-1:] * (_LOUDEST_SUM + 1 - len(codes))


# Indexed by the sum of two samples as it is: Python counts a negative index from the end.
_ULAW = _half(0)[:_LOUDEST_SUM] + _half(0x80)[:0:-1]

ULAW_AMPLITUDES = tuple(_ulaw_amplitude(code) for code in range(256))
ALAW_AMPLITUDES = tuple(_alaw_amplitude(code) for code in range(256))
ULAW_TO_ALAW = bytes(
    min(range(256), key=lambda code, wanted=wanted: abs(ALAW_AMPLITUDES[code] - wanted))  # type: ignore[misc]
    for wanted in ULAW_AMPLITUDES
)
ULAW_LOUDNESS = bytes(min(255, (abs(amplitude) + _UNIT // 2) // _UNIT) for amplitude in ULAW_AMPLITUDES)
ALAW_LOUDNESS = bytes(min(255, (abs(amplitude) + _UNIT // 2) // _UNIT) for amplitude in ALAW_AMPLITUDES)
SILENCE = bytes([0xFF]) * FRAME_SAMPLES
"""One frame of mu-law silence."""


def samples(audio: bytes) -> array[int]:
    """16 bit little-endian audio as whole frames; a part of a frame at the end is filled with silence.

    Raises ValueError when it is half a sample.
    """
    values = array("h")
    values.frombytes(audio)
    values.extend([0] * (-len(values) % FRAME_SAMPLES))
    return values


def encoded(values: Iterable[int]) -> bytes:
    """Samples as mu-law."""
    return bytes(map(_ULAW.__getitem__, values))


def mixed(one: Iterable[int], other: Iterable[int]) -> bytes:
    """The sum of two sounds as mu-law; what is too loud is clipped."""
    return encoded(map(add, one, other))


def frames(ulaw: bytes) -> tuple[bytes, ...]:
    """Cut into payloads of 20 ms."""
    return tuple(ulaw[start : start + FRAME_SAMPLES] for start in range(0, len(ulaw), FRAME_SAMPLES))


def is_audible(payload: bytes, loudness: bytes = ULAW_LOUDNESS) -> bool:
    """Whether the mean amplitude of an encoded frame is -50 dBov or more; `loudness` is the table of its codec."""
    return sum(payload.translate(loudness)) >= _AUDIBLE * len(payload) > 0
