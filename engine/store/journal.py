"""The journal: everything that must survive is written here, a group of changes in one durable transaction.

It is the only writer of the database and never leaves a group half written: not after an error, not after a
cancellation, not after the process was killed. It decides nothing and hides nothing; whatever keeps a group from being
stored is a StoreError.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from engine.errors import StoreError
from engine.store import rows, statements
from engine.store.batch import Batch
from engine.store.database import connect_writer, path_of, told
from engine.store.lock import StoreLock
from engine.store.records import Entry, StoredState
from engine.store.schema import SchemaAge, age_of, require_current, upgrade

BUSY_TIMEOUT_SECONDS = 2.0
SWEEP_INTERVAL_SECONDS = 60.0
SWEEP_ROWS = 500

T = TypeVar("T")


class Journal:
    """The open journal of one database. Build it with `Journal.open`; close it with `close` or `async with`.

    One that is not closed keeps the process alive: its connection has a thread.
    """

    def __init__(self, path: Path, lock: StoreLock, busy_timeout_seconds: float, clock: Callable[[], float]) -> None:
        self.path = path
        self._lock = lock
        self._busy_timeout_seconds = busy_timeout_seconds
        self._clock = clock
        self._connection: aiosqlite.Connection | None = None
        self._closed = False
        self._turn = asyncio.Lock()
        self._swept_at = clock()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> Journal:
        """Open the database of this URL, making it if there is none, and keep every other engine out.

        `busy_timeout_seconds`: how long a commit waits for another program's transaction.
        Raises StoreError: another engine runs, the schema is not ours, the file cannot be used.
        """
        path = path_of(url)
        lock = StoreLock.take(path)
        journal = cls(path, lock, busy_timeout_seconds, clock)
        try:
            age = await asyncio.to_thread(age_of, path)
            if age is SchemaAge.EMPTY:
                await asyncio.to_thread(upgrade, path)
            else:
                require_current(path, age)
            with told(path):
                journal._connection = await connect_writer(path, busy_timeout_seconds)
        except BaseException:
            lock.release()
            raise
        return journal

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def commit(self, changes: Sequence[Entry]) -> None:
        """Store the whole group durably, or nothing of it. Raises StoreError; a later commit may succeed.

        A commit that is cancelled still runs to its end before the cancellation goes on, so afterwards the group is
        whole or absent, and no transaction is open.
        """
        if not changes:
            return
        async with self._turn:
            await _to_its_end(self._write(changes), "journal commit")

    async def load(self) -> StoredState:
        """What is not over, all of one moment. Raises StoreError."""
        async with self._turn:
            return await _to_its_end(self._read(), "journal load")

    async def close(self) -> None:
        """Finish the commit that runs, close the database and let other engines in. A second call does nothing."""
        async with self._turn:
            await _to_its_end(self._close(), "journal close")

    async def _write(self, changes: Sequence[Entry]) -> None:
        batch = Batch.of(changes)
        with told(self.path):
            connection = await self._connected()
            try:
                await connection.execute_fetchall("BEGIN IMMEDIATE")
                for text, written in batch.statements():
                    cursor = await connection.executemany(text, written)
                    await cursor.close()
                await self._sweep(connection)
                await connection.execute_fetchall("COMMIT")
            except BaseException:
                await self._undo(connection)
                raise

    async def _sweep(self, connection: aiosqlite.Connection) -> None:
        """Now and then forget answers that are over, a bounded number, so that no commit takes long for it."""
        now = self._clock()
        if now - self._swept_at < SWEEP_INTERVAL_SECONDS:
            return
        self._swept_at = now
        over = {"before": now - statements.ANSWERS_KEPT_SECONDS, "most": SWEEP_ROWS}
        await connection.execute_fetchall(statements.SWEEP_ANSWERS, over)

    async def _undo(self, connection: aiosqlite.Connection) -> None:
        """End the failed transaction. A connection that cannot even do this is given up; the next commit opens one."""
        try:
            await connection.rollback()
        except Exception:
            self._connection = None
            await connection.close()
            raise

    async def _read(self) -> StoredState:
        with told(self.path):
            connection = await self._connected()
            await connection.execute_fetchall("BEGIN")
            try:
                configuration = list(await connection.execute_fetchall(statements.CONFIGURATION))
                callbacks = await connection.execute_fetchall(statements.OPEN_CALLBACKS)
                attempts = await connection.execute_fetchall(statements.OPEN_ATTEMPTS)
                agents = await connection.execute_fetchall(statements.AGENTS)
                timers = await connection.execute_fetchall(statements.TIMERS)
                nodes = await connection.execute_fetchall(statements.NODES)
            finally:
                await self._undo(connection)
        version, document = configuration[0] if configuration else (0, None)
        return StoredState(
            version=version,
            document=document,
            callbacks=tuple(rows.callback_of(row) for row in callbacks),
            attempts=tuple(sorted(map(rows.attempt_of, attempts), key=lambda each: (each.dialed_at, each.id))),
            agents=tuple(rows.agent_of(row) for row in agents),
            timers=tuple(rows.timer_of(row) for row in timers),
            nodes={row[0]: row[1] for row in nodes},
        )

    async def _connected(self) -> aiosqlite.Connection:
        if self._closed:
            raise StoreError("the journal is closed; start the engine again")
        if self._connection is None:
            self._connection = await connect_writer(self.path, self._busy_timeout_seconds)
        return self._connection

    async def _close(self) -> None:
        self._closed = True
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                with told(self.path):
                    await connection.close()
        finally:
            self._lock.release()


async def _to_its_end(work: Coroutine[Any, Any, T], name: str) -> T:
    """Wait until the work is done even if we are cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.create_task(work, name=name)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # looked at, or the loop would report it as lost; the cancellation says enough
    raise cancelled
