"""What a record of a running engine (`serve --record`) says of the people outside: who asked, who came, who did what.

The events are told to a dispatcher again, as a replay does, because its decisions say when each thing was begun: only
from there on can be counted how long people took. All of it is held in memory, some hundred bytes for each event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from engine.core.changes import AgentChanged
from engine.core.decision import Snapshot
from engine.core.effects import Connect, DialCustomer, Effect, Farewell, HoldWithMusic, Release, RingAgent
from engine.core.events import (
    AudioCounted,
    AudioNews,
    CallbackRequested,
    CancelRequested,
    ConfigurationApplied,
    EffectEnded,
    Event,
    InteractionEndRequested,
    InteractionRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    MoveRequested,
    PauseRequested,
    PresenceRequested,
    ResultKind,
    ResumeRequested,
    SlotCapacityRequested,
    SuppressRequested,
    UnsuppressRequested,
    WorkAccepted,
    WorkCompleted,
    WorkRejected,
)
from engine.core.records import AgentStatus
from engine.core.terms import AgentId, AttemptId, LegId, Stage, WorkId
from engine.errors import RecordError
from engine.recording import Started, read_lines, steps
from engine.simulation.acts import AgentActs, CustomerActs, OfferActs
from engine.simulation.telephones import Timing

FROM_OUTSIDE = (
    CallbackRequested,
    CancelRequested,
    ConfigurationApplied,
    InteractionRequested,
    MoveRequested,
    PauseRequested,
    PresenceRequested,
    ResumeRequested,
    SlotCapacityRequested,
    SuppressRequested,
    UnsuppressRequested,
)
"""What people did of their own accord, whatever the engine decided. Withdrawn work from outside comes to it."""
_Offer: TypeAlias = tuple[AgentId, WorkId]


@dataclass(slots=True)
class _Leg:
    """When things happened on one leg. `let_go`: the engine hung it up."""

    begun: float
    agent: AgentId | None = None
    rang: float | None = None
    answered: float | None = None
    entered: float | None = None
    amd: str | None = None
    keys: list[tuple[float, str]] = field(default_factory=list)
    sounds: list[tuple[float, AudioNews]] = field(default_factory=list)
    confirmed: float | None = None
    bridged: float | None = None
    let_go: bool = False
    ended: LegEnded | None = None
    ended_at: float | None = None


@dataclass(slots=True)
class Recorded:
    """What people did. `talks` and `wrap_ups` are seconds by attempt; `rings` and `offers` of agents are in order."""

    snapshot: Snapshot
    began: float
    ended: float = 0.0
    events: list[tuple[float, Event]] = field(default_factory=list)
    calls: dict[AttemptId, CustomerActs] = field(default_factory=dict)
    talks: dict[AttemptId, float] = field(default_factory=dict)
    wrap_ups: dict[AttemptId, float] = field(default_factory=dict)
    rings: dict[AgentId, list[AgentActs]] = field(default_factory=dict)
    rings_by_leg: dict[LegId, AgentActs] = field(default_factory=dict)
    offers: dict[_Offer, list[OfferActs]] = field(default_factory=dict)
    handled: dict[WorkId, float] = field(default_factory=dict)


def recorded(path: Path) -> Recorded:
    """Read a whole record. Raises RecordError."""
    return _Reader(path).recorded


class _Reader:
    """Goes through a record once."""

    def __init__(self, path: Path) -> None:
        started = next((line for _, line in read_lines(path) if isinstance(line, Started)), None)
        if started is None:
            raise RecordError(f"{path} holds no event; record a while with serve --record")
        self.recorded = Recorded(started.snapshot, began=0.0)
        self._legs: dict[LegId, _Leg] = {}
        self._offered: dict[AgentId, dict[WorkId, float]] = {}
        self._accepted: dict[WorkId, float] = {}
        self._parted: dict[AttemptId, float] = {}
        for step in steps(path):
            self.recorded.began = self.recorded.began or step.now
            self.recorded.ended = step.now
            self._event(step.event, step.now)
            if step.decision is not None:
                for effect in step.decision.effects:
                    self._effect(effect, step.now)
                for change in step.decision.changes:
                    if isinstance(change, AgentChanged):
                        self._agent(change.status, step.now)
        if not self.recorded.ended:
            raise RecordError(f"{path} holds no event; record a while with serve --record")
        for leg_id, leg in self._legs.items():
            self._conclude(leg_id, leg)

    # ---- what was begun --------------------------------------------------------------------------------

    def _effect(self, effect: Effect, now: float) -> None:
        match effect:
            case DialCustomer(leg=leg):
                self._legs[leg] = _Leg(now)
            case RingAgent(leg=leg, agent=agent):
                self._legs[leg] = _Leg(now, agent)
            case HoldWithMusic(leg=leg) if leg in self._legs and self._legs[leg].confirmed is None:
                self._legs[leg].confirmed = now
            case Release(leg=leg) | Farewell(leg=leg) if leg in self._legs:
                self._legs[leg].let_go = True
            case _:
                pass

    def _agent(self, status: AgentStatus, now: float) -> None:
        """An offer that is gone and was not answered was missed."""
        offered = {work.id for work in status.works if work.stage is Stage.OFFERED}
        known = self._offered.setdefault(status.id, {})
        for work in [work for work in known if work not in offered]:
            del known[work]
            self.recorded.offers.setdefault((status.id, work), []).append(OfferActs())
        for work in offered:
            known.setdefault(work, now)

    # ---- what happened ---------------------------------------------------------------------------------

    def _event(self, event: Event, now: float) -> None:
        if isinstance(event, FROM_OUTSIDE):
            self.recorded.events.append((now, event))
            return
        match event:
            case WorkAccepted(agent=agent, work=work):
                self._answered_offer(agent, work, now, accepts=True)
                self._accepted[work] = now
            case WorkRejected(agent=agent, work=work):
                self._answered_offer(agent, work, now, accepts=False)
            case WorkCompleted(work=work, callback=None) if work in self._accepted:
                self.recorded.handled[work] = now - self._accepted[work]
            case WorkCompleted(work=work) if AttemptId(work) in self._parted:
                self.recorded.wrap_ups[AttemptId(work)] = now - self._parted[AttemptId(work)]
            case InteractionEndRequested(id=interaction):
                if (accepted := self._accepted.get(WorkId(interaction))) is not None:
                    self.recorded.handled[WorkId(interaction)] = now - accepted
                else:
                    self.recorded.events.append((now, event))
            case EffectEnded(effect=Connect() as connect, result=ResultKind.OK) if connect.customer in self._legs:
                self._legs[connect.customer].bridged = now
            case AudioCounted():
                pass  # the answer to a question that may not be asked again; a network that always sends gives it anew
            case _ if isinstance(event, AudioNews):
                if (leg := self._legs.get(event.leg)) is not None:
                    leg.sounds.append((now, event))
            case LegRinging() | LegAnswered() | LegEntered() | KeyPressed() | LegEnded() if event.leg in self._legs:
                self._on_leg(self._legs[event.leg], event, now)
            case _:
                pass

    def _answered_offer(self, agent: AgentId, work: WorkId, now: float, *, accepts: bool) -> None:
        offered = self._offered.get(agent, {}).pop(work, None)
        if offered is not None:
            self.recorded.offers.setdefault((agent, work), []).append(OfferActs(now - offered, accepts))

    def _on_leg(
        self, leg: _Leg, event: LegRinging | LegAnswered | LegEntered | KeyPressed | LegEnded, now: float
    ) -> None:
        match event:
            case LegRinging() if leg.rang is None:
                leg.rang = now
            case LegAnswered() if leg.answered is None:
                leg.answered = now
            case LegEntered() if leg.entered is None:
                leg.entered, leg.amd = now, event.amd
            case KeyPressed(digit=digit):
                leg.keys.append((now, digit))
            case LegEnded() if leg.ended is None:
                leg.ended, leg.ended_at = event, now
                if leg.agent is None and leg.bridged is not None:
                    self._part(event.leg, leg.bridged, now)
            case _:
                pass

    def _part(self, customer: LegId, bridged: float, now: float) -> None:
        """The first of the two who leaves ends the talk; the other leg follows at once."""
        attempt = AttemptId(customer.partition(".")[0])
        self._parted[attempt] = now
        self.recorded.talks[attempt] = max(0.0, now - bridged)

    # ---- what it means ---------------------------------------------------------------------------------

    def _conclude(self, leg_id: LegId, leg: _Leg) -> None:
        if leg.ended is None and leg.entered is None and not leg.let_go:
            return  # the record ends before it was known
        if leg.agent is None:
            self.recorded.calls[AttemptId(leg_id.partition(".")[0])] = _customer(leg)
        else:
            acts = _agent(leg)
            self.recorded.rings.setdefault(leg.agent, []).append(acts)
            self.recorded.rings_by_leg[leg_id] = acts


def _answered(leg: _Leg) -> float | None:
    """When it was answered; the entry that follows is what counts, so it is dated back from there."""
    return leg.answered if leg.entered is None else max(leg.begun, leg.entered - Timing().enter_seconds)


def _customer(leg: _Leg) -> CustomerActs:
    answered = _answered(leg)
    rings = None if leg.rang is None else leg.rang - leg.begun
    left = None if leg.let_go else leg.ended_at
    if answered is None:
        ended = leg.ended
        if left is None or ended is None:
            return CustomerActs(rings)
        return CustomerActs(rings, ends_after=left - leg.begun, cause=ended.cause, sip_code=ended.sip_code)
    entered = leg.entered if leg.entered is not None else answered
    before, with_music = left, None
    if leg.confirmed is not None:
        before = None
        with_music = left - leg.confirmed if left is not None and leg.bridged is None else None
    return CustomerActs(
        rings,
        answers_after=answered - leg.begun,
        keys=tuple((at - entered, digit) for at, digit in leg.keys),
        hangs_up_after=None if before is None else before - entered,
        waits_seconds=with_music,
        sounds=tuple((at - entered, sound) for at, sound in leg.sounds if at >= entered),
        amd=leg.amd,
    )


def _agent(leg: _Leg) -> AgentActs:
    answered = _answered(leg)
    if leg.entered is not None and answered is not None:
        return AgentActs(answers_after=answered - leg.begun)
    if leg.ended_at is not None and not leg.let_go:
        return AgentActs(rejects_after=leg.ended_at - leg.begun)
    return AgentActs()
