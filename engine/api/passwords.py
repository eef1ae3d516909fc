"""Passwords: hashed and checked with Argon2, beside the event loop and few at a time.

One check costs 19 MiB and some 25 ms of a processor by intention; however many people log in at once, the loop that
looks after calls keeps the others. A password is never kept, logged or repeated.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)


class Passwords:
    """Hashes and checks. `turn` is held for either, AT_ONCE at a time."""

    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(AT_ONCE)
        self._nobodys: str | None = None

    async def hash_of(self, password: str) -> str:
        """What is kept of a new password; another text each time."""
        async with self.turn:
            return await asyncio.to_thread(_hash, password)

    async def check(self, password: str, kept: str | None) -> bool:
        """Whether it is the one that is kept. With None, nobody's, it takes as long and the answer is no.

        Who calls it holds `turn`.
        """
        if self._nobodys is None:
            self._nobodys = await asyncio.to_thread(_hash, secrets.token_urlsafe(32))
        good = await asyncio.to_thread(_is, password, kept or self._nobodys)
        return good and kept is not None


def _hasher() -> PasswordHasher:
    # Loaded when somebody logs in: an engine without agents' screens starts without it.
    from argon2 import PasswordHasher

    # What OWASP recommends at least; more memory would be taken from the calls.
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def _hash(password: str) -> str:
    return _hasher().hash(password)


def _is(password: str, kept: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
