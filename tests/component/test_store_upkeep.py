"""Backup, check and upgrade as an operator calls them, also beside a journal that writes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.db import db_group
from engine.core.changes import AttemptChanged, CallbackChanged
from engine.core.terms import CallbackId
from engine.errors import StoreError
from engine.store.journal import Journal
from engine.store.upkeep import backup, check
from tests.component.store_samples import a_callback, accepted, an_open_attempt, ended, url_of

GROUP = 5


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:
        yield journal


def counted(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        ((count,),) = connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(count)


async def test_given_what_others_may_read_in_its_place_then_only_its_owner_reads_the_copy(
    journal: Journal, tmp_path: Path
) -> None:
    await journal.commit(accepted(a_callback(1)))
    others = tmp_path / "copy.db.unfinished"
    others.write_text("of an earlier try")
    others.chmod(0o644)
    backup(journal.path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert counted(tmp_path / "copy.db", "callbacks") == 1


async def test_a_backup_made_while_writing_is_of_one_moment_and_holds_nobody_up(
    journal: Journal, tmp_path: Path
) -> None:
    done = 0
    stop = False
    written = asyncio.Event()

    async def write() -> None:
        nonlocal done
        while not stop:
            await journal.commit([entry for n in range(done, done + GROUP) for entry in accepted(a_callback(n))])
            done += GROUP
            written.set()

    writing = asyncio.create_task(write())
    copies = [tmp_path / f"copy{n}.db" for n in range(5)]
    seen = []
    for copy in copies:
        before = done
        while done < before + 20 * GROUP:
            await written.wait()
            written.clear()
        seen.append(done)
        await asyncio.to_thread(backup, journal.path, copy)
    stop = True
    await writing
    for copy, at_least in zip(copies, seen, strict=True):
        assert check(copy) == []
        count = counted(copy, "callbacks")
        assert at_least <= count <= done
        assert count % GROUP == 0
        assert counted(copy, "callback_moves") == counted(copy, "timers") == counted(copy, "idempotency") == count


async def test_a_backup_is_one_private_file_that_can_be_opened(journal: Journal, tmp_path: Path) -> None:
    await journal.commit(accepted(a_callback(1)))
    folder = tmp_path / "copies"
    folder.mkdir()
    assert backup(journal.path, folder / "copy.db") == (folder / "copy.db").stat().st_size
    assert [file.name for file in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600
    async with await Journal.open(url_of(folder / "copy.db")) as restored:
        assert await restored.load() == await journal.load()


async def test_a_backup_never_replaces_a_file(journal: Journal, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        backup(journal.path, there)
    assert there.read_text() == "precious"
    with pytest.raises(StoreError, match="check that the folder exists"):
        backup(journal.path, tmp_path / "missing" / "copy.db")


async def test_a_check_finds_an_attempt_that_outlived_its_callback(journal: Journal) -> None:
    callback = a_callback(1)
    await journal.commit([*accepted(callback), AttemptChanged(an_open_attempt(callback.id))])
    assert check(journal.path) == []
    await journal.commit([CallbackChanged(ended(callback))])
    assert check(journal.path) == ["attempt cb1-1 has not ended, but its callback has"]
    assert (await journal.load()).attempts == ()


async def test_a_check_finds_rows_without_their_callback(journal: Journal) -> None:
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute("INSERT INTO callback_moves VALUES (1, 'nobody', NULL, 'queued', 'accepted', 1)")
    (problem,) = check(journal.path)
    assert "callback_moves" in problem


async def test_a_check_finds_damage(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    async with await Journal.open(url_of(path)) as journal:
        await journal.commit([CallbackChanged(a_callback(n)) for n in range(300)])
    content = bytearray(path.read_bytes())
    for page in range(10, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    try:
        assert check(path)
    except StoreError as error:
        assert "restore a backup" in str(error)


# ---- as commands -----------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGBACK_STORE__URL", url_of(tmp_path / "ringback.db"))
    return Run()


class Run:
    """Calls `ringback db ...`."""

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(db_group, arguments)


def test_upgrade_makes_a_database_and_then_has_nothing_to_do(run: Run, tmp_path: Path) -> None:
    assert "run: ringback db upgrade" in run("check").output
    first, second = run("upgrade", "--json"), run("upgrade", "--json")
    assert (first.exit_code, json.loads(first.stdout)["changed"]) == (0, True)
    assert (second.exit_code, json.loads(second.stdout)["changed"]) == (0, False)
    assert run("check").output == f"{tmp_path / 'ringback.db'}: sound\n"
    assert run("backup", "copy.db").exit_code == 0
    again = run("backup", "copy.db")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "exists already" in again.stderr


async def test_upgrade_waits_for_nobody_while_an_engine_runs(run: Run, journal: Journal) -> None:
    refused = run("upgrade")
    assert refused.exit_code == 1
    assert "in use by the process with pid" in refused.stderr
    assert run("check", "--json").exit_code == 0


async def test_check_tells_by_its_exit_code(run: Run, journal: Journal) -> None:
    callback = a_callback(1)
    await journal.commit([*accepted(callback), AttemptChanged(an_open_attempt(CallbackId("cb1")))])
    await journal.commit([CallbackChanged(ended(callback))])
    found = run("check", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["problems"] == ["attempt cb1-1 has not ended, but its callback has"]
