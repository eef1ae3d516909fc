"""From which web pages an agent's cookie counts: those of the engine's own address, and those that are configured.

A browser sends the cookie whoever asked for the request. Without this check any page an agent looks at could act as
them, or read their stream (a WebSocket is not kept to its origin).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

from engine.api.codes import Code
from engine.api.problems import ProblemError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "https": 443}


class Origins:
    """The origins that are ours."""

    def __init__(self, public_url: str, others: Iterable[str]) -> None:
        self._ours = frozenset(origin_of(each) for each in (public_url, *others))

    def check(self, request: web.Request) -> None:
        """Raise ProblemError `forbidden` if this request with a cookie may come from somebody else's page."""
        opens_stream = request.headers.get("Upgrade", "").lower() == "websocket"
        if request.method in _SAFE and not opens_stream:
            return
        origins = request.headers.getall("Origin", [])
        if len(origins) != 1 or origins[0] not in self._ours:
            raise ProblemError(
                Code.FORBIDDEN,
                "with a cookie this is taken from our own pages only; open them at [http] public_url, name the page's "
                "origin in [http] allowed_origins, or send the token as Authorization: Bearer <token>",
            )


def origin_of(url: str) -> str:
    """An address's origin as browsers write it."""
    parts = urlsplit(url.lower())
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS.get(parts.scheme)) else f":{port}")
