"""What happened: everything the dispatcher can be told. Values only; who made them is of no concern here."""

from __future__ import annotations

from collections.abc import Mapping
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
    PhoneState,
    Presence,
    Reason,
    ServiceId,
    WorkId,
)
from engine.core.values import Value, field


class CallbackRequested(Value):
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


class IdempotencyKey(Value):
    """A client's key for one request; `body_hash` tells the same request from another one."""

    key: str
    body_hash: str
    answer: str


class CancelRequested(Value):
    id: CallbackId
    reason: Reason


class NewNumber(Value):
    """Another number for a request, checked, with the zones the customer may be in."""

    phone: str
    zones: tuple[str, ...] = ()


class MoveRequested(Value):
    """To another slot, or another number. `when`: a slot's start; `now`: join the line at once."""

    id: CallbackId
    when: float | None = None
    now: bool = False
    number: NewNumber | None = None


class SuppressRequested(Value):
    """Never call this number again; whoever waits with it is not called any more."""

    phone: str
    note: str | None = None


class UnsuppressRequested(Value):
    phone: str


class PauseRequested(Value):
    """The service calls nobody until it is resumed; requests are taken, and who is on the phone is served."""

    service: ServiceId


class ResumeRequested(Value):
    service: ServiceId


class SlotCapacityRequested(Value):
    """A capacity for one slot; None: the service's own again."""

    service: ServiceId
    start: float
    capacity: int | None


class InteractionRequested(Value):
    """Work from outside, such as a chat; `priority` None: the service's."""

    id: InteractionId
    media: Media
    service: ServiceId
    priority: int | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    idempotency: IdempotencyKey | None = None


class InteractionEndRequested(Value):
    """The outside system says that it is done, or not wanted any more."""

    id: InteractionId
    completed: bool


class WorkAccepted(Value):
    """An agent says yes to a preview or to work from outside."""

    agent: AgentId
    work: WorkId


class WorkRejected(Value):
    agent: AgentId
    work: WorkId


class PreviewRescheduled(Value):
    """The agent puts the customer of a preview off to another time."""

    agent: AgentId
    work: WorkId
    when: float


class WorkCompleted(Value):
    """The agent is done with it. `callback`: whose call it was, which may have ended long ago; `inbound`: the call that
    came in, over or not; neither: not a call.
    """

    agent: AgentId
    work: WorkId
    callback: CallbackId | None
    service: ServiceId
    classification: Classification | None
    inbound: AttemptId | None = None


class PresenceRequested(Value):
    agent: AgentId
    presence: Presence
    reason: str | None = None


class ConfigurationApplied(Value):
    """`document` is the text kept for export; `configuration` what it means."""

    configuration: Configuration
    document: str


class StopRequested(Value):
    """The engine is about to stop: end what is not connected, start nothing new."""


class TelephonyLost(Value):
    """Asterisk cannot be heard: nothing new may be started until it can."""


class TelephonyReady(Value):
    """Asterisk can be heard, and every live attempt has been looked at."""


class CallerEntered(Value):
    """Somebody rings in and is in our hands, not answered yet. Told again for a call that is known, it says nothing.

    `call`: what we call it, made of Asterisk's own name, `leg`. `phone`: the caller's number, checked; None if there is
    none that we could call.
    """

    call: AttemptId
    leg: LegId
    dialled: str
    number: NewNumber | None = None


class DeskPhoneEntered(Value):
    """An agent's phone, `endpoint`, has dialled the menu. Told again for a call that is known, it says nothing."""

    call: AttemptId
    leg: LegId
    endpoint: str


class NumberChecked(Value):
    """What a caller entered with the keys is this number; None: none that may be called."""

    leg: LegId
    number: NewNumber | None


class PhonesSeen(Value):
    """All agents' phones as Asterisk knows them, by endpoint; an endpoint that is not in it is unknown."""

    states: Mapping[str, PhoneState]


class PhoneChanged(Value):
    """One phone, by its endpoint."""

    endpoint: str
    state: PhoneState


class PhonesUnknown(Value):
    """Asterisk cannot be asked about phones any more; every phone counts as usable."""


class LegRinging(Value):
    leg: LegId


class LegAnswered(Value):
    """The far end picked up; the leg may not be in our hands yet."""

    leg: LegId


