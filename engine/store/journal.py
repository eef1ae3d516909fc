"""The journal: everything that must survive is written here, a group of changes in one durable transaction.

It is the only writer of the database and never leaves a group half written: not after an error, not after a
cancellation, not after the process was killed. It decides nothing and hides nothing; whatever keeps a group from being
stored is a StoreError.

What a failed commit leaves behind follows from SQLite's write-ahead log. A commit appends the changed pages to the log,
the last of them with a commit mark, syncs the log, then publishes the new end in the shared index; each page carries a
checksum over all before it and the log's salt. A failure up to the writing of the mark leaves no valid mark: nothing
is stored, ever. A failure after it (sync, index) leaves a whole group that nobody sees, but that the recovery after a
crash, which reads the log up to the last valid mark, would bring to life. The next commit that is synced overwrites it
from its first page on, so the checksums behind no longer fit: from then on it is gone for good. That is why the journal
writes such a mark of its own before it does anything else after a `CommitUnknownError`, and after every opening.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from engine.core.terms import ServiceId
from engine.errors import CommitUnknownError, StoreError
from engine.store import inbound_rows, rows, standing_rows, statements
from engine.store.batch import Batch, Statement
from engine.store.database import connect_writer, leaves_nothing, path_of, told
from engine.store.lock import StoreLock
from engine.store.records import HISTORY_SECONDS, Entry, StoredState
from engine.store.rows import Row
from engine.store.schema import SchemaAge, age_of, require_current, upgrade
from engine.store.waiting import PATIENCE_SECONDS, to_its_end

BUSY_TIMEOUT_SECONDS = 2.0
SWEEP_INTERVAL_SECONDS = 5.0
SWEEP_ROWS = 500
"""Forgotten at once: a hundred a second, more than requests come all day long."""
PROBE_BYTES = 2**20
"""What a probe writes: about as much as a large group, so that the next one finds room too."""

_PROBE_ROW, _MARK_ROW = 1, 2

T = TypeVar("T")


class Journal:
    """The open journal of one database. Build it with `Journal.open`; close it with `close` or `async with`."""

    def __init__(
        self,
        path: Path,
        lock: StoreLock,
        *,
        busy_timeout_seconds: float,
        patience_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self._lock = lock
        self._busy_timeout_seconds = busy_timeout_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._connection: aiosqlite.Connection | None = None
        self._certain = False
        self._hangs = False
        self._closed = False
        self._turn = asyncio.Lock()
        self._swept_at = clock()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> Journal:
        """Open the database of this URL, making it if there is none, and keep every other engine out.

        What an engine before left in the log is made durable, so that what is loaded cannot come or go any more.
        `busy_timeout_seconds`: how long a commit waits for another program's transaction. `patience_seconds`: how long
        a close, or a commit whose asker was cancelled, waits for a disk that does not answer.
        Raises StoreError: another engine runs, the schema is not ours, the file cannot be used or written.
        """
        path = path_of(url)
        lock = StoreLock.take(path)
        journal = cls(
            path, lock, busy_timeout_seconds=busy_timeout_seconds, patience_seconds=patience_seconds, clock=clock
        )
        try:
            age = await asyncio.to_thread(age_of, path)
            if age is SchemaAge.EMPTY:
                await asyncio.to_thread(upgrade, path)
            else:
                require_current(path, age)
            with told(path):
                await journal._waited_for(journal._ready(), "journal open")
        except BaseException:
            await journal.close()
            raise
        return journal

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def commit(self, changes: Sequence[Entry]) -> None:
        """Store the whole group durably, or nothing of it; a later commit may succeed.

        Raises CommitUnknownError: it may be stored or not; until `probe` has succeeded both may still become true.
        Any other StoreError: nothing of it is stored, and nothing will be.

        A disk that does not answer makes this take as long as it likes. A commit that is cancelled still runs to its
        end before the cancellation goes on, so afterwards the group is whole or absent, and no transaction is open;
        only when the disk does not answer for `patience_seconds` it is given up, and the journal takes nothing more.
        """
        if changes:
            await self._in_turn(lambda: self._write(changes), "journal commit")

    async def probe(self) -> None:
        """Return if the store takes writes again: a durable transaction of `PROBE_BYTES` that means nothing.

        It proves that a transaction can be begun, that there is room for one of this size and that the disk confirms
        it; and it makes certain what a `CommitUnknownError` left open. It does not prove that the next, or a larger,
        group finds room, that the rest of the database can be read, or that a disk keeps what it has confirmed.

        After a failed commit: `probe` until it succeeds, then `load`; only then is what was loaded the truth for good.
        Raises StoreError: not yet.
        """
        await self._in_turn(self._probe, "journal probe")

    async def load(self) -> StoredState:
        """What is not over, all of one moment. Raises StoreError.

        After a `CommitUnknownError` it first makes certain what is stored, as `probe` does, and fails if that fails.
        """
        return await self._in_turn(self._read, "journal load")

    async def close(self) -> None:
        """Finish the commit that runs, close the database and let other engines in. A second call does nothing.

        Raises StoreError: the disk does not answer within `patience_seconds`. Other engines then stay out until this
        process has ended, for what hangs may still be written.
        """
        if self._hangs:
            self._closed = True
            raise StoreError(_HANGS.format(self.path))
        try:
            await self._waited_for(self._close(), "journal close", most_seconds=self._patience_seconds)
        except TimeoutError:
            raise StoreError(_HANGS.format(self.path)) from None

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> T:
        async with self._turn:
            return await self._waited_for(work(), name)

    async def _waited_for(self, work: Coroutine[Any, Any, T], name: str, most_seconds: float | None = None) -> T:
        def given_up() -> None:
            self._hangs = True

        return await to_its_end(
            work, name, patience_seconds=self._patience_seconds, given_up=given_up, most_seconds=most_seconds
        )

    async def _write(self, changes: Sequence[Entry]) -> None:
        with told(self.path):
            connection = await self._ready()
            await self._transaction(connection, [*Batch.of(changes).statements(), *self._sweep()])

    def _sweep(self) -> list[Statement]:
        """Now and then forget answers and sessions that are over, a bounded number: no commit takes long for it."""
        now = self._clock()
        if now - self._swept_at < SWEEP_INTERVAL_SECONDS:
            return []
        self._swept_at = now
        return [
            (statements.SWEEP_ANSWERS, [{"before": now - statements.ANSWERS_KEPT_SECONDS, "most": SWEEP_ROWS}]),
            (statements.SWEEP_SESSIONS, [{"before": now, "most": SWEEP_ROWS}]),
        ]

    async def _probe(self) -> None:
        with told(self.path):
            connection = await self._ready()
            await self._fill(connection, _PROBE_ROW, PROBE_BYTES)

    async def _fill(self, connection: aiosqlite.Connection, row: int, size: int) -> None:
        """A durable transaction without a meaning; also the mark that settles what the log may hold."""
        filler: Row = {"id": row, "filler": os.urandom(size)}
        try:
            await self._transaction(connection, [(statements.PUT_PROBE, [filler])])
        except CommitUnknownError as error:
            raise StoreError(str(error)) from error  # the changes of the caller, if any, were not even begun
        self._certain = True

    async def _transaction(self, connection: aiosqlite.Connection, work: Iterable[Statement]) -> None:
        committing = False
        try:
            await connection.execute_fetchall("BEGIN IMMEDIATE")
            for text, written in work:
                cursor = await connection.executemany(text, written)
                await cursor.close()
            committing = True
            await connection.execute_fetchall("COMMIT")
        except Exception as error:
            if not committing or leaves_nothing(error):
                await self._undo(connection)
                raise
            self._certain = False
            with suppress(Exception):  # the commit's own error is the one to tell; the next use finds out what is left
                await self._undo(connection)
            raise CommitUnknownError(
                f"{self.path}: {error}; whether the last changes are stored shows when the disk takes writes again; "
                "check the disk"
            ) from error

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
            connection = await self._ready()
            await connection.execute_fetchall("BEGIN")
            try:
                configuration = list(await connection.execute_fetchall(statements.CONFIGURATION))
                callbacks = await connection.execute_fetchall(statements.OPEN_CALLBACKS)
                attempts = await connection.execute_fetchall(statements.OPEN_ATTEMPTS)
                inbound = await connection.execute_fetchall(statements.OPEN_INBOUND)
                agents = await connection.execute_fetchall(statements.AGENTS)
                timers = await connection.execute_fetchall(statements.TIMERS)
                interactions = await connection.execute_fetchall(statements.OPEN_INTERACTIONS)
                suppressions = await connection.execute_fetchall(statements.SUPPRESSIONS)
                paused = await connection.execute_fetchall(statements.PAUSED)
                capacities = await connection.execute_fetchall(statements.SLOT_CAPACITIES)
                lately = {"since": self._clock() - HISTORY_SECONDS}
                handled = await connection.execute_fetchall(statements.HANDLE_TIMES)
                dials = await connection.execute_fetchall(statements.DIALS, lately)
                requests = await connection.execute_fetchall(statements.REQUESTS, lately)
                nodes = await connection.execute_fetchall(statements.NODES)
            finally:
                await self._undo(connection)
        version, document = configuration[0] if configuration else (0, None)
        return StoredState(
            version=version,
            document=document,
            callbacks=tuple(rows.callback_of(row) for row in callbacks),
            attempts=tuple(sorted(map(rows.attempt_of, attempts), key=lambda each: (each.dialed_at or 0.0, each.id))),
            inbound=tuple(inbound_rows.inbound_of(row) for row in inbound),
            agents=tuple(rows.agent_of(row) for row in agents),
            timers=tuple(standing_rows.timer_of(row) for row in timers),
            interactions=tuple(rows.interaction_of(row) for row in interactions),
            suppressions=tuple(standing_rows.suppression_of(row) for row in suppressions),
            paused=tuple(ServiceId(row[0]) for row in paused),
            slot_capacities=tuple(standing_rows.slot_capacity_of(row) for row in capacities),
            handle_times=tuple(standing_rows.handle_time_of(row) for row in handled),
            dials=tuple((row[0], row[1]) for row in dials),
            requests=tuple((row[0], row[1]) for row in requests),
            nodes={row[0]: row[1] for row in nodes},
        )

    async def _ready(self) -> aiosqlite.Connection:
        """The connection, all that is stored being certain. Raises sqlite3.Error and StoreError."""
        if self._closed:
            raise StoreError("the journal is closed; start the engine again")
        if self._hangs:
            raise StoreError(_HANGS.format(self.path))
        if self._connection is None:
            self._connection = await connect_writer(self.path, self._busy_timeout_seconds)
            self._certain = False
        if not self._certain:
            await self._fill(self._connection, _MARK_ROW, 16)
        return self._connection

    async def _close(self) -> None:
        async with self._turn:
            self._closed = True
            connection, self._connection = self._connection, None
            try:
                if connection is not None:
                    with told(self.path):
                        await connection.close()
            finally:
                if not self._hangs:
                    self._lock.release()


_HANGS = "{}: the disk does not answer; what was being written may be stored or not; start the engine again"
