"""The schema: what the tables say, what the migrations make and what a database has are the same."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlmodel import SQLModel

import engine.store.tables  # noqa: F401 - fills the metadata
from cli.db import db_group
from engine.core.changes import AttemptChanged
from engine.core.records import Work
from engine.core.terms import CallbackId, Outcome, ServiceId, Stage, WorkId
from engine.core.values import replace
from engine.errors import StoreError
from engine.store import schema
from engine.store.journal import Journal
from engine.store.migration import configured, transaction
from engine.store.queries import Queries
from engine.store.records import NodeSeen
from engine.store.schema import REVISIONS, SchemaAge, age_of, upgrade
from engine.store.upkeep import check
from tests.component.store_samples import NOW, a_full_attempt, a_full_callback, an_open_attempt, url_of

FIRST_SCHEMA = Path(__file__).with_name("schema_0001.sql")
"""A database that Ringback wrote with its first schema, a row in every table, as SQLite dumps it."""


def objects(path: Path, kind: str) -> dict[str, str]:
    """The definitions in a database by name, without line breaks, spaces and quotes: SQLite quotes what it renames."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND sql NOT NULL", (kind,))
        return {name: re.sub(r'[\s"]+', "", sql) for name, sql in found if name != "alembic_version"}


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


async def test_a_database_of_the_first_schema_is_upgraded_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ringback.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_SCHEMA.read_text())
        connection.execute("PRAGMA journal_mode = WAL")  # as an engine leaves it
    before = contents(path)
    assert all(before.values()), f"the old file leaves a table empty: {before}"
    with pytest.raises(StoreError, match="run: ringback db upgrade"):
        await Journal.open(url_of(path))

    monkeypatch.setenv("RINGBACK_STORE__URL", url_of(path))
    said = CliRunner().invoke(db_group, ["upgrade", "--json"])
    assert (said.exit_code, json.loads(said.output)["schema"]) == (0, REVISIONS[-1]), said.output

    after = contents(path)
    for table, old in before.items():
        columns = [name for name, _ in old[0]]
        kept = [[(name, value) for name, value in row if name in columns] for row in after[table]]
        if table == "agents":
            old = [[(name, value) for name, value in row if not name.startswith("work_")] for row in old]
        assert table == "alembic_version" or kept == old, table
    assert check(path) == []
    async with await Journal.open(url_of(path)) as journal, Queries(url_of(path)) as queries:
        state = await journal.load()
        assert [each.id for each in state.callbacks] == ["full", "cb1", "cb2"]
        full = a_full_callback()
        full = replace(
            full,
            request=replace(full.request, skill=None, zones=()),
            widened=0,
            excluded=(),
            scheduled_for=None,
            booked=False,
            asked_at=0.0,
            told=None,
        )
        assert await queries.callback(CallbackId("full")) == full
        (amy,) = state.agents
        assert amy.works == (Work(WorkId("cb2-1"), ServiceId("billing"), Stage.ACTIVE, CallbackId("cb2")),)
        (old_attempt,) = await queries.attempts_of(CallbackId("full"))
        unscreened = replace(a_full_attempt(CallbackId("full")), verdict=None, evidence=None, judged_at=None)
        untransferred = replace(
            unscreened, transferred_at=None, given_to=None, transfer_answered_at=None, waits_again_at=None
        )
        assert old_attempt == replace(untransferred, bridging_at=None, overtook=0)
        (live,) = state.attempts
        assert (live.id, live.bridging_at, live.bridged_at) == ("cb2-1", None, NOW + 5)
        assert state.nodes == {}
        await journal.commit([AttemptChanged(replace(live, bridging_at=NOW + 6)), NodeSeen("asterisk", "2026")])
        state = await journal.load()
        assert (state.attempts[0].bridging_at, state.nodes) == (NOW + 6, {"asterisk": "2026"})


async def test_a_database_of_the_second_schema_keeps_its_attempts_and_takes_one_that_was_never_dialled(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ringback.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_SCHEMA.read_text())
    with transaction(path) as upgrading:
        command.upgrade(configured(upgrading), "0002")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE attempts SET bridging_at = bridged_at - 0.5 WHERE bridged_at NOT NULL")
    before, indices = contents(path)["attempts"], objects(path, "index")
    assert len(before) > 1

    upgrade(path)

    columns = [name for name, _ in before[0]]
    after = [[(name, value) for name, value in row if name in columns] for row in contents(path)["attempts"]]
    assert after == before
    assert indices.items() <= objects(path, "index").items()
    assert check(path) == []
    async with await Journal.open(url_of(path)) as journal:
        [live] = (await journal.load()).attempts
        assert live.bridging_at == NOW + 4.5
        ended = replace(live, ended_at=NOW + 9, outcome=Outcome.INTERRUPTED)
        rung = replace(an_open_attempt(live.callback, 2), dialed_at=None, agent_legs=1)
        await journal.commit([AttemptChanged(ended), AttemptChanged(rung)])
        assert (await journal.load()).attempts == (rung,)


def test_an_upgraded_database_of_the_first_schema_equals_a_fresh_one(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(FIRST_SCHEMA.read_text())
    upgrade(old)
    upgrade(fresh)
    assert objects(old, "index") == objects(fresh, "index")
    assert objects(old, "table") == objects(fresh, "table")


def contents(path: Path) -> dict[str, list[list[tuple[str, object]]]]:
    """Every row of every table as pairs of column and value, in the rows' own order."""
    with closing(sqlite3.connect(path)) as connection:
        found = {}
        for table in sorted(objects(path, "table") | {"alembic_version": ""}):
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608
            columns = [name for name, *_ in rows.description]
            found[table] = [list(zip(columns, row, strict=True)) for row in rows]
        return found
