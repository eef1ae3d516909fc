"""The journal's statements: built from the tables with SQLAlchemy, compiled once, run as plain text by the driver.

The text is what a hot path needs; the construction keeps it in step with the tables and lets another database compile
the same statements. Values are never part of a text, so neither are phone numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable, Table, bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.sql import ClauseElement
from sqlmodel import SQLModel

from engine.store.tables import (
    OPEN,
    OPEN_CALLBACK,
    AgentMoveRow,
    AgentPasswordRow,
    AgentRow,
    AgentSessionRow,
    ApiKeyRow,
    AttemptRow,
    CallbackMoveRow,
    CallbackRow,
    ClassificationRow,
    ConfigurationRow,
    HandleTimeRow,
    IdempotencyRow,
    InboundCallRow,
    InboundClassificationRow,
    InteractionRow,
    NodeRow,
    PausedServiceRow,
    ProbeRow,
    SlotCapacityRow,
    SuppressionRow,
    TimerRow,
)

_DIALECT = sqlite.dialect(paramstyle="named")
ANSWERS_KEPT_SECONDS = 24 * 3600.0


def table(row: type[SQLModel]) -> Table:
    """The table that a row class describes."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


def compiled(statement: Executable) -> tuple[str, Mapping[str, Any]]:
    """The text of a statement and the values for its named parameters."""
    if not isinstance(statement, ClauseElement):
        raise TypeError(f"{type(statement).__name__} cannot be compiled")
    done = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(done), done.params


def text_of(statement: ClauseElement) -> str:
    """The text of a statement whose values are all given when it is run."""
    done = statement.compile(dialect=_DIALECT)
    # A value given here would be lost: a text carries names of parameters only.
    if any(value is not None for value in done.params.values()):
        raise ValueError(f"this statement holds a value: {done}")
    return str(done)


def _upsert(row: type[SQLModel]) -> str:
    statement = upsert(table(row))
    rest = {column.name: statement.excluded[column.name] for column in table(row).c if not column.primary_key}
    return text_of(statement.on_conflict_do_update(index_elements=list(table(row).primary_key), set_=rest))


def _append(row: type[SQLModel]) -> str:
    """An insert that leaves numbering the row to the database."""
    return text_of(insert(table(row)).values({c.name: bindparam(c.name) for c in table(row).c if c.name != "id"}))


def _drop(row: type[SQLModel]) -> str:
    return text_of(delete(table(row)).where(*(each == bindparam(each.name) for each in table(row).primary_key)))


def _keep_answer() -> str:
    """The first answer of a key stays for its time; afterwards the key is free again."""
    kept = table(IdempotencyRow)
    statement = upsert(kept)
    new = statement.excluded
    return text_of(
        statement.on_conflict_do_update(
            index_elements=[kept.c.key],
            set_={column.name: new[column.name] for column in kept.c if not column.primary_key},
            where=kept.c.at <= new.at - literal_column(str(ANSWERS_KEPT_SECONDS)),
        )
    )


def _put_key() -> str:
    """A key that was revoked stays revoked, whatever else changes."""
    keys = table(ApiKeyRow)
    statement = upsert(keys)
    new = statement.excluded
    rest = {column.name: new[column.name] for column in keys.c if column.name not in ("id", "revoked_at")}
    stays = {"revoked_at": func.coalesce(keys.c.revoked_at, new.revoked_at)}
    return text_of(statement.on_conflict_do_update(index_elements=[keys.c.id], set_=rest | stays))


_callbacks, _attempts, _timers, _keys = (table(row) for row in (CallbackRow, AttemptRow, TimerRow, ApiKeyRow))
_configuration, _sessions = table(ConfigurationRow), table(AgentSessionRow)

