"""What must be written down: the changes a decision makes, in the order they were made."""

from __future__ import annotations

from typing import TypeAlias

from engine.core.events import IdempotencyKey
from engine.core.records import AgentStatus, Attempt, Callback, Classification, Interaction, Suppression, Timer
from engine.core.terms import AgentId, CallbackId, CallbackState, ServiceId
from engine.core.values import dataclass


@dataclass(frozen=True, slots=True)
class CallbackChanged:
    callback: Callback


@dataclass(frozen=True, slots=True)
class CallbackMoved:
    """One transition, kept for ever: `explain` and the reports read these."""

    callback: CallbackId
    before: CallbackState | None
    after: CallbackState
    because: str
    at: float


@dataclass(frozen=True, slots=True)
class AttemptChanged:
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AgentChanged:
    status: AgentStatus


@dataclass(frozen=True, slots=True)
class AgentMoved:
    """One change of an agent's presence or work; `before` and `after` are shown states."""

    agent: AgentId
    before: str
    after: str
    reason: str | None
    because: str
    at: float


@dataclass(frozen=True, slots=True)
class TimerSet:
    timer: Timer


@dataclass(frozen=True, slots=True)
class TimerCleared:
    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class SuppressionKept:
    suppression: Suppression


@dataclass(frozen=True, slots=True)
class SuppressionRemoved:
    phone: str


@dataclass(frozen=True, slots=True)
class ServicePaused:
    """The service calls nobody from `at` on."""

    service: ServiceId
    at: float


@dataclass(frozen=True, slots=True)
class ServiceResumed:
    service: ServiceId


@dataclass(frozen=True, slots=True)
class SlotCapacitySet:
    """A slot's own capacity; None: the service's counts again."""

    service: ServiceId
    start: float
    capacity: int | None


@dataclass(frozen=True, slots=True)
class InteractionChanged:
    interaction: Interaction


@dataclass(frozen=True, slots=True)
class CallClassified:
    """An agent classified a callback that may have ended long ago."""

    callback: CallbackId
    classification: Classification
    at: float


@dataclass(frozen=True, slots=True)
class IdempotencyKept:
    """The answer to a client's key. `callback`: the id of what came of it, which may be an interaction."""

    key: IdempotencyKey
    callback: str
    at: float


@dataclass(frozen=True, slots=True)
class ConfigurationKept:
    version: int
    document: str
    at: float


Change: TypeAlias = (
    CallbackChanged
    | CallbackMoved
    | AttemptChanged
    | AgentChanged
    | AgentMoved
    | TimerSet
    | TimerCleared
    | SuppressionKept
    | SuppressionRemoved
    | ServicePaused
    | ServiceResumed
    | SlotCapacitySet
    | InteractionChanged
    | CallClassified
    | IdempotencyKept
    | ConfigurationKept
)
