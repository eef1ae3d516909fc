"""How much of a tone is in a recording: the Goertzel algorithm (G. Goertzel, 1958) over windows of 50 ms."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

RATE = 8000
WINDOW = 400
AUDIBLE = 104
"""Root mean square from which on there is sound: -50 dBFS."""


def samples(path: Path) -> array[int]:
    """The 16-bit samples of a mono WAV at 8 kHz."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return array("h", file.readframes(file.getnframes()))


def seconds_of_tone(path: Path, hertz: float) -> float:
    """How long the tone stands out: the windows whose energy is mostly at `hertz`, in seconds."""
    recorded = samples(path)
    windows = [recorded[start : start + WINDOW] for start in range(0, len(recorded) - WINDOW, WINDOW)]
    return sum(share_of_tone(window, hertz) > 0.5 for window in windows) * WINDOW / RATE


def first_sound_seconds(path: Path) -> float:
    """When the recording's first window above -50 dBFS begins. Raises StopIteration if there is none."""
    recorded = samples(path)
    starts = range(0, len(recorded) - WINDOW, WINDOW)
    return next(start for start in starts if _is_loud(recorded[start : start + WINDOW])) / RATE


def longest_silence_seconds(path: Path, start_seconds: float, end_seconds: float) -> float:
    """The longest run of windows below -50 dBFS between two moments of the recording."""
    recorded = samples(path)[int(start_seconds * RATE) : int(end_seconds * RATE)]
    longest = run = 0
    for start in range(0, len(recorded) - WINDOW, WINDOW):
        run = 0 if _is_loud(recorded[start : start + WINDOW]) else run + 1
        longest = max(longest, run)
    return longest * WINDOW / RATE


def _is_loud(window: array[int]) -> bool:
    return math.sqrt(sum(value * value for value in window) / WINDOW) > AUDIBLE


def share_of_tone(window: array[int], hertz: float) -> float:
    """How much of the energy of a window is at `hertz`, 0 to 1; 0 where there is hardly any sound."""
    energy = sum(value * value for value in window)
    if energy < WINDOW * 100 * 100:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for value in window:
        before, last = last, value + coefficient * last - before
    power = last * last + before * before - coefficient * last * before
    return 2 * power / (WINDOW * energy)
