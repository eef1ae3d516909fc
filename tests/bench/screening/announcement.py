"""How long the announcement is and how long it pauses by itself, measured in its files as the far end hears them."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Self

from engine.core.callphase import ANNOUNCEMENT
from engine.lab.phone.g711 import FRAME_SECONDS, encoded, frames, is_audible, samples


@dataclass(frozen=True, slots=True)
class Announcement:
    """In seconds: from the first to the last frame that can be heard, and the longest pause between two of them.

    `begins`: how long nothing can be heard at its beginning.
    """

    begins: float
    seconds: float
    longest_pause: float

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The prompts of the announcement in a service's folder, one after another."""
        audible: list[bool] = []
        for prompt in ANNOUNCEMENT:
            with wave.open(str(folder / f"{prompt}.wav")) as reader:
                audible += heard(reader.readframes(reader.getnframes()))
        return cls.drawn(audible)

    @classmethod
    def drawn(cls, audible: list[bool]) -> Self:
        """From what can be heard, frame by frame. Raises ValueError if nothing can."""
        first, last = audible.index(True), len(audible) - audible[::-1].index(True)
        pauses = [sum(1 for _ in run) for is_heard, run in groupby(audible[first:last]) if not is_heard]
        return cls(first * FRAME_SECONDS, (last - first) * FRAME_SECONDS, max(pauses, default=0) * FRAME_SECONDS)


def heard(audio: bytes) -> list[bool]:
    """Whether each frame of 16 bit little-endian mono of 8000 Hz can be heard."""
    return [is_audible(payload) for payload in frames(encoded(samples(audio)))]
