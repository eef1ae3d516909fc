"""What one customer's audio says: where somebody talks, and the beep of an answering machine.

Talk is told from what is around it: it is louder than the quietest moments of the line, and not much softer than the
loudest voice so far, so a street or a television behind somebody is not taken for them. A beep is one steady tone, or
two together: for a sinusoid, x(n-k) + x(n+k) is a constant times x(n) for every lag k, and for a voice it is not. It is
none of the tones that networks and telephones give; a beep in noise that is less than 20 dB softer is not found.
"""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

with warnings.catch_warnings():
    # Gone from Python's own library in 3.13, where audioop-lts takes its place.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import audioop

RATE = 8000
FRAME_SECONDS = 0.02
BEEP_SECONDS = (0.14, 1.3)
"""Shorter tones are found in voices, longer ones ring."""
BEEP_HERTZ = (350.0, 1700.0)
"""Lower is a hum; higher are the tones of fax machines and modems."""

LOST_SECONDS = 0.1
"""Frames missing for longer are not lost but not sent."""

_SOFTEST = 250.0
"""The RMS amplitude of 16-bit samples from which on anything is heard: echoes of our own words are softer."""
_ABOVE_FLOOR, _BELOW_PEAK = 2.5, 0.2
_PEAK_FALLS = 0.9977
"""For each frame with sound: 1 dB a second."""
_DIGITAL_SILENCE = 8.0
_LINE_FRAMES, _EVERY_FRAMES = 75, 5
_BEGINS_WITH, _OF_FRAMES = 3, 5
_LAGS = (3, 4, 5)
_LAGS_OF_TWO = (3, 5)
_KEYS = tuple((low, high) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477, 1633))
_RINGING_AND_BUSY = ((400, 450), (375, 425), (440, 480), (350, 440), (480, 620))
_NO_BEEPS = tuple(
    tuple(2 * (math.cos(lag * low) + math.cos(lag * high)) for lag in _LAGS_OF_TWO)
    for low, high in ((2 * math.pi * low / RATE, 2 * math.pi * high / RATE) for low, high in _KEYS + _RINGING_AND_BUSY)
)
"""Pairs of hertz (ITU-T Q.23, E.180), as `_two_tones` tells them."""
_RINGING_HERTZ = (380.0, 460.0)
_RINGS_SECONDS = 0.92
"""A tone of so many hertz that is longer is a telephone that rings (one second in much of Europe)."""
_TONE_ERROR, _TONE_DRIFT, _PAIR_ERROR = 0.2, 0.15, 0.08


class Sign(Enum):
    """What was heard."""

    TALK_BEGAN = auto()
    TALK_ENDED = auto()
    BEEP = auto()


class Heard(NamedTuple):
    """A sign, and the seconds of talk or tone that it ends."""

    sign: Sign
    seconds: float


