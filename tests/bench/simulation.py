"""How fast a centre is simulated: 100,000 callbacks, each a whole call, in under a minute of one core and flat memory.

The rival is the usual planner's simulation: one heap of arrivals and ends of service, a pool of agents, no engine. It
meets the same load; what it leaves out is what the engine decides.
"""

from __future__ import annotations

import gc
import os
import resource
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from time import process_time

from engine import collector
from engine.simulation import run as simulation
from engine.simulation.figures import ALL
from engine.simulation.meanings import Files
from engine.simulation.setting import Setting, read
from tests.bench.report import Report

Progress = Callable[[str], None]

CALLBACKS = 100_000
BAR_SECONDS = 60.0
BAR_GROWTH_MIB = 24.0
"""What a run may take more in its second half than it had in its first."""
PER_HOUR = 1000.0
AGENTS = 95
TALK_MEAN, TALK_DEVIATION = 240.0, 180.0
CYCLE_SECONDS = 10 + 8.5 + 4 + 2 + TALK_MEAN + 30
"""An agent's time for one conversation: the customer's answer and key, their own answer, whisper, talk, wrap-up."""
SCENARIO = {
    "document": {
        "services": [
            {
                "id": "billing",
                "name": "Billing",
                "company": "Example",
                "skill_expression": "billing",
                "queue_cap": 100_000,
            }
        ]
    },
    "arrivals": [{"service": "billing", "per_hour": PER_HOUR}],
    "customers": {
        "calls": {"busy": 0.03, "no_answer": 0.07, "voicemail": 0.03},
        "presses": {"later": 0.01, "cancel": 0.01, "nothing": 0.01, "hang_up": 0.02},
        "talk_seconds": {"lognormal": {"mean": TALK_MEAN, "deviation": TALK_DEVIATION}},
        "patience_seconds": {"exponential": 7200.0},
    },
    "agents": {"misses": 0.005},
    "shifts": [{"count": AGENTS, "skills": {"billing": 3}}],
}


def run(scale: float, progress: Progress) -> Report:
    """Simulate; `scale` 1 is 100,000 callbacks."""
    hours = CALLBACKS * scale / PER_HOUR
    ours = measure(hours, progress)
    progress("the rival")
    began = process_time()
    rival = without_engine(hours)
    return _report(scale, ours, process_time() - began, rival)


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU seconds, and resident memory in MiB half-way and at its highest afterwards."""

    ran: simulation.Ran
    seconds: float
    half_way: float
    highest: float

    @property
    def growth(self) -> float:
        return max(0.0, self.highest - self.half_way)


def measure(hours: float, progress: Progress) -> Measured:
    """The engine's simulation."""
    setting = _setting(hours)
    gc.unfreeze()
    gc.collect()
    collector.settle()
    memory: list[tuple[float, float]] = []

    def on(share: float) -> None:
        memory.append((share, _resident_mib()))
        progress(f"{100 * share:.0f} % of the callbacks")

    began = process_time()
    ran = simulation.run(setting, 1, on)
    seconds = process_time() - began
    half_way = max(mib for share, mib in memory if share <= 0.5)
    return Measured(ran, seconds, half_way, max(mib for _, mib in memory))


def _setting(hours: float) -> Setting:
    scenario = {**SCENARIO, "hours": hours}
    return read(scenario, Files(Path(), _no_file)).first


def _no_file(path: Path) -> dict[str, object]:
    raise FileNotFoundError(path)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


# ---- the rival -----------------------------------------------------------------------------------------


def without_engine(hours: float) -> int:
    """Arrivals, a line, agents who are free or not; how many were served."""
    chance = Random(1)  # noqa: S311 - no secret
    mean, deviation = CYCLE_SECONDS, TALK_DEVIATION
    events: list[tuple[float, bool]] = [(0.0, True)]
    line: deque[float] = deque()
    free, served, waited = AGENTS, 0, 0.0
    while events:
        now, arrives = heappop(events)
        if arrives:
            line.append(now)
            following = now + chance.expovariate(PER_HOUR / 3600)
            if following < hours * 3600:
                heappush(events, (following, True))
        else:
            free += 1
        while free and line:
            free -= 1
            served += 1
            waited += now - line.popleft()
            heappush(events, (now + max(1.0, chance.gauss(mean, deviation / 2)), False))
    return served


# ---- what it says --------------------------------------------------------------------------------------


def _report(scale: float, ours: Measured, rival_seconds: float, served: int) -> Report:
    figures = ours.ran.figures[ALL]
    asked, attempts = figures["asked"] or 0.0, figures["attempts"] or 0.0
    bar = BAR_SECONDS * scale
    each, rival_each = 1e6 * ours.seconds / asked, 1e6 * rival_seconds / served
    missed = []
    if ours.seconds > bar:
        missed.append(f"{asked:,.0f} callbacks took {ours.seconds:.1f} s of CPU, more than {bar:.1f}")
    if ours.growth > BAR_GROWTH_MIB:
        missed.append(f"memory grew by {ours.growth:.0f} MiB in the second half, more than {BAR_GROWTH_MIB:.0f}")
    if ours.ran.left:
        missed.append(f"{ours.ran.left} callbacks were still open at the end")
    return Report(
        title="A centre in virtual time",
        columns=("", "ours", "a heap without an engine"),
        rows=(
            ("callbacks", f"{asked:,.0f}", f"{served:,}"),
            ("calls to customers", f"{attempts:,.0f}", "-"),
            ("events", f"{ours.ran.events:,}", f"{2 * served:,}"),
            ("CPU seconds", f"{ours.seconds:.1f}", f"{rival_seconds:.2f}"),
            ("  microseconds for each callback", f"{each:.0f}", f"{rival_each:.1f}"),
            ("  microseconds for each event", f"{1e6 * ours.seconds / ours.ran.events:.1f}", f"{rival_each / 2:.1f}"),
            ("MiB of memory half-way", f"{ours.half_way:.0f}", "-"),
            ("  and at most afterwards", f"{ours.highest:.0f}", "-"),
        ),
        figures={
            "callbacks": asked,
            "cpu_seconds": ours.seconds,
            "microseconds_each": each,
            "events": ours.ran.events,
            "growth_mib": ours.growth,
            "rival_microseconds_each": rival_each,
            "times_the_rival": each / rival_each,
        },
        missed=tuple(missed),
        notes=(
            f"{AGENTS} agents, {PER_HOUR:,.0f} requests an hour; occupancy {100 * (figures['occupancy'] or 0):.0f} %.",
            "Ours tells the dispatcher whatever a call may lead to, carries out what it decides, and counts figures.",
            "The rival draws an arrival and a time of service, and knows no calls, retries, skills, timers or slots.",
            f"The machine: {os.cpu_count()} CPUs; load in the last minute, with our own: {os.getloadavg()[0]:.1f}.",
        ),
    )
