"""What the engine knows of requests, calls, agents and other work.

Every value is frozen; a change is a new value, so a decision can be written down, compared and replayed.
Times are seconds since the epoch (UTC) as floats, durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from engine.core.expressions import Expression
from engine.core.terms import (
    VOICE,
    AgentId,
    AttemptId,
    BridgeId,
    CallbackId,
    CallbackState,
    DispositionId,
    Evidence,
    InboundOutcome,
    InteractionId,
    InteractionState,
    LegId,
    Media,
    Outcome,
    Presence,
    Reason,
    RequestChannel,
    ServiceId,
    Stage,
    Verdict,
    WorkId,
)
from engine.core.values import Value, field
from engine.core.wait import Wait


class Request(Value):
    """What the customer asked for. `skill`: what staff narrowed the target to.

    `zones`: the time zones the customer may be in, the likeliest first; empty if nothing is known.
    """

    service: ServiceId
    phone: str
    language: str
    channel: RequestChannel
    subject: str | None = None
    customer_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    page_url: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    skill: Expression | None = None
    zones: tuple[str, ...] = ()


class Callback(Value):
    """One accepted request and how far it has come.

    `outcomes` are those of its ended attempts in which the customer was dialled, in order; `attempts_started` counts
    all attempts, so that each has a name of its own.
    `widened`: how many steps of the service's expansion count. `excluded`: agents who said no to it not long ago.
    `scheduled_for`: when it joins, or joined, the line by appointment; `booked`: that is the start of a slot, of which
    it holds a place. `asked_at`: when the appointment was made. `told`: the wait that was told with the request.
    """

    id: CallbackId
    request: Request
    state: CallbackState
    created_at: float
    joined_at: float
    token_hash: str
    priority: int = 0
    reason: Reason | None = None
    at_head: bool = False
    next_attempt_at: float | None = None
    ended_at: float | None = None
    attempts_started: int = 0
    outcomes: tuple[Outcome, ...] = ()
    agent: AgentId | None = None
    parent_id: CallbackId | None = None
    widened: int = 0
    excluded: tuple[AgentId, ...] = ()
    scheduled_for: float | None = None
    booked: bool = False
    asked_at: float = 0.0
    told: Wait | None = None

    @property
    def open(self) -> bool:
        return not self.state.ended

    @property
    def live_attempt(self) -> AttemptId:
        """The attempt begun last."""
        return AttemptId(f"{self.id}-{self.attempts_started}")

    @property
    def next_attempt(self) -> AttemptId:
        """The attempt that is begun next; an agent who is asked about the callback holds it already."""
        return AttemptId(f"{self.id}-{self.attempts_started + 1}")


class _Kept(Protocol):
    """What both kinds of call keep about their agents; an Attempt says what each means."""

    @property
    def id(self) -> AttemptId: ...
    @property
    def agent_legs(self) -> int: ...
    @property
    def bridged_at(self) -> float | None: ...
    @property
    def ended_at(self) -> float | None: ...
    @property
    def transferred_at(self) -> float | None: ...
    @property
    def waits_again_at(self) -> float | None: ...


class _WithAgents(Value):
    """What follows from it, whoever called whom."""

    @property
    def agent_leg(self: _Kept) -> LegId:
        """The agent leg posted last; meaningless while `agent_legs` is 0."""
        return LegId(f"{self.id}.agent.{self.agent_legs}")

    @property
    def bridge(self: _Kept) -> BridgeId:
        """The bridge for the agent leg posted last."""
        return BridgeId(f"{self.id}.bridge.{self.agent_legs}")

    @property
    def talks(self: _Kept) -> bool:
        """Whether the customer talks, or is over with it: not one who waits for an agent again."""
        return self.bridged_at is not None and self.waits_again_at is None

    @property
    def parted_at(self: _Kept) -> float | None:
        """When the first agent who talked to the customer did so no more."""
        return self.ended_at if self.transferred_at is None else self.transferred_at


class Attempt(_WithAgents):
    """One call to the customer, at `phone`: the request may have another number by now.

    `dialed_at` is None until the customer is dialled: if the agent is rung first, that may never happen.
    `agent_legs` counts the agent legs posted: the names of a leg and of its bridge are used once. `rang`: the phone
    rang, or nobody can say that it did not. `bridging_at`: from then on customer and agent may have been connected,
    though nobody has confirmed it yet. An attempt with an outcome and no end is closing: its leg is being let go.
    `overtook`: how many of the same service stood before this customer in the line when the call began.
    `verdict`: who answered, by the `evidence` that there was at `judged_at`; None if nobody was screened.
    `agent`: whose phone is rung; of a customer who has talked, who talked to them last.
    `bridged_at`: when they first talked. `transferred_at`: when an agent first gave the customer away. `given_to`:
    Asterisk's name for the channel that is, or was at the end, in the agent's place; `transfer_answered_at`: when
    somebody answered there. `waits_again_at`: since when the customer waits again whom nobody answered then.
    """

    id: AttemptId
    callback: CallbackId
    n: int
    agent: AgentId | None
    dialed_at: float | None = None
    agent_legs: int = 0
    rang: bool = False
    answered_at: float | None = None
    confirmed_at: float | None = None
    bridging_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    outcome: Outcome | None = None
    cause: int | None = None
    sip_code: int | None = None
    phone: str = ""
    overtook: int = 0
    verdict: Verdict | None = None
    evidence: Evidence | None = None
    judged_at: float | None = None
    transferred_at: float | None = None
    given_to: LegId | None = None
    transfer_answered_at: float | None = None
    waits_again_at: float | None = None

    @property
    def customer_leg(self) -> LegId:
        return customer_leg_of(self.id)


class InboundCall(_WithAgents):
    """A call of somebody who rang in. `leg` is Asterisk's name for it, `id` ours, made of it.

    `phone`: the caller's number if it is known and may be called back. `joined_at`: their place in the line, which may
    be that of a callback they had asked for; None: they are in none, for the service is closed or the line full.
    `callback`: what came of it. `agent_legs`, all about agents and transfers: as of an attempt. A call with an outcome
    and no end is closing.
    """

    id: AttemptId
    leg: LegId
    service: ServiceId
    dialled: str
    language: str
    entered_at: float
    phone: str | None = None
    zones: tuple[str, ...] = ()
    joined_at: float | None = None
    priority: int = 0
    widened: int = 0
    agent: AgentId | None = None
    agent_legs: int = 0
    bridging_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    outcome: InboundOutcome | None = None
    cause: int | None = None
    callback: CallbackId | None = None
    transferred_at: float | None = None
    given_to: LegId | None = None
    transfer_answered_at: float | None = None
    waits_again_at: float | None = None

    @property
    def met_at(self) -> float | None:
        """When caller and agent came together, as far as anybody saw; None: they did not, or not yet."""
        return (
            self.bridging_at
            if self.bridged_at is None and self.outcome is InboundOutcome.CONNECTED
            else self.bridged_at
        )

    @property
    def customer_leg(self) -> LegId:
        return self.leg


Call: TypeAlias = Attempt | InboundCall
"""One live call with a customer, whoever called whom. The ids of both are of one kind and never the same."""


def customer_leg_of(attempt: AttemptId) -> LegId:
    """The only leg to the customer that an attempt ever has."""
    return LegId(f"{attempt}.customer")


def attempt_of_leg(leg: str) -> AttemptId:
    """The attempt a leg that we named belongs to."""
    return AttemptId(leg.partition(".")[0])


class Work(Value):
    """One thing an agent holds. `id`: of a call its attempt, of work from outside the interaction.

    `since`: when they were taken for it; 0 if that is not known.
    """

    id: WorkId
    service: ServiceId
    stage: Stage
    callback: CallbackId | None = None
    media: Media = VOICE
    since: float = 0.0

    @property
    def attempt(self) -> AttemptId:
        """Of a call: its attempt."""
        return AttemptId(self.id)


class AgentStatus(Value):
    """An agent's presence and all that they hold. `idle_since`: the longest idle is served first."""

    id: AgentId
    presence: Presence = Presence.LOGGED_OUT
    reason: str | None = None
    works: tuple[Work, ...] = ()
    idle_since: float = 0.0

    @property
    def work(self) -> Work | None:
        """The call they hold; nobody has more than one."""
        for work in self.works:
            if work.media == VOICE:
                return work
        return None

    @property
    def ready(self) -> bool:
        """Whether the agent takes work, as far as their capacity has room."""
        return self.presence is Presence.READY

    @property
    def shown(self) -> str:
        """The state people see: a call first, then presence."""
        for work in self.works:
            if work.media == VOICE:
                return _SHOWN[work.stage]
        return str(self.presence)

    def is_full(self, capacity: Expression | None) -> bool:
        """Whether they have no room for anything more, whatever its medium."""
        return capacity is None and bool(self.works)

    def may_take(self, media: Media, capacity: Expression | None) -> bool:
        """Whether their capacity has room for one more item of this medium; a second call never has."""
        if not self.works:
            return capacity is None or capacity.met_by({media: 1})
        if capacity is None or (media == VOICE and self.work is not None):
            return False
        return capacity.met_by(self.load_with(media))

    def load_with(self, media: Media) -> dict[str, int]:
        """How many items of each medium they would hold with one more of `media`."""
        load: dict[str, int] = {media: 1}
        for work in self.works:
            load[work.media] = load.get(work.media, 0) + 1
        return load


_SHOWN = {stage: stage.value for stage in Stage} | {Stage.OFFERED: "previewing", Stage.ACTIVE: "talking"}


class Interaction(Value):
    """Work that an outside system announced, such as a chat. `agent`: who has it, or had it last."""

    id: InteractionId
    media: Media
    service: ServiceId
    state: InteractionState
    created_at: float
    priority: int = 0
    context: Mapping[str, str] = field(default_factory=dict)
    agent: AgentId | None = None
    offered_at: float | None = None
    accepted_at: float | None = None
    ended_at: float | None = None
    excluded: tuple[AgentId, ...] = ()


class Classification(Value):
    """How an agent classified a call: a code for the call, one for what came out of it, and free notes."""

    disposition: DispositionId
    outcome_code: DispositionId | None = None
    notes: str | None = None


class Suppression(Value):
    """A number that is never called. `because`: `never_again` (the customer's key) or `by_admin`."""

    phone: str
    because: Reason
    at: float
    note: str | None = None


class Timer(Value):
    """A named moment of one owner (a callback, an attempt or an agent)."""

    owner: str
    name: str
    due_at: float
