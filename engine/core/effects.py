"""What must be done outside: the effects a decision asks for, in three classes.

Irreversible effects (they reach a person's phone, promise something, or let people talk) wait until the decision is
written. Media effects can be repeated, so they may start at once. Release effects overtake and cancel what is queued.

Each effect says what a start finds if the process died just before or just after it was carried out. The start looks at
Asterisk twice before it concludes anything, and posts no leg's name again.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import ClassVar, TypeAlias

from engine.core.terms import AgentId, AttemptId, BridgeId, LegId, Prompt, ServiceId
from engine.core.values import Value


class EffectClass(Enum):
    IRREVERSIBLE = auto()
    MEDIA = auto()
    RELEASE = auto()


class Voice(Value):
    """Whose prompts are played, in which language."""

    service: ServiceId
    language: str


class Listening(Value):
    """What Asterisk is to report of the customer's audio: talk louder than `level` that pauses for `pause_seconds`, and
    the answering tone of a fax. `amd`: its AMD() is to say who answered before the leg comes to us.
    """

    level: int
    pause_seconds: float
    amd: bool


class DialCustomer(Value):
    """Call the customer. `max_seconds` is Asterisk's own limit for the leg until it is connected.

    Died before: the dial is written and has no leg: interrupted, called again after the normal interval, for nobody
    can say that the phone did not ring. Died after: the leg is found by its name and goes on from where it is; who
    answered meanwhile hears "one moment" from the dialplan. An agent who was rung first hears music all the time: who
    is still there is kept, and let go if the customer is gone.
    """

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    leg: LegId
    phone: str
    caller_id: str | None
    voice: Voice
    ring_timeout_seconds: float
    max_seconds: float
    listening: Listening | None = None


class AnswerCaller(Value):
    """Answer a call that comes in. `max_seconds`: Asterisk's own limit for it until it is connected.

    Died before: it rings on, and is taken as one that comes in. Died after: it is found and waits in its place; one
    that was not even written is taken as one that comes in.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    max_seconds: float


class CheckNumber(Value):
    """Say whether what a caller entered is a number that may be called; answered by NumberChecked.

    Died before or after: the caller is back in the line and may press the key again.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    service: ServiceId
    digits: str


class RingAgent(Value):
    """Ring the reserved agent's phone; the agent sees the customer's number as the caller.

    Died before: the leg is not found, the agent is free again and the customer hears music and waits for one.
    Died after: the leg is found and rings on, or the whisper begins.
    If the agent is rung first, no customer's leg is written yet. Died before: the leg is not found, the agent is free
    and the callback back in its place in the line. Died after: the leg is found and rings on, or, if the agent is on
    the phone, the customer is dialled.
    """

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    leg: LegId
    agent: AgentId
    endpoint: str
    caller_id: str | None
    voice: Voice
    ring_timeout_seconds: float
    max_seconds: float


class Play(Value):
    """Stop what plays on the leg, music too, and play prompts one after another; answered by PlayingFinished.

    The answer has the same tag. Died before or after: what may still play is stopped, and the prompts begin anew with
    their keys open.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    prompts: tuple[Prompt, ...]
    voice: Voice
    tag: str


class Listen(Value):
    """Put an ear on the leg, if there is one left: TalkStarted, TalkFinished and BeepHeard come of it.

    Died before or after: the announcement begins anew, and with it the listening.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    pause_seconds: float


class CountAudio(Value):
    """Ask how much audio has come from the leg; answered by AudioCounted.

    Died before or after: the announcement begins anew, and with it what is asked.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId


class HoldWithMusic(Value):
    """Stop what plays on the leg, say `prompts`, then play music until something else is played or the leg connected.

    Died before: the confirmation may be lost with it, and the customer is asked again. Died after: music again.
    An agent who was rung first and waits for the customer hears music again in both cases.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    prompts: tuple[Prompt, ...]
    voice: Voice


class Connect(Value):
    """Stop the music of both legs and bridge them.

    `max_seconds` replaces the legs' limit; `waiting_seconds` the customer's if it is refused. `listening`: Asterisk was
    asked to report what it hears of the customer; that ends here.
    Who has talked is never called again, so that they may is written before they can. Died before: both legs are found
    in no bridge: music again, and an agent anew. Died after: they are found in the bridge and left alone; if they have
    gone meanwhile, the callback is completed as ended unobserved.
    """

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    bridge: BridgeId
    customer: LegId
    agent: LegId
    max_seconds: float
    waiting_seconds: float
    listening: bool = False


class Limit(Value):
    """Let Asterisk end a leg after so long: of one it made itself nobody has said so yet.

    Died before: the leg ends when the customer's does, by us or by the next start. Died after: by itself at the latest.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    max_seconds: float


class Record(Value):
    """Say `prompts` to both sides, then record what they say under `name`, in Asterisk, unless that goes on already.

    Died before or after: whoever is still talking is recorded from the next start on, told so first; what has begun to
    be recorded goes on without us until they part.
    """

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    bridge: BridgeId
    name: str
    prompts: tuple[Prompt, ...]
    voice: Voice
    max_seconds: float


class Farewell(Value):
    """Say that the customer's wish is kept, then hang up. A promise: it waits until the wish is written.

    Died before or after: the wish is written; a leg that is still there is hung up.
    """

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    leg: LegId
    prompts: tuple[Prompt, ...]
    voice: Voice


class Release(Value):
    """Say `prompts` (none: nothing), then hang up.

    Died before: the decision may be lost with it; what is found goes on as if it had not been made. Died after: the
    leg is gone or is hung up, and ends as decided if that was written, else as interrupted.
    Of an agent who gave the customer away, and of whom they were given to: a leg that is found outside its bridge, or
    alone in it, is hung up.
    """

    kind: ClassVar[EffectClass] = EffectClass.RELEASE
    attempt: AttemptId
    leg: LegId
    prompts: tuple[Prompt, ...]
    voice: Voice


class Dismantle(Value):
    """Remove the bridge of a call that is over, after its legs.

    Died before or after: an empty bridge may be left over; its name is never used again and costs nothing but memory.
    """

    kind: ClassVar[EffectClass] = EffectClass.RELEASE
    attempt: AttemptId
    bridge: BridgeId


Effect: TypeAlias = (
    DialCustomer
    | AnswerCaller
    | CheckNumber
    | RingAgent
    | Play
    | Listen
    | CountAudio
    | HoldWithMusic
    | Connect
    | Limit
    | Record
    | Farewell
    | Release
    | Dismantle
)
"""Every effect carries the attempt, or the inbound call, it belongs to; effects of one run one after another."""
