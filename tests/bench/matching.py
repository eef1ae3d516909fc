"""How fast the dispatcher decides whom an agent who becomes ready is to serve: 10,000 agents, 100,000 who wait.

Every measured event serves somebody: the callback is reserved, its attempt written, the customer dialled. The rivals
look for the same customer in the same line and must find the same one. The line stays as it is: whoever was served is
followed by somebody who asks for the same.
"""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import ClassVar, Protocol

from engine import collector
from engine.core.terms import AgentId
from engine.core.values import Value, replace
from tests.bench.matching_centre import NOBODYS, Asking, House, customers, house
from tests.bench.matching_engine import Engine, Served
from tests.bench.matching_rivals import OrderedTable, Scan, TableOfHeads
from tests.bench.report import Report

Progress = Callable[[str], None]

AGENTS = 10_000
FEW, SOME, MANY = 1_000, 10_000, 100_000
"""How many wait."""
SKILL_SETS = 200
AHEAD_SHARE = 0.1
"""In one case so many of the line stand ahead and wait for a service whose agents have gone home."""
ROUNDS = 5
ROUND_SHARE = 0.1
"""So many of the agents become ready in each round."""
AT_ONCE = 20
"""After so many events those who were served are followed by others: also the shortest line never lacks a kind."""
BAR_PER_SECOND = 20_000
BAR_GROWTH = 2.0
_RIVALS = {Scan.name: "scan", OrderedTable.name: "SQL, in order", TableOfHeads.name: "SQL, heads"}


class Case(Value):
    """One line and one house. `ahead`: how many stand ahead whom nobody can serve."""

    name: str
    waiting: int
    agents: int
    skill_sets: int
    ahead: int = 0

    @property
    def per_round(self) -> int:
        """How many agents become ready, or customers ask, in one round."""
        return round(self.agents * ROUND_SHARE)


