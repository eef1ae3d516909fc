"""Who is asking, and whether they may: bearer keys with roles, and the customer's token of one request.

Keys are kept in memory after the first look, since every request needs one; only this engine makes and revokes keys
while it runs. A key that is wrong, unknown or revoked gets the same answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from engine.api.codes import Code
from engine.api.credentials import hash_of, matches
from engine.api.problems import ProblemError
from engine.store.queries import Queries
from engine.store.records import ApiKey, KeyKind, KeyRole

TOKEN_HEADER = "X-Callback-Token"  # noqa: S105  # a header's name
STAFF = frozenset({KeyRole.SUPERVISOR, KeyRole.ADMIN})
_MAX_SECRET_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks. `key` is None for open addresses and for a customer who only has a `token`."""

    key: ApiKey | None = None
    token: str | None = None

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
    """All keys that are good, by the hash of their secret."""

    def __init__(self, queries: Queries, admin_key_hash: str | None) -> None:
        self._queries = queries
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

    async def add(self, key: ApiKey) -> None:
        """A key was written down."""
        (await self._good())[key.secret_hash] = key

    async def revoke(self, key_id: str) -> None:
        """A revocation was written down."""
        keys = await self._good()
        for kept_hash in [each for each, key in keys.items() if key.id == key_id]:
            del keys[kept_hash]

    async def _good(self) -> dict[str, ApiKey]:
        async with self._loading:
            if self._keys is None:
                kept = {key.secret_hash: key for key in await self._queries.keys() if key.revoked_at is None}
                self._keys = kept | self._first
        return self._keys


async def authenticate(
    request: web.Request, ring: KeyRing, roles: frozenset[KeyRole], *, token_suffices: bool
) -> Caller:
    """The caller of a request that needs one of `roles`. Raises ProblemError `invalid-token` or `forbidden`."""
    token = request.headers.get(TOKEN_HEADER) if token_suffices else None
    header = request.headers.get("Authorization")
    if header is None:
        if token is None:
            raise _unknown("send Authorization: Bearer <key>")
        return Caller(token=token[:_MAX_SECRET_LENGTH])
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(secret) <= _MAX_SECRET_LENGTH:
        raise _unknown("send the header as Authorization: Bearer <key>")
    key = await ring.find(secret)
    if key is None:
        raise _unknown("this key is unknown or revoked; ask an administrator for another one")
    if key.role not in roles:
        needed = ", ".join(sorted(roles))
        raise ProblemError(Code.FORBIDDEN, f"a key of role {key.role} may not do this; it needs {needed}")
    if key.kind is KeyKind.WEB and request.headers.get("Origin") not in key.origins:
        raise ProblemError(Code.FORBIDDEN, "this web key is bound to other origins; add yours when making the key")
    return Caller(key, token)


def _unknown(detail: str) -> ProblemError:
    return ProblemError(Code.INVALID_TOKEN, detail, headers={"WWW-Authenticate": "Bearer"})
