"""An endpoint as a value: its address, who may use it, what it takes and answers, and the function that does it.

Routing, access control and the OpenAPI document are all made from these values, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

from engine.api.access import CALLER, Access, Caller, authenticate
from engine.api.codes import Code
from engine.api.problems import ProblemError
from engine.store.records import KeyRole

PREFIX = "/api/v1"

Handle = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]
Refuse = Callable[[web.Request, ProblemError], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one address. `roles` None: open to everybody. `answers`: what it
    may answer, by who asks. `codes`: the problems of its own. `refuse`: how a caller is told no who may not come in;
    None: by a problem."""

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
    refuse: Refuse | None = None


def add_route(app: web.Application, endpoint: Endpoint, path: str, access: Access) -> None:
    """Serve an endpoint at `path`, behind its access control."""
    roles = endpoint.roles

    async def guarded(request: web.Request) -> web.StreamResponse:
        if roles is None:
            return await endpoint.handle(request, Caller())
        try:
            caller = await authenticate(request, access, roles, token_suffices=endpoint.token_suffices)
        except ProblemError as problem:
            if endpoint.refuse is None:
                raise
            return await endpoint.refuse(request, problem)
        request[CALLER] = caller
        return await endpoint.handle(request, caller)

    app.router.add_route(endpoint.method, path, guarded)
