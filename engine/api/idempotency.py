"""Idempotency-Key: a repeated request gets the answer of the first one, also while the first is still being handled.

Durable is what a client cannot do without, the id and the token of what was made, for the 24 hours the store keeps
answers; the answer as it was sent is remembered beside it, up to a bound, so that a repetition looks the same. A key
counts for the API key that sent it, never for another client's.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

from engine.api.access import Caller
from engine.api.codes import Code
from engine.api.problems import ProblemError
from engine.store.queries import Queries
from engine.store.records import KeptAnswer

HEADER = "Idempotency-Key"
MAX_SENT = 10_000
_FORM = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Once:
    """The scoped idempotency key of a request and the hash of its body."""

    key: str
    body_hash: str


class Repetitions:
    """Which requests are under way or were answered, by scoped key. `now`: the time, in epoch seconds."""

    def __init__(self, queries: Queries, now: Callable[[], float]) -> None:
        self._queries = queries
        self._now = now
        self._under_way: dict[str, tuple[asyncio.Lock, int]] = {}
        self._sent: OrderedDict[str, str] = OrderedDict()

    @asynccontextmanager
    async def alone(self, key: str) -> AsyncIterator[None]:
        """Wait until no other request with this key is under way."""
        lock, users = self._under_way.get(key, (asyncio.Lock(), 0))
        self._under_way[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._under_way.pop(key)
            if users > 1:
                self._under_way[key] = (lock, users - 1)

    async def earlier(self, key: str, body_hash: str) -> KeptAnswer | None:
        """The durable answer to this key and body. Raises ProblemError `idempotency-conflict`, StoreError."""
        kept = await self._queries.idempotency(key, now=self._now())
        if kept is not None and kept.body_hash != body_hash:
            raise ProblemError(Code.IDEMPOTENCY_CONFLICT)
        return kept

    def sent(self, callback: str) -> str | None:
        """The answer as it was sent for this callback, if it is still remembered."""
        return self._sent.get(callback)

    def remember(self, callback: str, text: str) -> None:
        """Keep an answer as it is sent."""
        self._sent[callback] = text
        if len(self._sent) > MAX_SENT:
            self._sent.popitem(last=False)


def key_of(request: web.Request, caller: Caller) -> str | None:
    """The request's key, scoped to its sender and hashed; None without the header. Raises ProblemError."""
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not _FORM.fullmatch(given):
        raise ProblemError.of_field(HEADER, "must be 1 to 200 visible ASCII characters, such as a UUID")
    sender = caller.key.id if caller.key else ""
    return hashlib.sha256(f"{sender}\n{given}".encode()).hexdigest()


def hash_of_body(body: BaseModel, *, of: str = "") -> str:
    """The same for bodies that say the same. `of`: what they are said of, where the body does not name it."""
    said = json.dumps(body.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(f"{of}{said}".encode()).hexdigest()
