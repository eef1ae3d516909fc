"""What must be done outside: the effects a decision asks for, in three classes.

Irreversible effects (they reach a person's phone, or promise something) wait until the decision is written.
Media effects can be repeated, so they may start at once. Release effects overtake and cancel what is queued.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, TypeAlias

from engine.core.model import AgentId, AttemptId, BridgeId, LegId, PromptId, ServiceId


class EffectClass(Enum):
    IRREVERSIBLE = auto()
    MEDIA = auto()
    RELEASE = auto()


@dataclass(frozen=True, slots=True)
class Voice:
    """Whose prompts are played, in which language."""

    service: ServiceId
    language: str


@dataclass(frozen=True, slots=True)
class DialCustomer:
    """Call the customer. `max_seconds` is Asterisk's own limit for the leg until it is connected."""

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    leg: LegId
    phone: str
    caller_id: str | None
    voice: Voice
    ring_timeout_seconds: float
    max_seconds: float


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Ring the reserved agent's phone; the agent sees the customer's number as the caller."""

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    leg: LegId
    agent: AgentId
    endpoint: str
    caller_id: str
    voice: Voice
    ring_timeout_seconds: float
    max_seconds: float


@dataclass(frozen=True, slots=True)
class Play:
    """Play prompts one after another on a leg; answered by PlayingFinished with the same tag."""

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    prompts: tuple[PromptId, ...]
    voice: Voice
    tag: str


@dataclass(frozen=True, slots=True)
class HoldWithMusic:
    """Stop what plays on the leg, say `prompts`, then play music until the leg is connected."""

    kind: ClassVar[EffectClass] = EffectClass.MEDIA
    attempt: AttemptId
    leg: LegId
    prompts: tuple[PromptId, ...]
    voice: Voice


@dataclass(frozen=True, slots=True)
class Connect:
    """Bridge the two legs. `max_seconds` replaces the legs' limit.

    Who has talked is never called again, so that they may is written before they can.
    """

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    bridge: BridgeId
    customer: LegId
    agent: LegId
    max_seconds: float


@dataclass(frozen=True, slots=True)
class Farewell:
    """Say that the customer's wish is kept, then hang up. A promise: it waits until the wish is written."""

    kind: ClassVar[EffectClass] = EffectClass.IRREVERSIBLE
    attempt: AttemptId
    leg: LegId
    prompts: tuple[PromptId, ...]
    voice: Voice


@dataclass(frozen=True, slots=True)
class Release:
    """Say `prompts` (none: nothing), then hang up."""

    kind: ClassVar[EffectClass] = EffectClass.RELEASE
    attempt: AttemptId
    leg: LegId
    prompts: tuple[PromptId, ...]
    voice: Voice


@dataclass(frozen=True, slots=True)
class Dismantle:
    """Remove the bridge of a call that is over, after its legs."""

    kind: ClassVar[EffectClass] = EffectClass.RELEASE
    attempt: AttemptId
    bridge: BridgeId


Effect: TypeAlias = DialCustomer | RingAgent | Play | HoldWithMusic | Connect | Farewell | Release | Dismantle
"""Every effect carries the attempt it belongs to; effects of one attempt run one after another."""
