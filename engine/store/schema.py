"""Which schema a database has, and bringing it up to ours.

The revisions are listed here as well as in `migrations/`, so that an ordinary start need not load the migration
library; a test compares the two. An existing database is never changed by a start, only by `ringback db upgrade`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import Enum, auto
from pathlib import Path

from engine.errors import StoreError
from engine.store.database import create_private, read_only_uri, told

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every schema there has been, oldest first."""


class SchemaAge(Enum):
    """A database's schema against ours."""

    EMPTY = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()
    FOREIGN = auto()


def age_of(path: Path) -> SchemaAge:
    """Look at the file without changing it; a missing one is EMPTY. Raises StoreError."""
    if not path.exists():
        return SchemaAge.EMPTY
    with told(path), closing(sqlite3.connect(read_only_uri(path), uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return SchemaAge.EMPTY
        if "alembic_version" not in tables:
            return SchemaAge.FOREIGN
        found = [revision for (revision,) in connection.execute("SELECT version_num FROM alembic_version")]
    if found == [REVISIONS[-1]]:
        return SchemaAge.CURRENT
    return SchemaAge.OLDER if found and found[0] in REVISIONS else SchemaAge.NEWER


def require_current(path: Path, age: SchemaAge) -> None:
    """Raise a StoreError that says how to mend a schema that is not ours."""
    match age:
        case SchemaAge.CURRENT:
            return
        case SchemaAge.EMPTY:
            raise StoreError(f"{path} holds no Ringback database yet; run: ringback db upgrade")
        case SchemaAge.OLDER:
            raise StoreError(f"{path} was written by an older Ringback; make a backup, then run: ringback db upgrade")
        case SchemaAge.NEWER:
            raise StoreError(f"{path} was written by a newer Ringback; this one is too old for it, install the newer")
        case SchemaAge.FOREIGN:
            raise StoreError(f"{path} is another program's database; use another [store] url")


def upgrade(path: Path) -> None:
    """Bring a new or older database up to our schema, all or nothing. The caller holds the lock. Raises StoreError."""
    age = age_of(path)
    if age not in (SchemaAge.EMPTY, SchemaAge.OLDER):
        return require_current(path, age)
    # The migration library takes longer to load than everything else here; an ordinary start does without it.
    from engine.store.migration import upgrade_file

    create_private(path)
    with told(path):
        upgrade_file(path)
    return None
