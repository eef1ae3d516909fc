"""What happened: everything the dispatcher can be told. Values only; who made them is of no concern here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from engine.core.configuration import Configuration
from engine.core.effects import Effect
from engine.core.records import Classification, Request
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    InteractionId,
    LegId,
    Media,
    Presence,
    Reason,
    ServiceId,
    WorkId,
)
from engine.core.values import dataclass


@dataclass(frozen=True, slots=True)
class CallbackRequested:
    """A checked request; id and token are made by the intake so that the core stays deterministic.

    `when`: the start of the slot, None: now. `freely`: staff may name any moment, and no slot's place is taken for it.
    """

    id: CallbackId
    request: Request
    token_hash: str
    idempotency: IdempotencyKey | None = None
    when: float | None = None
    freely: bool = False
    parent_id: CallbackId | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key for one request; `body_hash` tells the same request from another one."""

    key: str
    body_hash: str
    answer: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    id: CallbackId
    reason: Reason


@dataclass(frozen=True, slots=True)
class NewNumber:
    """Another number for a request, checked, with the zones the customer may be in."""

    phone: str
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoveRequested:
    """To another slot, or another number. `when`: a slot's start; `now`: join the line at once."""

    id: CallbackId
    when: float | None = None
    now: bool = False
    number: NewNumber | None = None


@dataclass(frozen=True, slots=True)
class SuppressRequested:
    """Never call this number again; whoever waits with it is not called any more."""

    phone: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class UnsuppressRequested:
    phone: str


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """The service calls nobody until it is resumed; requests are taken, and who is on the phone is served."""

    service: ServiceId


@dataclass(frozen=True, slots=True)
class ResumeRequested:
    service: ServiceId


@dataclass(frozen=True, slots=True)
class SlotCapacityRequested:
    """A capacity for one slot; None: the service's own again."""

    service: ServiceId
    start: float
    capacity: int | None


@dataclass(frozen=True, slots=True)
class InteractionRequested:
    """Work from outside, such as a chat; `priority` None: the service's."""

    id: InteractionId
    media: Media
    service: ServiceId
    priority: int | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    idempotency: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class InteractionEndRequested:
    """The outside system says that it is done, or not wanted any more."""

    id: InteractionId
    completed: bool


@dataclass(frozen=True, slots=True)
class WorkAccepted:
    """An agent says yes to a preview or to work from outside."""

    agent: AgentId
    work: WorkId


@dataclass(frozen=True, slots=True)
class WorkRejected:
    agent: AgentId
    work: WorkId


@dataclass(frozen=True, slots=True)
class PreviewRescheduled:
    """The agent puts the customer of a preview off to another time."""

    agent: AgentId
    work: WorkId
    when: float


@dataclass(frozen=True, slots=True)
class WorkCompleted:
    """The agent is done with it. `callback`: whose call it was, which may have ended long ago; None: not a call."""

    agent: AgentId
    work: WorkId
    callback: CallbackId | None
    service: ServiceId
    classification: Classification | None


@dataclass(frozen=True, slots=True)
class PresenceRequested:
    agent: AgentId
    presence: Presence
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigurationApplied:
    """`document` is the text kept for export; `configuration` what it means."""

    configuration: Configuration
    document: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The engine is about to stop: end what is not connected, start nothing new."""


@dataclass(frozen=True, slots=True)
class TelephonyLost:
    """Asterisk cannot be heard: nothing new may be started until it can."""


@dataclass(frozen=True, slots=True)
class TelephonyReady:
    """Asterisk can be heard, and every live attempt has been looked at."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    leg: LegId


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The far end picked up; the leg may not be in our hands yet."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegEntered:
    """The leg is in our hands: it can be played to and bridged."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is gone. `cause` is Q.850, `sip_code` the final SIP response, where Asterisk knew them."""

    leg: LegId
    cause: int | None = None
    sip_code: int | None = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class PlayingFinished:
    """The prompts of one Play effect have ended; `complete` is False if one of them could not be played."""

    leg: LegId
    tag: str
    complete: bool = True


class ResultKind(StrEnum):
    """How an effect ended: done, refused by Asterisk, or nobody knows."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EffectEnded:
    effect: Effect
    result: ResultKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    owner: str
    name: str


class LegSeen(StrEnum):
    """What a look at Asterisk showed of a leg; `ANSWERED`: kept by the dialplan until it is in our hands."""

    GONE = "gone"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    """After a start or a lost event socket: what is left in Asterisk of an attempt that the journal holds as running.

    `bridged`: one of the legs is in the bridge of the agent leg posted last.
    """

    attempt: AttemptId
    customer: LegSeen
    agent: LegSeen
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class AttemptLetGo:
    """This attempt's customer was let go, and that could not be written."""

    attempt: AttemptId


Event: TypeAlias = (
    CallbackRequested
    | CancelRequested
    | MoveRequested
    | SuppressRequested
    | UnsuppressRequested
    | PauseRequested
    | ResumeRequested
    | SlotCapacityRequested
    | InteractionRequested
    | InteractionEndRequested
    | WorkAccepted
    | WorkRejected
    | PreviewRescheduled
    | WorkCompleted
    | PresenceRequested
    | ConfigurationApplied
    | StopRequested
    | TelephonyLost
    | TelephonyReady
    | LegRinging
    | LegAnswered
    | LegEntered
    | LegEnded
    | KeyPressed
    | PlayingFinished
    | EffectEnded
    | TimerFired
    | AttemptSeen
    | AttemptLetGo
)

Fact: TypeAlias = (
    LegRinging | LegAnswered | LegEntered | LegEnded | KeyPressed | PlayingFinished | EffectEnded | AttemptLetGo
)
"""What happened to a call. A decision about it may be lost with a failed commit; that it happened stays true."""
