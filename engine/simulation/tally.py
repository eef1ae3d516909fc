"""Counts what happens in a run, as it happens. Nothing is kept of a customer once they are gone.

Who asked before `counts_from` is left out, and so is agents' time before then and after `ends_at`: a centre that has
just opened is not what it is later, and after the last request it empties.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.core.changes import AgentChanged, AttemptChanged, CallbackChanged, InteractionChanged
from engine.core.decision import Accepted, Decision
from engine.core.effects import DialCustomer
from engine.core.events import CallbackRequested, Event, InteractionRequested
from engine.core.records import Callback, Interaction
from engine.core.terms import VOICE, AgentId, CallbackId, InteractionState, Media, Outcome, Presence, ServiceId
from engine.core.wait import Wait
from engine.simulation.spread import Spread
from engine.simulation.virtual_engine import VirtualEngine


@dataclass(slots=True)
class ServiceTally:
    """What became of those who asked one service for one medium.

    `waits`: from joining the line to the first INVITE, or to an agent's yes to other work; `in_time` of them were no
    longer than the service level allows, and `left_late` waited longer and left. Slots are counted apart. `errors`: how
    far what was told was off, whichever way; `too_long`: by how much it was told too long, in sum.
    """

    asked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    waits: Spread = field(default_factory=Spread)
    in_time: int = 0
    left_late: int = 0
    attempts: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    slots: int = 0
    slots_kept: int = 0
    told: int = 0
    told_kept: int = 0
    errors: Spread = field(default_factory=Spread)
    too_long: float = 0.0

    def merge(self, other: ServiceTally) -> None:
        """Count what another counted, too."""
        self.waits.merge(other.waits)
        self.errors.merge(other.errors)
        self.refused += other.refused
        self.outcomes += other.outcomes
        self.ends += other.ends
        self.asked += other.asked
        self.in_time += other.in_time
        self.left_late += other.left_late
        self.attempts += other.attempts
        self.slots += other.slots
        self.slots_kept += other.slots_kept
        self.told += other.told
        self.told_kept += other.told_kept
        self.too_long += other.too_long


@dataclass(slots=True)
class _Desk:
    """One agent since a moment."""

    since: float
    staffed: bool = False
    busy: bool = False


class Tally:
    """Watches one engine. `within_seconds`: the service level."""

    def __init__(self, engine: VirtualEngine, within_seconds: float, counts_from: float, ends_at: float) -> None:
        self.services: dict[tuple[ServiceId, Media], ServiceTally] = {}
        self.staffed_seconds = 0.0
        self.busy_seconds = 0.0
        self.events = 0
        self._engine = engine
        self._within = within_seconds
        self._from = counts_from
        self._until = ends_at
        self._desks: dict[AgentId, _Desk] = {}
        self._watched: dict[type[Any], Callable[[Any, Decision, float], None]] = {
            AgentChanged: self._agent,
            CallbackChanged: self._callback,
            AttemptChanged: self._attempt,
            InteractionChanged: self._interaction,
        }
        engine.observers.append(self.observe)

    def close(self) -> None:
        """Count agents' time up to the end."""
        for desk in self._desks.values():
            self._count_time(desk, self._until)

    def observe(self, event: Event, decision: Decision, now: float) -> None:
        """One event and what was decided."""
        self.events += 1
        for change in decision.changes:
            watch = self._watched.get(type(change))
            if watch is not None:
                watch(change, decision, now)
        for effect in decision.effects:
            if type(effect) is DialCustomer:
                self._dialled(effect, now)
        if type(event) is CallbackRequested:
            self._asked(event.request.service, VOICE, decision, now)
        elif type(event) is InteractionRequested:
            self._asked(event.service, event.media, decision, now)

    # ---- customers -------------------------------------------------------------------------------------

    def _of(self, service: ServiceId, media: Media = VOICE) -> ServiceTally:
        found = self.services.get((service, media))
        if found is None:
            found = self.services[service, media] = ServiceTally()
        return found

    def _asked(self, service: ServiceId, media: Media, decision: Decision, now: float) -> None:
        if now < self._from:
            return
        of, reply = self._of(service, media), decision.reply
        of.asked += 1
        if not isinstance(reply, Accepted | Interaction):
            of.refused[getattr(reply, "code", "refused")] += 1

    def _dialled(self, dial: DialCustomer, now: float) -> None:
        callback = self._engine.dispatcher.book.get(CallbackId(dial.attempt.rpartition("-")[0]))
        if callback is None or callback.created_at < self._from:
            return
        of = self._of(dial.voice.service)
        of.attempts += 1
        if callback.outcomes:
            return
        wait = now - callback.joined_at
        if callback.booked:
            self._count_slot(of, callback, wait)
            return
        of.waits.add(wait)
        of.in_time += wait <= self._within
        if callback.told is not None:
            _count_told(of, callback.told, wait)

    def _count_slot(self, of: ServiceTally, callback: Callback, wait: float) -> None:
        policy = self._engine.dispatcher.configuration.services[callback.request.service].slots
        of.slots += 1
        of.slots_kept += policy is not None and wait < policy.minutes * 60

    def _callback(self, change: CallbackChanged, _decision: Decision, now: float) -> None:
        callback = change.callback
        if callback.ended_at is None or callback.created_at < self._from:
            return
        of = self._of(callback.request.service)
        of.ends[callback.state.value] += 1
        if callback.outcomes:
            return
        if callback.booked:
            of.slots += now >= callback.joined_at
        else:
            of.left_late += now - callback.joined_at > self._within

    def _attempt(self, change: AttemptChanged, decision: Decision, _now: float) -> None:
        """An attempt never ends without a change of its callback."""
        attempt = change.attempt
        if attempt.ended_at is None or attempt.outcome is None or attempt.dialed_at is None:
            return
        for other in decision.changes:
            if type(other) is CallbackChanged and other.callback.id == attempt.callback:
                if other.callback.created_at >= self._from:
                    self._of(other.callback.request.service).outcomes[attempt.outcome] += 1
                return

    def _interaction(self, change: InteractionChanged, _decision: Decision, now: float) -> None:
        interaction = change.interaction
        if interaction.created_at < self._from:
            return
        of = self._of(interaction.service, interaction.media)
        if interaction.state is InteractionState.ACTIVE:
            wait = now - interaction.created_at
            of.waits.add(wait)
            of.in_time += wait <= self._within
        elif interaction.state.ended:
            of.ends[interaction.state.value] += 1
            if interaction.accepted_at is None:
                of.left_late += now - interaction.created_at > self._within

    # ---- agents ----------------------------------------------------------------------------------------

    def _agent(self, change: AgentChanged, _decision: Decision, now: float) -> None:
        status = change.status
        desk = self._desks.get(status.id)
        if desk is None:
            desk = self._desks[status.id] = _Desk(now)
        self._count_time(desk, now)
        desk.since = now
        desk.busy = bool(status.works)
        desk.staffed = desk.busy or status.presence is Presence.READY

    def _count_time(self, desk: _Desk, now: float) -> None:
        seconds = min(now, self._until) - max(desk.since, self._from)
        if seconds > 0 and desk.staffed:
            self.staffed_seconds += seconds
            self.busy_seconds += seconds if desk.busy else 0.0


def _count_told(of: ServiceTally, told: Wait, wait: float) -> None:
    of.told += 1
    of.told_kept += wait <= told.p80_seconds
    of.errors.add(abs(told.p50_seconds - wait))
    of.too_long += told.p50_seconds - wait