class LegEntered(Value):
    """The leg is in our hands: it can be played to and bridged. `amd`: AMDSTATUS, if Asterisk's AMD() ran before."""

    leg: LegId
    amd: str | None = None


class LegEnded(Value):
    """The leg is gone. `cause` is Q.850, `sip_code` the final SIP response, where Asterisk knew them."""

    leg: LegId
    cause: int | None = None
    sip_code: int | None = None


class LegHeld(Value):
    """The phone on the leg holds whom it talks to; they hear Asterisk's music."""

    leg: LegId


class LegUnheld(Value):
    """It holds them no more; told also of a phone that held nobody."""

    leg: LegId


class LegReplaced(Value):
    """The phone on the leg gave whom it talked to to somebody else: a channel of Asterisk's own, `by`, stands in its
    place. From now on `by` is a leg of the same call.
    """

    leg: LegId
    by: LegId


class LegRingsStill(Value):
    """A channel that stands in a leg's place was answered too soon: it leads to a phone that rings."""

    leg: LegId


class KeyPressed(Value):
    leg: LegId
    digit: str


class TalkStarted(Value):
    """Talk detection hears somebody on the leg."""

    leg: LegId


class TalkFinished(Value):
    """They have been silent for a pause. `seconds`: how long they had talked."""

    leg: LegId
    seconds: float


class EarOpened(Value):
    """From now on talk on the leg is told by an ear of ours, which also hears that nothing comes."""

    leg: LegId


class EarClosed(Value):
    """The leg goes on without the ear: talk is what Asterisk's talk detection says."""

    leg: LegId


class FaxToneHeard(Value):
    """The answering tone of a fax machine."""

    leg: LegId


class BeepHeard(Value):
    """A steady tone of `seconds`, as an answering machine gives it before it records."""

    leg: LegId
    seconds: float


class AudioCounted(Value):
    """How many seconds of audio have come from the leg since it exists; None: Asterisk does not say."""

    leg: LegId
    received_seconds: float | None


AudioNews: TypeAlias = TalkStarted | TalkFinished | EarOpened | EarClosed | BeepHeard | FaxToneHeard | AudioCounted
"""What is heard of a customer."""


class PlayingFinished(Value):
    """The prompts of one Play effect have ended; `complete` is False if one of them could not be played."""

    leg: LegId
    tag: str
    complete: bool = True


class ResultKind(StrEnum):
    """How an effect ended: done, refused by Asterisk, or nobody knows."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class EffectEnded(Value):
    effect: Effect
    result: ResultKind
    detail: str = ""


class TimerFired(Value):
    owner: str
    name: str


class LegSeen(StrEnum):
    """What a look at Asterisk showed of a leg; `ANSWERED`: kept by the dialplan until it is in our hands."""

    GONE = "gone"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENTERED = "entered"


class AttemptSeen(Value):
    """After a start or a lost event socket: what is left in Asterisk of an attempt that the journal holds as running.

    `bridged`: one of the legs is in the bridge of the agent leg posted last. `other`: a channel there that is neither;
    `other_up`: it is answered. `apart`: the customer is there, the agent's leg lives and is not.
    """

    attempt: AttemptId
    customer: LegSeen
    agent: LegSeen
    bridged: bool = False
    other: LegId | None = None
    other_up: bool = False
    apart: bool = False


class AttemptLetGo(Value):
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
    | CallerEntered
    | DeskPhoneEntered
    | NumberChecked
    | PhonesSeen
    | PhoneChanged
    | PhonesUnknown
    | LegRinging
    | LegAnswered
    | LegEntered
    | LegEnded
    | LegHeld
    | LegUnheld
    | LegReplaced
    | LegRingsStill
    | KeyPressed
    | AudioNews
    | PlayingFinished
    | EffectEnded
    | TimerFired
    | AttemptSeen
    | AttemptLetGo
)

Fact: TypeAlias = (
    CallerEntered
    | DeskPhoneEntered
    | NumberChecked
    | LegRinging
    | LegAnswered
    | LegEntered
    | LegEnded
    | LegHeld
    | LegUnheld
    | LegReplaced
    | LegRingsStill
    | KeyPressed
    | AudioNews
    | PlayingFinished
    | EffectEnded
    | AttemptLetGo
)
"""What happened to a call. A decision about it may be lost with a failed commit; that it happened stays true."""
