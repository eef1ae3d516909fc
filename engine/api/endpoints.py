"""An endpoint as a value: its address, who may use it, what it takes and answers, and the function that does it.

Routing, access control and the OpenAPI document are all made from these values, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

from engine.api.access import CALLER, Caller, KeyRing, authenticate
from engine.api.codes import Code
from engine.store.records import KeyRole

PREFIX = "/api/v1"

Handle = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one address. `roles` None: open to everybody. `answers`: what it
    may answer, by who asks. `codes`: the problems of its own."""

    method: str
    path: str
    handle: Handle
    summary: str
    tag: str
    roles: frozenset[KeyRole] | None
    token_suffices: bool = False
    body: type[BaseModel] | None = None
    body_needed: bool = True
    query: type[BaseModel] | None = None
    answers: tuple[type[BaseModel], ...] = ()
    answer_type: str = "application/json"
    status: int = 200
    codes: tuple[Code, ...] = ()
    creates_once: bool = False


def add_route(app: web.Application, endpoint: Endpoint, path: str, ring: KeyRing) -> None:
    """Serve an endpoint at `path`, behind its access control."""
    roles = endpoint.roles

    async def guarded(request: web.Request) -> web.StreamResponse:
        if roles is None:
            return await endpoint.handle(request, Caller())
        caller = await authenticate(request, ring, roles, token_suffices=endpoint.token_suffices)
        request[CALLER] = caller
        return await endpoint.handle(request, caller)

    app.router.add_route(endpoint.method, path, guarded)
