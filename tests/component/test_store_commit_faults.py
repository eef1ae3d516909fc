"""Commits that fail beneath SQLite: which leave nothing, which leave the truth open, and how it becomes certain."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from engine.core.values import replace
from engine.errors import CommitUnknownError, StoreError
from engine.store.journal import Journal
from engine.store.queries import Queries
from tests.component.faulty_disk import FaultyDisk
from tests.component.store_samples import a_callback, accepted, url_of
from tests.component.store_truth import Child, as_after_a_crash, asserted_stored, group, ids, read_by, refused

SHMSIZE = sqlite3.SQLITE_IOERR_SHMSIZE
FSYNC = sqlite3.SQLITE_IOERR_FSYNC


# ---- whether the group is stored is not known ------------------------------------------------------------


async def test_a_group_whose_sync_failed_comes_to_life_after_a_crash_unless_a_probe_came_before(
    journal: Journal, disk: FaultyDisk
) -> None:
    disk.on_sync = lambda: FSYNC
    with pytest.raises(CommitUnknownError, match="whether the last changes are stored"):
        await journal.commit(group(1, 2))
    async with Queries(url_of(journal.path)) as queries:
        assert await read_by(queries, "cb0", "cb1", "cb2") == {"cb0"}, "an unsynced group was shown"
    assert await as_after_a_crash(journal) == ["cb0", "cb1", "cb2"], "the premise: this group is not surely gone"

    await refused(journal.probe())
    await refused(journal.load())
    disk.heal()
    await journal.probe()
    await asserted_stored(journal, "cb0")
    await journal.commit(group(1, 2))
    await asserted_stored(journal, "cb0", "cb1", "cb2")


@pytest.mark.parametrize("next_use", ["load", "commit", "probe"])
async def test_whatever_the_journal_does_next_makes_an_unknown_group_certain_first(
    journal: Journal, disk: FaultyDisk, next_use: str
) -> None:
    disk.on_sync = lambda: FSYNC
    with pytest.raises(CommitUnknownError):
        await journal.commit(group(1))
    disk.heal()
    uses: dict[str, Callable[[], Awaitable[object]]] = {
        "load": journal.load,
        "probe": journal.probe,
        "commit": lambda: journal.commit([]) if next_use != "commit" else journal.commit(group(5)),
    }
    await uses[next_use]()
    assert await as_after_a_crash(journal) == (["cb0", "cb5"] if next_use == "commit" else ["cb0"])


async def test_a_group_that_waits_behind_an_unknown_one_is_not_stored_when_the_disk_still_fails(
    journal: Journal, disk: FaultyDisk
) -> None:
    disk.on_sync = lambda: FSYNC
    with pytest.raises(CommitUnknownError):
        await journal.commit(group(1))
    await refused(journal.commit(group(2)))
    assert "cb2" not in await as_after_a_crash(journal)
    disk.heal()
    await journal.commit(group(3))
    await asserted_stored(journal, "cb0", "cb3")


async def test_a_full_disk_that_lets_the_log_grow_but_not_its_index_leaves_the_group_unknown(
    journal: Journal, disk: FaultyDisk
) -> None:
    assert journal._connection is not None
    await journal._connection.execute_fetchall("PRAGMA wal_autocheckpoint = 0")
    disk.on_index_growth = lambda: SHMSIZE
    for _ in range(15):  # the index must grow when the log has 4,062 pages; each probe is 257 of them
        await journal.probe()
    last = 0
    with pytest.raises(CommitUnknownError):
        for last in range(1, 300):
            await journal.commit(group(last))
    before = sorted(f"cb{n}" for n in range(last))
    async with Queries(url_of(journal.path)) as queries:
        assert sorted(each.id for each in (await queries.callbacks(limit=500)).items) == before
    assert f"cb{last}" in await as_after_a_crash(journal), "the premise: the log holds the group whole"
    disk.heal()
    await journal.probe()
    assert ids(await journal.load()) == before == await as_after_a_crash(journal)


async def test_a_commit_that_ran_out_of_memory_is_unknown(journal: Journal, disk: FaultyDisk) -> None:
    disk.on_sync = lambda: sqlite3.SQLITE_NOMEM
    with pytest.raises(CommitUnknownError):
        await journal.commit(group(1))
    disk.heal()
    await journal.probe()
    await asserted_stored(journal, "cb0")


# ---- nothing of the group is stored ----------------------------------------------------------------------


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE])
async def test_a_group_is_not_stored_whichever_of_its_writes_fails(
    journal: Journal, disk: FaultyDisk, code: int
) -> None:
    for good_writes in count():
        left = iter(range(good_writes))
        disk.on_write = lambda left=left: 0 if next(left, None) is not None else code  # type: ignore[misc]
        try:
            await journal.commit(group(1, 2, 3))
        except StoreError as error:
            assert type(error) is StoreError, f"told as unknown after {good_writes} writes: {error}"
            assert await as_after_a_crash(journal) == ["cb0"], f"stored though write {good_writes + 1} failed"
            await refused(journal.probe())
        else:
            break
    assert good_writes > 10, "the commit was too small to try anything"
    disk.heal()
    await asserted_stored(journal, "cb0", "cb1", "cb2", "cb3")


async def test_what_the_database_refuses_at_the_commit_is_not_unknown(journal: Journal) -> None:
    orphan = replace(a_callback(1), parent_id=a_callback(9).id)  # the reference is looked at when all is written
    await refused(journal.commit(accepted(orphan)))
    await asserted_stored(journal, "cb0")


LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


async def test_a_database_locked_by_another_process_takes_nothing_until_that_has_ended(journal: Journal) -> None:
    locker = Child(LOCKER, journal.path)
    try:
        assert locker.line() == "locked"
        assert "another program holds the database" in str(await refused(journal.commit(group(1))))
        assert "another program holds the database" in str(await refused(journal.probe()))
        await asserted_stored(journal, "cb0")
    finally:
        locker.kill()
    await journal.probe()
    await journal.commit(group(1))
    await asserted_stored(journal, "cb0", "cb1")
