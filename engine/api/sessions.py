"""/sessions: agents log in with username and password, and out. Administrators set passwords; nobody can read one.

An unknown username, a wrong password and an agent without a password get the same answer after the same work.
"""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field, SecretStr

from engine.api.access import COOKIE, Caller
from engine.api.bodies import Answered, Moment, Received, answer, moment, read_body
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.open_sessions import OpenSessions
from engine.api.passwords import Passwords
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.rate_limit import FailureLimit
from engine.core.terms import AgentId
from engine.store.records import AgentSession, KeyRole

MOST_WAITING = 500
"""Logins that may wait for their turn."""
_WRONG = "the username or the password is not right"


class Login(Received):
    """Who wants to come in."""

    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1000)]


class SessionMade(Answered):
    """A session of `agent`, which the cookie of this answer and `token`, sent as a bearer, both stand for."""

    token: str
    expires_at: Moment
    agent: str


class PasswordWanted(Received):
    """An agent's new password. It ends all their sessions."""

    password: Annotated[SecretStr, Field(min_length=8, max_length=1000)]


class Sessions:
    """Logging in and out. `secure`: browsers send the cookie over https only."""

    def __init__(self, engine: Engine, sessions: OpenSessions, failures: FailureLimit, *, secure: bool) -> None:
        self._engine = engine
        self._sessions = sessions
        self._failures = failures
        self._secure = secure
        self._passwords = Passwords()
        self._waiting = 0

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="POST",
                path="/sessions",
                handle=self.log_in,
                summary="Log an agent in",
                tag="agents",
                roles=None,
                body=Login,
                answers=(SessionMade,),
                status=201,
                codes=(Code.WRONG_LOGIN, Code.TOO_MANY_REQUESTS),
            ),
            Endpoint(
                method="DELETE",
                path="/sessions",
                handle=self.log_out,
                summary="End the session that the request comes with",
                tag="agents",
                roles=frozenset({KeyRole.AGENT}),
                status=204,
                codes=(Code.NOT_FOUND,),
            ),
            Endpoint(
                method="PUT",
                path="/agents/{id}/password",
                handle=self.set_password,
                summary="Set an agent's password, which ends their sessions",
                tag="administration",
                roles=frozenset({KeyRole.ADMIN}),
                body=PasswordWanted,
                status=204,
                codes=(Code.NOT_FOUND,),
            ),
        ]

    async def log_in(self, request: web.Request, _caller: Caller) -> web.Response:
        """Begin a session, a new one whatever the client sends."""
        wanted = await read_body(request, Login)
        token, session = await self._checked(request, wanted)
        made = SessionMade(token=token, expires_at=moment(session.expires_at), agent=session.agent)
        response = answer(made, status=201)
        response.set_cookie(
            COOKIE,
            token,
            max_age=round(session.expires_at - session.created_at),
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self._secure,
        )
        return response

    async def log_out(self, _request: web.Request, caller: Caller) -> web.Response:
        """End the session, for every screen that uses it."""
        if caller.session is None:
            raise ProblemError(Code.NOT_FOUND, "this is an access key and no session; an administrator revokes keys")
        await self._sessions.end(caller.session)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=self._secure)
        return response

    async def set_password(self, request: web.Request, _caller: Caller) -> web.Response:
        """Keep another password."""
        agent = self._engine.dispatcher.configuration.agents.get(AgentId(request.match_info["id"]))
        if agent is None:
            raise ProblemError(Code.NOT_FOUND, "there is no agent with this id; GET /agents lists them")
        wanted = await read_body(request, PasswordWanted)
        password_hash = await self._passwords.hash_of(wanted.password.get_secret_value())
        await self._sessions.set_password(agent.id, password_hash)
        return web.Response(status=204)

    async def _checked(self, request: web.Request, wanted: Login) -> tuple[str, AgentSession]:
        """A session for who knows the password. Raises ProblemError."""
        username = wanted.username.strip().casefold()
        self._failures.refuse(request, username)
        if self._waiting >= MOST_WAITING:
            raise ProblemError(Code.TOO_MANY_REQUESTS, "too many log in at once", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._passwords.turn:
                # Others may have failed while this one waited.
                self._failures.refuse(request, username)
                agent = self._agent_of(username)
                kept = await self._sessions.password_of(agent or "")
                good = await self._passwords.check(wanted.password.get_secret_value(), kept)
                if not good:
                    self._failures.count(request, username)
        finally:
            self._waiting -= 1
        made = await self._sessions.begin(agent, kept) if good and agent is not None and kept is not None else None
        if made is None:
            raise ProblemError(Code.WRONG_LOGIN, _WRONG)
        return made

    def _agent_of(self, username: str) -> AgentId | None:
        agents = self._engine.dispatcher.configuration.agents.values()
        return next((agent.id for agent in agents if agent.username == username), None)
