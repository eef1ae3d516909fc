"""Who serves whom: pairs those who wait in the line with agents who may take them.

Agents with identical skills form a group; whether a group meets a requirement is worked out once. After each event only
what it changed is looked at: an agent who may take more is compared with the heads of the queues their group can serve,
a new head with the agents who may take one more. So no eligible pair is ever left waiting, and who is served is the
first in the line whom anybody free may serve.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import TypeAlias

from sortedcontainers import SortedList

from engine.core.configuration import Agent
from engine.core.desks import Desks
from engine.core.line import Line, Need, Place, Queue
from engine.core.records import AgentStatus
from engine.core.terms import VOICE, AgentId, AgentOrder, Media

Pair: TypeAlias = tuple[Place, Agent]
_Idle: TypeAlias = tuple[float, AgentId]
_HEAD = attrgetter("head")


class _Group:
    """Agents with identical skills, and the queues they can serve among those looked at so far."""

    __slots__ = ("_generation", "_looked_at", "_mask", "_queues", "skills")

    def __init__(self, skills: Mapping[str, int]) -> None:
        self.skills = skills
        self._queues: list[Queue] = []
        self._mask = 0
        self._looked_at = 0
        self._generation = 0

    def queues(self, line: Line) -> list[Queue]:
        """Every queue whose requirement the group meets, empty ones too."""
        if self._generation != line.generation:
            self._queues, self._mask, self._looked_at, self._generation = [], 0, 0, line.generation
        if self._looked_at < len(line.queues):
            for number in range(self._looked_at, len(line.queues)):
                if line.queues[number].need.requirement.met_by(self.skills):
                    self._queues.append(line.queues[number])
                    self._mask |= 1 << number
            self._looked_at = len(line.queues)
        return self._queues

    def meets(self, queue: Queue, line: Line) -> bool:
        """Whether the group meets the queue's requirement; one bit for each is all that is remembered."""
        if self._looked_at != len(line.queues) or self._generation != line.generation:
            self.queues(line)
        return bool(self._mask >> queue.number & 1)


class Matching:
    """Looks at one line and one set of desks; it changes neither, and remembers who is free."""

    def __init__(self, line: Line, desks: Desks) -> None:
        self._line = line
        self._desks = desks
        self._unusable = desks.phones.unusable
        self._groups: dict[AgentId, _Group] = {}
        self._free: dict[Media, SortedList[_Idle]] = {}
        self._listed: dict[Media, dict[AgentId, float]] = {}

    def configured(self) -> None:
        """The agents are others, or have other skills: look at everything anew."""
        groups: dict[frozenset[tuple[str, int]], _Group] = {}
        self._groups = {
            agent.id: groups.setdefault(frozenset(agent.skills.items()), _Group(agent.skills))
            for agent in self._desks.agents()
        }
        self._free.clear()
        self._listed.clear()
        self._desks.touched.clear()
        self._line.touched.update(self._line.queues)

    def next_pair(self) -> Pair | None:
        """Who is served next by whom; None when nobody who waits can be served. Serve the pair before asking again."""
        line, touched = self._line, self._desks.touched
        if not line.touched and not touched:
            return None
        if len(touched) == 1 and not line.touched:
            return self._for_the_only_one(next(iter(touched)))
        if touched:
            freed = [agent for agent in touched if self._list(agent)]
            touched.clear()
            for group in {self._groups[agent] for agent in freed}:
                line.touched.update(group.queues(line))
        for queue in sorted((queue for queue in line.touched if queue.is_served), key=_HEAD):
            if agent := self._agent_for(queue):
                return self._place_of(queue), agent
            line.touched.discard(queue)
        line.touched.clear()
        return None

    def _for_the_only_one(self, agent_id: AgentId) -> Pair | None:
        """An agent alone has changed: they take the first in the line whom they may serve."""
        agent, status = self._desks.agent(agent_id), self._desks.status(agent_id)
        if agent is not None and status is not None and status.ready and not status.is_full(agent.capacity):
            queues = self._groups[agent_id].queues(self._line)
            best = min(queues, key=_HEAD, default=None)
            if best is not None and not self._may_take(status, agent, best.need):
                able = (each for each in queues if self._may_take(status, agent, each.need))
                best = min(able, key=_HEAD, default=None)
            if best is not None and best.is_served:
                return self._place_of(best), agent
        self._desks.touched.clear()
        self._list(agent_id)
        return None

    def _place_of(self, queue: Queue) -> Place:
        place = self._line.place(queue.head[4])
        assert place is not None  # noqa: S101 - a key in a queue has its place
        return place

    def _agent_for(self, queue: Queue) -> Agent | None:
        """The free agent who is to serve the head of this queue."""
        need = queue.need
        able = (each for each in self._free_for(need.media) if self._may_serve(each[1], queue))
        if need.order is AgentOrder.LONGEST_IDLE:
            chosen = next(able, None)
        else:
            level = need.requirement.level
            chosen = min(able, key=lambda each: (-level(self._groups[each[1]].skills), each), default=None)
        return self._desks.agent(chosen[1]) if chosen else None

    def _may_serve(self, agent: AgentId, queue: Queue) -> bool:
        excluded = queue.need.excluded
        return (not excluded or agent not in excluded) and self._groups[agent].meets(queue, self._line)

    def _free_for(self, media: Media) -> SortedList[_Idle]:
        """Those who may take one more of this medium, the longest idle first."""
        if media not in self._free:
            self._free[media], self._listed[media] = SortedList(), {}
            for agent in self._desks.agents():
                self._list_for(media, agent)
        return self._free[media]

    def _list(self, agent_id: AgentId) -> bool:
        """Note what an agent may take now; whether it is anything."""
        agent = self._desks.agent(agent_id)
        if agent is None:
            return False
        if VOICE not in self._free:
            self._free_for(VOICE)
        is_free = False
        for media in self._free:
            is_free |= self._list_for(media, agent)
        return is_free

    def _list_for(self, media: Media, agent: Agent) -> bool:
        free, listed = self._free[media], self._listed[media]
        status = self._desks.status(agent.id)
        before = listed.pop(agent.id, None)
        if before is not None:
            free.remove((before, agent.id))
        if status is None or not status.ready or not status.may_take(media, agent.capacity):
            return False
        if media == VOICE and agent.id in self._unusable:
            return False
        listed[agent.id] = status.idle_since
        free.add((status.idle_since, agent.id))
        return True

    def _may_take(self, status: AgentStatus, agent: Agent, need: Need) -> bool:
        if agent.id in self._unusable and need.media == VOICE:
            return False
        return agent.id not in need.excluded and status.may_take(need.media, agent.capacity)
