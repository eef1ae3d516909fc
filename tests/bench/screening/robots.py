"""Call screening: a robot asks for name and reason, then puts a person on; and fax machines."""

from __future__ import annotations

from random import Random

import numpy as np

from tests.bench.screening import persons, sound
from tests.bench.screening.machines import beep
from tests.bench.screening.outline import Outline
from tests.bench.screening.scene import RATE, Listen
from tests.bench.screening.sound import Sound
from tests.bench.screening.talker import Talker
from tests.bench.screening.telling import Telling

_RINGBACK = (((440.0, 480.0), 2.0, 4.0), ((425.0,), 1.0, 4.0), ((400.0, 450.0), 0.4, 0.2))
"""Tones, seconds of tone, seconds of pause: as in North America, on the continent of Europe, in Britain (shortened)."""
_MARK, _SPACE, _BAUD = 1650.0, 1850.0, 300
_FLAG = "01111110"


def tell(outline: Outline, robot: Talker, person: Talker, dice: Random) -> Telling:
    """The robot, then the person whom it asks."""
    telling = Telling()
    telling.wait(dice.uniform(0.1, 1.5))
    telling.say(robot.one("robot", "ask", 3.0, 6.0))
    if outline.kind.startswith("beep"):
        telling.wait(dice.uniform(0.1, 0.6))
        telling.say(beep(robot.dbov, dice))
    telling.do(Listen(1.2, 15.0))
    telling.wait(dice.uniform(0.3, 1.0))
    telling.say(robot.one("robot", "hold", 1.5, 3.0))
    held = dice.uniform(2, 8)
    if outline.kind.endswith("silence"):
        telling.wait(held)
    else:
        telling.say(ringback(held, robot.dbov - 6, dice))
    telling.wait(dice.uniform(0.2, 1.0))
    telling.say(persons.hello(person))
    persons.obey(telling, dice)
    return telling


def ringback(length: float, dbov: float, dice: Random) -> Sound:
    """So many seconds of what a caller hears while it rings."""
    hertz, ringing, pause = dice.choice(_RINGBACK)
    ring = sound.joined(sound.tone(hertz, ringing, dbov), sound.silence(pause))
    return np.resize(ring, round(RATE * length))


def tell_fax(outline: Outline, dbov: float, dice: Random) -> Telling:
    """An answering tone, then what the machine can do (ITU-T T.30), repeated until it gives up."""
    telling = Telling()
    telling.wait(dice.uniform(0.2, 2.0))
    telling.say(_answering(outline.kind, dice.uniform(2.6, 4.0), dbov))
    for _ in range(5):
        telling.wait(0.075)
        telling.say(_capabilities(dbov, dice))
        telling.wait(3.0)
    return telling


def _answering(kind: str, length: float, dbov: float) -> Sound:
    """2100 Hz; as ANSam (ITU-T V.8) it swells at 15 Hz and turns its phase every 450 ms."""
    pure = sound.tone((2100.0,), length, dbov)
    if kind == "ced":
        return pure
    at = np.arange(len(pure)) / RATE
    return sound.faded(pure * (1 + 0.2 * np.sin(2 * np.pi * 15 * at)) * np.where((at / 0.45).astype(int) % 2, -1, 1))


def _capabilities(dbov: float, dice: Random) -> Sound:
    """Flags for a second, then a frame of chance bits, in the modulation of ITU-T V.21's upper channel."""
    frame = "".join(dice.choice("01") for _ in range(dice.randrange(80, 200)))
    bits = _FLAG * 38 + frame + _FLAG * 2
    each = np.array([_MARK if bit == "1" else _SPACE for bit in bits])
    hertz = each[(np.arange(len(bits) * RATE // _BAUD) * _BAUD // RATE)]
    return sound.faded(np.sqrt(2) * 10 ** (dbov / 20) * np.sin(2 * np.pi * np.cumsum(hertz) / RATE))
