"""The journal when the world is against it: killed, disk full, locked, read-only, opened twice."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.terms import CallbackId
from engine.core.values import replace
from engine.errors import StoreError
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.schema import upgrade
from tests.component.store_samples import a_callback, accepted, url_of
from tests.component.store_truth import Child

GROUP = 7

COMMITTER = """
import asyncio, sys
from engine.core.terms import CallbackId
from engine.store.journal import Journal
from tests.component.store_samples import a_callback, accepted

async def main(url, group):
    async with await Journal.open(url) as journal:
        done = 0
        while True:
            changes = [entry for n in range(done, done + group) for entry in accepted(a_callback(n))]
            await journal.commit(changes)
            done += group
            print(done, flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""

HOLDER = """
import asyncio, sys
from engine.store.journal import Journal

async def main(url):
    async with await Journal.open(url):
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""

READ_ONLY_COMMITTER = """
import asyncio, concurrent.futures.thread, os, sys  # the other user may not be let in where modules lie
from engine.errors import StoreError
from engine.store.journal import Journal
from tests.component.store_samples import a_callback, accepted

async def main(url):
    journal = await Journal.open(url)
    try:
        await journal.commit(accepted(a_callback(1)))
    finally:
        await journal.close()

if os.geteuid() == 0:
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)  # root may write to any file
try:
    asyncio.run(main(sys.argv[1]))
except StoreError as error:
    print(error)
