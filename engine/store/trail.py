"""What an explanation reads: how agents stood at a moment, and who else was called meanwhile.

Each statement walks an index and is bounded by the number of agents, or by what happened within a moment or a call,
never by all that was ever written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal_column, select

from engine.core.changes import AgentMoved
from engine.core.explain_choice import KEEPS_IDLE, RUNG_SECONDS, Crew, Look
from engine.core.hours import DAY_SECONDS
from engine.core.lifecycle import Because
from engine.core.records import Callback
from engine.core.terms import AgentId, CallbackId, Media
from engine.store.readers import Readers
from engine.store.statements import compiled, table, text_of
from engine.store.tables import AgentMoveRow, AgentRow, AttemptRow, CallbackMoveRow, CallbackRow, InteractionRow

CHOSEN_AT_ONCE = 50
"""Agents chosen at the very same moment whose next moves are looked at; of more, only those who had the call."""
MOVES_AT_MOST = 1000
_NEVER = float("inf")

_moves, _agents, _callback_moves = table(AgentMoveRow), table(AgentRow), table(CallbackMoveRow)
_attempts, _callbacks, _interactions = table(AttemptRow), table(CallbackRow), table(InteractionRow)
_ONE: ColumnElement[int] = literal_column("1")
_NONE: ColumnElement[int] = literal_column("0")


def _last() -> Select[Any]:
    """The last move of each agent before `at`, and when those who were ready then began to be idle."""
    last, idle = _moves.alias("last"), _moves.alias("idle")
    before: ColumnElement[float] = bindparam("at")
    keeps: list[ColumnElement[str]] = [literal_column(f"'{each}'") for each in KEEPS_IDLE]
    began = (
        select(idle.c.at)
        .where(idle.c.agent == _agents.c.id, idle.c.at < before)
        .where(idle.c.after == literal_column("'ready'"), idle.c.because.not_in(keeps))
        .order_by(idle.c.at.desc(), idle.c.id.desc())
        .limit(_ONE)
        .offset(_NONE)
        .scalar_subquery()
    )
    newest = (
        select(last.c.id)
        .where(last.c.agent == _agents.c.id, last.c.at < before)
        .order_by(last.c.at.desc(), last.c.id.desc())
        .limit(_ONE)
        .offset(_NONE)
        .scalar_subquery()
    )
    since = case((_moves.c.after == literal_column("'ready'"), began), else_=None)
    return select(_moves, since).select_from(_agents.join(_moves, _moves.c.id == newest))


_LAST = text_of(_last())
_THEN = text_of(select(_moves).where(_moves.c.at == bindparam("at")).order_by(_moves.c.id))
_CHOSEN_FOR = text_of(
    select(_callback_moves.c.callback)
    .where(_callback_moves.c.at == bindparam("at"))
    .where(_callback_moves.c.because == literal_column(f"'{Because.AGENT_RESERVED}'"))
    .order_by(_callback_moves.c.id)
)
_OTHER_WORK = text_of(
    select(_interactions.c.agent, _interactions.c.media).where(
        _interactions.c.created_at > bindparam("since"),
        _interactions.c.created_at <= bindparam("at"),
        _interactions.c.agent.is_not(None),
        _interactions.c.offered_at < bindparam("at"),
        func.coalesce(_interactions.c.ended_at, literal_column("9e99")) > bindparam("at"),
    )
)
_OTHERS_CALLED = text_of(
    select(
        _attempts.c.agent,
        _callbacks.c.service == bindparam("service"),
        _callbacks.c.priority > bindparam("priority"),
        func.count(),
    )
    .select_from(_attempts.join(_callbacks, _callbacks.c.id == _attempts.c.callback))
    .where(_attempts.c.dialed_at >= bindparam("since"), _attempts.c.dialed_at < bindparam("at"))
    .where(_callbacks.c.id != bindparam("id"))
    .group_by(literal_column("1"), literal_column("2"), literal_column("3"))
)
_RINGING = text_of(
    select(_attempts.c.dialed_at, _attempts.c.answered_at, _attempts.c.ended_at)
    .select_from(_attempts.join(_callbacks, _callbacks.c.id == _attempts.c.callback))
    .where(_attempts.c.dialed_at > bindparam("since"), _attempts.c.dialed_at < bindparam("at"))
    .where(_callbacks.c.service == bindparam("service"))
    .order_by(_attempts.c.dialed_at)
)


async def crew_at(readers: Readers, callback: Callback, look: Look) -> Crew:
    """The agents as they stood at one moment, for one callback. Raises StoreError."""
    wanted = set(look.agents)
    last = [row for row in await readers.all(_LAST, {"at": look.at}) if row[1] in wanted]
    then = tuple(map(_move_of, await readers.all(_THEN, {"at": look.at})))
    work: dict[AgentId, tuple[Media, ...]] = {}
    for agent, media in await readers.all(_OTHER_WORK, {"at": look.at, "since": look.at - DAY_SECONDS}):
        work[agent] = (*work.get(agent, ()), media)
    asked = {"id": callback.id, "service": callback.request.service, "priority": callback.priority}
    called = [
        each
        for each in await readers.all(_OTHERS_CALLED, {"at": look.at, "since": look.since, **asked})
        if each[1] or each[0] in wanted
    ]
    return Crew(
        {row[1]: _move_of(row[:-1]) for row in last},
        {row[1]: row[-1] for row in last if row[-1] is not None},
        then,
        tuple(CallbackId(row[0]) for row in await readers.all(_CHOSEN_FOR, {"at": look.at})),
        await _later(readers, look, then),
        work,
        sum(number for _agent, same, _higher, number in called if same),
        sum(number for _agent, same, _higher, number in called if not same),
        sum(number for _agent, _same, higher, number in called if higher),
        await _ringing(readers, callback, look) if look.paced else (),
        await _last_began(readers, look) if look.most_at_once else None,
    )


async def _ringing(readers: Readers, callback: Callback, look: Look) -> tuple[tuple[float, float], ...]:
    """The calls of the service begun not long before, and until when each customer was rung."""
    asked = {"at": look.at, "since": look.at - RUNG_SECONDS, "service": callback.request.service}
    found = await readers.all(_RINGING, asked)
    return tuple((began, min(answered or _NEVER, ended or _NEVER)) for began, answered, ended in found)


async def _last_began(readers: Readers, look: Look) -> float | None:
    """When the call began that is so many back as may begin at once."""
    wanted = select(_attempts.c.dialed_at).where(_attempts.c.dialed_at < look.at).order_by(_attempts.c.dialed_at.desc())
    found = await readers.all(*compiled(wanted.limit(1).offset(look.most_at_once - 1)))
    return found[0][0] if found else None


async def _later(readers: Readers, look: Look, then: Sequence[AgentMoved]) -> tuple[AgentMoved, ...]:
    """The next moves of those who were chosen at the moment, and of those who had the call."""
    chosen = dict.fromkeys(move.agent for move in then if move.because in ("reserved", "offered"))
    agents = [*look.callers, *(chosen if len(chosen) <= CHOSEN_AT_ONCE else ())]
    wanted = select(_moves).where(_moves.c.agent.in_(agents), _moves.c.at >= look.at)
    if look.until is not None:
        wanted = wanted.where(_moves.c.at <= look.until)
    found = await readers.all(*compiled(wanted.order_by(_moves.c.id).limit(MOVES_AT_MOST)))
    return tuple(map(_move_of, found))


def _move_of(row: Sequence[Any]) -> AgentMoved:
    _id, agent, before, after, reason, because, at = row
    return AgentMoved(agent, before, after, reason, because, at)
