"""The tables of the database. They describe columns and indices only; rows are written and read elsewhere.

Times are seconds since the epoch. Their columns are DOUBLE, which SQLite keeps as REAL and PostgreSQL in full precision
(its own REAL would round a time to minutes). Lists and mappings are JSON text. Two promises are the database's own:
a number has at most one open callback of a service, and a callback at most one attempt that has not ended.
A change here needs a migration beside it; a test compares the two.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Double, ForeignKey, Index, LargeBinary, Text, column, literal_column
from sqlmodel import Field, SQLModel

from engine.core.terms import CallbackState

# Literals, not parameters: the database matches a query to a partial index only if both say the same.
OPEN_CALLBACK = column("state").not_in([literal_column(f"'{state}'") for state in CallbackState if state.ended])
OPEN = column("ended_at").is_(None)
"""Of attempts, calls that came in, and interactions."""
# Deferred: parent and child may be written by one group in either order.
_PARENT = ForeignKey("callbacks.id", ondelete="SET NULL", deferrable=True, initially="DEFERRED")


class CallbackRow(SQLModel, table=True):
    """One accepted request, as it stands now."""

    __tablename__ = "callbacks"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_callbacks_open",
            "phone",
            "service",
            unique=True,
            sqlite_where=OPEN_CALLBACK,
            postgresql_where=OPEN_CALLBACK,
        ),
        Index("ix_callbacks_open", "created_at", "id", sqlite_where=OPEN_CALLBACK, postgresql_where=OPEN_CALLBACK),
        Index("ix_callbacks_created_at", "created_at", "id"),
        Index("ix_callbacks_phone", "phone", "created_at", "id"),
        Index("ix_callbacks_service", "service", "created_at", "id"),
        Index("ix_callbacks_service_state", "service", "state", "created_at", "id"),
        Index("ix_callbacks_parent_id", "parent_id"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    service: str = Field(sa_type=Text)
    phone: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    subject: str | None = Field(sa_type=Text)
    customer_id: str | None = Field(sa_type=Text)
    first_name: str | None = Field(sa_type=Text)
    last_name: str | None = Field(sa_type=Text)
    page_url: str | None = Field(sa_type=Text)
    context: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    created_at: float = Field(sa_type=Double)
    joined_at: float = Field(sa_type=Double)
    token_hash: str = Field(sa_type=Text)
    priority: int
    at_head: bool
    next_attempt_at: float | None = Field(sa_type=Double)
    ended_at: float | None = Field(sa_type=Double)
    attempts_started: int
    outcomes: str = Field(sa_type=Text)
    agent: str | None = Field(sa_type=Text)
    parent_id: str | None = Field(sa_type=Text, sa_column_args=(_PARENT,))
    skill: str | None = Field(sa_type=Text)
    widened: int = Field(sa_column_kwargs={"server_default": "0"})
    excluded: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    zones: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    scheduled_for: float | None = Field(sa_type=Double)
    booked: bool = Field(sa_column_kwargs={"server_default": "0"})
    asked_at: float = Field(sa_type=Double, sa_column_kwargs={"server_default": "0"})
    told_p50_seconds: float | None = Field(sa_type=Double)
    told_p80_seconds: float | None = Field(sa_type=Double)


class CallbackMoveRow(SQLModel, table=True):
    """One transition of a callback, never changed afterwards."""

    __tablename__ = "callback_moves"
    __table_args__: ClassVar[Any] = (
        Index("ix_callback_moves_callback", "callback"),
        Index("ix_callback_moves_at", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    callback: str = Field(sa_type=Text, foreign_key="callbacks.id", ondelete="CASCADE")
    before: str | None = Field(sa_type=Text)
    after: str = Field(sa_type=Text)
    because: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class AttemptRow(SQLModel, table=True):
    """One call to a customer, as it stands now."""

    __tablename__ = "attempts"
    __table_args__: ClassVar[Any] = (
        Index("uq_attempts_callback_n", "callback", "n", unique=True),
        Index("uq_attempts_open", "callback", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_attempts_dialed_at", "dialed_at"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    callback: str = Field(sa_type=Text, foreign_key="callbacks.id", ondelete="CASCADE")
    n: int
    agent: str | None = Field(sa_type=Text)
    dialed_at: float | None = Field(sa_type=Double)
    agent_legs: int
    rang: bool
    answered_at: float | None = Field(sa_type=Double)
    confirmed_at: float | None = Field(sa_type=Double)
    bridged_at: float | None = Field(sa_type=Double)
    ended_at: float | None = Field(sa_type=Double)
    outcome: str | None = Field(sa_type=Text)
    cause: int | None
    sip_code: int | None
    bridging_at: float | None = Field(sa_type=Double)
    phone: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    overtook: int = Field(sa_column_kwargs={"server_default": "0"})
    verdict: str | None = Field(sa_type=Text)
    evidence: str | None = Field(sa_type=Text)
    judged_at: float | None = Field(sa_type=Double)
    transferred_at: float | None = Field(sa_type=Double)
    given_to: str | None = Field(sa_type=Text)
    transfer_answered_at: float | None = Field(sa_type=Double)
    waits_again_at: float | None = Field(sa_type=Double)


class InboundCallRow(SQLModel, table=True):
    """One call that came in, as it stands now. It outlives the callback that came of it: no foreign key."""

    __tablename__ = "inbound_calls"
    __table_args__: ClassVar[Any] = (
        Index("ix_inbound_calls_open", "entered_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_inbound_calls_entered_at", "entered_at", "id"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    leg: str = Field(sa_type=Text)
    service: str = Field(sa_type=Text)
    dialled: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    entered_at: float = Field(sa_type=Double)
    phone: str | None = Field(sa_type=Text)
    zones: str = Field(sa_type=Text)
    joined_at: float | None = Field(sa_type=Double)
    priority: int
    widened: int
    agent: str | None = Field(sa_type=Text)
    agent_legs: int
    bridging_at: float | None = Field(sa_type=Double)
    bridged_at: float | None = Field(sa_type=Double)
    ended_at: float | None = Field(sa_type=Double)
    outcome: str | None = Field(sa_type=Text)
    cause: int | None
    callback: str | None = Field(sa_type=Text)
    transferred_at: float | None = Field(sa_type=Double)
    given_to: str | None = Field(sa_type=Text)
    transfer_answered_at: float | None = Field(sa_type=Double)
    waits_again_at: float | None = Field(sa_type=Double)


class AgentRow(SQLModel, table=True):
    """An agent's presence and what they hold. It repeats what attempts and interactions hold: no foreign keys."""

    __tablename__ = "agents"

    id: str = Field(primary_key=True, sa_type=Text)
    presence: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    idle_since: float = Field(sa_type=Double)
    works: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "[]"})


