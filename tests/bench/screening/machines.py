"""Answering machines and network voicemail: greeting, pause, beep, and then they record."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np

from tests.bench.screening import asterisk_prompts, noise, sound
from tests.bench.screening.outline import Outline
from tests.bench.screening.sound import Sound
from tests.bench.screening.talker import Talker
from tests.bench.screening.telling import Telling

_RECORDS_SECONDS = 20.0
_PERSONAL = (
    ("open", "ask"), ("open", "away"), ("open", "away", "ask"), ("open", "ask", "close"), ("away", "ask", "close"),
    ("open", "away", "ask", "close"), ("open", "away", "ask", "close"),
)  # fmt: skip
_ONE_BREATH = 0.2
_MELODY_HERTZ = (392.0, 440.0, 494.0, 523.0, 587.0, 659.0, 784.0)


def tell(outline: Outline, talker: Talker, dice: Random) -> Telling:
    """All that the machine does."""
    telling = Telling()
    telling.wait(onset(dice))
    greeting = _GREETS[outline.kind](outline, talker, dice)
    if outline.noise:
        # What was around when the greeting was recorded is in the recording, in its pauses too, and ends with it.
        recorded = sound.joined(*greeting)
        around = noise.background(outline.noise, outline.split, talker.dbov - dice.uniform(10, 25), dice)
        greeting = [sound.faded(recorded + noise.lasting(around, sound.seconds(recorded)))]
    for part in greeting:
        if part.any():
            telling.say(part)
        else:
            telling.wait(sound.seconds(part))
    if outline.kind == "full":
        telling.wait(dice.uniform(0.2, 1.2))
        return telling
    telling.wait(dice.uniform(0.1, 1.5))
    level = min(-10.0, talker.dbov + dice.uniform(-6, 6))
    own = outline.kind == "asterisk"
    telling.say(sound.levelled(asterisk_prompts.beep(), level) if own else beep(level, dice))
    telling.wait(_RECORDS_SECONDS)
    return telling


def onset(dice: Random) -> float:
    """Seconds from the answer to the first sound: half of the machines begin within 0.8."""
    return dice.uniform(0, 0.8) if dice.random() < 0.5 else dice.uniform(0.8, 5.0)


def beep(dbov: float, dice: Random) -> Sound:
    """One tone, or in a quarter of cases two: together or one after the other."""
    length, low = dice.uniform(0.15, 0.9), dice.uniform(400, 1400)
    other = dice.uniform(400, 1400)
    form = dice.random()
    if form < 0.75:
        return sound.tone((low,), length, dbov)
    if form < 0.875:
        return sound.tone((low, other), length, dbov)
    return sound.joined(sound.tone((low,), length / 2, dbov), sound.tone((other,), length / 2, dbov))


def _personal(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    kinds = dice.choice(_PERSONAL[:2] if (breathless := dice.random() < _ONE_BREATH) else _PERSONAL)
    pauses = [dice.uniform(0.01, 0.06) if breathless else dice.uniform(0.2, 0.8) for _ in kinds[1:]]
    said = talker.parts("machine", tuple((kind,) for kind in kinds), 3.0 - sum(pauses), 12.0 - sum(pauses))
    spaced = [said[0]]
    for pause, sentence in zip(pauses, said[1:], strict=True):
        spaced += [sound.silence(pause), sentence]
    return spaced


def _network(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    return [talker.one("machine", "network", 3.0, 9.0)]


def _asterisk(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    return [sound.levelled(asterisk_prompts.greeting(outline.split, dice), talker.dbov)]


def _two_parts(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    first = talker.one("machine", "first_part", 0.2, 1.2)
    return [first, sound.silence(dice.uniform(0.8, 2.0)), talker.one("machine", "second_part", 2.0, 9.0)]


def _short(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    return [talker.one("machine", "short", 1.0, 2.2)]


def _music(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    played = sound.levelled(_melody(dice.uniform(1, 4), dice), talker.dbov - dice.uniform(0, 6))
    speech = _network(outline, talker, dice) if dice.random() < 0.5 else _personal(outline, talker, dice)
    return [played, sound.silence(dice.uniform(0, 0.4)), *speech]


def _full(outline: Outline, talker: Talker, dice: Random) -> list[Sound]:
    return [talker.one("machine", "full", 2.5, 9.0)]


_GREETS: dict[str, Callable[[Outline, Talker, Random], list[Sound]]] = {
    "personal": _personal,
    "network": _network,
    "asterisk": _asterisk,
    "two_parts": _two_parts,
    "short": _short,
    "music": _music,
    "full": _full,
}


def _melody(length: float, dice: Random) -> Sound:
    """Notes that are struck and die away over a held chord."""
    beat = dice.choice((0.16, 0.2, 0.25, 0.33))
    starts = np.arange(0, length, beat)
    out = sound.tone((262.0, 330.0), length, -26.0)
    for start, end in pairwise([*starts, length]):
        root = dice.choice(_MELODY_HERTZ)
        note = sound.tone((root, 2 * root, 3 * root), end - start, -20.0)
        first = round(start * 8000)
        note = note[: len(out) - first] * np.exp(-np.arange(min(len(note), len(out) - first)) / 1600)
        out[first : first + len(note)] += note
    return sound.faded(out)