PUT_CALLBACK = _upsert(CallbackRow)
ADD_CALLBACK_MOVE = _append(CallbackMoveRow)
PUT_ATTEMPT = _upsert(AttemptRow)
PUT_INBOUND = _upsert(InboundCallRow)
PUT_AGENT = _upsert(AgentRow)
ADD_AGENT_MOVE = _append(AgentMoveRow)
PUT_CLASSIFICATION = _upsert(ClassificationRow)
PUT_INBOUND_CLASSIFICATION = _upsert(InboundClassificationRow)
PUT_INTERACTION = _upsert(InteractionRow)
PUT_SUPPRESSION = _upsert(SuppressionRow)
DROP_SUPPRESSION = _drop(SuppressionRow)
PUT_PAUSE = _upsert(PausedServiceRow)
DROP_PAUSE = _drop(PausedServiceRow)
PUT_SLOT_CAPACITY = _upsert(SlotCapacityRow)
DROP_SLOT_CAPACITY = _drop(SlotCapacityRow)
PUT_HANDLE_TIME = _upsert(HandleTimeRow)
PUT_TIMER = _upsert(TimerRow)
DROP_TIMER = _drop(TimerRow)
ADD_CONFIGURATION = text_of(insert(_configuration))
KEEP_ANSWER = _keep_answer()
SWEEP_ANSWERS = """
DELETE FROM idempotency WHERE "key" IN (SELECT "key" FROM idempotency WHERE at <= :before ORDER BY at LIMIT :most)
"""
PUT_KEY = _put_key()
REVOKE_KEY = text_of(
    update(_keys)
    .where(_keys.c.id == bindparam("key_id"), _keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
PUT_PASSWORD = _upsert(AgentPasswordRow)
PUT_SESSION = _upsert(AgentSessionRow)
DROP_SESSION = _drop(AgentSessionRow)
DROP_SESSIONS_OF = text_of(delete(_sessions).where(_sessions.c.agent == bindparam("agent")))
SWEEP_SESSIONS = """
DELETE FROM agent_sessions WHERE token_hash IN
(SELECT token_hash FROM agent_sessions WHERE expires_at <= :before ORDER BY expires_at LIMIT :most)
"""
PUT_NODE = _upsert(NodeRow)
PUT_PROBE = _upsert(ProbeRow)

OPEN_CALLBACKS = text_of(
    select(_callbacks).where(OPEN_CALLBACK).order_by(_callbacks.c.joined_at, _callbacks.c.created_at, _callbacks.c.id)
)
# No order: with one the database would walk every attempt there ever was instead of the index of open ones.
OPEN_ATTEMPTS = text_of(
    select(_attempts).where(
        OPEN, select(_callbacks.c.id).where(_callbacks.c.id == _attempts.c.callback, OPEN_CALLBACK).exists()
    )
)
AGENTS = text_of(select(table(AgentRow)).order_by(table(AgentRow).c.id))
TIMERS = text_of(select(_timers).order_by(_timers.c.due_at, _timers.c.owner, _timers.c.name))
_inbound = table(InboundCallRow)
OPEN_INBOUND = text_of(select(_inbound).where(OPEN).order_by(_inbound.c.entered_at, _inbound.c.id))
_interactions = table(InteractionRow)
OPEN_INTERACTIONS = text_of(select(_interactions).where(OPEN).order_by(_interactions.c.created_at, _interactions.c.id))
SUPPRESSIONS = text_of(select(table(SuppressionRow)).order_by(table(SuppressionRow).c.phone))
PAUSED = text_of(select(table(PausedServiceRow).c.service).order_by(table(PausedServiceRow).c.service))
SLOT_CAPACITIES = text_of(
    select(table(SlotCapacityRow)).order_by(table(SlotCapacityRow).c.service, table(SlotCapacityRow).c.start)
)
HANDLE_TIMES = text_of(select(table(HandleTimeRow)).order_by(table(HandleTimeRow).c.service))
DIALS = text_of(
    select(_attempts.c.phone, _attempts.c.dialed_at)
    .where(_attempts.c.dialed_at >= bindparam("since"))
    .order_by(_attempts.c.dialed_at, _attempts.c.id)
)
REQUESTS = text_of(
    select(_callbacks.c.phone, _callbacks.c.created_at)
    .where(_callbacks.c.created_at >= bindparam("since"))
    .order_by(_callbacks.c.created_at, _callbacks.c.id)
)
NODES = text_of(select(table(NodeRow)))
CONFIGURATION = text_of(
    select(_configuration.c.version, _configuration.c.document).where(
        _configuration.c.version == select(func.max(_configuration.c.version)).scalar_subquery()
    )
)
