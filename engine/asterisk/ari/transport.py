"""One HTTP exchange with Asterisk, whose every end is a value.

Rules kept here so that no resource can break them: each request has a timeout; none but a GET is ever sent
twice, neither by us nor by aiohttp (which repeats PUT and DELETE when a kept connection turns out to be
closed); the password travels in the Authorization header alone; redirects are not followed, because they
would carry that header elsewhere.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from yarl import URL

from engine.asterisk.ari import wire
from engine.asterisk.ari.results import Ok, Refused, Result, Unknown

T = TypeVar("T")

# Asterisk closes an idle connection after 15 s (session_keep_alive in http.conf).
_KEEP_ALIVE_SECONDS = 10.0
# A gateway in between lost Asterisk, so what Asterisk did is not known. It answers neither itself.
_GATEWAY_LOST = frozenset({502, 504})
_MESSAGE_LIMIT = 300
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class _ExchangeBroken(aiohttp.ClientError):
    """The connection broke after the request may have left; of a type that aiohttp does not answer by sending
    again.
    """


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except _NEVER_SENT:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        raise _ExchangeBroken(f"{type(error).__name__}: {error}") from error


class Transport:
    """Connections to one Asterisk. Made by `AriClient`; `open` before use, `close` after it."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        request_timeout_seconds: float,
        max_connections: int,
        observe: Callable[[str, str], None],
    ) -> None:
        self._base = _checked(url)
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {credentials}"}
        self._timeout_seconds = request_timeout_seconds
        self._max_connections = max_connections
        self._observe = observe
        self._requests: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None

    @property
    def base(self) -> str:
        """The address, without a trailing slash."""
        return self._base

    async def open(self) -> None:
        """Prepares the connections; reaches out to nobody yet."""
        if self._requests is not None:
            return
        self._requests = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._max_connections, keepalive_timeout=_KEEP_ALIVE_SECONDS, ttl_dns_cache=30
            ),
            headers=self._headers,
            # A connection must be had in half of the time: what ends by `total` has then been sent.
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds, connect=self._timeout_seconds / 2),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_send_once,),
        )
        # Event sockets live apart: they must not wait behind requests for a free connection.
        self._streams = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=30),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Ends every connection; a request still on its way ends as Unknown."""
        sessions = self._requests, self._streams
        self._requests = self._streams = None  # first: a request made while they close must find none
        for session in sessions:
            if session is not None:
                await session.close()

    async def request(
        self,
        method: str,
        path: str,
        read: Callable[[object], T],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Result[T]:
        """One exchange. `path` parts are quoted by the caller (`segment`); `read` turns the JSON answer into
        a value.
        """
        result = await self._exchange(method, path, read, query, body)
        self._observe(_operation(method, path), type(result).__name__.lower())
        return result

    async def _exchange(
        self,
        method: str,
        path: str,
        read: Callable[[object], T],
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> Result[T]:
        if self._requests is None:
            return Unknown("the client is closed", sent=False)
        url = URL(self._base + path, encoded=True)
        if query:
            url = url.with_query(query)
        headers = {"Content-Type": "application/json"} if body is not None else None
        data = json.dumps(body, separators=(",", ":")).encode() if body is not None else None
        try:
            async with self._requests.request(
                method, url, data=data, headers=headers, allow_redirects=False
            ) as response:
                status, answer = response.status, await response.read()
        except _NEVER_SENT as error:
            return Unknown(f"no connection: {type(error).__name__}", sent=False)
        except TimeoutError:
            return Unknown(f"no answer within {self._timeout_seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Unknown(f"the connection broke: {type(error).__name__}")
        return _judge(status, answer, read)

    async def open_stream(
        self, application: str, *, subscribe_all: bool, heartbeat_seconds: float
    ) -> aiohttp.ClientWebSocketResponse:
        """The event socket of an application; raises aiohttp.ClientError, OSError or TimeoutError when there
        is none.
        """
        if self._streams is None:
            raise aiohttp.ClientConnectionError("the client is closed")
        url = URL(f"{self._base}/events").with_query(app=application, subscribeAll=str(subscribe_all).lower())
        async with asyncio.timeout(self._timeout_seconds):
            return await self._streams.ws_connect(
                url,
                heartbeat=heartbeat_seconds,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                max_msg_size=0,  # an oversized event must not cost the socket
            )


def _checked(url: str) -> str:
    # The text may hold a password, so no error quotes it, not even as its cause.
    try:
        base = URL(url)
        usable = base.scheme in {"http", "https"} and base.host and base.port
    except ValueError:
        usable = False
    if not usable or base.user or base.password or base.query_string or base.fragment:
        raise ValueError("the ARI address must look like http://host:8088/ari, without user and password in it")
    return str(base).rstrip("/")


def segment(value: str) -> str:
    """A name as one part of a path: no slash, question mark or the like in it can reach another resource."""
    return quote(value, safe="")


def nothing(_: object) -> None:
    """The reader of an answer that does not matter."""
    return


def _operation(method: str, path: str) -> str:
    """The kind of a request: no id of a leg, bridge or playback in it."""
    resource, *rest = path.split("/")[1:]
    match resource, rest:
        case "asterisk", _:
            kind = rest
        case "events", [source, *names]:
            kind = [source, *["{id}"] * len(names)]
        case "endpoints", _:
            kind = ["{id}"] * len(rest)
        case _:
            kind = ["{id}" if n % 2 == 0 else part for n, part in enumerate(rest)]
    return f"{method} /{'/'.join([resource, *kind])}"


def _judge(status: int, answer: bytes, read: Callable[[object], T]) -> Result[T]:
    if status in _GATEWAY_LOST:
        return Unknown(f"a gateway answered {status}")
    if status >= 300:
        return Refused(status, _message(answer))
    try:
        return Ok(read(wire.load(answer) if answer else None))
    except wire.Malformed as error:
        return Unknown(f"answer {status} not understood: {error}")


def _message(answer: bytes) -> str:
    """Asterisk's words: `message` or `error` of its JSON, else nothing; a page of a gateway in between is not
    repeated.
    """
    try:
        source = wire.as_object(wire.load(answer), "answer")
        return (wire.optional_text(source, "message") or wire.optional_text(source, "error"))[:_MESSAGE_LIMIT]
    except wire.Malformed:
        return ""
