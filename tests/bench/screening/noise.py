"""Noise that can be repeated without a seam: of the line, of a street, of people talking."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np

from tests.bench.screening import sound, texts, voices
from tests.bench.screening.scene import RATE
from tests.bench.screening.sound import Sound

KINDS = ("white", "pink", "street", "babble")
_BABBLES = 8
_BABBLE_SECONDS = 6.0
_TALKERS = 5


def line(dbov: float, seconds: float, dice: Random) -> Sound:
    """What any line has, at this level."""
    return _at(_coloured(seconds, 0.0, dice), dbov)


def background(kind: str, split: str, dbov: float, dice: Random) -> Sound:
    """One of `KINDS`, a few seconds long, at this level over all."""
    match kind:
        case "white":
            return _at(_coloured(3.0, 0.0, dice), dbov)
        case "pink":
            return _at(_coloured(4.0, 1.0, dice), dbov)
        case "street":
            return _at(_street(6.0, dice), dbov)
        case _:
            return _at(_babble(split, dice.randrange(_BABBLES)), dbov)


def lasting(noise: Sound, seconds: float) -> Sound:
    """`noise`, repeated for so long."""
    return np.resize(noise, round(RATE * seconds))


def _at(noise: Sound, dbov: float) -> Sound:
    return sound.gained(noise, dbov - sound.rms_level(noise))


def _coloured(seconds: float, slope: float, dice: Random, high: float = sound.HIGH) -> Sound:
    """Power falls with frequency to the power of `slope`; made of whole periods, so that its end fits its beginning."""
    length = round(RATE * seconds)
    chance = np.random.default_rng(dice.getrandbits(64))
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    inside = (hertz > sound.LOW * 0.7) & (hertz < high)
    strength = inside / np.maximum(hertz, 1.0) ** (slope / 2)
    spectrum = strength * (chance.standard_normal(len(hertz)) + 1j * chance.standard_normal(len(hertz)))
    noise: Sound = np.fft.irfft(spectrum, length)
    return noise


def _street(seconds: float, dice: Random) -> Sound:
    """Rumble, over which cars pass."""
    noise = _coloured(seconds, 1.6, dice, high=1400.0)
    at = np.arange(len(noise)) / RATE
    strength = np.full(len(noise), 0.5)
    for _ in range(2):
        middle, width = dice.uniform(0, seconds), dice.uniform(0.4, 0.9)
        away = np.abs(at - middle)
        strength += dice.uniform(0.7, 1.6) * np.exp(-((np.minimum(away, seconds - away) / width) ** 2))
    passing: Sound = noise * strength
    return passing


@cache
def _babble(split: str, index: int) -> Sound:
    """Several people who talk at once, as from a television or the next tables."""
    dice = Random(f"babble {split} {index}")  # noqa: S311 - a bench must be repeatable
    mixed = np.zeros(round(RATE * _BABBLE_SECONDS))
    for _ in range(_TALKERS):
        language = dice.choice(list(texts.SHARES))
        manner = voices.Manner(dice.randrange(150, 200, 10), dice.randrange(30, 75, 5))
        said = voices.spoken(
            voices.drawn(split, language, dice), manner, texts.drawn("person", "chat", language, split, dice)
        )
        where = np.arange(len(said)) + dice.randrange(len(mixed))
        np.add.at(mixed, where % len(mixed), sound.gained(said, dice.uniform(-6, 0)))
    return mixed
