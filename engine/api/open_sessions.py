"""Who is logged in. A session is a random token of which only the hash is kept, in the store and in memory.

A session ends when it expires, when it is ended, when its agent gets another password and when they are no agent any
more; the last two in the commit that says so. What memory holds is what was written, never more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from engine.api.credentials import hash_of, matches, new_session_token
from engine.api.ports import Engine
from engine.core.changes import ConfigurationKept
from engine.core.terms import AgentId
from engine.store.queries import Queries
from engine.store.records import AgentSession, Entry, PasswordKept, SessionEnded, SessionKept

MOST_OF_AN_AGENT = 20
"""Whoever has as many and logs in once more ends the oldest of them."""


class OpenSessions:
    """All sessions that are good, and the hashes of agents' passwords. `changed` is called when some have ended."""

    def __init__(self, engine: Engine, queries: Queries, lifetime_seconds: float, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._queries = queries
        self._lifetime_seconds = lifetime_seconds
        self._changed = changed
        self._passwords: dict[str, str] = {}
        self._sessions: dict[str, AgentSession] = {}
        self._known = False
        # Whoever writes or reads anew is alone: no session is begun by a password that is just being replaced.
        self._turn = asyncio.Lock()
        engine.written.listen(self._written, self._restored)

    async def find(self, token: str) -> AgentSession | None:
        """The good session with this token. Raises StoreError."""
        await self._know()
        session = self._sessions.get(hash_of(token))
        return session if session is not None and matches(token, session.token_hash) and self.is_good(session) else None

    def is_good(self, session: AgentSession) -> bool:
        """Whether it has not ended."""
        if session.expires_at <= self._engine.now() or session.token_hash not in self._sessions:
            return False
        return AgentId(session.agent) in self._engine.dispatcher.configuration.agents

    async def password_of(self, agent: str) -> str | None:
        """The hash of their password, if they have one. Raises StoreError."""
        await self._know()
        return self._passwords.get(agent)

    async def begin(self, agent: str, verified: str) -> tuple[str, AgentSession] | None:
        """A new session and its token; None if the password hash that was `verified` is not theirs any more.

        Raises StoreError.
        """
        async with self._turn:
            if self._passwords.get(agent) != verified:
                return None
            own = sorted(
                (each for each in self._sessions.values() if each.agent == agent), key=lambda each: each.created_at
            )
            for over in own[: max(0, len(own) - MOST_OF_AN_AGENT + 1)]:
                await self._engine.write(SessionEnded(over.token_hash))
            token, now = new_session_token(), self._engine.now()
            session = AgentSession(hash_of(token), agent, now, now + self._lifetime_seconds)
            await self._engine.write(SessionKept(session))
        return token, session

    async def end(self, session: AgentSession) -> None:
        """End one session. Raises StoreError."""
        async with self._turn:
            await self._engine.write(SessionEnded(session.token_hash))

    async def set_password(self, agent: str, password_hash: str) -> None:
        """Keep another password, which ends their sessions. Raises StoreError."""
        async with self._turn:
            await self._engine.write(PasswordKept(agent, password_hash, self._engine.now()))

    async def _know(self) -> None:
        if not self._known:
            async with self._turn:
                await self._read()

    async def _read(self) -> None:
        if self._known:
            return  # somebody else has, meanwhile
        passwords, sessions = await self._queries.passwords(), await self._queries.sessions()
        agents = self._engine.dispatcher.configuration.agents
        self._passwords = {each.agent: each.password_hash for each in passwords}
        # A document may have been applied while the store was read.
        self._sessions = {each.token_hash: each for each in sessions if AgentId(each.agent) in agents}
        self._known = True
        self._changed()

    def _restored(self) -> None:
        """Nobody knows what the commit that failed has left: read the store before the next answer."""
        self._known = False

    def _written(self, changes: Sequence[Entry]) -> None:
        ended = False
        for change in changes:
            match change:
                case SessionKept(session=session):
                    self._sessions = {name: each for name, each in self._sessions.items() if self.is_good(each)}
                    self._sessions[session.token_hash] = session
                case SessionEnded(token_hash=token_hash):
                    ended = self._sessions.pop(token_hash, None) is not None or ended
                case PasswordKept(agent=agent, password_hash=kept):
                    self._passwords[agent] = kept
                    ended = self._log_out({agent}) or ended
                case ConfigurationKept(removed=removed) if removed:
                    self._log_out(set(removed))
                    ended = True
                case _:
                    pass
        if ended:
            self._changed()

    def _log_out(self, agents: set[str]) -> bool:
        left = {name: each for name, each in self._sessions.items() if each.agent not in agents}
        lost, self._sessions = len(left) != len(self._sessions), left
        return lost
