"""People who ring in: some wait for an agent, some keep the place, some hang up, some have asked for a call before."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum

from engine.lab import Lab
from engine.lab.callers import ring_in, steps
from engine.lab.errors import LabError
from engine.lab.rung_in import RungIn
from tests.live.crash.busy import Busy
from tests.live.crash.evidence import Answer, Asked
from tests.live.crash.town import DIALLED, INWARD

EVERY_SECONDS = 0.8
MOST_ON_THE_PHONE = 10
TALKS = "talk 2"


class Way(StrEnum):
    """What somebody does. Who is still there afterwards talks to an agent, when one comes."""

    WAITS = "waits"
    KEEPS = "keeps"
    """Presses the keys for it, and once more if that was not heard."""
    ENTERS = "enters"
    """Keeps the place, for a number that they enter: their own."""
    LEAVES = "leaves"
    RETURNS = "returns"
    """Waits, and has asked for a callback before."""


_WAYS = (Way.WAITS, *[Way.KEEPS] * 7, Way.ENTERS, Way.LEAVES, Way.RETURNS, Way.RETURNS)


class Callers(Busy):
    """Rings from `numbers` while fewer than MOST_ON_THE_PHONE ring or are on the phone. `asked`: who asks elsewhere.

    Some ring from abroad: the engine takes them, and does not know by which number they could be called.
    """

    def __init__(self, lab: Lab, numbers: Iterator[str], asked: Sequence[Asked], seed: int) -> None:
        super().__init__("callers", EVERY_SECONDS)
        self._lab = lab
        self._numbers = numbers
        self._asked = asked
        self._dice = random.Random(f"callers {seed}")  # noqa: S311 - a plan must be repeatable
        self._returned: set[str] = set()
        self._calm = False

    def calm_down(self) -> None:
        """Nobody rings any more."""
        self._calm = True

    def _look(self, *, roused: bool) -> None:
        calls = self._lab.rung_in()
        if not self._calm and sum(call.ended_at is None for call in calls) < MOST_ON_THE_PHONE:
            self._ring(calls)

    def _ring(self, calls: Sequence[RungIn]) -> None:
        way, number = self._dice.choice(_WAYS), None
        if way is Way.RETURNS:
            number = next((each for each in self._with_a_callback(calls) if each not in self._returned), None)
            self._returned.update((number,) if number else ())
        number = number or next(self._numbers)
        try:
            ring_in(self._lab, DIALLED, f"+{number}", steps(self._script(way, number)))
        except LabError:  # the network is busy: nobody has rung
            time.sleep(EVERY_SECONDS)

    def _with_a_callback(self, calls: Sequence[RungIn]) -> list[str]:
        """Who asked for one, or has probably just kept the place, the last one first."""
        kept = [call.caller.lstrip("+") for call in calls if call.ended_at is not None and call.pressed.endswith("1")]
        asked = [each.number for each in self._asked if (each.service, each.answer) == (INWARD, Answer.ACCEPTED)]
        return [*reversed(kept[-3:]), *reversed(asked[-3:])]

    def _script(self, way: Way, number: str) -> str:
        first, then, again = (f"{self._dice.uniform(0.1, most):.1f}" for most in (2.0, 1.0, 6.0))
        keep = f"press 1, wait {then}, press 1"
        match way:
            case Way.KEEPS:
                return f"wait {first}, {keep}, wait {again}, {keep}, {TALKS}"
            case Way.ENTERS:
                return f"wait {first}, press 1, wait {then}, press 2{number[1:]}#, wait 1, press 1, {TALKS}"
            case Way.LEAVES:
                return f"wait {again}, hang-up"
            case _:
                return TALKS
