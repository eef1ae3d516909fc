"""The rules for an intake whose disk fails, and a judge of what was answered, stored and called.

Accepted (201) means kept and called. Refused (503) means never kept and never called. No answer may mean either. Nobody
is called more often than attempts were written. Any other answer is wrong: nothing was wrong with these requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.bench.stream import Asked


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many requests of a stretch of time were answered how, and how many answers turned out wrong.

    `lost`: accepted, and not kept or never called. `kept_or_called`: refused, and kept or called nevertheless.
    `twice`: numbers that were called more often than attempts to call them were written. `slowest_seconds`: the longest
    wait for an answer.
    """

    sent: int
    accepted: int
    refused: int
    unanswered: int
    otherwise: int
    lost: int
    kept_or_called: int
    twice: int
    slowest_seconds: float

    @property
    def broken(self) -> dict[str, int]:
        """The rules that were broken, and how often."""
        found = {
            "accepted and lost": self.lost,
            "refused and kept or called": self.kept_or_called,
            "called twice": self.twice,
            "neither accepted nor refused": self.otherwise,
        }
        return {rule: times for rule, times in found.items() if times}


def judge(
    asked: Sequence[Asked],
    stored: Collection[tuple[str, str]],
    called: Counter[str] | None = None,
    attempts: Counter[str] | None = None,
) -> Verdict:
    """`stored`: id and number of each callback that was found.

    `called`: INVITEs by number, `attempts`: attempts that were written, by number; None where nobody calls.
    """
    kept_numbers = {number for _, number in stored}

    def was_lost(each: Asked) -> bool:
        return (each.callback, each.number) not in stored or (called is not None and not called[each.number])

    def was_taken(each: Asked) -> bool:
        return each.number in kept_numbers or bool(called and called[each.number])

    accepted, refused = [each for each in asked if each.accepted], [each for each in asked if each.refused]
    unanswered = sum(each.status is None for each in asked)
    return Verdict(
        sent=len(asked),
        accepted=len(accepted),
        refused=len(refused),
        unanswered=unanswered,
        otherwise=len(asked) - len(accepted) - len(refused) - unanswered,
        lost=sum(map(was_lost, accepted)),
        kept_or_called=sum(map(was_taken, refused)),
        twice=sum(bool(called and attempts and called[each.number] > attempts[each.number]) for each in asked),
        slowest_seconds=max((each.answered_at - each.sent_at for each in asked if each.answered_at), default=0.0),
    )
