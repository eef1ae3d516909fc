"""One run of one setting: the engine is put together, time passes, and what was counted is handed back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.core.decision import Snapshot
from engine.core.hours import DAY_SECONDS
from engine.simulation.arrivals import Arrivals
from engine.simulation.drawn_people import DrawnPeople
from engine.simulation.figures import Figures, figures
from engine.simulation.setting import Setting
from engine.simulation.staff import Staff
from engine.simulation.streams import Streams
from engine.simulation.tally import Tally
from engine.simulation.telephones import Telephones
from engine.simulation.virtual_engine import Observer, VirtualEngine

STEPS = 200
"""Into so many pieces the time of a run is cut, to say how far it has come."""
AFTERWARDS_DAYS = 8
"""So long a run goes on at most after the last customer has come, for those who wait for a shift or a slot."""
LOOKS_EVERY_SECONDS = 60.0

Progress: TypeAlias = Callable[[float], object]
"""Told which share of its time a run has passed."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The figures of a run. `events`: how many the dispatcher was told; `left`: callbacks still open at the end."""

    figures: dict[str, Figures]
    events: int
    left: int


def run(setting: Setting, seed: int, progress: Progress | None = None, observers: Sequence[Observer] = ()) -> Ran:
    """Let customers come from the start to the end, and then go on until nobody waits any more."""
    engine = VirtualEngine(Snapshot(configuration=setting.configuration, pace=setting.pace), setting.starts)
    engine.observers += observers
    streams = Streams(seed)
    arrivals = Arrivals(engine, setting.sources, streams)
    people = DrawnPeople(streams, setting.configuration.services, arrivals.customers_of, setting.agents)
    Telephones(engine, people, setting.timing)
    tally = Tally(engine, setting.within_seconds, setting.counts_from, setting.ends)
    Staff(engine, people).work(setting.shifts)
    arrivals.begin(setting.ends)
    for step in range(1, STEPS + 1):
        engine.run_until(setting.starts + (setting.ends - setting.starts) * step / STEPS)
        if progress is not None:
            progress(step / STEPS)
    _empty(engine, setting.ends)
    tally.close()
    return Ran(figures(tally), tally.events, still_open(engine))


def _empty(engine: VirtualEngine, ended: float) -> None:
    """Nobody comes any more; those who came are served, give up, or come to the end of their time."""
    while engine.now < ended + AFTERWARDS_DAYS * DAY_SECONDS and engine.next_at is not None and not is_empty(engine):
        engine.run_until(engine.next_at + LOOKS_EVERY_SECONDS)


def is_empty(engine: VirtualEngine) -> bool:
    """Whether nothing is open any more."""
    return next(iter(engine.dispatcher.book), None) is None and not engine.dispatcher.interactions


def still_open(engine: VirtualEngine) -> int:
    """How many requests and other work have not ended."""
    return sum(1 for _ in engine.dispatcher.book) + len(engine.dispatcher.interactions)
