"""The dispatcher as the matching bench asks it: told what a running engine tells it, and its decisions looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import process_time
from typing import TypeAlias

from engine.core.changes import AttemptChanged
from engine.core.decision import Decision, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.effects import DialCustomer
from engine.core.events import CancelRequested, ConfigurationApplied, LegEnded, PresenceRequested
from engine.core.records import customer_leg_of
from engine.core.terms import AgentId, AttemptId, CallbackId, Presence, Reason
from tests.bench.matching_centre import START, Asking, House

Served: TypeAlias = tuple[float, list[str]]
"""CPU seconds, and for each event the customer who was served, "" if it was nobody."""

_NORMAL_CLEARING = 16


class Engine:
    """Agents become ready one after another; each event's changes and effect are made, and nothing carries them out."""

    def __init__(self, house: House) -> None:
        self.dispatcher = Dispatcher(Snapshot())
        self._now = START
        self._attempts: dict[AgentId, AttemptId] = {}
        self.dispatcher.handle(ConfigurationApplied(house.configuration, ""), self._time())

    def join(self, customer: Asking) -> None:
        """At the end of the line."""
        self.dispatcher.handle(customer.event, self._time())

    def serve(self, agents: Sequence[AgentId]) -> Served:
        """Each agent becomes ready and takes the first customer they can serve."""
        events = [PresenceRequested(agent, Presence.READY) for agent in agents]
        handle, now = self.dispatcher.handle, self._time()
        began = process_time()
        decisions = [handle(event, now) for event in events]
        seconds = process_time() - began
        return seconds, [self._dialled(decision, agent) for decision, agent in zip(decisions, agents, strict=True)]

    def ask(self, customers: Sequence[Asking]) -> Served:
        """Each customer asks and is served at once, as agents are free."""
        events = [each.event for each in customers]
        handle, now = self.dispatcher.handle, self._time()
        began = process_time()
        decisions = [handle(event, now) for event in events]
        seconds = process_time() - began
        return seconds, [self._dialled(decision) for decision in decisions]

    def free(self, agents: Iterable[AgentId]) -> None:
        """They become ready, and nobody waits whom they could serve."""
        for agent in agents:
            self.dispatcher.handle(PresenceRequested(agent, Presence.READY), self._time())

    def release(self) -> list[AgentId]:
        """All who serve somebody leave, and their customers are let go and cancelled; who left."""
        attempts, self._attempts = self._attempts, {}
        for agent, attempt in attempts.items():
            callback = CallbackId(attempt.rpartition("-")[0])
            self.dispatcher.handle(PresenceRequested(agent, Presence.NOT_READY), self._time())
            self.dispatcher.handle(LegEnded(customer_leg_of(attempt), _NORMAL_CLEARING), self._time())
            self.dispatcher.handle(CancelRequested(callback, Reason.BY_ADMIN), self._time())
        return list(attempts)

    def _dialled(self, decision: Decision, agent: AgentId | None = None) -> str:
        """The customer whose attempt is written and dialled, if nothing else is done; `agent`: who must have it."""
        written = [change.attempt for change in decision.changes if isinstance(change, AttemptChanged)]
        match written, decision.effects:
            case [attempt], [DialCustomer(attempt=dialled)] if attempt.agent and dialled == attempt.id:
                if agent in (None, attempt.agent):
                    self._attempts[attempt.agent] = attempt.id
                    return attempt.callback
        return ""

    def _time(self) -> float:
        self._now += 0.001
        return self._now
