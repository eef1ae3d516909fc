"""Calls that came in to rows and back. See `rows`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.core.records import InboundCall
from engine.core.terms import AgentId, AttemptId, CallbackId, InboundOutcome, LegId, ServiceId
from engine.store.rows import Row, as_json


def inbound_row(call: InboundCall) -> Row:
    return {
        "id": call.id,
        "leg": call.leg,
        "service": call.service,
        "dialled": call.dialled,
        "language": call.language,
        "entered_at": call.entered_at,
        "phone": call.phone,
        "zones": as_json(list(call.zones)),
        "joined_at": call.joined_at,
        "priority": call.priority,
        "widened": call.widened,
        "agent": call.agent,
        "agent_legs": call.agent_legs,
        "bridging_at": call.bridging_at,
        "bridged_at": call.bridged_at,
        "ended_at": call.ended_at,
        "outcome": call.outcome and call.outcome.value,
        "cause": call.cause,
        "callback": call.callback,
        "transferred_at": call.transferred_at,
        "given_to": call.given_to,
        "transfer_answered_at": call.transfer_answered_at,
        "waits_again_at": call.waits_again_at,
    }


def inbound_of(row: Sequence[Any]) -> InboundCall:
    (
        id_,
        leg,
        service,
        dialled,
        language,
        entered_at,
        phone,
        zones,
        joined_at,
        priority,
        widened,
        agent,
        agent_legs,
        bridging_at,
        bridged_at,
        ended_at,
        outcome,
        cause,
        callback,
        transferred_at,
        given_to,
        transfer_answered_at,
        waits_again_at,
    ) = row
    return InboundCall(
        id=AttemptId(id_),
        leg=LegId(leg),
        service=ServiceId(service),
        dialled=dialled,
        language=language,
        entered_at=entered_at,
        phone=phone,
        zones=tuple(json.loads(zones)),
        joined_at=joined_at,
        priority=priority,
        widened=widened,
        agent=None if agent is None else AgentId(agent),
        agent_legs=agent_legs,
        bridging_at=bridging_at,
        bridged_at=bridged_at,
        ended_at=ended_at,
        outcome=None if outcome is None else InboundOutcome(outcome),
        cause=cause,
        callback=None if callback is None else CallbackId(callback),
        transferred_at=transferred_at,
        given_to=None if given_to is None else LegId(given_to),
        transfer_answered_at=transfer_answered_at,
        waits_again_at=waits_again_at,
    )
