"""What others may ask the database: reading only, on connections that cannot write and never hold the writer up.

An answer is what was durable at that moment; it may be a moment behind the dispatcher. Nothing here decides. Every
method raises StoreError when the database cannot be read.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Executable, func, select, tuple_

from engine.core.changes import CallbackMoved
from engine.core.explain_choice import Crew, Look
from engine.core.records import AgentStatus, Attempt, Callback, Classification, InboundCall, Interaction
from engine.core.terms import (
    AttemptId,
    CallbackId,
    CallbackState,
    InboundOutcome,
    InteractionId,
    InteractionState,
    ServiceId,
)
from engine.store import cursor as cursors
from engine.store import inbound_rows, rows, standing_rows, statements, trail
from engine.store.database import path_of
from engine.store.readers import Readers
from engine.store.records import HISTORY_SECONDS, AgentSession, ApiKey, KeptAnswer, Page, PasswordKept
from engine.store.statements import compiled, table
from engine.store.tables import (
    OPEN,
    OPEN_CALLBACK,
    AgentPasswordRow,
    AgentSessionRow,
    ApiKeyRow,
    AttemptRow,
    CallbackMoveRow,
    CallbackRow,
    ClassificationRow,
    ConfigurationRow,
    IdempotencyRow,
    InboundCallRow,
    InboundClassificationRow,
    InteractionRow,
)

LIMIT_MAX = 500
_IDS_AT_ONCE = 500

_callbacks, _moves, _attempts = table(CallbackRow), table(CallbackMoveRow), table(AttemptRow)
_answers, _keys = table(IdempotencyRow), table(ApiKeyRow)
_classifications, _interactions = table(ClassificationRow), table(InteractionRow)
_inbound, _inbound_classifications = table(InboundCallRow), table(InboundClassificationRow)
_configuration = table(ConfigurationRow)


class Queries:
    """Questions to the database of this URL, `connections` at once; close it with `close` or `async with`.

    It connects at the first question and leaves the schema to whoever opened the journal. Raises StoreError: the URL
    names no file.
    """

    def __init__(self, url: str, *, connections: int = 4) -> None:
        self._readers = Readers(path_of(url), connections)

    async def __aenter__(self) -> Queries:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait for the questions that run, then close. A second call does nothing."""
        await self._readers.close()

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._readers.all("SELECT version_num FROM alembic_version")

    async def configuration(self) -> tuple[int, str | None]:
        """Version and document in force; (0, None) before anything was configured."""
        found = await self._readers.all(statements.CONFIGURATION)
        return (found[0][0], found[0][1]) if found else (0, None)

    async def callback(self, callback: CallbackId) -> Callback | None:
        """One callback, ended or not."""
        found = await self._rows(select(_callbacks).where(_callbacks.c.id == callback))
        return rows.callback_of(found[0]) if found else None

    async def callbacks(
        self,
        *,
        states: Collection[CallbackState] | None = None,
        service: ServiceId | None = None,
        phone: str | None = None,
        created_from: float | None = None,
        created_to: float | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Callback]:
        """One page, newest first. None leaves a condition out; times in epoch seconds, `created_to` not included.

        Raises ValueError: `limit` is not 1 to 500, or `cursor` is not the `next` of an earlier page.
        """
        _check_limit(limit)
        wanted = select(_callbacks).order_by(_callbacks.c.created_at.desc(), _callbacks.c.id.desc()).limit(limit + 1)
        if states is not None:
            wanted = wanted.where(_callbacks.c.state.in_([state.value for state in states]))
            if not any(state.ended for state in states):
                wanted = wanted.where(OPEN_CALLBACK)  # says nothing new, but lets the small index of open ones serve
        if service is not None:
            wanted = wanted.where(_callbacks.c.service == service)
        if phone is not None:
            wanted = wanted.where(_callbacks.c.phone == phone)
        if created_from is not None:
            wanted = wanted.where(_callbacks.c.created_at >= created_from)
        if created_to is not None:
            wanted = wanted.where(_callbacks.c.created_at < created_to)
        if cursor is not None:
            place = tuple_(*cursors.place_of(cursor))
            wanted = wanted.where(tuple_(_callbacks.c.created_at, _callbacks.c.id) < place)
        found = [rows.callback_of(row) for row in await self._rows(wanted)]
        items = tuple(found[:limit])
        return Page(items, cursors.after(items[-1]) if len(found) > limit else None)

    async def interaction(self, interaction: InteractionId) -> Interaction | None:
        """One piece of work from outside, ended or not."""
        found = await self._rows(select(_interactions).where(_interactions.c.id == interaction))
        return rows.interaction_of(found[0]) if found else None

    async def interactions(
        self,
        *,
        states: Collection[InteractionState] | None = None,
        service: ServiceId | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Interaction]:
        """One page of work from outside, newest first; conditions and errors as of `callbacks`."""
        _check_limit(limit)
        wanted = select(_interactions).order_by(_interactions.c.created_at.desc(), _interactions.c.id.desc())
        wanted = wanted.limit(limit + 1)
        if states is not None:
            wanted = wanted.where(_interactions.c.state.in_([state.value for state in states]))
            if not any(state.ended for state in states):
                wanted = wanted.where(OPEN)
        if service is not None:
            wanted = wanted.where(_interactions.c.service == service)
        if cursor is not None:
            place = tuple_(*cursors.place_of(cursor))
            wanted = wanted.where(tuple_(_interactions.c.created_at, _interactions.c.id) < place)
        found = [rows.interaction_of(row) for row in await self._rows(wanted)]
        items = tuple(found[:limit])
        return Page(items, cursors.after(items[-1]) if len(found) > limit else None)

    async def inbound_call(self, call: AttemptId) -> InboundCall | None:
        """One call that came in, over or not."""
        found = await self._rows(select(_inbound).where(_inbound.c.id == call))
        return inbound_rows.inbound_of(found[0]) if found else None

    async def inbound_calls(
        self,
        *,
        service: ServiceId | None = None,
        outcome: InboundOutcome | None = None,
        phone: str | None = None,
        entered_from: float | None = None,
        entered_to: float | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[InboundCall]:
        """One page of calls that came in, newest first; conditions and errors as of `callbacks`."""
        _check_limit(limit)
        wanted = select(_inbound).order_by(_inbound.c.entered_at.desc(), _inbound.c.id.desc()).limit(limit + 1)
        if service is not None:
            wanted = wanted.where(_inbound.c.service == service)
        if outcome is not None:
            wanted = wanted.where(_inbound.c.outcome == outcome.value)
        if phone is not None:
            wanted = wanted.where(_inbound.c.phone == phone)
        if entered_from is not None:
            wanted = wanted.where(_inbound.c.entered_at >= entered_from)
        if entered_to is not None:
            wanted = wanted.where(_inbound.c.entered_at < entered_to)
        if cursor is not None:
            wanted = wanted.where(tuple_(_inbound.c.entered_at, _inbound.c.id) < tuple_(*cursors.place_of(cursor)))
        found = [inbound_rows.inbound_of(row) for row in await self._rows(wanted)]
        items = tuple(found[:limit])
        return Page(items, cursors.after(items[-1]) if len(found) > limit else None)

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        """One attempt, ended or not."""
        found = await self._rows(select(_attempts).where(_attempts.c.id == attempt))
        return rows.attempt_of(found[0]) if found else None

    async def attempts_of(self, callback: CallbackId) -> list[Attempt]:
        """The attempts of one callback, first to last."""
        return (await self.attempts_of_all([callback]))[callback]

    async def attempts_of_all(self, callbacks: Iterable[CallbackId]) -> dict[CallbackId, list[Attempt]]:
        """The attempts of each of these callbacks, first to last; an empty list where there are none."""
        found: dict[CallbackId, list[Attempt]] = {callback: [] for callback in callbacks}
        ids = list(found)
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            wanted = select(_attempts).where(_attempts.c.callback.in_(some)).order_by(_attempts.c.n)
            for attempt in map(rows.attempt_of, await self._rows(wanted)):
                found[attempt.callback].append(attempt)
        return found

    async def classifications_of_all(self, callbacks: Iterable[CallbackId]) -> dict[CallbackId, Classification]:
        """How these callbacks were classified; those that were not are left out."""
        found: dict[CallbackId, Classification] = {}
        ids = list(callbacks)
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            wanted = select(_classifications).where(_classifications.c.callback.in_(some))
            found.update((CallbackId(row[0]), standing_rows.classification_of(row)) for row in await self._rows(wanted))
        return found

    async def inbound_classifications_of_all(self, calls: Iterable[AttemptId]) -> dict[AttemptId, Classification]:
        """The same of calls that came in."""
        found: dict[AttemptId, Classification] = {}
        ids, said = list(calls), _inbound_classifications
        for start in range(0, len(ids), _IDS_AT_ONCE):
            wanted = select(said).where(said.c.call.in_(ids[start : start + _IDS_AT_ONCE]))
            found.update((AttemptId(row[0]), standing_rows.classification_of(row)) for row in await self._rows(wanted))
        return found

    async def moves_of(self, callback: CallbackId) -> list[CallbackMoved]:
        """Every transition of one callback, in order."""
        wanted = select(_moves).where(_moves.c.callback == callback).order_by(_moves.c.id)
        return [rows.callback_move_of(row) for row in await self._rows(wanted)]

    async def calls_to_number_of(self, callback: Callback) -> list[Attempt]:
        """The attempts of other callbacks to the same number, of the time that may still count for this one."""
        wanted = (
            select(_attempts)
            .join(_callbacks, _callbacks.c.id == _attempts.c.callback)
            .where(_callbacks.c.phone == callback.request.phone, _callbacks.c.id != callback.id)
            .where(_attempts.c.dialed_at >= callback.created_at - HISTORY_SECONDS)
            .order_by(_attempts.c.dialed_at)
        )
        return [rows.attempt_of(row) for row in await self._rows(wanted)]

    async def crew_at(self, callback: Callback, look: Look) -> Crew:
        """How the agents stood when one of them was chosen for this callback."""
        return await trail.crew_at(self._readers, callback, look)

    async def configurations_since(self, at: float) -> list[tuple[int, float]]:
        """Version and time of each configuration that was in force at this moment or later, first to last."""
        first = select(func.max(_configuration.c.version)).where(_configuration.c.at <= at).scalar_subquery()
        wanted = select(_configuration.c.version, _configuration.c.at)
        wanted = wanted.where((_configuration.c.at > at) | (_configuration.c.version == first))
        return [(row[0], row[1]) for row in await self._rows(wanted.order_by(_configuration.c.version))]

    async def document(self, version: int) -> str | None:
        """The services document of one version."""
        found = await self._rows(select(_configuration.c.document).where(_configuration.c.version == version))
        return found[0][0] if found else None

    async def known_calls(self, ids: Collection[str]) -> set[str]:
        """Those of these ids that are attempts, or calls that came in, stored here, live or ended.

        After a `CommitUnknownError` ask only when `Journal.probe` has succeeded: before, the answer may still change.
        """
        asked, known = list(ids), set[str]()
        for start in range(0, len(asked), _IDS_AT_ONCE):
            some = asked[start : start + _IDS_AT_ONCE]
            for calls in (_attempts, _inbound):
                known.update(row[0] for row in await self._rows(select(calls.c.id).where(calls.c.id.in_(some))))
        return known

    async def agents(self) -> list[AgentStatus]:
        """Every agent that was ever seen, by id."""
        return [rows.agent_of(row) for row in await self._readers.all(statements.AGENTS)]

    async def idempotency(self, key: str, *, now: float | None = None) -> KeptAnswer | None:
        """What this key was answered within the 24 hours before `now` (epoch seconds; None: the clock)."""
        after = (time.time() if now is None else now) - statements.ANSWERS_KEPT_SECONDS
        found = await self._rows(select(_answers).where(_answers.c.key == key, _answers.c.at > after))
        return standing_rows.kept_answer_of(found[0]) if found else None

    async def keys(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        return [
            standing_rows.key_of(row)
            for row in await self._rows(select(_keys).order_by(_keys.c.created_at, _keys.c.id))
        ]

    async def passwords(self) -> list[PasswordKept]:
        """The password of every agent who ever got one."""
        return [standing_rows.password_of(row) for row in await self._rows(select(table(AgentPasswordRow)))]

    async def sessions(self) -> list[AgentSession]:
        """Every session that was not ended, also those that have expired, oldest first."""
        sessions = table(AgentSessionRow)
        wanted = select(sessions).order_by(sessions.c.created_at, sessions.c.token_hash)
        return [standing_rows.session_of(row) for row in await self._rows(wanted)]

    async def _rows(self, statement: Executable) -> Sequence[Sequence[Any]]:
        return await self._readers.all(*compiled(statement))


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= LIMIT_MAX:
        raise ValueError(f"limit must be 1 to {LIMIT_MAX}")
