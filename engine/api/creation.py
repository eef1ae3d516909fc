"""Makes a callback once for each Idempotency-Key, answers 201, and counts what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from engine.api.access import Caller
from engine.api.bodies import NOT_KEPT
from engine.api.callback_shapes import CallbackAccepted
from engine.api.codes import Code
from engine.api.idempotency import Once, Repetitions, key_of
from engine.api.intake import Intake
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.metrics import Metrics
from engine.store.queries import Queries

Make = Callable[[Once | None], Awaitable[CallbackAccepted]]


class Creation:
    """One for all addresses that make callbacks, since a key counts for all of them."""

    def __init__(self, engine: Engine, queries: Queries, intake: Intake, metrics: Metrics) -> None:
        self._engine = engine
        self._intake = intake
        self._metrics = metrics
        self._repetitions = Repetitions(queries, engine.now)

    @contextmanager
    def counting_refusals(self) -> Iterator[None]:
        """What is refused in here stands in the figures."""
        try:
            yield
        except ProblemError as problem:
            self._metrics.refused(problem.code)
            raise

    async def answer(self, request: web.Request, caller: Caller, body_hash: str, make: Make) -> web.Response:
        """What `make` makes, or the answer that this key and body got before. Raises ProblemError, StoreError."""
        key = key_of(request, caller)
        if key is None:
            return _created((await self._made(make, None)).model_dump_json())
        async with self._repetitions.alone(key):
            if kept := await self._repetitions.earlier(key, body_hash):
                sent = self._repetitions.sent(kept.callback)
                return _created(sent or self._intake.repeat(kept).model_dump_json())
            accepted = await self._made(make, Once(key, body_hash))
            text = accepted.model_dump_json()
            self._repetitions.remember(accepted.id, text)
            return _created(text)

    async def _made(self, make: Make, once: Once | None) -> CallbackAccepted:
        if not self._engine.accepting:
            raise ProblemError(Code.NOT_READY, headers={"Retry-After": "5"})
        return await make(once)


def _created(text: str) -> web.Response:
    return web.Response(status=201, text=text, content_type="application/json", headers=NOT_KEPT)
