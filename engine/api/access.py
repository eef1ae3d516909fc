"""Who is asking, and whether they may: bearer keys with roles, agents' sessions, the customer's token of one request.

Keys are kept in memory after the first look, since every request needs one; only this engine makes and revokes keys
while it runs. A key that is wrong, unknown or revoked gets the same answer. A session is as good as a key of its agent;
in a cookie it counts from our own pages only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from engine.api.codes import Code
from engine.api.credentials import hash_of, matches
from engine.api.open_sessions import OpenSessions
from engine.api.origins import Origins
from engine.api.problems import ProblemError
from engine.store.queries import Queries
from engine.store.records import AgentSession, ApiKey, KeyKind, KeyRole

TOKEN_HEADER = "X-Callback-Token"  # noqa: S105  # a header's name
COOKIE = "ringback_session"
STAFF = frozenset({KeyRole.SUPERVISOR, KeyRole.ADMIN})
_MAX_SECRET_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks. `key` is None for open addresses and for a customer who only has a `token`.

    With a `session` the key is none that is kept: it says what the session may.
    """

    key: ApiKey | None = None
    token: str | None = None
    session: AgentSession | None = None

    @property
    def staff(self) -> bool:
        """Supervisors and administrators see everything about a request."""
        return self.key is not None and self.key.role in STAFF

    @property
    def public(self) -> bool:
        """A publishable key: it proves nothing about who holds it."""
        return self.key is not None and self.key.role is KeyRole.PUBLIC


CALLER = web.RequestKey("caller", Caller)


class KeyRing:
    """All keys that are good, by the hash of their secret. `changed` is called when one was revoked."""

    def __init__(self, queries: Queries, admin_key_hash: str | None, changed: Callable[[], None]) -> None:
        self._queries = queries
        self._changed = changed
        self._first: dict[str, ApiKey] = {}
        if admin_key_hash is not None:
            key = ApiKey("admin_key_file", "admin_key_file", KeyRole.ADMIN, KeyKind.SECRET, admin_key_hash, 0.0)
            self._first[admin_key_hash] = key
        self._keys: dict[str, ApiKey] | None = None
        self._loading = asyncio.Lock()

    async def find(self, secret: str) -> ApiKey | None:
        """The good key with this secret. Raises StoreError."""
        key = (await self._good()).get(hash_of(secret))
        return key if key is not None and matches(secret, key.secret_hash) else None

    def is_good(self, key: ApiKey) -> bool:
        """Whether a key that was found has not been revoked since."""
        return self._keys is not None and key.secret_hash in self._keys

    async def add(self, key: ApiKey) -> None:
        """A key was written down."""
        (await self._good())[key.secret_hash] = key

    async def revoke(self, key_id: str) -> None:
        """A revocation was written down."""
        keys = await self._good()
        for kept_hash in [each for each, key in keys.items() if key.id == key_id]:
            del keys[kept_hash]
        self._changed()

    async def _good(self) -> dict[str, ApiKey]:
        async with self._loading:
            if self._keys is None:
                kept = {key.secret_hash: key for key in await self._queries.keys() if key.revoked_at is None}
                self._keys = kept | self._first
        return self._keys


@dataclass(frozen=True, slots=True)
class Access:
    """What lets callers in."""

    ring: KeyRing
    sessions: OpenSessions
    origins: Origins

    def still_lets_in(self, caller: Caller) -> bool:
        """Whether somebody who was let in would be now, by what they came with."""
        if caller.session is not None:
            return self.sessions.is_good(caller.session)
        return caller.key is not None and self.ring.is_good(caller.key)


async def authenticate(
    request: web.Request, access: Access, roles: frozenset[KeyRole], *, token_suffices: bool
) -> Caller:
    """The caller of a request that needs one of `roles`. Raises ProblemError `invalid-token` or `forbidden`."""
    token = request.headers.get(TOKEN_HEADER) if token_suffices else None
    header = request.headers.get("Authorization")
    if header is None and token is not None:
        return Caller(token=token[:_MAX_SECRET_LENGTH])
    if header is None:
        return _permitted(await _by_cookie(request, access), roles)
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(secret) <= _MAX_SECRET_LENGTH:
        raise _unknown("send the header as Authorization: Bearer <key>")
    key = await access.ring.find(secret)
    if key is None:
        session = await access.sessions.find(secret)
        if session is None:
            raise _unknown("this key is unknown or revoked, or the session has ended; get another one")
        return _permitted(_of_session(session), roles)
    caller = _permitted(Caller(key, token), roles)
    if key.kind is KeyKind.WEB and request.headers.get("Origin") not in key.origins:
        raise ProblemError(Code.FORBIDDEN, "this web key is bound to other origins; add yours when making the key")
    return caller


async def _by_cookie(request: web.Request, access: Access) -> Caller:
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise _unknown("send Authorization: Bearer <key>")
    session = await access.sessions.find(cookie[:_MAX_SECRET_LENGTH])
    if session is None:
        raise _unknown("this session has ended; log in again")
    access.origins.check(request)
    return _of_session(session)


def _of_session(session: AgentSession) -> Caller:
    key = ApiKey(
        id="session",
        name=session.agent,
        role=KeyRole.AGENT,
        kind=KeyKind.SECRET,
        secret_hash=session.token_hash,
        created_at=session.created_at,
        subject=session.agent,
    )
    return Caller(key, session=session)


def _permitted(caller: Caller, roles: frozenset[KeyRole]) -> Caller:
    if caller.key is not None and caller.key.role not in roles:
        needed = ", ".join(sorted(roles))
        what = "an agent's session" if caller.session is not None else f"a key of role {caller.key.role}"
        raise ProblemError(Code.FORBIDDEN, f"{what} may not do this; it needs {needed}")
    return caller


def _unknown(detail: str) -> ProblemError:
    return ProblemError(Code.INVALID_TOKEN, detail, headers={"WWW-Authenticate": "Bearer"})
