"""Agents: their presence, what they hold, and who is served next. Knows nothing of calls or callbacks' rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.core.changes import AgentChanged, AgentMoved, Change
from engine.core.expressions import Expression
from engine.core.model import Agent, AgentId, AgentStatus, AttemptId, CallbackId, Presence, Stage, Work

RONA = "rona"


class Desks:
    """One status for each configured agent, and for one removed while still holding work."""

    def __init__(self) -> None:
        self._agents: Mapping[AgentId, Agent] = {}
        self._statuses: dict[AgentId, AgentStatus] = {}

    def restore(self, statuses: Iterable[AgentStatus]) -> None:
        self._statuses = {status.id: status for status in statuses}

    def configure(self, agents: Mapping[AgentId, Agent], now: float) -> list[Change]:
        """Take over the configured agents; new ones start logged out, removed ones are logged out."""
        self._agents = agents
        changes: list[Change] = []
        for agent in agents:
            if agent not in self._statuses:
                self._statuses[agent] = status = AgentStatus(agent, idle_since=now)
                changes.append(AgentChanged(status))
        for agent in sorted(set(self._statuses) - set(agents)):
            if self._statuses[agent].presence is not Presence.LOGGED_OUT:
                changes += self.set_presence(agent, Presence.LOGGED_OUT, None, "removed", now)
        return changes

    def agent(self, agent: AgentId) -> Agent | None:
        return self._agents.get(agent)

    def status(self, agent: AgentId) -> AgentStatus | None:
        return self._statuses.get(agent)

    def statuses(self) -> Iterable[AgentStatus]:
        return self._statuses.values()

    def longest_idle(self, requirement: Expression) -> Agent | None:
        """The free agent who meets the requirement and waits longest; ids break ties."""
        able = (
            status
            for status in self._statuses.values()
            if status.free and status.id in self._agents and requirement.met_by(self._agents[status.id].skills)
        )
        chosen = min(able, key=lambda status: (status.idle_since, status.id), default=None)
        return self._agents[chosen.id] if chosen else None

    def set_presence(
        self, agent: AgentId, presence: Presence, reason: str | None, because: str, now: float
    ) -> list[Change]:
        status = self._statuses[agent]
        idle_since = now if presence is Presence.READY and not status.free else status.idle_since
        return self._become(replace(status, presence=presence, reason=reason, idle_since=idle_since), because, now)

    def reserve(self, agent: AgentId, attempt: AttemptId, callback: CallbackId, now: float) -> list[Change]:
        work = Work(attempt, callback, Stage.RESERVED)
        return self._become(replace(self._statuses[agent], work=work), "reserved", now)

    def advance(self, agent: AgentId, stage: Stage, because: str, now: float) -> list[Change]:
        """Move the agent's work item on."""
        status = self._statuses[agent]
        if status.work is None:
            raise ValueError(f"agent {agent} holds no work that could become {stage}")
        return self._become(replace(status, work=replace(status.work, stage=stage)), because, now)

    def release(self, agent: AgentId, because: str, now: float) -> list[Change]:
        """Take the work away; the agent's idle time starts anew."""
        return self._become(replace(self._statuses[agent], work=None, idle_since=now), because, now)

    def redirect_on_no_answer(self, agent: AgentId, now: float) -> list[Change]:
        """RONA: the work goes, and the agent takes no more until they say so."""
        status = self._statuses[agent]
        presence = Presence.NOT_READY if status.presence is Presence.READY else status.presence
        reason = RONA if status.presence is Presence.READY else status.reason
        return self._become(replace(status, work=None, presence=presence, reason=reason, idle_since=now), RONA, now)

    def _become(self, status: AgentStatus, because: str, now: float) -> list[Change]:
        before = self._statuses[status.id]
        self._statuses[status.id] = status
        if before == status:
            return []
        moved = AgentMoved(status.id, before.shown, status.shown, status.reason, because, now)
        return [AgentChanged(status), moved]
