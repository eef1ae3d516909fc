"""What a run does, made from a seed: moments, points, faults and numbers. The same seed gives the same plan.

When things come about on a busy machine is not repeatable to the millisecond; what is tried is.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import phonenumbers

from engine.crash_points import POINTS
from tests.live.crash.town import FIRST, INWARD, PREVIEW

_OF_FIRST = ("RingAgent", "HoldWithMusic", "DialCustomer")
_OF_INWARD = ("HoldWithMusic", "RingAgent", "Farewell")
_DECIDED = (
    "WorkAccepted",
    "WorkRejected",
    "PreviewRescheduled",
    "WorkCompleted",
    "InteractionRequested",
    "CallerEntered",
    "KeyPressed",
)
_TIMED = ("slot", "preview", "answer")
_MOMENTS = ("before", "after")
OF_TRANSFERS = ("Limit.before", "Limit.after")
"""Nobody's phone transfers here: the engine is killed there by the stories of live/faults."""
ALL_POINTS = (
    *(point for point in POINTS if point not in OF_TRANSFERS),
    *(f"{effect}.{moment}@{FIRST}" for effect in _OF_FIRST for moment in _MOMENTS),
    *(f"DialCustomer.{moment}@{PREVIEW}" for moment in _MOMENTS),
    *(f"{effect}.{moment}@{INWARD}" for effect in _OF_INWARD for moment in _MOMENTS),
    *(f"commit.{moment}@{what}" for what in (*_DECIDED, *_TIMED) for moment in _MOMENTS),
)
"""Every point there is, and what the crowd brings about that is not in every call: agents who are rung first or asked,
what they say, what is booked or put off, work from outside, and people who ring in."""


class Kill(StrEnum):
    """When the engine is killed."""

    INSTANT = "instant"
    """Some time after it was ready."""
    EARLY = "early"
    """Some time after its start, mostly while it starts or recovers."""
    POINT = "point"
    """It ends itself at a named point."""


class Fault(StrEnum):
    """What goes wrong beside the kill, once the engine is ready."""

    NONE = "none"
    EVENTS_CUT = "events-cut"
    ALL_CUT = "all-cut"
    EVENTS_SLOW = "events-slow"
    ANSWERS_SLOW = "answers-slow"
    PBX_KILLED = "pbx-killed"
    """The PBX is killed and started again; the engine lives and is killed afterwards."""
    PBX_KILLED_TOO = "pbx-killed-too"
    """PBX and engine are killed together, as by a power failure."""
    STORE_LOCKED = "store-locked"
    """Another program holds a write transaction on the engine's database."""
    DISK_FULL = "disk-full"
    """Not one block is left on the disk of the engine's database."""


@dataclass(frozen=True, slots=True)
class Step:
    """One kill. `pause_seconds`: from the last death to this start. `after_seconds`: see Kill. `point` is reached for
    the time numbered `times`. `fault_seconds`: how long the PBX is away or the store down, or how late everything
    comes. At a fault of the store `after_seconds` count from its beginning; it goes on if the kill is earlier.
    """

    kill: Kill
    pause_seconds: float
    after_seconds: float
    point: str = ""
    times: int = 1
    fault: Fault = Fault.NONE
    fault_seconds: float = 0.0

    @property
    def armed(self) -> str:
        """The point as the engine's environment says it."""
        return f"{self.point}#{self.times}" if self.point else ""

    def __str__(self) -> str:
        words = [f"{self.pause_seconds:.1f} s later", self.armed or f"{self.kill} {self.after_seconds:.2f} s"]
        if self.fault is not Fault.NONE:
            words.append(f"{self.fault} {self.fault_seconds:.2f} s")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Plan:
    """All kills of a run, in order."""

    seed: int
    steps: tuple[Step, ...]

    def without(self, fault: Fault) -> Plan:
        """The same kills where this fault cannot be made."""
        return replace(
            self,
            steps=tuple(replace(step, fault=Fault.NONE) if step.fault is fault else step for step in self.steps),
        )

    def numbers_to_ask_with(self) -> Iterator[str]:
        """Of those who ask for a call."""
        return (number for n, number in enumerate(self.numbers()) if n % INWARD_EVERY)

    def numbers_to_ring_from(self) -> Iterator[str]:
        """Of those who ring in: others."""
        return (number for n, number in enumerate(self.numbers()) if n % INWARD_EVERY == 0)

    def numbers(self) -> Iterator[str]:
        """The customers' numbers in the order in which they come, as the network writes them; none comes twice."""
        dice = random.Random(f"numbers {self.seed}")  # noqa: S311 - a plan must be repeatable
        used: set[str] = set()
        while True:
            kinds = PEOPLE if dice.random() < PEOPLE_SHARE else OTHERS
            number = f"1{dice.choice(AREAS)}55501{dice.choice(kinds)}"
            if number not in used:
                used.add(number)
                yield number


