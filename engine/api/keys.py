"""/keys: making, listing and revoking access keys. A key's secret is shown once, when it is made."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, Field, model_validator

from engine.api.access import Caller, KeyRing
from engine.api.bodies import Answered, Moment, Received, answer, moment, moment_or_none, read_body, read_query
from engine.api.codes import Code
from engine.api.credentials import new_key
from engine.api.endpoints import Endpoint
from engine.api.paging import Listed, ListQuery, page_of
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.document.values import Id, Line
from engine.store.queries import Queries
from engine.store.records import ApiKey, KeyKept, KeyKind, KeyRevoked, KeyRole

_ADMIN = frozenset({KeyRole.ADMIN})


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[a-z0-9.\[\]:-]+", value):
        raise ValueError("must be an origin as browsers send it, such as https://www.example.com")
    return value


class KeyWanted(Received):
    """A new key. Public keys are `web`, bound to `origins`, or `mobile`; `subject` is the agent of an agent's key."""

    name: Line
    role: KeyRole
    kind: KeyKind | None = Field(None, description="Left out: web or mobile for public keys, secret for others.")
    origins: Annotated[list[Annotated[str, AfterValidator(_origin)]], Field(max_length=100)] = Field(
        default_factory=list
    )
    subject: Id | None = None

    @property
    def effective_kind(self) -> KeyKind:
        """The kind, chosen by role and origins where it was left out."""
        if self.kind is not None:
            return self.kind
        if self.role is not KeyRole.PUBLIC:
            return KeyKind.SECRET
        return KeyKind.WEB if self.origins else KeyKind.MOBILE

    @model_validator(mode="after")
    def _fits(self) -> KeyWanted:
        kind = self.effective_kind
        if (kind is not KeyKind.SECRET) != (self.role is KeyRole.PUBLIC):
            raise ValueError("kind web and mobile belong to role public, kind secret to the other roles")
        if (kind is KeyKind.WEB) != bool(self.origins):
            raise ValueError("a web key needs origins, such as https://www.example.com; other keys have none")
        if (self.role is KeyRole.AGENT) != (self.subject is not None):
            raise ValueError("subject names the agent of a key with role agent; other keys have none")
        return self


class KeyView(Listed):
    """A key without its secret."""

    name: str
    role: KeyRole
    kind: KeyKind
    origins: Sequence[str]
    subject: str | None
    created_at: Moment
    revoked_at: Moment | None


class KeyMade(KeyView):
    """A new key; `key` is its secret and is never shown again."""

    key: str


class KeyList(Answered):
    """One page, oldest first, revoked ones too; `next` is the cursor of the following one."""

    items: list[KeyView]
    next: str | None


class Keys:
    """The access keys."""

    def __init__(self, engine: Engine, queries: Queries, ring: KeyRing) -> None:
        self._engine = engine
        self._queries = queries
        self._ring = ring

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="POST",
                path="/keys",
                handle=self.create,
                summary="Make a key; it is shown once",
                tag="administration",
                roles=_ADMIN,
                body=KeyWanted,
                answers=(KeyMade,),
                status=201,
            ),
            Endpoint(
                method="GET",
                path="/keys",
                handle=self.list,
                summary="List keys, without their secrets",
                tag="administration",
                roles=_ADMIN,
                query=ListQuery,
                answers=(KeyList,),
            ),
            Endpoint(
                method="DELETE",
                path="/keys/{id}",
                handle=self.revoke,
                summary="Revoke a key; it is refused from now on",
                tag="administration",
                roles=_ADMIN,
                status=204,
                codes=(Code.NOT_FOUND,),
            ),
        ]

    async def create(self, request: web.Request, _caller: Caller) -> web.Response:
        """Make a key and show it."""
        wanted = await read_body(request, KeyWanted)
        secret, key = new_key(
            wanted.name,
            wanted.role,
            now=time.time(),
            kind=wanted.effective_kind,
            origins=wanted.origins,
            subject=wanted.subject,
        )
        await self._engine.write(KeyKept(key))
        await self._ring.add(key)
        made = KeyMade(**_view(key).model_dump(), key=secret)
        return answer(made, status=201)

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """All keys."""
        page, following = page_of([_view(key) for key in await self._queries.keys()], read_query(request, ListQuery))
        return answer(KeyList(items=page, next=following))

    async def revoke(self, request: web.Request, _caller: Caller) -> web.Response:
        """Revoke a key; a second time changes nothing."""
        key_id = request.match_info["id"]
        key = next((each for each in await self._queries.keys() if each.id == key_id), None)
        if key is None:
            raise ProblemError(Code.NOT_FOUND, "there is no key with this id; GET /keys lists them")
        if key.revoked_at is None:
            await self._engine.write(KeyRevoked(key_id, time.time()))
        await self._ring.revoke(key_id)
        return web.Response(status=204)


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        role=key.role,
        kind=key.kind,
        origins=key.origins,
        subject=key.subject,
        created_at=moment(key.created_at),
        revoked_at=moment_or_none(key.revoked_at),
    )
