"""The greetings of Asterisk's own voicemail, put together as `VoiceMail()` does, from the prompts of the lab.

All of them are recordings of one human voice, the same in every Asterisk; so it is in both splits, with other
extensions in each.
"""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path
from random import Random

from engine.lab import installation
from tests.bench.screening.sound import Sound, from_samples, joined, silence
from tests.bench.screening.texts import SPLITS

VOICE = "asterisk:allison"
_PLACES = ("usr/share/asterisk/sounds", "var/lib/asterisk/sounds")


def greeting(split: str, dice: Random) -> Sound:
    """An unavailable or busy greeting with the extension's digits, or one of the short ones."""
    digits = [*_digits(dice), str(dice.randrange(5) * 2 + SPLITS.index(split))]
    reason = dice.choice(("vm-isunavail", "vm-isunavail", "vm-isonphone"))
    forms = (
        ["vm-theperson", *(f"digits/{digit}" for digit in digits), reason, "vm-intro"],
        ["vm-theperson", *(f"digits/{digit}" for digit in digits), reason, "vm-intro"],
        ["vm-theperson", "vm-extension", *(f"digits/{digit}" for digit in digits), reason, "vm-intro"],
        ["vm-nobodyavail", "vm-intro"],
        ["vm-intro"],
    )
    return _played(dice.choice(forms), dice)


def full(dice: Random) -> Sound:
    """The mailbox is full: a message that ends the call."""
    return _played(dice.choice((["vm-mailboxfull", "vm-goodbye"], ["vm-nobodyavail", "vm-goodbye"])), dice)


def beep() -> Sound:
    return _prompt("beep")


def _digits(dice: Random) -> list[str]:
    return [str(dice.randrange(10)) for _ in range(dice.choice((2, 3, 3, 6)))]


def _played(names: list[str], dice: Random) -> Sound:
    """One after another, with what little time lies between two files."""
    return joined(*(joined(_prompt(name), silence(dice.uniform(0.01, 0.06))) for name in names))


@cache
def _prompt(name: str) -> Sound:
    with wave.open(str(_folder() / f"{name}.wav")) as reader:
        return from_samples(reader.readframes(reader.getnframes()))


@cache
def _folder() -> Path:
    """The English prompts. Raises `LookupError` if the lab's Asterisk has none as WAV files."""
    root = installation.find(print).root or Path("/")
    for place in _PLACES:
        for found in sorted((root / place).glob("en*/vm-theperson.wav")):
            return found.parent
    raise LookupError(f"no English prompts below {root}; install asterisk-core-sounds-en-wav")
