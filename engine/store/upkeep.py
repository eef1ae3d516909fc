"""What an operator does with a database: check it, copy it while the engine runs.

Neither changes the database nor holds the engine's writer up.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from engine.errors import StoreError
from engine.store.database import read_only_uri, told
from engine.store.schema import age_of, require_current

_WITHOUT_CALLBACK = """
SELECT attempts.id FROM attempts JOIN callbacks ON callbacks.id = attempts.callback
WHERE attempts.ended_at IS NULL
AND callbacks.state IN ('completed', 'unsuccessful', 'cancelled', 'expired')
"""


def check(path: Path) -> list[str]:
    """What is wrong with the database, one line each; empty if nothing is. Raises StoreError if it cannot be read."""
    require_current(path, age_of(path))
    with told(path), closing(sqlite3.connect(read_only_uri(path), uri=True)) as connection:
        found = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            found.append(f"row {row} of {table} belongs to a row of {parent} that is missing")
        for (attempt,) in connection.execute(_WITHOUT_CALLBACK):
            found.append(f"attempt {attempt} has not ended, but its callback has")
    return found


def backup(path: Path, target: Path) -> int:
    """Copy the database as it is at one moment to a new file and return its size in bytes.

    The copy is complete and durable before it gets its name. Raises StoreError: `target` exists or cannot be written,
    the database cannot be read.
    """
    require_current(path, age_of(path))
    if target.exists():
        raise StoreError(f"{target} exists already; name a new file")
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with told(target):
            # Personal data: only this user may read the copy. What lies there, be it of an earlier try, goes first.
            unfinished.unlink(missing_ok=True)
            os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            _copy(path, unfinished)
            os.link(unfinished, target)  # unlike a rename this never replaces a file that appeared meanwhile
            _make_durable(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(path: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(read_only_uri(path), uri=True)) as source,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        # All pages in one step: in several, each commit of the engine would start the copy again.
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it


def _make_durable(target: Path) -> None:
    for path in (target, target.parent):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
