"""Opening the SQLite file: which file a URL means, how a connection is set up, how its errors are told.

It must never put a value of a statement into a message or a log line: values hold phone numbers.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from engine.errors import StoreError

# At DEBUG the driver logs every statement with its values, phone numbers among them.
logging.getLogger("aiosqlite").setLevel(logging.INFO)

_ADVICE = {
    sqlite3.SQLITE_FULL: "free disk space or move the database",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable for this user",
    sqlite3.SQLITE_BUSY: "another program holds the database; close it",
    sqlite3.SQLITE_IOERR: "check the disk, then run: ringback db check",
    sqlite3.SQLITE_CANTOPEN: "check that the folder exists and is writable for this user",
    sqlite3.SQLITE_CORRUPT: "restore a backup; ringback db check tells what is broken",
    sqlite3.SQLITE_NOTADB: "the file is not a database; use another [store] url",
    sqlite3.SQLITE_CONSTRAINT: "this is a defect of Ringback; please report it",
}

_BEFORE_THE_MARK = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT}
)


def path_of(url: str) -> Path:
    """The file of a store's URL, made absolute. Raises StoreError for what is not a file of SQLite."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError('[store] url is not a URL; write it like "sqlite+aiosqlite:///ringback.db"') from None
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(
            f"[store] url names {parsed.get_backend_name()}, which this Ringback cannot use; "
            'write it like "sqlite+aiosqlite:///ringback.db"'
        )
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise StoreError('[store] url must name a plain file, like "sqlite+aiosqlite:///ringback.db"')
    # One file has one name: the lock that keeps a second engine out lies beside it.
    return Path(parsed.database).expanduser().resolve()


def read_only_uri(path: Path) -> str:
    """The name under which SQLite opens the file without ever writing to it."""
    return f"file:{quote(str(path))}?mode=ro"


def create_private(path: Path) -> None:
    """Make an empty file only this user can read, unless there is one: it will hold personal data."""
    with told(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the database's errors into StoreError, with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        advice = _ADVICE.get(code & 0xFF if code is not None else -1, "run: ringback db check")
        raise StoreError(f"{path}: {error}; {advice}") from error
    except MemoryError as error:
        raise StoreError(f"{path}: out of memory; free some or give the engine more") from error
    except (UnicodeError, OverflowError) as error:
        # Without the cause: it carries the value.
        raise StoreError(
            f"{path}: a value ({type(error).__name__}) cannot be stored; refuse it at the intake"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; {_ADVICE[sqlite3.SQLITE_CANTOPEN]}") from error


def leaves_nothing(error: Exception) -> bool:
    """Whether a COMMIT that raised this has left no valid commit mark in the log, so that nothing is stored for good.

    True for what is found before the mark is written and for a write that failed, since the mark is written last.
    Everything else may come after it: a sync (IOERR_FSYNC), or the growing of the shared index, which a full disk
    refuses with IOERR_SHMSIZE when the group is durable already.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code == sqlite3.SQLITE_IOERR_WRITE or code & 0xFF in _BEFORE_THE_MARK)


async def connect_writer(path: Path, busy_timeout_seconds: float) -> aiosqlite.Connection:
    """The one connection that writes: durable at every commit, transactions begun by hand. Raises sqlite3.Error.

    What an engine before has left in the log is copied into the database and synced. After a failed sync the kernel
    may show pages that are not on the disk; changes appended behind such pages would be lost with them.
    """
    connection = await _started(aiosqlite.connect(path, timeout=busy_timeout_seconds, isolation_level=None))
    try:
        ((mode,),) = await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        await connection.execute_fetchall("PRAGMA synchronous = FULL")
        await connection.execute_fetchall("PRAGMA foreign_keys = ON")
        await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    except BaseException:
        await connection.close()
        raise
    if mode != "wal":
        await connection.close()
        raise sqlite3.OperationalError("the file system does not support write-ahead logging")
    return connection


async def connect_reader(path: Path, busy_timeout_seconds: float) -> aiosqlite.Connection:
    """A connection that can only read. Raises sqlite3.Error."""
    return await _started(
        aiosqlite.connect(read_only_uri(path), uri=True, timeout=busy_timeout_seconds, isolation_level=None)
    )


async def _started(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    # Its thread may hang with the disk and must not keep the process then. Older versions are the thread themselves.
    thread: Any = getattr(connection, "_thread", connection)
    thread.daemon = True
    return await connection
