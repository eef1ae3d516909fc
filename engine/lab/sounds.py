"""Sounds that the lab computes: an announcement to try a call with before any prompt is built, and what people,
machines and streets sound like.

All are WAV files of 8 kHz mono, and the same on every machine.
"""

import math
import random
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
_STREET_SECONDS = 6
_STREET_LEVEL = 500
_LOOK_SECONDS = 0.2
# ITU-T T.30: the answering tone (CED), then signals at 300 bit/s by V.21, channel 2: a one is 1650 Hz, a zero 1850 Hz.
_CED_HERTZ, _CED_SECONDS = 2100, 3.0
_V21_HERTZ = {"1": 1650, "0": 1850}
_V21_BIT_RATE = 300
_FLAG = "01111110"
_FAX_PEAK = 5000
_BURSTS = 6


def write_all(folder: Path) -> None:
    """Every sound that the lab's dialplan names, and the announcement."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "announcement.wav", announcement())
    for hertz in TONES:
        _write(folder / f"tone-{hertz}.wav", _sine(hertz, _TONE_SECONDS, 7200))
    _write(folder / "pause.wav", _silence(_LOOK_SECONDS))
    _write(folder / "street.wav", street())
    _write(folder / "fax.wav", fax())


def announcement() -> list[int]:
    """Nine seconds in the rhythm of speech, with pauses of half a second between the phrases."""
    phrase = list(_phrase())
    return (phrase + _silence(_PAUSE_SECONDS)) * (_PHRASES - 1) + phrase


def street() -> list[int]:
    """Six seconds of rumble in which two cars pass by, to be repeated: its end goes on at its beginning. The mean of
    the absolute values is 500."""
    count = _RATE * _STREET_SECONDS
    chance = random.Random("street")  # noqa: S311 - a noise that is the same each time
    hiss = [chance.random() - 0.5 for _ in range(count)]
    rumble: list[float] = []
    low = lower = slow = 0.0
    # Twice round, and only the second counts: then the filter begins as it ends. It lets 100 to 500 Hz pass, as
    # engines, tyres and a telephone do.
    for value in hiss * 2:
        low += 0.33 * (value - low)
        lower += 0.33 * (low - lower)
        slow += 0.075 * (lower - slow)
        rumble.append(lower - slow)
    street = [value * _traffic(index / count) for index, value in enumerate(rumble[count:])]
    level = _STREET_LEVEL * count / sum(map(abs, street))
    return [round(value * level) for value in street]


def _traffic(at: float) -> float:
    """How loud the street is at this part (0 to 1) of its length: never silent, twice a car."""
    return 1.0 + 1.6 * math.sin(math.pi * at) ** 8 + 1.0 * math.cos(math.pi * (at - 0.1)) ** 16


def fax() -> list[int]:
    """Thirty seconds of a machine that was called: half a second of silence, three of the answering tone, then bursts
    of 1.5 seconds (flags only) every 4.5 seconds."""
    burst: list[int] = []
    phase = 0.0
    for index in range(int(_RATE * 1.5)):
        bit = _FLAG[index * _V21_BIT_RATE // _RATE % len(_FLAG)]
        phase += 2 * math.pi * _V21_HERTZ[bit] / _RATE
        burst.append(int(_FAX_PEAK * math.sin(phase)))
    answer = _silence(0.5) + _sine(_CED_HERTZ, _CED_SECONDS, _FAX_PEAK) + _silence(0.075)
    return (answer + (burst + _silence(3.0)) * _BURSTS)[: _RATE * 30]


def _sine(hertz: int, seconds: float, peak: int) -> list[int]:
    """Whole periods if the seconds are whole, so that it can be repeated without a click."""
    return [int(peak * math.sin(2 * math.pi * hertz * index / _RATE)) for index in range(int(_RATE * seconds))]


def _silence(seconds: float) -> list[int]:
    return [0] * int(_RATE * seconds)


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
