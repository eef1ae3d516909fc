"""What stands beside calls and agents to rows and back: classifications, suppressions, slot capacities, timers, the
configuration, and the store's own records. See `rows`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.core.changes import (
    CallClassified,
    ConfigurationKept,
    HandleTimeKept,
    InboundClassified,
    SlotCapacitySet,
)
from engine.core.records import Classification, Suppression, Timer
from engine.core.terms import DispositionId, Reason, ServiceId
from engine.store.records import AgentSession, ApiKey, KeptAnswer, KeyKind, KeyRole, NodeSeen, PasswordKept
from engine.store.rows import Row, as_json


def classification_row(classified: CallClassified) -> Row:
    return {"callback": classified.callback} | _said(classified)


def inbound_classification_row(classified: InboundClassified) -> Row:
    return {"call": classified.call} | _said(classified)


def _said(classified: CallClassified | InboundClassified) -> dict[str, str | float | None]:
    said = classified.classification
    return {
        "disposition": said.disposition,
        "outcome_code": said.outcome_code,
        "notes": said.notes,
        "at": classified.at,
    }


def classification_of(row: Sequence[Any]) -> Classification:
    """Of a callback, or of a call that came in."""
    _classified, disposition, outcome_code, notes, _at = row
    return Classification(
        DispositionId(disposition), None if outcome_code is None else DispositionId(outcome_code), notes
    )


def suppression_row(suppression: Suppression) -> Row:
    return {
        "phone": suppression.phone,
        "because": suppression.because.value,
        "at": suppression.at,
        "note": suppression.note,
    }


def suppression_of(row: Sequence[Any]) -> Suppression:
    phone, because, at, note = row
    return Suppression(phone, Reason(because), at, note)


def slot_capacity_row(capacity: SlotCapacitySet) -> Row:
    return {"service": capacity.service, "start": capacity.start, "capacity": capacity.capacity}


def slot_capacity_of(row: Sequence[Any]) -> SlotCapacitySet:
    service, start, capacity = row
    return SlotCapacitySet(ServiceId(service), start, capacity)


def handle_time_row(kept: HandleTimeKept) -> Row:
    return {"service": kept.service, "seconds": kept.seconds, "count": kept.count}


def handle_time_of(row: Sequence[Any]) -> HandleTimeKept:
    service, seconds, count = row
    return HandleTimeKept(ServiceId(service), seconds, count)


def timer_row(timer: Timer) -> Row:
    return {"owner": timer.owner, "name": timer.name, "due_at": timer.due_at}


def timer_of(row: Sequence[Any]) -> Timer:
    return Timer(*row)


def kept_answer_row(kept: KeptAnswer) -> Row:
    return {
        "key": kept.key,
        "body_hash": kept.body_hash,
        "answer": kept.answer,
        "callback": kept.callback,
        "at": kept.at,
    }


def kept_answer_of(row: Sequence[Any]) -> KeptAnswer:
    return KeptAnswer(*row)


def configuration_row(kept: ConfigurationKept) -> Row:
    return {"version": kept.version, "document": kept.document, "at": kept.at}


def key_row(key: ApiKey) -> Row:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "kind": key.kind.value,
        "origins": as_json(list(key.origins)),
        "subject": key.subject,
        "secret_hash": key.secret_hash,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def key_of(row: Sequence[Any]) -> ApiKey:
    id_, name, role, kind, origins, subject, secret_hash, created_at, revoked_at = row
    return ApiKey(
        id=id_,
        name=name,
        role=KeyRole(role),
        kind=KeyKind(kind),
        secret_hash=secret_hash,
        created_at=created_at,
        origins=tuple(json.loads(origins)),
        subject=subject,
        revoked_at=revoked_at,
    )


def password_row(kept: PasswordKept) -> Row:
    return {"agent": kept.agent, "password_hash": kept.password_hash, "at": kept.at}


def password_of(row: Sequence[Any]) -> PasswordKept:
    return PasswordKept(*row)


def session_row(session: AgentSession) -> Row:
    return {
        "token_hash": session.token_hash,
        "agent": session.agent,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
    }


def session_of(row: Sequence[Any]) -> AgentSession:
    return AgentSession(*row)


def node_row(seen: NodeSeen) -> Row:
    return {"name": seen.name, "startup_time": seen.startup_time}
