"""Health, readiness, figures and the OpenAPI document, for those who watch the engine rather than use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from aiohttp import web

from engine.api.access import Caller
from engine.api.bodies import Answered, answer
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.ports import Check, Engine
from engine.api.problems import ProblemError
from engine.errors import StoreError
from engine.metrics import CONTENT_TYPE, Metrics
from engine.store.queries import Queries
from engine.store.records import KeyRole

STORE, ASTERISK = "store", "asterisk:"


class Health(Answered):
    """The process is alive."""

    status: Literal["alive"]


class CheckView(Answered):
    """How one outside system stands."""

    ok: bool
    detail: str


class Readiness(Answered):
    """`degraded`: requests are taken, but not everything is well."""

    status: Literal["ready", "degraded"]
    checks: dict[str, CheckView]


class Operations:
    """What monitoring asks. `describe` makes the OpenAPI document."""

    def __init__(
        self, engine: Engine, queries: Queries, metrics: Metrics, describe: Callable[[], dict[str, Any]]
    ) -> None:
        self._engine = engine
        self._queries = queries
        self._metrics = metrics
        self._describe = describe

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/healthz",
                handle=self.health,
                summary="The process is alive",
                tag="operations",
                roles=None,
                answers=(Health,),
            ),
            Endpoint(
                method="GET",
                path="/readyz",
                handle=self.readiness,
                summary="Whether requests can be taken, and how each outside system stands",
                tag="operations",
                roles=None,
                answers=(Readiness,),
                codes=(Code.NOT_READY,),
            ),
            Endpoint(
                method="GET",
                path="/metrics",
                handle=self.metrics,
                summary="Figures for Prometheus",
                tag="operations",
                roles=frozenset({KeyRole.METRICS, KeyRole.ADMIN}),
                answer_type="text/plain",
            ),
            Endpoint(
                method="GET",
                path="/openapi.json",
                handle=self.openapi,
                summary="This interface as OpenAPI 3.1",
                tag="operations",
                roles=None,
            ),
        ]

    async def health(self, _request: web.Request, _caller: Caller) -> web.Response:
        """Answers whatever the state of the outside."""
        return answer(Health(status="alive"))

    async def readiness(self, _request: web.Request, _caller: Caller) -> web.Response:
        """503 when the store or every Asterisk is unusable, or the engine is stopping."""
        checks = dict(self._engine.health())
        try:
            await self._queries.ping()
        except StoreError as error:
            checks[STORE] = Check(ok=False, detail=str(error))
        shown = {name: CheckView(ok=check.ok, detail=check.detail) for name, check in checks.items()}
        asterisks = [check.ok for name, check in checks.items() if name.startswith(ASTERISK)]
        store = checks.get(STORE, Check(ok=True))
        if not self._engine.accepting or not store.ok or (asterisks and not any(asterisks)):
            failed = {name: view.model_dump() for name, view in shown.items()}
            detail = next((check.detail for check in checks.values() if not check.ok), "the engine is stopping")
            raise ProblemError(Code.NOT_READY, detail, more={"checks": failed})
        status: Literal["ready", "degraded"] = "ready" if all(check.ok for check in checks.values()) else "degraded"
        return answer(Readiness(status=status, checks=shown))

    async def metrics(self, _request: web.Request, _caller: Caller) -> web.Response:
        """All figures as text."""
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, _request: web.Request, _caller: Caller) -> web.Response:
        """The document that describes all of this."""
        return web.json_response(self._describe())
