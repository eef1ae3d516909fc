"""The agents at their desks: when they are there, what they say to an offer, and when they come back after a miss."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.changes import AgentChanged
from engine.core.decision import Decision
from engine.core.desks import RONA
from engine.core.events import Event, InteractionEndRequested, PresenceRequested, WorkAccepted, WorkRejected
from engine.core.hours import Calendar, closes_at, opens_at
from engine.core.records import AgentStatus, Work
from engine.core.terms import AgentId, InteractionId, Presence, Stage, WorkId
from engine.simulation.acts import People
from engine.simulation.virtual_engine import VirtualEngine


class Staff:
    """Watches what agents are offered, and answers for them as `people` say."""

    def __init__(self, engine: VirtualEngine, people: People) -> None:
        self._engine = engine
        self._people = people
        self._offered: dict[AgentId, frozenset[WorkId]] = {}
        self._away: set[AgentId] = set()
        engine.observers.append(self._observe)

    def work(self, shifts: Mapping[AgentId, Calendar | None]) -> None:
        """Let these agents come and go from now on; without a calendar they are there all the time."""
        for agent, calendar in shifts.items():
            if calendar is None:
                self._engine.tell_at(self._engine.now, PresenceRequested(agent, Presence.READY))
            else:
                self._come((agent, calendar))

    # ---- shifts ----------------------------------------------------------------------------------------

    def _come(self, shift: tuple[AgentId, Calendar]) -> None:
        agent, calendar = shift
        begins = opens_at(calendar, self._engine.now)
        if begins is not None:
            self._engine.tell_at(begins, PresenceRequested(agent, Presence.READY))
            ends = closes_at(calendar, begins)
            if ends is not None:
                self._engine.at(ends, self._go, shift)

    def _go(self, shift: tuple[AgentId, Calendar]) -> None:
        self._engine.tell(PresenceRequested(shift[0], Presence.LOGGED_OUT))
        self._come(shift)

    # ---- what the engine asks of them ------------------------------------------------------------------

    def _observe(self, _event: Event, decision: Decision, _now: float) -> None:
        for change in decision.changes:
            if type(change) is AgentChanged:
                status = change.status
                if status.works or status.id in self._offered:
                    self._look_at_offers(status)
                if status.presence is Presence.NOT_READY and status.reason == RONA and status.id not in self._away:
                    self._misses(status.id)

    def _look_at_offers(self, status: AgentStatus) -> None:
        offered = [work for work in status.works if work.stage is Stage.OFFERED]
        known = self._offered.pop(status.id, frozenset())
        if offered:
            self._offered[status.id] = frozenset(work.id for work in offered)
        for work in offered:
            if work.id not in known:
                self._is_offered(status.id, work)

    def _is_offered(self, agent: AgentId, work: Work) -> None:
        acts = self._people.offered(agent, work)
        if acts.answers_after is None:
            return
        if acts.accepts:
            handles = acts.handles_seconds if work.callback is None else None
            self._engine.after(acts.answers_after, self._accept, (agent, work.id, handles))
        else:
            self._engine.after(acts.answers_after, self._reject, (agent, work.id))

    def _accept(self, offer: tuple[AgentId, WorkId, float | None]) -> None:
        agent, work, handles = offer
        if self._is_still_offered(agent, work):
            self._engine.tell(WorkAccepted(agent, work))
            if handles is not None:
                self._engine.tell_after(handles, InteractionEndRequested(InteractionId(work), completed=True))

    def _reject(self, offer: tuple[AgentId, WorkId]) -> None:
        agent, work = offer
        if self._is_still_offered(agent, work):
            self._engine.tell(WorkRejected(agent, work))

    def _is_still_offered(self, agent: AgentId, work: WorkId) -> bool:
        status = self._engine.dispatcher.desks.status(agent)
        return status is not None and any(each.id == work and each.stage is Stage.OFFERED for each in status.works)

    # ---- missed calls ----------------------------------------------------------------------------------

    def _misses(self, agent: AgentId) -> None:
        seconds = self._people.returns_after(agent)
        if seconds is not None:
            self._away.add(agent)
            self._engine.after(seconds, self._return, agent)

    def _return(self, agent: AgentId) -> None:
        self._away.discard(agent)
        status = self._engine.dispatcher.desks.status(agent)
        if status is not None and status.presence is Presence.NOT_READY and status.reason == RONA:
            self._engine.tell(PresenceRequested(agent, Presence.READY))