@dataclass(frozen=True, slots=True)
class Measured:
    """Events a second of each round, by contender. `wrong`: what was not as it must be, and how often."""

    rates: Mapping[str, Sequence[float]]
    wrong: Counter[str]
    looked_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Some agents who became ready, whom the engine gave them ("": nobody), and who followed at the end of the line."""

    agents: Sequence[AgentId]
    served: Sequence[str]
    followers: Sequence[Asking]


class Rival(Protocol):
    """Holds a line and serves it."""

    name: ClassVar[str]

    def join(self, customer: Asking) -> None: ...
    def serve(self, agents: Sequence[AgentId]) -> Served: ...


def run(scale: float, progress: Progress) -> Report:
    """Each case by itself, one after another."""
    measured: dict[Case, Measured] = {}
    for case in cases(scale):
        progress(f"{case.waiting:,} wait, {case.skill_sets:,} sets of skills, {case.ahead:,} stand ahead")
        measured[case] = measure(case)
    largest = next(case for case in measured if case.name == "many")
    progress("requests while agents are free")
    asked = measure_requests(largest)
    progress("memory")
    return _report(measured, asked, _memory(largest))


def cases(scale: float) -> tuple[Case, ...]:
    """The sizes at this scale, none below what the skills and the rounds need."""
    agents = max(SKILL_SETS, round(AGENTS * scale))
    few, some, many = (max(FEW, round(size * scale)) for size in (FEW, SOME, MANY))
    largest = Case("many", many, agents, SKILL_SETS)
    return (
        replace(largest, name="few", waiting=few),
        replace(largest, name="some", waiting=some),
        largest,
        replace(largest, name="ahead", ahead=round(many * AHEAD_SHARE)),
        replace(largest, name="all_different", skill_sets=agents),
    )


# ---- agents become ready -----------------------------------------------------------------------------


def measure(case: Case) -> Measured:
    """Warm up until every set of skills has been looked at, then measure round by round, each contender by itself."""
    house_ = _fresh_house(case)
    line = _Line(house_, case)
    ids = list(house_.agents)
    line.serve(ids[: max(case.skill_sets, case.per_round)])
    scan = Scan(house_, line.waiting())
    rivals: list[Rival] = [scan, OrderedTable(house_, line.waiting()), TableOfHeads(house_, line.waiting())]
    rates: dict[str, list[float]] = {name: [] for name in ("ours", *_RIVALS)}
    wrong: Counter[str] = Counter()
    chance = random.Random(3)  # noqa: S311 - no secret
    for _ in range(ROUNDS):
        seconds, turns = line.serve(chance.sample(ids, case.per_round))
        rates["ours"].append(case.per_round / seconds)
        served = {"ours": [each for turn in turns for each in turn.served]}
        for rival in rivals:
            seconds, served[rival.name] = _the_same(turns, rival)
            rates[rival.name].append(case.per_round / seconds)
        wrong += judge(served)
    return Measured(rates, wrong, median(scan.looked_at))


def _fresh_house(case: Case) -> House:
    """Python looks for garbage as in an engine that has just started; nothing is left of another case."""
    gc.unfreeze()
    gc.collect()
    collector.settle()
    return house(case.agents, case.skill_sets)


class _Line:
    """Who waits, in order, and the engine they wait for."""

    def __init__(self, house_: House, case: Case) -> None:
        self._engine = Engine(house_)
        self._customers = customers()
        self._waiting: dict[str, Asking] = {}
        for n, customer in enumerate(islice(self._customers, case.waiting)):
            self._join(replace(customer, kind=NOBODYS) if n < case.ahead else customer)

    def waiting(self) -> Iterable[Asking]:
        return self._waiting.values()

    def serve(self, agents: Sequence[AgentId]) -> tuple[float, list[Turn]]:
        """One round: these agents become ready, and leave at its end; CPU seconds, and what happened."""
        seconds, turns = 0.0, []
        for start in range(0, len(agents), AT_ONCE):
            ready = agents[start : start + AT_ONCE]
            took, served = self._engine.serve(ready)
            seconds += took
            kinds = [self._waiting.pop(each).kind for each in served if each]
            followers = [replace(next(self._customers), kind=kind) for kind in kinds]
            for each in followers:
                self._join(each)
            turns.append(Turn(ready, served, followers))
        self._engine.release()
        return seconds, turns

    def _join(self, customer: Asking) -> None:
        self._waiting[customer.id] = customer
        self._engine.join(customer)


def _the_same(turns: Iterable[Turn], rival: Rival) -> Served:
    """The same round for a rival."""
    seconds, served = 0.0, []
    for turn in turns:
        took, found = rival.serve(turn.agents)
        seconds += took
        served += found
        for each in turn.followers:
            rival.join(each)
    return seconds, served


def judge(served: Mapping[str, Sequence[str]]) -> Counter[str]:
    """What must not be: an event that served nobody, a rival who found another customer than the engine."""
    wrong: Counter[str] = Counter({"events that served nobody": served["ours"].count("")})
    for name, found in served.items():
        wrong[f"other customers than those of {name}"] = sum(map(str.__ne__, served["ours"], found))
    return +wrong


# ---- customers ask -----------------------------------------------------------------------------------


def measure_requests(case: Case) -> Measured:
    """Nobody waits and every agent is free; a tenth of them get work in each round and are free again after it."""
    house_ = _fresh_house(case)
    engine = Engine(house_)
    engine.free(house_.agents)
    asking = customers()
    rates = []
    wrong: Counter[str] = Counter()
    for _ in range(1 + ROUNDS):
        asked = list(islice(asking, case.per_round))
        seconds, served = engine.ask(asked)
        wrong += judge({"ours": served, "who asked": [each.id for each in asked]})
        rates.append(case.per_round / seconds)
        engine.free(engine.release())
    return Measured({"ours": rates[1:]}, wrong)


# ---- memory ------------------------------------------------------------------------------------------


def _memory(case: Case) -> float:
    """Bytes for each who waits."""
    sizes = map(str, (case.agents, case.skill_sets, case.waiting))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench.matching_memory", *sizes],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ended.stdout)


# ---- what it says ------------------------------------------------------------------------------------


def _report(measured: Mapping[Case, Measured], asked: Measured, memory: float) -> Report:
    rates = {(who, case.name): median(rounds) for case, each in measured.items() for who, rounds in each.rates.items()}
    ours = rates["ours", "many"]
    growth = rates["ours", "few"] / ours
    requests = median(asked.rates["ours"])
    wrong = sum((each.wrong for each in (*measured.values(), asked)), Counter[str]())
    missed = [f"{what}: {times}" for what, times in wrong.items()]
    if ours < BAR_PER_SECOND:
        missed.append(f"{ours:,.0f} events a second are below {BAR_PER_SECOND:,}")
    if growth > BAR_GROWTH:
        missed.append(f"an event costs {growth:.2f} times as much in the longest line, more than {BAR_GROWTH}")
    return Report(
        title="An agent becomes ready and a customer is dialled: events a second",
        columns=("customers who wait", *(f"{case.waiting:,}" for case in measured)),
        rows=tuple(_rows(measured, rates)),
        figures={
            "per_second": ours,
            "growth": growth,
            "requests_per_second": requests,
            "bytes_per_waiting": memory,
            **{f"per_second_{case}": rate for (who, case), rate in rates.items() if who == "ours" and case != "many"},
            **{f"{rival}_per_second_{case}": rates[rival, case] for rival in _RIVALS for case in ("many", "ahead")},
            "wrong": wrong.total(),
        },
        missed=tuple(missed),
        notes=(
            f"From the shortest to the longest line an event costs {growth:.2f} times as much.",
            f"A request while agents are free, dialled at once: {requests:,.0f} a second.",
            f"A customer who waits takes {memory:,.0f} bytes: what a process of its own grows by, in resident memory.",
            f"Seconds are CPU time; the median of {ROUNDS} rounds of {next(iter(measured)).per_round:,} events.",
            "The rivals find the same customer and take them out. Ours also reserves the agent and makes the records,",
            "the timers and the dial.",
            "Scan: a list, looked through from its head. SQL: SQLite in memory; in order: the index of the whole line",
            "is walked; heads: the first of each requirement are compared.",
            f"The machine: {os.cpu_count()} CPUs; load in the last minute, with our own: {os.getloadavg()[0]:.1f}.",
        ),
    )


def _rows(measured: Mapping[Case, Measured], rates: Mapping[tuple[str, str], float]) -> Iterator[tuple[str, ...]]:
    """One column for each case."""
    yield "  of them ahead, whom nobody can serve", *(f"{case.ahead:,}" for case in measured)
    yield "sets of skills of the agents", *(f"{case.skill_sets:,}" for case in measured)
    yield "ours", *(f"{rates['ours', case.name]:,.0f}" for case in measured)
    yield "  microseconds each", *(f"{1e6 / rates['ours', case.name]:.1f}" for case in measured)
    yield "  slowest round", *(f"{min(each.rates['ours']):,.0f}" for each in measured.values())
    for rival, said in _RIVALS.items():
        yield said, *(f"{rates[rival, case.name]:,.0f}" for case in measured)
        yield "  ours / rival", *(f"{rates['ours', case.name] / rates[rival, case.name]:.2f}" for case in measured)
    yield "customers the scan looked at, median", *(f"{each.looked_at:,.0f}" for each in measured.values())
