"""How many agents could serve a requirement, are on duty, or have room at this moment.

One bit for each agent: who meets a requirement, who is ready and who has room are whole numbers, and "both" is `&`. So
a question costs the same for ten agents and, nearly, for ten thousand. It is brought up to date when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.configuration import Agent
from engine.core.desks import Desks
from engine.core.expressions import Expression
from engine.core.terms import VOICE, AgentId, Media

MOST_AT_ONCE = 32
"""An agent who may hold more items of one medium is counted as one who may hold so many."""
MOST_KNOWN = 10_000
Agents = int
"""A set of agents, one bit for each."""


class Staffing:
    """Looks at one set of desks."""

    def __init__(self, desks: Desks) -> None:
        self.version = 0
        self._desks = desks
        self._bits: dict[AgentId, Agents] = {}
        self._by_skills: dict[frozenset[tuple[str, int]], Agents] = {}
        self._by_capacity: dict[Expression | None, Agents] = {}
        self._able: dict[Expression, Agents] = {}
        self._on_duty: Agents = 0
        self._no_phone: Agents = 0
        self._room: dict[Media, Agents] = {}

    def configured(self) -> None:
        """The agents are others, or have other skills."""
        self._bits, self._by_skills, self._by_capacity = {}, {}, {}
        for n, agent in enumerate(self._desks.agents()):
            bit = self._bits[agent.id] = 1 << n
            skills = frozenset(agent.skills.items())
            self._by_skills[skills] = self._by_skills.get(skills, 0) | bit
            self._by_capacity[agent.capacity] = self._by_capacity.get(agent.capacity, 0) | bit
        self._able.clear()
        self._room.clear()
        self._on_duty = self._no_phone = 0
        self._desks.changed.update(dict.fromkeys(self._bits))
        self.version += 1

    def refresh(self) -> None:
        """Take over what has changed at the desks; `version` counts up when others are on duty."""
        on_duty, no_phone, unregistered = self._on_duty, self._no_phone, self._desks.phones.unregistered
        for agent_id in self._desks.changed:
            agent, bit = self._desks.agent(agent_id), self._bits.get(agent_id)
            if agent is None or bit is None:
                continue
            status = self._desks.status(agent_id)
            on_duty = on_duty | bit if status is not None and status.ready else on_duty & ~bit
            no_phone = no_phone | bit if agent_id in unregistered else no_phone & ~bit
            for media, room in self._room.items():
                self._room[media] = room | bit if self._has_room(agent, media) else room & ~bit
        self._desks.changed.clear()
        if (on_duty, no_phone) != (self._on_duty, self._no_phone):
            self._on_duty, self._no_phone = on_duty, no_phone
            self.version += 1

    def able(self, requirement: Expression) -> Agents:
        """Who meets it, on duty or not."""
        found = self._able.get(requirement)
        if found is None:
            if len(self._able) >= MOST_KNOWN:
                self._able.clear()
            found = 0
            for skills, agents in self._by_skills.items():
                if requirement.met_by(dict(skills)):
                    found |= agents
            self._able[requirement] = found
        return found

    def without(self, agents: Agents, excluded: Iterable[AgentId]) -> Agents:
        for agent in excluded:
            agents &= ~self._bits.get(agent, 0)
        return agents

    def places(self, agents: Agents, media: Media) -> int:
        """How many items of the medium those who are on duty may hold, busy or not; no calls without a phone."""
        present = agents & self._on_duty
        if media == VOICE:
            present &= ~self._no_phone
        return sum(
            (present & those).bit_count() * (1 if capacity is None else _most(capacity, media))
            for capacity, those in self._by_capacity.items()
        )

    def held_by_one(self, agents: Agents) -> Agents:
        """Those who hold one item of any medium, so that all media compete for them."""
        return agents & self._by_capacity.get(None, 0)

    def have_room(self, agents: Agents, media: Media) -> bool:
        """Whether one of them may take an item of the medium now."""
        room = self._room.get(media)
        if room is None:
            room = 0
            for agent in self._desks.agents():
                if self._has_room(agent, media):
                    room |= self._bits[agent.id]
            self._room[media] = room
        return bool(agents & room)

    def _has_room(self, agent: Agent, media: Media) -> bool:
        status = self._desks.status(agent.id)
        if status is None or not status.ready or (media == VOICE and agent.id in self._desks.phones.unusable):
            return False
        return status.may_take(media, agent.capacity)


def _most(capacity: Expression, media: Media) -> int:
    """How many items of one medium alone a capacity rule lets an agent hold."""
    most = 0
    while most < MOST_AT_ONCE and capacity.met_by({media: most + 1}):
        most += 1
    return most
