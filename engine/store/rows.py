"""Callbacks, calls, agents and other work to rows and back: one pair of functions for each table. Nothing here decides
or touches a database; `standing_rows` has the other tables.

A row to write is a mapping from column to a value SQLite takes as it is; a row read is a tuple in the table's order of
columns. A test fills every field of every value, so a field without a column cannot pass unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from engine.core.changes import AgentMoved, CallbackMoved
from engine.core.expressions import parse
from engine.core.records import (
    AgentStatus,
    Attempt,
    Callback,
    Interaction,
    Request,
    Work,
)
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    CallbackState,
    Evidence,
    InteractionId,
    InteractionState,
    LegId,
    Media,
    Outcome,
    Presence,
    Reason,
    RequestChannel,
    ServiceId,
    Stage,
    Verdict,
    WorkId,
)
from engine.core.wait import Wait

Row: TypeAlias = Mapping[str, str | int | float | bytes | None]


def callback_row(callback: Callback) -> Row:
    request = callback.request
    return {
        "id": callback.id,
        "service": request.service,
        "phone": request.phone,
        "language": request.language,
        "channel": request.channel.value,
        "subject": request.subject,
        "customer_id": request.customer_id,
        "first_name": request.first_name,
        "last_name": request.last_name,
        "page_url": request.page_url,
        "context": as_json(dict(request.context)),
        "state": callback.state.value,
        "reason": callback.reason and callback.reason.value,
        "created_at": callback.created_at,
        "joined_at": callback.joined_at,
        "token_hash": callback.token_hash,
        "priority": callback.priority,
        "at_head": callback.at_head,
        "next_attempt_at": callback.next_attempt_at,
        "ended_at": callback.ended_at,
        "attempts_started": callback.attempts_started,
        "outcomes": as_json([outcome.value for outcome in callback.outcomes]),
        "agent": callback.agent,
        "parent_id": callback.parent_id,
        "skill": None if request.skill is None else request.skill.text,
        "widened": callback.widened,
        "excluded": as_json(list(callback.excluded)),
        "zones": as_json(list(request.zones)),
        "scheduled_for": callback.scheduled_for,
        "booked": callback.booked,
        "asked_at": callback.asked_at,
        "told_p50_seconds": None if callback.told is None else callback.told.p50_seconds,
        "told_p80_seconds": None if callback.told is None else callback.told.p80_seconds,
    }


def callback_of(row: Sequence[Any]) -> Callback:
    (
        id_,
        service,
        phone,
        language,
        channel,
        subject,
        customer_id,
        first_name,
        last_name,
        page_url,
        context,
        state,
        reason,
        created_at,
        joined_at,
        token_hash,
        priority,
        at_head,
        next_attempt_at,
        ended_at,
        attempts_started,
        outcomes,
        agent,
        parent_id,
        skill,
        widened,
        excluded,
        zones,
        scheduled_for,
        booked,
        asked_at,
        told_p50_seconds,
        told_p80_seconds,
    ) = row
    return Callback(
        id=CallbackId(id_),
        request=Request(
            service=ServiceId(service),
            phone=phone,
            language=language,
            channel=RequestChannel(channel),
            subject=subject,
            customer_id=customer_id,
            first_name=first_name,
            last_name=last_name,
            page_url=page_url,
            context=json.loads(context),
            skill=None if skill is None else parse(skill),
            zones=tuple(json.loads(zones)),
        ),
        state=CallbackState(state),
        created_at=created_at,
        joined_at=joined_at,
        token_hash=token_hash,
        priority=priority,
        reason=None if reason is None else Reason(reason),
        at_head=bool(at_head),
        next_attempt_at=next_attempt_at,
        ended_at=ended_at,
        attempts_started=attempts_started,
        outcomes=tuple(Outcome(outcome) for outcome in json.loads(outcomes)),
        agent=None if agent is None else AgentId(agent),
        parent_id=None if parent_id is None else CallbackId(parent_id),
        widened=widened,
        excluded=_agents_of(excluded),
        scheduled_for=scheduled_for,
        booked=bool(booked),
        asked_at=asked_at,
        told=None if told_p50_seconds is None else Wait(told_p50_seconds, told_p80_seconds),
    )


def callback_move_row(moved: CallbackMoved) -> Row:
    return {
        "callback": moved.callback,
        "before": moved.before and moved.before.value,
        "after": moved.after.value,
        "because": str(moved.because),
        "at": moved.at,
    }


def callback_move_of(row: Sequence[Any]) -> CallbackMoved:
    _, callback, before, after, because, at = row
    return CallbackMoved(
        CallbackId(callback), None if before is None else CallbackState(before), CallbackState(after), because, at
    )


def attempt_row(attempt: Attempt) -> Row:
    return {
        "id": attempt.id,
        "callback": attempt.callback,
        "n": attempt.n,
        "agent": attempt.agent,
        "dialed_at": attempt.dialed_at,
        "agent_legs": attempt.agent_legs,
        "rang": attempt.rang,
        "answered_at": attempt.answered_at,
        "confirmed_at": attempt.confirmed_at,
        "bridged_at": attempt.bridged_at,
        "ended_at": attempt.ended_at,
        "outcome": attempt.outcome and attempt.outcome.value,
        "cause": attempt.cause,
        "sip_code": attempt.sip_code,
        "bridging_at": attempt.bridging_at,
        "phone": attempt.phone,
        "overtook": attempt.overtook,
        "verdict": attempt.verdict and attempt.verdict.value,
        "evidence": attempt.evidence and attempt.evidence.value,
        "judged_at": attempt.judged_at,
        "transferred_at": attempt.transferred_at,
        "given_to": attempt.given_to,
        "transfer_answered_at": attempt.transfer_answered_at,
        "waits_again_at": attempt.waits_again_at,
    }


def attempt_of(row: Sequence[Any]) -> Attempt:
    (
        id_,
        callback,
        n,
        agent,
        dialed_at,
        agent_legs,
        rang,
        answered_at,
        confirmed_at,
        bridged_at,
        ended_at,
        outcome,
        cause,
        sip_code,
        bridging_at,
        phone,
        overtook,
        verdict,
        evidence,
        judged_at,
        transferred_at,
        given_to,
        transfer_answered_at,
        waits_again_at,
    ) = row
    return Attempt(
        id=AttemptId(id_),
        callback=CallbackId(callback),
        n=n,
        agent=None if agent is None else AgentId(agent),
        dialed_at=dialed_at,
        agent_legs=agent_legs,
        rang=bool(rang),
        answered_at=answered_at,
        confirmed_at=confirmed_at,
        bridging_at=bridging_at,
        bridged_at=bridged_at,
        ended_at=ended_at,
        outcome=None if outcome is None else Outcome(outcome),
        cause=cause,
        sip_code=sip_code,
        phone=phone,
        overtook=overtook,
        verdict=None if verdict is None else Verdict(verdict),
        evidence=None if evidence is None else Evidence(evidence),
        judged_at=judged_at,
        transferred_at=transferred_at,
        given_to=None if given_to is None else LegId(given_to),
        transfer_answered_at=transfer_answered_at,
        waits_again_at=waits_again_at,
    )


def agent_row(status: AgentStatus) -> Row:
    return {
        "id": status.id,
        "presence": status.presence.value,
        "reason": status.reason,
        "works": as_json(
            [[each.id, each.service, each.stage.value, each.callback, each.media, each.since] for each in status.works]
        ),
        "idle_since": status.idle_since,
    }


def agent_of(row: Sequence[Any]) -> AgentStatus:
    id_, presence, reason, idle_since, works = row
    return AgentStatus(
        AgentId(id_),
        Presence(presence),
        reason,
        tuple(
            Work(
                WorkId(work_id),
                ServiceId(service),
                Stage(stage),
                None if callback is None else CallbackId(callback),
                Media(media),
                *since,
            )
            for work_id, service, stage, callback, media, *since in json.loads(works)
        ),
        idle_since,
    )


def agent_move_row(moved: AgentMoved) -> Row:
    return {
        "agent": moved.agent,
        "before": moved.before,
        "after": moved.after,
        "reason": moved.reason,
        "because": moved.because,
        "at": moved.at,
    }


def interaction_row(interaction: Interaction) -> Row:
    return {
        "id": interaction.id,
        "media": interaction.media,
        "service": interaction.service,
        "state": interaction.state.value,
        "created_at": interaction.created_at,
        "priority": interaction.priority,
        "context": as_json(dict(interaction.context)),
        "agent": interaction.agent,
        "offered_at": interaction.offered_at,
        "accepted_at": interaction.accepted_at,
        "ended_at": interaction.ended_at,
        "excluded": as_json(list(interaction.excluded)),
    }


def interaction_of(row: Sequence[Any]) -> Interaction:
    (
        id_,
        media,
        service,
        state,
        created_at,
        priority,
        context,
        agent,
        offered_at,
        accepted_at,
        ended_at,
        excluded,
    ) = row
    return Interaction(
        id=InteractionId(id_),
        media=Media(media),
        service=ServiceId(service),
        state=InteractionState(state),
        created_at=created_at,
        priority=priority,
        context=json.loads(context),
        agent=None if agent is None else AgentId(agent),
        offered_at=offered_at,
        accepted_at=accepted_at,
        ended_at=ended_at,
        excluded=_agents_of(excluded),
    )


def _agents_of(text: str) -> tuple[AgentId, ...]:
    return tuple(AgentId(agent) for agent in json.loads(text))


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