class SignFinder:
    """One call's audio, 20 ms after 20 ms of signed 16-bit samples at 8 kHz; times are of any one clock."""

    def __init__(self, pause_seconds: float) -> None:
        self.frames = 0
        self._pause = pause_seconds
        self._last: deque[float] = deque(maxlen=_LINE_FRAMES)
        self._floor = 0.0
        self._peak = 0.0
        self._recent = 0
        self._began_at: float | None = None
        self._talked_at = 0.0
        self._came_at = 0.0
        self._tone: tuple[float, ...] = ()
        self._tone_frames = 0

    @property
    def talks(self) -> bool:
        """Whether somebody talks now."""
        return self._began_at is not None

    def hear(self, frame: bytes, at: float) -> Iterator[Heard]:
        """The next frame came at this time."""
        self.frames += 1
        loud = float(audioop.rms(frame, 2))
        self._listen_to_the_line(loud)
        if loud < _DIGITAL_SILENCE:  # Asterisk makes it up where nothing came
            yield from self.silence(at)
            return
        self._came_at = at
        above_line = loud >= max(_SOFTEST, self._floor * _ABOVE_FLOOR)
        heard = above_line and loud >= self._peak * _BELOW_PEAK
        self._peak *= _PEAK_FALLS
        if heard:
            self._peak += max(0.0, loud - self._peak) * 0.3
        yield from self._talk(at, heard=heard)
        yield from self._beep(frame, above_line)

    def _listen_to_the_line(self, loud: float) -> None:
        """The quiet tenth of what came last is the line. A few frames of nothing are lost packets and do not count."""
        self._last.append(loud)
        if self.frames % _EVERY_FRAMES == 1:
            self._floor = sorted(self._last)[len(self._last) // 10]

    def silence(self, at: float) -> Iterator[Heard]:
        """Nothing came up to this time."""
        if self._tone_frames and at - self._came_at >= LOST_SECONDS:
            yield from self._tone_ends(())
        if self._began_at is not None and at - self._talked_at >= self._pause:
            yield self._talk_ends()

    def _talk(self, at: float, *, heard: bool) -> Iterator[Heard]:
        self._recent = (self._recent << 1 | heard) & (1 << _OF_FRAMES) - 1
        if heard and self._began_at is not None:
            self._talked_at = at
        elif heard and self._recent.bit_count() >= _BEGINS_WITH:
            self._began_at = self._talked_at = at
            yield Heard(Sign.TALK_BEGAN, 0.0)
        else:
            yield from self.silence(at)

    def _talk_ends(self) -> Heard:
        began, self._began_at = self._began_at, None
        assert began is not None  # noqa: S101 - the caller has looked
        return Heard(Sign.TALK_ENDED, self._talked_at - began + _BEGINS_WITH * FRAME_SECONDS)

    def _beep(self, frame: bytes, loud: bool) -> Iterator[Heard]:  # noqa: FBT001 - a fact about the frame
        tone = _tone_of(frame) if loud else ()
        steady = not self._tone or all(abs(a - b) < _TONE_DRIFT for a, b in zip(tone, self._tone, strict=False))
        if tone and steady and len(tone) == len(self._tone or tone):
            self._tone = tone
            self._tone_frames += 1
            return
        yield from self._tone_ends(tone)

    def _tone_ends(self, begins: tuple[float, ...]) -> Iterator[Heard]:
        tone, lasted = self._tone, self._tone_frames * FRAME_SECONDS
        self._tone, self._tone_frames = begins, int(bool(begins))
        if BEEP_SECONDS[0] <= lasted <= (_RINGS_SECONDS if _may_ring(tone) else BEEP_SECONDS[1]):
            yield Heard(Sign.BEEP, lasted)


def _tone_of(frame: bytes) -> tuple[float, ...]:
    """What stays the same while a tone lasts: three numbers for one tone, two for two together; empty: no tone."""
    if one := _one_tone(frame):
        # A lag shows high tones as lower ones; how often the samples change their sign does not.
        crossings_hertz = audioop.cross(frame, 2) / (2 * FRAME_SECONDS)
        return one if BEEP_HERTZ[0] <= _hertz(one[0]) and crossings_hertz <= BEEP_HERTZ[1] else ()
    return _two_tones(frame)


def _one_tone(frame: bytes) -> tuple[float, ...]:
    quarter = audioop.mul(frame, 2, 0.25)
    size = len(quarter)
    steps = []
    for lag in _LAGS:
        middle = quarter[2 * lag : size - 2 * lag]
        around = audioop.add(quarter[: size - 4 * lag], quarter[4 * lag :], 2)
        step = audioop.findfactor(around, middle)
        if audioop.rms(_without(around, middle, step), 2) > _TONE_ERROR * audioop.rms(middle, 2):
            return ()
        steps.append(step)
    return tuple(steps)


def _hertz(step: float) -> float:
    """Of one tone, from its first step."""
    return math.acos(max(-1.0, min(1.0, step / 2))) * RATE / (2 * math.pi * _LAGS[0])


def _may_ring(tone: tuple[float, ...]) -> bool:
    return len(tone) == len(_LAGS) and _RINGING_HERTZ[0] <= _hertz(tone[0]) <= _RINGING_HERTZ[1]


def _two_tones(frame: bytes) -> tuple[float, ...]:
    eighth = audioop.mul(frame, 2, 0.125)
    size = len(eighth)
    steps = []
    for lag in _LAGS_OF_TWO:
        middle = eighth[4 * lag : size - 4 * lag]
        near = audioop.add(eighth[2 * lag : size - 6 * lag], eighth[6 * lag : size - 2 * lag], 2)
        far = audioop.add(eighth[: size - 8 * lag], eighth[8 * lag :], 2)
        near = _without(near, middle, audioop.findfactor(near, middle))
        far = _without(far, middle, audioop.findfactor(far, middle))
        if audioop.rms(near, 2) < 2:
            return ()
        step = audioop.findfactor(far, near)
        if audioop.rms(_without(far, near, step), 2) > _TONE_ERROR * audioop.rms(middle, 2):
            return ()
        steps.append(step)
    known = any(all(abs(a - b) < _PAIR_ERROR for a, b in zip(steps, pair, strict=True)) for pair in _NO_BEEPS)
    return () if known else tuple(steps)


def _without(sound: bytes, part: bytes, factor: float) -> bytes:
    return audioop.add(sound, audioop.mul(part, 2, -factor), 2)
