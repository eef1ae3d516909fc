"""One log line and one figure for each request, when it has been answered.

The route's template stands in the line, not the path, and the client's address only under `pii.`.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from engine.api.access import CALLER
from engine.api.problems import CODE_OF_ANSWER
from engine.api.rate_limit import client_address
from engine.metrics import Metrics

log = structlog.get_logger()

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def access_log(metrics: Metrics, trusted_proxies: Collection[str]) -> Middleware:
    """The outermost middleware."""

    @web.middleware
    async def account(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        response = await handler(request)
        seconds = time.perf_counter() - began
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "unmatched"
        # A client may invent methods; figures must not grow with them.
        method = request.method if request.method in _METHODS else "other"
        if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            # How long somebody listened is no time to an answer.
            metrics.http(method, route, response.status, seconds)
        caller = request.get(CALLER)
        key = caller.key if caller is not None else None
        log.info(
            "http.request",
            method=method,
            route=route,
            status=response.status,
            code=response.get(CODE_OF_ANSWER),
            milliseconds=round(seconds * 1000, 1),
            key=key.id if key else None,
            role=key.role.value if key else None,
            **{"pii.address": client_address(request, trusted_proxies)},
        )
        return response

    return account
