"""/callbacks/{id}/explain: why this agent, why now, why not earlier, as data and in plain words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web
from pydantic import Field

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, Moment, answer, moment
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.lookup import Lookup
from engine.api.moments import utc_text_of
from engine.api.ports import Engine
from engine.core.configuration import Configuration
from engine.core.explain import Past, explain, looks
from engine.core.explain_speech import Speech
from engine.core.explain_steps import Step
from engine.core.explain_words import says
from engine.core.records import Callback
from engine.core.terms import CallbackState
from engine.document import parse
from engine.errors import DocumentError
from engine.store.queries import Queries

VERSIONS_KEPT = 4
DOCUMENT_AT_MOST = 2_000_000
"""Characters of an older services document that is still read again for an explanation."""


class ExplainedStep(Answered):
    """One step of the trail. `at`: when it happened, or the time of asking for what holds at that moment."""

    at: Moment
    local: str = Field(description="The same in the service's time zone.")
    what: str = Field(description="The kind of step.")
    because: dict[str, Any] = Field(description="What it rests on; its fields go with `what`.")
    says: str = Field(description="The step in plain English.")


class Explanation(Answered):
    """Why a callback went as it did, first to last; of an open one also what holds it back now."""

    id: str
    state: CallbackState
    timezone: str
    asked_at: Moment
    steps: list[ExplainedStep]


class Explanations:
    """The decision trails of callbacks."""

    def __init__(self, engine: Engine, queries: Queries, lookup: Lookup) -> None:
        self._engine = engine
        self._queries = queries
        self._lookup = lookup
        self._kept: dict[int, Configuration | None] = {}

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/callbacks/{id}/explain",
                handle=self.explain,
                summary="Why this agent, why now, why not earlier",
                tag="staff",
                roles=STAFF,
                answers=(Explanation,),
                codes=(Code.NOT_FOUND,),
            ),
        ]

    async def explain(self, request: web.Request, _caller: Caller) -> web.Response:
        """The trail of one callback, ended or not."""
        past = await self._past(await self._lookup.find(request))
        crews = [await self._queries.crew_at(past.callback, look) for look in looks(past)]
        now, dispatcher = self._engine.now(), self._engine.dispatcher
        steps = [*explain(past, crews), *dispatcher.why_not_yet(past.callback.id, now)]
        speech = Speech(dispatcher.configuration, past.callback.request.service)
        return answer(
            Explanation(
                id=past.callback.id,
                state=past.callback.state,
                timezone=speech.zone,
                asked_at=moment(now),
                steps=[_view(step, speech) for step in steps],
            )
        )

    async def _past(self, callback: Callback) -> Past:
        moves = await self._queries.moves_of(callback.id)
        attempts = await self._queries.attempts_of(callback.id)
        others = await self._queries.calls_to_number_of(callback)
        # Read last, so that it is never older than its moves.
        callback = await self._queries.callback(callback.id) or callback
        configurations = await self._configurations(callback.created_at, [move.at for move in moves])
        pace = self._engine.dispatcher.pace_of_all
        return Past(callback, tuple(moves), tuple(attempts), tuple(others), configurations, pace)

    async def _configurations(
        self, since: float, moments: Sequence[float]
    ) -> tuple[tuple[float, Configuration | None], ...]:
        """Those in force at these moments; the others are left unread."""
        applied = await self._queries.configurations_since(since)
        found = []
        for (version, at), until in zip(applied, [at for _, at in applied[1:]] + [float("inf")], strict=True):
            used = any(at <= each < until for each in moments)
            found.append((at, await self._configuration(version) if used else None))
        return tuple(found)

    async def _configuration(self, version: int) -> Configuration | None:
        """What was in force as this version; None: it cannot be read any more, or is too large to be read again."""
        current = self._engine.dispatcher.configuration
        if version == current.version:
            return current
        if version not in self._kept:
            document = await self._queries.document(version)
            while len(self._kept) >= VERSIONS_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[version] = await asyncio.to_thread(_read, document, version)
        return self._kept[version]


def _read(document: str | None, version: int) -> Configuration | None:
    if document is None or len(document) > DOCUMENT_AT_MOST:
        return None
    try:
        return parse(document, version=version).configuration
    except DocumentError:
        return None  # written by an older version of Ringback; what it says of agents is then left out


def _view(step: Step, speech: Speech) -> ExplainedStep:
    because: Mapping[str, Any] = msgspec.to_builtins(step)
    return ExplainedStep(
        at=moment(step.at),
        local=speech.stamp(step.at),
        what=step.what,
        because={
            name: utc_text_of(value) if name.endswith("_at") and value is not None else value
            for name, value in because.items()
            if name != "at"
        },
        says=says(step, speech),
    )
