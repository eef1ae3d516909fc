"""The queues in which told waits are measured: who comes, how long they take, who serves them, and who gives up.

Times are seconds. Each design has ten or twelve agents and handle times of three minutes on average.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from engine.core.configuration import Agent, Configuration, Service
from engine.core.expressions import parse
from engine.core.terms import AgentId, ServiceId
from engine.simulation.distributions import Distribution, Exponential, Hyperexponential, LogNormal

HANDLE = 180.0
AGENTS = 10
BUSY = 0.9
"""Of the agents' time that is asked for."""
DAY = 86400.0
SHIFT = 2 * 3600.0
"""So often some agents leave, or come back."""

Gap = Callable[[Random, float], float]
"""Until the next one comes, from a moment on."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Those who come for one service."""

    gap: Gap
    handle: Distribution = field(default_factory=lambda: Exponential(HANDLE))
    patience: Distribution | None = None


@dataclass(frozen=True, slots=True)
class Design:
    """`leaving`: agents who are away in every second shift. `theory`: queue-length prediction is exact here."""

    name: str
    streams: Mapping[str, Stream]
    skills: tuple[Mapping[str, int], ...] = ({"one": 1},) * AGENTS
    leaving: int = 0
    theory: bool = False

    def configuration(self) -> Configuration:
        """A service for each stream, whose requirement has its name."""
        services = [
            Service(
                ServiceId(each),
                each,
                "A company",
                parse(each),
                agent_ring_seconds=1e9,
                wrap_up_seconds=0.0,
                queue_cap=10_000_000,
            )
            for each in self.streams
        ]
        agents = [Agent(AgentId(f"agent{n:02}"), f"Agent {n}", "", skills) for n, skills in enumerate(self.skills)]
        return Configuration(services={each.id: each for each in services}, agents={each.id: each for each in agents})


def markov(busy: float = BUSY, agents: float = AGENTS, handle: float = HANDLE) -> Gap:
    """They come independently of each other, at a constant rate."""
    rate = busy * agents / handle
    return lambda chance, _now: chance.expovariate(rate)


def uneven(busy: float = BUSY) -> Gap:
    """In clusters: the squared coefficient of variation of the gaps is 4."""
    mean = HANDLE / (busy * AGENTS)
    first = (1 + math.sqrt(0.6)) / 2  # balanced means
    gaps = Hyperexponential((mean / (2 * first), mean / (2 * (1 - first))), (first, 1 - first))
    return lambda chance, _now: gaps.draw(chance)


def sinusoidal(busy: float, swing: float) -> Gap:
    """More by day than by night, by thinning."""
    most = busy * (1 + swing) * AGENTS / HANDLE

    def gap(chance: Random, now: float) -> float:
        at = now
        while True:
            at += chance.expovariate(most)
            if chance.random() * (1 + swing) <= 1 + swing * math.sin(2 * math.pi * at / DAY):
                return at - now

    return gap


def designs() -> Iterator[Design]:
    """All that are measured, the exact one first."""
    yield Design("M/M/s", {"one": Stream(markov())}, theory=True)
    yield Design("impatient callers", {"one": Stream(markov(1.1), patience=Exponential(400.0))})
    yield Design("uneven arrivals", {"one": Stream(uneven())})
    yield Design("lognormal handle times", {"one": Stream(markov(), LogNormal(HANDLE, HANDLE * 1.2))})
    yield Design("sinusoidal day", {"one": Stream(sinusoidal(0.8, 0.3))})
    yield Design("change of shifts", {"one": Stream(markov(0.7))}, leaving=3)
    both = ({"one": 1},) * 4 + ({"two": 1},) * 4 + ({"one": 1, "two": 1},) * 4
    yield Design(
        "two skills",
        {
            "one": Stream(markov(BUSY / 2, 12, 150.0), Exponential(150.0)),
            "two": Stream(markov(BUSY / 2, 12, 210.0), Exponential(210.0)),
        },
        skills=both,
    )
