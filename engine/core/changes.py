"""What must be written down: the changes a decision makes, in the order they were made."""

from __future__ import annotations

from typing import TypeAlias

from engine.core.events import IdempotencyKey
from engine.core.records import (
    AgentStatus,
    Attempt,
    Callback,
    Classification,
    InboundCall,
    Interaction,
    Suppression,
    Timer,
)
from engine.core.terms import AgentId, AttemptId, CallbackId, CallbackState, ServiceId
from engine.core.values import Value


class CallbackChanged(Value):
    callback: Callback


class CallbackMoved(Value):
    """One transition, kept for ever: `explain` and the reports read these."""

    callback: CallbackId
    before: CallbackState | None
    after: CallbackState
    because: str
    at: float


class AttemptChanged(Value):
    attempt: Attempt


class InboundChanged(Value):
    call: InboundCall


class AgentChanged(Value):
    status: AgentStatus


class AgentMoved(Value):
    """One change of an agent's presence or work; `before` and `after` are shown states."""

    agent: AgentId
    before: str
    after: str
    reason: str | None
    because: str
    at: float


class TimerSet(Value):
    timer: Timer


class TimerCleared(Value):
    owner: str
    name: str


class SuppressionKept(Value):
    suppression: Suppression


class SuppressionRemoved(Value):
    phone: str


class ServicePaused(Value):
    """The service calls nobody from `at` on."""

    service: ServiceId
    at: float


class ServiceResumed(Value):
    service: ServiceId


class SlotCapacitySet(Value):
    """A slot's own capacity; None: the service's counts again."""

    service: ServiceId
    start: float
    capacity: int | None


class InteractionChanged(Value):
    interaction: Interaction


class HandleTimeKept(Value):
    """How long agents were kept by the work of a service lately: `seconds` in all, of `count` items of work."""

    service: ServiceId
    seconds: float
    count: float


class CallClassified(Value):
    """An agent classified a callback that may have ended long ago."""

    callback: CallbackId
    classification: Classification
    at: float


class InboundClassified(Value):
    """An agent classified a call that came in and may have ended long ago."""

    call: AttemptId
    classification: Classification
    at: float


class IdempotencyKept(Value):
    """The answer to a client's key. `callback`: the id of what came of it, which may be an interaction."""

    key: IdempotencyKey
    callback: str
    at: float


class ConfigurationKept(Value):
    """`removed`: who is no agent any more."""

    version: int
    document: str
    at: float
    removed: tuple[AgentId, ...] = ()


Change: TypeAlias = (
    CallbackChanged
    | CallbackMoved
    | AttemptChanged
    | InboundChanged
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
    | HandleTimeKept
    | CallClassified
    | InboundClassified
    | IdempotencyKept
    | ConfigurationKept
)
