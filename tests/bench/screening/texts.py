"""What is said, from the `texts/` folder: one file per language, halved between the splits.

Both splits share only the words of `hello`. Names of people, companies and numbers are halved too, so that a text with
a name in it is never the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

_FOLDER = Path(__file__).with_name("texts")
SPLITS = ("A", "B")
SHARES: Mapping[str, float] = {
    "en": 0.44, "de": 0.09, "es": 0.09, "fr": 0.08, "it": 0.06, "pt": 0.06, "pl": 0.06, "nl": 0.06, "sv": 0.06,
}  # fmt: skip
"""How many of the calls are in which language."""


def drawn(who: str, what: str, language: str, split: str, dice: Random) -> str:
    """One text of this split, such as `drawn("person", "business", ...)`, with names filled in."""
    document = _document(language)
    names = {each: dice.choice(_half(document[each], split)) for each in ("first", "last", "company")}
    template = dice.choice(choices(who, what, language, split))
    return template.format(**names, number=_number(split, dice))


def choices(who: str, what: str, language: str, split: str) -> list[str]:
    """All texts of this kind that the split may use, with names in braces."""
    texts: list[str] = _document(language)[who][what]
    return texts if what == "hello" else _half(texts, split)


def _half(entries: list[str], split: str) -> list[str]:
    return entries[SPLITS.index(split) :: len(SPLITS)]


def _number(split: str, dice: Random) -> str:
    """A telephone number as digits to be read out; the numbers of A end on an even digit."""
    digits = [5, 5, 5, 0, 1, dice.randrange(10), dice.randrange(5) * 2 + SPLITS.index(split)]
    return " ".join(str(digit) for digit in digits)


@cache
def _document(language: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text("utf-8"))
    return document
