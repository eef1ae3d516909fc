"""A real HTTP server on loopback before a real runtime and a real database; only Asterisk is left out.

What the engine wants done at Asterisk is recorded, so that a test can see that nothing was done.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from engine.agent_news import AgentNews
from engine.api import build_app
from engine.api.credentials import new_key
from engine.api.ports import Check
from engine.config import AgentSettings, HttpSettings, LimitSettings, Settings
from engine.core.configuration import Configuration, Pace
from engine.core.decision import Reply
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Effect
from engine.core.events import Event
from engine.metrics import Metrics
from engine.runtime import Runtime
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.records import AccessRecord, KeyKept, KeyKind, KeyRole
from engine.stored_snapshot import snapshot_of
from engine.written import Written

ADMIN_KEY = "the key in the administrator's file"
ORIGIN = "https://shop.example"
PHONE = "+12025550113"
OTHER_PHONE = "+12025550114"
AGENT = "amy"
"""Whose key the one of role `agent` is."""

DOCUMENT: dict[str, Any] = {
    "services": [
        {
            "id": "billing",
            "name": "Billing",
            "company": "Example Ltd",
            "skill_expression": "billing",
            "subjects": [{"id": "invoice", "name": "Question about an invoice"}],
            "languages": ["en", "es"],
            "caller_id": "+12025550100",
            "queue_cap": 5,
        },
        {
            "id": "hidden",
            "name": "Hidden",
            "company": "Example Ltd",
            "public": False,
            "skill_expression": "hidden",
        },
    ],
    "agents": [{"id": "amy", "name": "Amy", "endpoint": "PJSIP/agent-1001", "skills": {"billing": 5, "hidden": 1}}],
    "limits": {"max_open_per_number": 2, "countries": ["US", "GB"]},
}


@dataclass
class EngineWithoutAsterisk:
    """Implements engine.api.ports.Engine over a real Runtime."""

    runtime: Runtime
    written: Written
    agent_news: AgentNews
    checks: dict[str, Check] = field(default_factory=lambda: {"store": Check(True), "asterisk:pbx1": Check(True)})
    open_for_requests: bool = True
    problems: list[str] = field(default_factory=list)
    prepared: list[Configuration] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    @property
    def dispatcher(self) -> Dispatcher:
        return self.runtime.dispatcher

    @property
    def accepting(self) -> bool:
        return self.open_for_requests and self.runtime.accepting

    async def submit(self, event: Event) -> Reply | None:
        return await self.runtime.submit(event)

    async def write(self, record: AccessRecord) -> None:
        await self.runtime.write(record)

    def now(self) -> float:
        return self.runtime.now()

    def health(self) -> Mapping[str, Check]:
        return self.checks

    async def prepare(self, configuration: Configuration) -> list[str]:
        self.prepared.append(configuration)
        return self.problems

    def start(self, effect: Effect) -> None:
        self.effects.append(effect)


@dataclass
class Api:
    """The server, who may speak to it, and what stands behind it."""

    client: TestClient[Request, Application]
    engine: EngineWithoutAsterisk
    queries: Queries
    metrics: Metrics
    keys: dict[KeyRole, str]
    described: dict[str, Any]
    """The paths of the OpenAPI document."""

    async def ask(
        self,
        method: str,
        path: str,
        *,
        role: KeyRole | None = KeyRole.ADMIN,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | str | BytesIO | None = None,
    ) -> ClientResponse:
        """One request with the key of a role (None: without); public ones come from the right origin."""
        sent = dict(headers or {})
        if role is not None:
            sent.setdefault("Authorization", f"Bearer {self.keys[role]}")
        if role is KeyRole.PUBLIC:
            sent.setdefault("Origin", ORIGIN)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        response = await self.client.request(method, path, json=json, data=data, headers=sent)
        if response.status >= 400:
            await self._check_described(method, response)
        return response

    async def _check_described(self, method: str, response: ClientResponse) -> None:
        """A refusal must be one of those that the OpenAPI document names for its address."""
        for path, operations in self.described.items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
            if method.lower() in operations and re.fullmatch(pattern, response.url.raw_path):
                told = operations[method.lower()]["responses"].get(str(response.status), {"description": ""})
                code = (await response.json(content_type=None))["code"]
                assert code in re.findall(r"[a-z-]+", told["description"]), (method, path, code)

    async def request_callback(self, **fields: object) -> ClientResponse:
        """POST /callbacks with the public key."""
        body = {"service": "billing", "phone": PHONE, "when": "now", "channel": "web"} | fields
        return await self.ask("POST", "/api/v1/callbacks", role=KeyRole.PUBLIC, json=body)

    async def accepted(self, **fields: object) -> dict[str, Any]:
        """The answer to a request that must be accepted."""
        response = await self.request_callback(**fields)
        assert response.status == 201, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def refused(response: ClientResponse, status: int, code: str) -> dict[str, Any]:
    """The problem, after checking that it has the one shape of errors."""
    assert response.content_type == "application/problem+json", await response.text()
    problem: dict[str, Any] = await response.json()
    assert (response.status, problem["code"]) == (status, code), problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:ringback:error:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert isinstance(problem["errors"], list)
    return problem


@contextlib.asynccontextmanager
async def running_api(
    folder: Path,
    *,
    document: Mapping[str, Any] | None = DOCUMENT,
    requests_per_minute: int = 1000,
    clock: Callable[[], float] = time.time,
    agents: AgentSettings | None = None,
    http: HttpSettings | None = None,
) -> AsyncIterator[Api]:
    """An API on the database in `folder`; `document` (None: the one kept there) is in force.

    Everything is decided by `clock`; no timer fires.
    """
    url = f"sqlite+aiosqlite:///{folder / 'ringback.db'}"
    async with contextlib.AsyncExitStack() as stack:
        journal = await stack.enter_async_context(await Journal.open(url))
        queries = await stack.enter_async_context(Queries(url))
        stored = await journal.load()
        written = Written()
        runtime = Runtime(Dispatcher(snapshot_of(stored, Pace())), journal, clock=clock, decided=written.tell)
        engine = EngineWithoutAsterisk(runtime, written, AgentNews(written, lambda: runtime.dispatcher, clock))
        runtime.effects = engine
        running = asyncio.create_task(runtime.run(), name="runtime under test")
        stack.push_async_callback(_stop, running)
        keys = {KeyRole.ADMIN: ADMIN_KEY}
        for role in set(KeyRole) - {KeyRole.ADMIN}:
            public = role is KeyRole.PUBLIC
            kind, origins = (KeyKind.WEB, [ORIGIN]) if public else (KeyKind.SECRET, [])
            subject = AGENT if role is KeyRole.AGENT else None
            keys[role], key = new_key(f"test {role}", role, now=1.0, kind=kind, origins=origins, subject=subject)
            await engine.write(KeyKept(key))
        metrics = Metrics()
        app = build_app(
            settings=Settings(
                limits=LimitSettings(requests_per_minute_per_address=requests_per_minute),
                agents=agents or AgentSettings(),
                http=http or HttpSettings(),
            ),
            engine=engine,
            queries=queries,
            metrics=metrics,
            prepare=engine.prepare,
            admin_key_hash=hashlib.sha256(ADMIN_KEY.encode()).hexdigest(),
        )
        client = await stack.enter_async_context(TestClient(TestServer(app)))
        described = await (await client.get("/openapi.json")).json()
        api = Api(client, engine, queries, metrics, keys, described["paths"])
        if document is not None and stored.document is None:
            response = await api.ask("POST", "/api/v1/config", json={"document": document})
            assert response.status == 200, await response.text()
        yield api


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
