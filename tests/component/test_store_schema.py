"""The schema: what the tables say, what the migrations make and what a database has are the same."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

import engine.store.tables  # noqa: F401 - fills the metadata
from engine.errors import StoreError
from engine.store import schema
from engine.store.journal import Journal
from engine.store.migration import configured, transaction
from engine.store.schema import REVISIONS, SchemaAge, age_of, upgrade
from tests.component.store_samples import url_of


def objects(path: Path, kind: str) -> dict[str, str]:
    """The definitions in a database by name, without their line breaks and spaces."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND sql NOT NULL", (kind,))
        return {name: re.sub(r"\s+", "", sql) for name, sql in found if name != "alembic_version"}


def test_a_migrated_database_equals_a_fresh_one(tmp_path: Path) -> None:
    migrated, fresh = tmp_path / "migrated.db", tmp_path / "fresh.db"
    upgrade(migrated)
    with transaction(fresh) as connection:
        SQLModel.metadata.create_all(connection)
    with transaction(migrated) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    assert objects(migrated, "index") == objects(fresh, "index")
    assert objects(migrated, "table") == objects(fresh, "table")
    assert len(objects(fresh, "table")) == len(SQLModel.metadata.tables)


def test_the_listed_revisions_are_those_of_the_migrations() -> None:
    script = ScriptDirectory.from_config(configured())
    assert tuple(reversed([each.revision for each in script.walk_revisions()])) == REVISIONS


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ringback.db"
    from alembic import op

    def fail(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(op, "create_index", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            upgrade(path)
    assert objects(path, "table") == {}
    assert age_of(path) is SchemaAge.EMPTY
    upgrade(path)
    assert age_of(path) is SchemaAge.CURRENT


async def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    path.touch()
    async with await Journal.open(url_of(path)) as journal:
        assert (await journal.load()).version == 0


async def test_an_older_schema_asks_for_an_upgrade_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ringback.db"
    upgrade(path)
    before = path.read_bytes()
    monkeypatch.setattr(schema, "REVISIONS", (*REVISIONS, "9999"))
    assert age_of(path) is SchemaAge.OLDER
    with pytest.raises(StoreError, match="run: ringback db upgrade"):
        await Journal.open(url_of(path))
    assert path.read_bytes() == before


async def test_a_newer_schema_says_that_this_ringback_is_too_old(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    upgrade(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '2099'")
    with pytest.raises(StoreError, match="this one is too old for it"):
        await Journal.open(url_of(path))
    with pytest.raises(StoreError, match="this one is too old for it"):
        upgrade(path)


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database"):
        await Journal.open(url_of(path))
    with pytest.raises(StoreError, match="another program's database"):
        upgrade(path)
    assert path.read_bytes() == before
