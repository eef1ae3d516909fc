"""Persons who answer: what they say while the announcement begins, and what they do then."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.bench.screening import noise, sound
from tests.bench.screening.outline import Outline
from tests.bench.screening.scene import Listen, Press, Wait
from tests.bench.screening.talker import Talker
from tests.bench.screening.telling import Telling

KEY = "3"
_AWAY_DB = -10.0
_LATE_SHARE = 0.05
_QUIET_SECONDS, _LIMIT_SECONDS = 1.2, 25.0
_STAYS_SECONDS, _STAYS_ON_SECONDS = 10.0, 40.0
_HEARD_OUT = Listen(_QUIET_SECONDS, _LIMIT_SECONDS)


def tell(outline: Outline, talker: Talker, dice: Random) -> Telling:
    """All that the person does."""
    telling = Telling()
    _SPEAKS[outline.kind](telling, talker, dice)
    match outline.ending:
        case "early":
            telling.wait_until(max(dice.uniform(3, 7), telling.elapsed + 0.1))
            telling.do(Press(KEY), Wait(_STAYS_SECONDS))
        case "leaves":
            telling.wait_until(max(dice.uniform(6, 12), telling.elapsed + 0.3))
        case "slow":
            telling.do(_HEARD_OUT)
            obey(telling, dice)
        case "never":
            telling.do(_HEARD_OUT, Wait(_STAYS_ON_SECONDS))
        case _:
            obey(telling, dice)
    return telling


def obey(telling: Telling, dice: Random) -> None:
    """Hears the announcement out and presses the key."""
    telling.do(_HEARD_OUT, Wait(round(dice.uniform(0.3, 1.5), 3)))
    telling.do(Press(KEY), Wait(_STAYS_SECONDS))


def onset(dice: Random) -> float:
    """Seconds from the answer to the first word: the telephone must get to the ear, or it is there already."""
    if dice.random() < _LATE_SHARE:
        return dice.uniform(2.5, 5.0)
    while not 0.1 <= (drawn := dice.lognormvariate(-0.36, 0.6)) <= 2.5:
        pass
    return drawn


def hello(talker: Talker, shortest: float = 0.2, longest: float = 0.9) -> sound.Sound:
    return talker.one("person", ("hello", "hello", "word"), shortest, longest)


def _word(telling: Telling, talker: Talker, dice: Random) -> None:
    telling.wait(onset(dice))
    telling.say(hello(talker))


def _sentence(telling: Telling, talker: Talker, dice: Random) -> None:
    telling.wait(onset(dice))
    telling.say(talker.one("person", "sentence", 1.0, 2.2))


def _business(telling: Telling, talker: Talker, dice: Random) -> None:
    telling.wait(onset(dice))
    telling.say(talker.one("person", "business", 2.5, 5.0))


def _repeated(telling: Telling, talker: Talker, dice: Random) -> None:
    telling.wait(onset(dice))
    telling.say(hello(talker))
    telling.wait(dice.uniform(0.7, 2.0))
    telling.say(hello(talker))
    if dice.random() < 0.6:
        telling.wait(dice.uniform(0.7, 2.0))
        telling.say(talker.one("person", "again", 0.3, 2.0))


def _talks_back(telling: Telling, talker: Talker, dice: Random) -> None:
    _word(telling, talker, dice)
    telling.wait_until(max(dice.uniform(2, 6), telling.elapsed + 0.4))
    telling.say(talker.one("person", "talkback", 1.0, 3.0))


def _silent(telling: Telling, talker: Talker, dice: Random) -> None:
    """Holds the telephone and waits."""


def _aside(telling: Telling, talker: Talker, dice: Random) -> None:
    telling.wait(dice.choice((0.0, dice.uniform(0, 0.5))))
    away = sound.turned_away(talker.one("person", "aside", 1.5, 4.0))
    telling.say(sound.levelled(away, talker.dbov + _AWAY_DB))
    telling.wait(dice.uniform(0.1, 0.7))
    telling.say(hello(talker))


_SPEAKS: dict[str, Callable[[Telling, Talker, Random], None]] = {
    "word": _word,
    "sentence": _sentence,
    "business": _business,
    "repeated": _repeated,
    "talks_back": _talks_back,
    "silent": _silent,
    "aside": _aside,
    "babble": _word,
}


def around(outline: Outline, dbov: float, dice: Random) -> sound.Sound | None:
    """What is heard behind a person who speaks at this level, or None."""
    kind = "babble" if outline.kind == "babble" else outline.noise
    below = dice.uniform(12, 20) if outline.kind == "babble" else dice.uniform(10, 25)
    return noise.background(kind, outline.split, dbov - below, dice) if kind else None
