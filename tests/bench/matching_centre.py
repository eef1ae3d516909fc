"""The centre that the matching bench measures: services with subjects, agents with skills, customers who ask.

Each service asks for a skill of its own at level 2 or better, each of its subjects for one more skill. An agent is at
home in one service: they know its skills and a few that come by chance, so everybody can serve somebody. Each service
has a calling window, which is open, and a pace, which is never reached.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.core.configuration import Agent, Configuration, Pace, Service
from engine.core.events import CallbackRequested
from engine.core.expressions import parse
from engine.core.permission import CallingWindow
from engine.core.records import Request
from engine.core.terms import AgentId, CallbackId, RequestChannel, ServiceId
from engine.core.values import Value

SKILLS = 60
SERVICES = 40
SUBJECTS = 4
KINDS = SERVICES * SUBJECTS
"""Different requirements: one for each subject of each service."""
NOBODYS = KINDS
"""The kind of those who ask for the one service more whose agents have all gone home."""
START = 1_700_000_000.0
"""A Tuesday afternoon where the customers are."""
ZONES = ("America/New_York",)
BY_CHANCE = 4
"""Skills of an agent besides those of the service at home."""

Skills = Mapping[str, int]


class Asking(Value):
    """A customer who asks. `kind`: which of the requirements, a service and a subject."""

    id: str
    kind: int

    @property
    def event(self) -> CallbackRequested:
        """What the engine is told; the phone number is the customer's own."""
        service, subject = divmod(self.kind, SUBJECTS)
        request = Request(
            ServiceId(f"service{service}"),
            f"+1202{self.id[1:]}",
            "en",
            RequestChannel.WEB,
            subject=f"subject{subject}",
            zones=ZONES,
        )
        return CallbackRequested(CallbackId(self.id), request, token_hash=f"{self.id}-token")


@dataclass(frozen=True, slots=True)
class House:
    """Its agents, which set of skills each has, and the kinds each set can serve, worked out without the engine."""

    agents: Mapping[AgentId, Agent]
    set_of: Mapping[AgentId, int]
    kinds: tuple[frozenset[int], ...]

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            services={each.id: each for each in map(_service, range(SERVICES + 1))}, agents=self.agents
        )


def house(agents: int, skill_sets: int) -> House:
    """So many agents who share so many different sets of skills; the same house each time."""
    chance = random.Random(1)  # noqa: S311 - no secret
    sets = _different_sets(skill_sets, chance)
    ids = [AgentId(f"agent{n:05}") for n in range(agents)]
    return House(
        agents={each: Agent(each, f"Agent {n}", f"PJSIP/{n}", sets[n % skill_sets]) for n, each in enumerate(ids)},
        set_of={each: n % skill_sets for n, each in enumerate(ids)},
        kinds=tuple(frozenset(_kinds(each)) for each in sets),
    )


def customers() -> Iterator[Asking]:
    """Customers without end, of every kind alike; the same ones each time."""
    chance = random.Random(2)  # noqa: S311 - no secret
    n = 0
    while True:
        yield Asking(f"c{n:07}", chance.randrange(KINDS))
        n += 1


def _service(n: int) -> Service:
    return Service(
        ServiceId(f"service{n}"),
        f"Service {n}",
        "A company",
        parse(f"skill{n} >= 2") if n < SERVICES else parse("gone_home"),
        subjects={f"subject{m}": parse(f"skill{n + m}") for m in range(SUBJECTS)},
        queue_cap=10_000_000,
        pace=Pace(max_dials=10_000_000, calls_per_second=1_000_000),
        calling_window=CallingWindow(8 * 3600, 21 * 3600),
    )


def _different_sets(count: int, chance: random.Random) -> list[Skills]:
    sets: dict[frozenset[tuple[str, int]], Skills] = {}
    while len(sets) < count:
        home = len(sets) % SERVICES
        skills = {f"skill{n}": chance.randint(1, 5) for n in chance.sample(range(SKILLS), BY_CHANCE)}
        skills |= {f"skill{home + n}": chance.randint(2, 5) for n in range(SUBJECTS)}
        sets.setdefault(frozenset(skills.items()), skills)
    return list(sets.values())


def _kinds(skills: Skills) -> Iterator[int]:
    for service in range(SERVICES):
        if skills.get(f"skill{service}", 0) >= 2:
            for subject in range(SUBJECTS):
                if skills.get(f"skill{service + subject}", 0) >= 1:
                    yield service * SUBJECTS + subject
