"""One voice that says texts of a wanted length; the same voice and pitch throughout a call."""

from __future__ import annotations

from random import Random

import numpy as np

from tests.bench.screening import sound, texts, voices
from tests.bench.screening.sound import Sound
from tests.bench.screening.voices import Manner

_TRIES = 60
_RATES = range(130, 215, 5)
_EMPHASIS_DB = 2.5


class Talker:
    """A person or a machine who speaks one language in one voice, `dbov` loud."""

    def __init__(self, split: str, language: str, dbov: float, dice: Random) -> None:
        self.split, self.language, self.dbov = split, language, dbov
        self._dice = dice
        self.voice = voices.drawn(split, language, dice)
        self._pitch = dice.randrange(20, 85, 5)
        self._gap = dice.choice((0, 0, 0, 1, 2, 4))
        self._rate = dice.choice(_RATES)

    def one(self, who: str, what: str | tuple[str, ...], shortest: float, longest: float) -> Sound:
        """One text of this kind (or of one of these), between these seconds long."""
        return self.parts(who, ((what,) if isinstance(what, str) else what,), shortest, longest)[0]

    def parts(self, who: str, kinds: tuple[tuple[str, ...], ...], shortest: float, longest: float) -> list[Sound]:
        """For each entry one text of one of its kinds, together between these seconds long.

        A slow voice may have nothing that short, or a quick one nothing that long; then it is what comes nearest.
        """
        nearest: tuple[float, list[Sound]] = (float("inf"), [])
        for attempt in range(_TRIES):
            if attempt:
                self._rate = self._dice.choice(_RATES)
            said = [self._say(who, self._dice.choice(each)) for each in kinds]
            length = sum(map(sound.seconds, said))
            outside = max(shortest - length, length - longest)
            if outside <= 0:
                return said
            nearest = min(nearest, (outside, said), key=lambda each: each[0])
        return nearest[1]

    def _say(self, who: str, what: str) -> Sound:
        text = texts.drawn(who, what, self.language, self.split, self._dice)
        said = voices.spoken(self.voice, Manner(self._rate, self._pitch, self._gap), text)
        return sound.levelled(self._emphasised(said), self.dbov)

    def _emphasised(self, said: Sound) -> Sound:
        """Synthetic voices are evener than people: some syllables louder, some softer."""
        knots = max(2, round(sound.seconds(said) / 0.3))
        gains = [self._dice.uniform(-_EMPHASIS_DB, _EMPHASIS_DB) for _ in range(knots)]
        curve = np.interp(np.linspace(0, knots - 1, len(said)), np.arange(knots), gains)
        return said * 10 ** (curve / 20)