PEOPLE = (*(f"0{digit}" for digit in range(10)), "25", "22", "26")
"""They answer and press 1. Only of 26, whose network sends nothing in silence, the audio is counted."""
OTHERS = ("10", "11", "12", "13", "14", "15", "15", "16", "19", "20", "23", "27", "27", "28")
"""13 and 23 are voicemails, 28 is a fax."""
PEOPLE_SHARE = 0.6
INWARD_EVERY = 3
"""Every so many numbers one is for people who ring in."""
AREAS = tuple(
    str(area) for area in range(201, 990) if phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}5550100"))
)
"""All of +1, several hundred; those abroad are refused by the intake, and must then not be in the database."""
AT_INSTANTS = 12
"""So many kills at instants hold every fault that needs one."""
_OFTEN_OF_ALL, _OFTEN_OF_SOME = 3, 2
_RARE = ("@PreviewRescheduled", "@slot", f"Farewell.before@{INWARD}", f"Farewell.after@{INWARD}")
_OFTEN = {
    "commit.before": 30,
    "commit.after": 30,
    "Connect.before": 1,
    "Connect.after": 1,
    "Farewell.before": 1,
    "Record.before": 1,
    "Record.after": 1,
    "CheckNumber.before": 1,
    "CheckNumber.after": 1,
    "CountAudio.before": 1,
    "CountAudio.after": 1,
}
_FAULTS = {
    Fault.PBX_KILLED: (0.0, 3.0),
    Fault.PBX_KILLED_TOO: (0.0, 2.0),
    Fault.STORE_LOCKED: (0.5, 8.0),
    Fault.DISK_FULL: (0.5, 8.0),
    Fault.EVENTS_CUT: (0.0, 0.0),
    Fault.ALL_CUT: (0.0, 0.0),
    Fault.EVENTS_SLOW: (0.05, 0.8),
    Fault.ANSWERS_SLOW: (0.05, 0.5),
}
"""Each with the least and the most seconds; first those that fit the fewest kills."""
_TO_BOTH = frozenset({Fault.PBX_KILLED, Fault.PBX_KILLED_TOO})
OF_THE_STORE = frozenset({Fault.STORE_LOCKED, Fault.DISK_FULL})


def make_plan(seed: int, kills: int, points: Sequence[str], faults: Iterable[Fault] = Fault) -> Plan:
    """`kills` steps: half of them at points, each point once before any comes twice; every fault at least once in 10.

    Without points (a program that has none) all kills are at instants. `faults`: only these, beside NONE.
    """
    dice = random.Random(seed)  # noqa: S311 - a plan must be repeatable
    at_points = max(kills // 2, min(len(points), kills - max(5, min(AT_INSTANTS, kills // 4)))) if points else 0
    chosen: list[str] = []
    while len(chosen) < at_points:
        chosen += dice.sample(list(points), len(points))
    steps = [Step(Kill.POINT, _pause(dice), 0.0, point, dice.randint(1, _often(point))) for point in chosen[:at_points]]
    for n in range(kills - at_points):
        early = n % 3 == 2
        after = dice.uniform(0.2, 2.5) if early else dice.uniform(0.0, 4.0)
        steps.append(Step(Kill.EARLY if early else Kill.INSTANT, _pause(dice), after))
    _add_faults(steps, dice, frozenset(faults))
    dice.shuffle(steps)
    return Plan(seed, tuple(steps))


def _often(point: str) -> int:
    """How often it may be reached before the engine is to die there: rare ones only once, or the run would wait."""
    if "@" in point:
        return 1 if point.endswith(_RARE) else _OFTEN_OF_SOME
    return _OFTEN.get(point, _OFTEN_OF_ALL)


def _pause(dice: random.Random) -> float:
    return dice.choice((0.0, 0.0, dice.uniform(0.0, 1.0), dice.uniform(1.0, 4.0)))


def _add_faults(steps: list[Step], dice: random.Random, wanted: frozenset[Fault]) -> None:
    """Give faults to most of the kills; only instants wait for a PBX, and an early kill comes before any fault.

    A point may be reached before its fault; so the first fault of each kind of the store is beside an instant.
    """
    rounds = max(1, len(steps) // 14)
    each = [(fault, n_round) for n_round in range(rounds) for fault in _FAULTS if fault in wanted]
    at_instants = [(f, n_round) for f, n_round in each if f in _TO_BOTH or (f in OF_THE_STORE and n_round == 0)]
    for fault, n_round in (*at_instants, *(one for one in each if one not in at_instants)):
        at_instant = (fault, n_round) in at_instants
        fits = [
            n
            for n, step in enumerate(steps)
            if step.fault is Fault.NONE and (step.kill is Kill.INSTANT if at_instant else step.kill is not Kill.EARLY)
        ]
        if not fits:
            continue
        n = dice.choice(fits)
        least, most = _FAULTS[fault]
        seconds = dice.uniform(least, most)
        steps[n] = replace(steps[n], fault=fault, fault_seconds=seconds)
        if fault in OF_THE_STORE and steps[n].kill is Kill.INSTANT:
            after = dice.choice((dice.uniform(0.0, seconds), seconds + dice.uniform(0.0, 4.0)))
            steps[n] = replace(steps[n], after_seconds=after)
