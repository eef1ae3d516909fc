"""What is decided of a call before any of it is sound; dealt out so that every share is kept exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.bench.screening import noise, texts
from tests.bench.screening.scene import Truth

T = TypeVar("T", bound=str)

KINDS: Mapping[Truth, Mapping[str, float]] = {
    Truth.PERSON: {
        "word": 0.40, "sentence": 0.20, "business": 0.10, "repeated": 0.10, "talks_back": 0.08, "silent": 0.06,
        "aside": 0.03, "babble": 0.03,
    },
    Truth.MACHINE: {
        "personal": 0.33, "network": 0.27, "asterisk": 0.15, "two_parts": 0.10, "short": 0.07, "music": 0.04,
        "full": 0.04,
    },
    Truth.ROBOT: {"beep_silence": 0.25, "beep_ringback": 0.25, "plain_silence": 0.25, "plain_ringback": 0.25},
    Truth.FAX: {"ced": 0.7, "ansam": 0.3},
}  # fmt: skip
ENDINGS = {"obeys": 0.62, "early": 0.15, "leaves": 0.13, "slow": 0.05, "never": 0.05}
"""What a person does: presses the key when told to, before, or only when told again; hangs up; or stays and listens."""
_CLEAN_PERSONS, _CLEAN_OWNERS, _CLEAN_OPERATORS = 0.42, 0.50, 0.85
_SUPPRESSED, _LOSSY = 0.30, 0.25


@dataclass(frozen=True, slots=True)
class Outline:
    """One call: `noise` is one of `noise.KINDS` or empty; `ending` is empty unless it is a person."""

    name: str
    split: str
    seed: int
    truth: Truth
    kind: str
    language: str
    ending: str
    noise: str
    suppress_silence: bool
    lossy: bool

    def dice(self) -> Random:
        """What decides all that is not decided here."""
        return Random(f"{self.split} {self.seed} {self.name}")  # noqa: S311 - a bench must be repeatable


def outlines(split: str, seed: int, counts: Mapping[Truth, int]) -> list[Outline]:
    """So many calls of each kind of who answers, always the same for the same arguments."""
    return [each for truth, count in counts.items() for each in _of(truth, split, seed, count)]


def _of(truth: Truth, split: str, seed: int, count: int) -> list[Outline]:
    dice = Random(f"{split} {seed} {truth} {count}")  # noqa: S311 - a bench must be repeatable
    kinds = dealt(KINDS[truth], count, dice)
    noises = {kind: dealt(_noises(truth, kind), kinds.count(kind), dice) for kind in KINDS[truth]}
    languages, endings = dealt(texts.SHARES, count, dice), dealt(ENDINGS, count, dice)
    suppressed = dealt({"yes": _SUPPRESSED, "": 1 - _SUPPRESSED}, count, dice)
    lossy = dealt({"yes": _LOSSY, "": 1 - _LOSSY}, count, dice)
    return [
        Outline(
            name=f"{split}-{truth}-{index:04}",
            split=split,
            seed=seed,
            truth=truth,
            kind=kind,
            language=_language(truth, kind, languages[index]),
            ending=endings[index] if truth is Truth.PERSON else "",
            noise=noises[kind].pop(),
            suppress_silence=bool(suppressed[index]),
            lossy=bool(lossy[index]),
        )
        for index, kind in enumerate(kinds)
    ]


def _language(truth: Truth, kind: str, drawn: str) -> str:
    if truth is Truth.FAX or kind == "silent":
        return ""
    return "en" if kind == "asterisk" else drawn  # Asterisk's own prompts are those of the lab


def _noises(truth: Truth, kind: str) -> dict[str, float]:
    """Operators' announcements are mostly clean; a person with babble has that by its kind."""
    if kind == "babble" or truth in {Truth.ROBOT, Truth.FAX}:
        return {"": 1.0}
    clean = _CLEAN_PERSONS if truth is Truth.PERSON else _CLEAN_OWNERS
    if kind in {"network", "asterisk", "full"}:
        clean = _CLEAN_OPERATORS
    return {"": clean} | dict.fromkeys(noise.KINDS, (1 - clean) / len(noise.KINDS))


def dealt(shares: Mapping[T, float], count: int, dice: Random) -> list[T]:
    """`count` cards in these shares, shuffled; what does not divide goes to the largest remainders."""
    exact = {card: share * count for card, share in shares.items()}
    whole = {card: int(number + 1e-9) for card, number in exact.items()}
    by_remainder = sorted(exact, key=lambda card: whole[card] - exact[card])
    for card in by_remainder[: count - sum(whole.values())]:
        whole[card] += 1
    cards = [card for card, number in whole.items() for _ in range(number)]
    dice.shuffle(cards)
    return cards