"""


# ---- killed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", range(6))
async def test_after_a_kill_every_group_is_whole_or_absent_and_no_acknowledged_one_is_lost(
    tmp_path: Path, run: int
) -> None:
    path = tmp_path / "ringback.db"
    committer = Child(COMMITTER, url_of(path), GROUP)
    first = committer.line()
    time.sleep(0.05 + run * 0.0137)  # noqa: ASYNC251 - nothing else runs; the kill falls into another part of a commit
    acknowledged = int([first, *committer.kill().splitlines()][-1])

    async with await Journal.open(url_of(path)) as journal, Queries(url_of(path)) as queries:
        state = await journal.load()
        stored = len(state.callbacks)
        assert stored % GROUP == 0
        assert stored in (acknowledged, acknowledged + GROUP)
        assert [callback.id for callback in state.callbacks] == [f"cb{n}" for n in range(stored)]
        assert {timer.owner for timer in state.timers} == {callback.id for callback in state.callbacks}
        for callback in state.callbacks:
            assert len(await queries.moves_of(callback.id)) == 1
            assert await queries.idempotency(f"key-{callback.id}", now=callback.created_at) is not None
        await journal.commit(accepted(a_callback(9000)))


# ---- no room, no right, no turn --------------------------------------------------------------------------


async def test_a_full_disk_stores_nothing_of_the_group_and_room_lets_it_go_on(tmp_path: Path) -> None:
    async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:
        await journal.commit(accepted(a_callback(0)))
        before = await journal.load()
        assert journal._connection is not None
        ((pages,),) = await journal._connection.execute_fetchall("PRAGMA page_count")
        await journal._connection.execute_fetchall(f"PRAGMA max_page_count = {pages + 2}")
        large = [entry for n in range(1, 500) for entry in accepted(a_callback(n))]
        with pytest.raises(StoreError, match="full; free disk space"):
            await journal.commit(large)
        assert not journal._connection.in_transaction
        assert await journal.load() == before
        await journal._connection.execute_fetchall("PRAGMA max_page_count = 1000000")
        await journal.commit(large)
        assert len((await journal.load()).callbacks) == 500


async def test_a_locked_database_is_told_and_the_next_commit_works(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    async with await Journal.open(url_of(path), busy_timeout_seconds=0.05) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another program holds the database"):
                await journal.commit(accepted(a_callback(1)))
            async with Queries(url_of(path)) as queries:
                await queries.ping()
            other.execute("ROLLBACK")
        await journal.commit(accepted(a_callback(1)))
        assert len((await journal.load()).callbacks) == 1


async def test_a_connection_that_may_not_write_is_told_and_the_next_commit_works(tmp_path: Path) -> None:
    async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:
        assert journal._connection is not None
        await journal._connection.execute_fetchall("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="make the file and its folder writable"):
            await journal.commit(accepted(a_callback(1)))
        await journal._connection.execute_fetchall("PRAGMA query_only = OFF")
        await journal.commit(accepted(a_callback(1)))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder any user may write to. Not tmp_path: its parents are closed to the user that root becomes here."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_a_read_only_file_is_told(open_folder: Path) -> None:
    path = open_folder / "ringback.db"
    upgrade(path)
    path.with_name("ringback.db.lock").touch()
    path.with_name("ringback.db.lock").chmod(0o666)
    path.chmod(0o444)
    said = subprocess.run(
        [sys.executable, "-c", READ_ONLY_COMMITTER, url_of(path)], capture_output=True, text=True, timeout=30
    )
    assert "make the file and its folder writable for this user" in said.stdout, said.stderr


async def test_a_connection_that_cannot_even_roll_back_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:
        await journal.commit(accepted(a_callback(1)))
        broken = journal._connection
        assert broken is not None

        async def fail() -> None:
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(broken, "rollback", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            await journal.commit([*accepted(a_callback(2)), *accepted(replace(a_callback(1), id=CallbackId("other")))])
        assert [each.id for each in (await journal.load()).callbacks] == ["cb1"]
        assert journal._connection is not broken
        await journal.commit(accepted(a_callback(2)))
        await asserted_safe(journal)


async def test_no_memory_for_a_statement_is_told_and_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:

        async def fail(*_: object) -> None:
            raise MemoryError

        with monkeypatch.context() as short_of_memory, pytest.raises(StoreError, match="out of memory") as told:
            short_of_memory.setattr(journal._connection, "executemany", fail)
            await journal.commit(accepted(a_callback(1)))
        assert type(told.value) is StoreError, "told as unknown though nothing was committed"
        assert (await journal.load()).callbacks == ()


async def asserted_safe(journal: Journal) -> None:
    """What a durable journal rests on; a connection has it from its opening or not at all."""
    assert journal._connection is not None
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        assert list(await journal._connection.execute_fetchall(f"PRAGMA {pragma}")) == [(value,)]


async def test_every_commit_is_made_durable(tmp_path: Path) -> None:
    for _ in ("new", "opened again"):
        async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:
            await asserted_safe(journal)


@pytest.mark.parametrize(
    ("url", "mends"),
    [
        ("sqlite+aiosqlite:////nowhere/ringback.db", "a folder this user may write to"),
        ("sqlite+aiosqlite:////proc/ringback.db", "a folder this user may write to"),
        ("sqlite+aiosqlite://", "must name a plain file"),
        ("sqlite+aiosqlite:///:memory:", "must name a plain file"),
        ("postgresql+asyncpg://amy:hush@host/ringback", "postgresql, which this Ringback cannot use"),
        ("ringback.db", "is not a URL"),
    ],
)
async def test_a_place_that_cannot_be_used_is_told_without_its_password(url: str, mends: str) -> None:
    with pytest.raises(StoreError, match=mends) as refused:
        await Journal.open(url)
    assert "hush" not in str(refused.value)


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 500)
    with pytest.raises(StoreError, match="not a database"):
        await Journal.open(url_of(path))
    assert path.read_text() == "Dear Sir or Madam, " * 500


async def test_questions_to_a_database_that_is_not_there_are_told(tmp_path: Path) -> None:
    async with Queries(url_of(tmp_path / "missing.db")) as queries:
        with pytest.raises(StoreError, match="check that the folder exists"):
            await queries.ping()


# ---- one engine for one database -------------------------------------------------------------------------


async def test_a_second_opener_is_refused_by_pid_until_the_first_dies(tmp_path: Path) -> None:
    url = url_of(tmp_path / "ringback.db")
    holder = Child(HOLDER, url)
    assert holder.line() == "open"
    try:
        with pytest.raises(StoreError, match=f"in use by the process with pid {holder.process.pid};"):
            await Journal.open(url)
    finally:
        holder.kill()
    async with await Journal.open(url) as journal:
        assert (tmp_path / "ringback.db.lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(StoreError, match=f"pid {os.getpid()};"):
            await Journal.open(url)
        await journal.commit(accepted(a_callback(1)))
    async with await Journal.open(url):
        pass


async def test_an_opening_that_failed_lets_others_in(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    for _ in range(2):
        with pytest.raises(StoreError, match="another program's database"):
            await Journal.open(url_of(path))
    path.unlink()
    async with await Journal.open(url_of(path)):
        pass
