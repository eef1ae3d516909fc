"""Sound as arrays: resampling to the telephone's band, levels, tones, and 16 bit samples.

A `Sound` is one channel at `RATE` with full scale at 1.0. Levels are in dBov: 0 is the power of a square wave at full
scale (ITU-T G.100.1).
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tests.bench.screening.scene import RATE

Sound: TypeAlias = npt.NDArray[np.float64]
LOW, HIGH = 300.0, 3400.0
"""The telephone's band in hertz."""
_SLOPES = 80.0, 350.0  # hertz from nothing to all, below and above the band
_FRAME = RATE // 100
_MARGIN_DB = 15.9  # what is that far below the active level is a pause (ITU-T P.56)
_HANGOVER_FRAMES = 20  # a pause shorter than 200 ms belongs to the speech (ITU-T P.56)
_TRIM_DB = 38.0
_FADE_SECONDS = 0.004


def telephone_band(sound: Sound, rate: int) -> Sound:
    """`sound` at `rate` samples a second, as a telephone line carries it, with 50 ms more before and after.

    Done on the spectrum as a whole, so that nothing above the band is folded back into it.
    """
    grid = rate // math.gcd(rate, RATE)
    before = rate // 20  # room for what rings at the edges of the band, which else would come out at the other end
    length = math.ceil((len(sound) + 2 * before) / grid) * grid
    spectrum = np.fft.rfft(np.pad(sound, (before, 0)), length)
    hertz = np.fft.rfftfreq(length, 1 / rate).astype(np.float64)
    out = length * RATE // rate
    kept = (spectrum * _band(hertz))[: out // 2 + 1]
    heard: Sound = np.fft.irfft(kept, out) * (out / length)
    return heard


def _band(hertz: Sound) -> Sound:
    below, above = _SLOPES
    rise = np.clip((hertz - LOW + below) / below, 0, 1)
    fall = np.clip((HIGH + above - hertz) / above, 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))


def turned_away(sound: Sound) -> Sound:
    """As from a mouth that speaks past the telephone: high sounds are weaker."""
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    dull: Sound = np.fft.irfft(np.fft.rfft(sound) / np.sqrt(1 + (hertz / 1000.0) ** 2), len(sound))
    return dull


def frame_levels(sound: Sound) -> Sound:
    """The level of each 10 ms, in dBov; -120 for nothing."""
    whole = len(sound) // _FRAME * _FRAME
    power = np.mean(sound[:whole].reshape(-1, _FRAME) ** 2, axis=1)
    levels: Sound = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def rms_level(sound: Sound) -> float:
    """The level of all of it, pauses included, in dBov."""
    return 10 * math.log10(max(float(np.mean(sound**2)), 1e-12))


def active_level(sound: Sound) -> float:
    """The level while there is speech, in dBov, in the manner of ITU-T P.56; -120 for silence."""
    levels = frame_levels(sound)
    if not len(levels):
        return -120.0
    power, level = 10 ** (levels / 10), float(levels.max()) - 6
    for _ in range(20):
        loud = levels > level - _MARGIN_DB
        active = np.convolve(loud, np.ones(_HANGOVER_FRAMES + 1))[: len(loud)] > 0
        mean = 10 * math.log10(float(power[active].mean()))
        if abs(mean - level) < 0.01:
            break
        level = mean
    return level


def levelled(sound: Sound, dbov: float) -> Sound:
    """`sound` with this active level."""
    return gained(sound, dbov - active_level(sound))


def gained(sound: Sound, decibels: float) -> Sound:
    return sound * 10 ** (decibels / 20)


def trimmed(sound: Sound) -> Sound:
    """Without the silence before and after."""
    levels = frame_levels(sound)
    heard = np.flatnonzero(levels > levels.max() - _TRIM_DB)
    return sound[int(heard[0]) * _FRAME : (int(heard[-1]) + 1) * _FRAME]


def faded(sound: Sound) -> Sound:
    """With beginning and end that do not click."""
    length = min(round(RATE * _FADE_SECONDS), len(sound) // 2)
    ramp, out = np.linspace(0, 1, length), sound.copy()
    out[:length] *= ramp
    out[len(out) - length :] *= ramp[::-1]
    return out


def tone(hertz: tuple[float, ...], seconds: float, dbov: float) -> Sound:
    """These tones together, with this level in all."""
    at = np.arange(round(RATE * seconds)) / RATE
    mixed = np.sum([np.sin(2 * np.pi * each * at) for each in hertz], axis=0)
    return faded(mixed * math.sqrt(2 / len(hertz)) * 10 ** (dbov / 20))


def silence(seconds: float) -> Sound:
    return np.zeros(round(RATE * seconds))


def joined(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def seconds(sound: Sound) -> float:
    return len(sound) / RATE


def to_samples(sound: Sound) -> bytes:
    """As a `Scene` holds it; what is too loud is clipped, as on a line."""
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes()


def from_samples(samples: bytes) -> Sound:
    return np.frombuffer(samples, "<i2").astype(np.float64) / 32768
