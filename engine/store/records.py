"""The store's own values: access keys, what is read at start, pages of a list.

They stand beside the core's values because the core decides nothing about them. A key's secret is never here, only its
hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from engine.core.changes import Change, HandleTimeKept, SlotCapacitySet
from engine.core.records import AgentStatus, Attempt, Callback, InboundCall, Interaction, Suppression, Timer
from engine.core.terms import ServiceId

T = TypeVar("T")

HISTORY_SECONDS = 2 * 86400.0
"""How far back a start looks for what became of a number: over any local day, and the longest gap between two dials."""


class KeyRole(StrEnum):
    """What the holder of a key may see and do."""

    PUBLIC = "public"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    METRICS = "metrics"


class KeyKind(StrEnum):
    """Where a key is kept: `web` and `mobile` keys are publishable, `secret` ones are for servers and people."""

    WEB = "web"
    MOBILE = "mobile"
    SECRET = "secret"  # noqa: S105 - a word of a closed list


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One access key. `origins` bind a web key; `subject` is the agent a key of role `agent` acts for."""

    id: str
    name: str
    role: KeyRole
    kind: KeyKind
    secret_hash: str
    created_at: float
    origins: tuple[str, ...] = ()
    subject: str | None = None
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class KeyKept:
    """A key was made, or its name, origins or subject were changed."""

    key: ApiKey


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """A key is good for nothing from now on; it stays in the list."""

    id: str
    at: float


@dataclass(frozen=True, slots=True)
class AgentSession:
    """An agent has logged in; whoever sends the token whose hash this is acts as them until `expires_at`."""

    token_hash: str
    agent: str
    created_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class SessionKept:
    """An agent logged in."""

    session: AgentSession


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is good for nothing from now on, and forgotten."""

    token_hash: str


@dataclass(frozen=True, slots=True)
class PasswordKept:
    """An agent has another password; every session of theirs that was begun before has ended. Never shown."""

    agent: str
    password_hash: str = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """The Asterisk of this name answered; `startup_time` as it told it. Another one means that its calls are gone."""

    name: str
    startup_time: str


AccessRecord: TypeAlias = KeyKept | KeyRevoked | SessionKept | SessionEnded | PasswordKept
"""Who may come in: what the HTTP side writes down by itself."""
Entry: TypeAlias = Change | AccessRecord | NodeSeen
"""Anything the journal writes down."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """What is not over, read at one moment. `document` is None and `version` 0 before anything was configured.

    `dials` and `requests`: numbers and moments of the last HISTORY_SECONDS, oldest first. `nodes`: the startup time of
    each Asterisk that was ever seen, by its name.
    """

    version: int = 0
    document: str | None = None
    callbacks: tuple[Callback, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    inbound: tuple[InboundCall, ...] = ()
    agents: tuple[AgentStatus, ...] = ()
    timers: tuple[Timer, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    paused: tuple[ServiceId, ...] = ()
    slot_capacities: tuple[SlotCapacitySet, ...] = ()
    handle_times: tuple[HandleTimeKept, ...] = ()
    dials: tuple[tuple[str, float], ...] = ()
    requests: tuple[tuple[str, float], ...] = ()
    nodes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What an idempotency key was answered; `at` in epoch seconds. `callback`: the id of what came of it."""

    key: str
    body_hash: str
    answer: str
    callback: str
    at: float


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first. `next` is the cursor of the following page, None on the last."""

    items: tuple[T, ...]
    next: str | None
