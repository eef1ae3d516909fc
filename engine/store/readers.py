"""A few connections that can only read, handed out in turn.

SQLite in write-ahead mode lets readers work while the writer commits. Each question is one statement read to its end,
so no reader keeps an old state alive and the log beside the database stays small.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

from engine.errors import StoreError
from engine.store.database import connect_reader, told
from engine.store.waiting import PATIENCE_SECONDS, to_its_end

READ_TIMEOUT_SECONDS = 2.0


class Readers:
    """At most `size` questions at once; connections are opened when first needed and kept."""

    def __init__(self, path: Path, size: int, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._path = path
        self._patience_seconds = patience_seconds
        self._size = size
        self._places = asyncio.Semaphore(size)
        self._idle: list[aiosqlite.Connection] = []
        self._closed = False

    async def all(self, text: str, values: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """Every row of one statement. Raises StoreError, also when the disk does not answer for `patience_seconds`."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._all(text, values)
        except TimeoutError:
            raise StoreError(f"{self._path}: the disk does not answer; see what keeps it") from None

    async def _all(self, text: str, values: Mapping[str, Any] | None) -> Sequence[Sequence[Any]]:
        async with self._places:
            if self._closed:
                raise StoreError("the database is closed; start the engine again")
            with told(self._path):
                connection = self._idle.pop() if self._idle else await connect_reader(self._path, READ_TIMEOUT_SECONDS)
                try:
                    found = list(await connection.execute_fetchall(text, values))
                except sqlite3.Error:
                    # It may be of no more use, for instance after a fault of the disk; the next question opens one.
                    await connection.close()
                    raise
                except BaseException:
                    # Cancelled: the statement runs on in its thread, and later ones queue behind it.
                    self._idle.append(connection)
                    raise
                self._idle.append(connection)
                return found

    async def close(self) -> None:
        """Wait for the questions that run, then close every connection. Raises StoreError: the disk does not answer."""
        self._closed = True
        try:
            await to_its_end(
                self._close(),
                "readers close",
                patience_seconds=self._patience_seconds,
                given_up=lambda: None,
                most_seconds=self._patience_seconds,
            )
        except TimeoutError:
            raise StoreError(f"{self._path}: the disk does not answer; a question was given up") from None

    async def _close(self) -> None:
        for _ in range(self._size):
            await self._places.acquire()
        try:
            while self._idle:
                await self._idle.pop().close()
        finally:
            for _ in range(self._size):
                self._places.release()