class AgentMoveRow(SQLModel, table=True):
    """One change of an agent's presence or work, never changed afterwards."""

    __tablename__ = "agent_moves"
    __table_args__: ClassVar[Any] = (
        Index("ix_agent_moves_agent", "agent", "at"),
        Index("ix_agent_moves_at", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    agent: str = Field(sa_type=Text)
    before: str = Field(sa_type=Text)
    after: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    because: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class ClassificationRow(SQLModel, table=True):
    """How an agent classified a callback, as said last."""

    __tablename__ = "classifications"

    callback: str = Field(sa_type=Text, primary_key=True, foreign_key="callbacks.id", ondelete="CASCADE")
    disposition: str = Field(sa_type=Text)
    outcome_code: str | None = Field(sa_type=Text)
    notes: str | None = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class InboundClassificationRow(SQLModel, table=True):
    """How an agent classified a call that came in, as said last."""

    __tablename__ = "inbound_classifications"

    call: str = Field(sa_type=Text, primary_key=True, foreign_key="inbound_calls.id", ondelete="CASCADE")
    disposition: str = Field(sa_type=Text)
    outcome_code: str | None = Field(sa_type=Text)
    notes: str | None = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class InteractionRow(SQLModel, table=True):
    """Work that an outside system announced."""

    __tablename__ = "interactions"
    __table_args__: ClassVar[Any] = (
        Index("ix_interactions_open", "created_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_interactions_created_at", "created_at", "id"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    media: str = Field(sa_type=Text)
    service: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    created_at: float = Field(sa_type=Double)
    priority: int
    context: str = Field(sa_type=Text)
    agent: str | None = Field(sa_type=Text)
    offered_at: float | None = Field(sa_type=Double)
    accepted_at: float | None = Field(sa_type=Double)
    ended_at: float | None = Field(sa_type=Double)
    excluded: str = Field(sa_type=Text)


class SuppressionRow(SQLModel, table=True):
    """A number that is never called."""

    __tablename__ = "suppressions"

    phone: str = Field(primary_key=True, sa_type=Text)
    because: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)
    note: str | None = Field(sa_type=Text)


class PausedServiceRow(SQLModel, table=True):
    """A service that calls nobody."""

    __tablename__ = "paused_services"

    service: str = Field(primary_key=True, sa_type=Text)
    at: float = Field(sa_type=Double)


class SlotCapacityRow(SQLModel, table=True):
    """A slot that has a capacity of its own."""

    __tablename__ = "slot_capacities"

    service: str = Field(primary_key=True, sa_type=Text)
    start: float = Field(primary_key=True, sa_type=Double)
    capacity: int


class HandleTimeRow(SQLModel, table=True):
    """How long agents were kept by the work of a service lately: seconds in all, of so many items."""

    __tablename__ = "handle_times"

    service: str = Field(primary_key=True, sa_type=Text)
    seconds: float = Field(sa_type=Double)
    count: float = Field(sa_type=Double)


class TimerRow(SQLModel, table=True):
    """A timer that is set. Owners are callbacks, attempts or agents."""

    __tablename__ = "timers"

    owner: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    due_at: float = Field(sa_type=Double)


class ConfigurationRow(SQLModel, table=True):
    """Every configuration that was applied; the highest version is in force."""

    __tablename__ = "configuration"

    version: int = Field(primary_key=True)
    document: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class IdempotencyRow(SQLModel, table=True):
    """What a client's key was answered. No foreign key: the answer outlives the callback's retention."""

    __tablename__ = "idempotency"
    __table_args__: ClassVar[Any] = (Index("ix_idempotency_at", "at"),)

    key: str = Field(primary_key=True, sa_type=Text)
    body_hash: str = Field(sa_type=Text)
    answer: str = Field(sa_type=Text)
    callback: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class ApiKeyRow(SQLModel, table=True):
    """An access key; revoked ones stay."""

    __tablename__ = "api_keys"
    __table_args__: ClassVar[Any] = (Index("uq_api_keys_secret_hash", "secret_hash", unique=True),)

    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    origins: str = Field(sa_type=Text)
    subject: str | None = Field(sa_type=Text)
    secret_hash: str = Field(sa_type=Text)
    created_at: float = Field(sa_type=Double)
    revoked_at: float | None = Field(sa_type=Double)


class AgentPasswordRow(SQLModel, table=True):
    """An agent's password, as Argon2 keeps it. It stands in no document and outlasts the agent's absence from one."""

    __tablename__ = "agent_passwords"

    agent: str = Field(primary_key=True, sa_type=Text)
    password_hash: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class AgentSessionRow(SQLModel, table=True):
    """An agent who is logged in; ended sessions are removed."""

    __tablename__ = "agent_sessions"
    __table_args__: ClassVar[Any] = (
        Index("ix_agent_sessions_agent", "agent"),
        Index("ix_agent_sessions_expires_at", "expires_at"),
    )

    token_hash: str = Field(primary_key=True, sa_type=Text)
    agent: str = Field(sa_type=Text)
    created_at: float = Field(sa_type=Double)
    expires_at: float = Field(sa_type=Double)


class NodeRow(SQLModel, table=True):
    """An Asterisk and when it said it was started."""

    __tablename__ = "nodes"

    name: str = Field(primary_key=True, sa_type=Text)
    startup_time: str = Field(sa_type=Text)


class ProbeRow(SQLModel, table=True):
    """At most one row, random bytes that mean nothing: writing it shows whether the disk takes writes."""

    __tablename__ = "probe"

    id: int = Field(primary_key=True)
    filler: bytes = Field(sa_type=LargeBinary)
