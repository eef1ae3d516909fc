"""Agents: their presence and what they hold. Knows nothing of calls or callbacks' rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.core.changes import AgentChanged, AgentMoved, Change
from engine.core.configuration import Agent
from engine.core.handle_times import HandleTimes
from engine.core.phones import Phones
from engine.core.records import AgentStatus, Work
from engine.core.terms import AgentId, PhoneState, Presence, Stage, WorkId
from engine.core.values import replace

RONA = "rona"


class Desks:
    """One status for each configured agent, and for one removed while still holding work.

    `touched` are those whose status changed since whoever matches looked last, in order; `changed` the same for whoever
    counts them. `handle_times` is told of all work that ends. `phones`: who can be called at all.
    """

    def __init__(self) -> None:
        self.touched: dict[AgentId, None] = {}
        self._agents: Mapping[AgentId, Agent] = {}
        self._statuses: dict[AgentId, AgentStatus] = {}
        self.handle_times = HandleTimes()
        self.phones = Phones()
        self.changed: dict[AgentId, None] = {}

    def restore(self, statuses: Iterable[AgentStatus]) -> None:
        self._statuses = {status.id: status for status in statuses}

    def configure(self, agents: Mapping[AgentId, Agent], now: float) -> list[Change]:
        """Take over the configured agents; new ones start logged out, removed ones are logged out."""
        self._agents = agents
        self.phones.configure(agents)
        changes: list[Change] = []
        for agent in agents:
            if agent not in self._statuses:
                self._statuses[agent] = status = AgentStatus(agent, idle_since=now)
                changes.append(AgentChanged(status))
        for agent in sorted(set(self._statuses) - set(agents)):
            if self._statuses[agent].presence is not Presence.LOGGED_OUT:
                changes += self.set_presence(agent, Presence.LOGGED_OUT, None, "removed", now)
            self._forget_if_done(agent)
        return changes

    def agent(self, agent: AgentId) -> Agent | None:
        return self._agents.get(agent)

    def status(self, agent: AgentId) -> AgentStatus | None:
        return self._statuses.get(agent)

    def statuses(self) -> Iterable[AgentStatus]:
        return self._statuses.values()

    def agents(self) -> Iterable[Agent]:
        """The configured ones."""
        return self._agents.values()

    def see_phones(self, states: Mapping[str, PhoneState]) -> None:
        """The whole picture of phones, as it stands now; nothing is written down for it."""
        self._touch(self.phones.seen(states))

    def dials_menu(self, endpoint: str) -> None:
        """A phone is in a call to our menu."""
        self._touch(self.phones.dials_menu(endpoint))

    def left_menu(self, endpoint: str) -> None:
        self._touch(self.phones.left_menu(endpoint))

    def note_phone(self, endpoint: str, state: PhoneState) -> None:
        """One phone has changed."""
        self._touch(self.phones.changed(endpoint, state))

    def _touch(self, agents: Iterable[AgentId]) -> None:
        changed = dict.fromkeys(agents)
        self.touched.update(changed)
        self.changed.update(changed)

    def set_presence(
        self, agent: AgentId, presence: Presence, reason: str | None, because: str, now: float
    ) -> list[Change]:
        status = self._statuses[agent]
        idle_since = now if presence is Presence.READY and not status.ready else status.idle_since
        changed = AgentStatus(agent, presence, reason, status.works, idle_since)
        return [] if changed == status else self._become(changed, because, now)

    def take(self, agent: AgentId, work: Work, because: str, now: float) -> list[Change]:
        """Give the agent one more work item."""
        status = self._statuses[agent]
        return self._become(_holding(status, (*status.works, work)), because, now)

    def advance(self, agent: AgentId, work_id: WorkId, stage: Stage, because: str, now: float) -> list[Change]:
        """Move a work item of the agent on."""
        status = self._statuses[agent]
        if all(work.id != work_id for work in status.works):
            raise ValueError(f"agent {agent} holds no work {work_id} that could become {stage}")
        works = tuple(replace(work, stage=stage) if work.id == work_id else work for work in status.works)
        return [] if works == status.works else self._become(_holding(status, works), because, now)

    def release(self, agent: AgentId, work_id: WorkId, because: str, now: float) -> list[Change]:
        """Take a work item away; the agent's idle time starts anew."""
        status = self._statuses[agent]
        works, kept = self._without(status, work_id, now)
        return kept + self._become(AgentStatus(agent, status.presence, status.reason, works, now), because, now)

    def redirect_on_no_answer(self, agent: AgentId, work_id: WorkId, now: float) -> list[Change]:
        """RONA: the work item goes, and the agent takes no more until they say so."""
        status = self._statuses[agent]
        works, kept = self._without(status, work_id, now)
        presence = Presence.NOT_READY if status.ready else status.presence
        reason = RONA if status.ready else status.reason
        return kept + self._become(AgentStatus(agent, presence, reason, works, now), RONA, now)

    def _without(self, status: AgentStatus, work_id: WorkId, now: float) -> tuple[tuple[Work, ...], list[Change]]:
        """What they hold besides; and how long they were kept by this."""
        ended = [work for work in status.works if work.id == work_id and work.since > 0]
        kept: list[Change] = [self.handle_times.note(work.service, now - work.since) for work in ended]
        return tuple(work for work in status.works if work.id != work_id), kept

    def _become(self, status: AgentStatus, because: str, now: float) -> list[Change]:
        before = self._statuses[status.id]
        self._statuses[status.id] = status
        self.touched[status.id] = None
        self.changed[status.id] = None
        if status.id not in self._agents:
            self._forget_if_done(status.id)
        moved = AgentMoved(status.id, before.shown, status.shown, status.reason, because, now)
        return [AgentChanged(status), moved]

    def _forget_if_done(self, agent: AgentId) -> None:
        """Who was removed and holds nothing any more is no agent."""
        status = self._statuses.get(agent)
        if agent not in self._agents and status is not None and not status.works:
            del self._statuses[agent]


def _holding(status: AgentStatus, works: tuple[Work, ...]) -> AgentStatus:
    return AgentStatus(status.id, status.presence, status.reason, works, status.idle_since)
