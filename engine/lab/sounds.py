"""Sounds that the lab computes: an announcement to try a call with before any prompt is built, and voices as tones."""

import math
import struct
import wave
from collections.abc import Iterable
from pathlib import Path

_RATE = 8000
_PHRASE_SECONDS = 2.7
_PAUSE_SECONDS = 0.5
_PHRASES = 3
TONES = (440, 1000)
"""The voices of customers and of agents, in hertz."""
_TONE_SECONDS = 30


def write_announcement(path: Path) -> None:
    """Nine seconds in the rhythm of speech, with pauses of half a second between the phrases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pause = [0] * int(_RATE * _PAUSE_SECONDS)
    phrase = list(_phrase())
    _write(path, (phrase + pause) * (_PHRASES - 1) + phrase)


def write_tone(path: Path, hertz: int) -> None:
    """Thirty seconds of one tone: whole periods, so that it can be repeated without a click."""
    _write(path, (int(7200 * math.sin(2 * math.pi * hertz * index / _RATE)) for index in range(_RATE * _TONE_SECONDS)))


def _phrase() -> Iterable[int]:
    # A voice of 130 Hz with its overtones, four syllables a second.
    for index in range(int(_RATE * _PHRASE_SECONDS)):
        at = index / _RATE
        syllable = 0.35 + 0.65 * abs(math.sin(2 * math.pi * 2 * at))
        voice = sum(math.sin(2 * math.pi * 130 * n * at) / n for n in range(1, 9))
        yield int(5000 * syllable * voice)


def _write(path: Path, values: Iterable[int]) -> None:
    samples = [max(-32768, min(32767, value)) for value in values]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
