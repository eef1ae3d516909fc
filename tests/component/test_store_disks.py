"""The journal on real disks that are full, limited or read-only, and killed in the middle of a commit."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.journal import PROBE_BYTES, Journal
from tests.component.store_samples import url_of
from tests.component.store_truth import asserted_exactly, asserted_stored, group, ids, refused, started

PAGE = 4096

UNTIL_IT_FAILS = """
import asyncio, resource, sys
from engine.errors import StoreError
from engine.store.journal import Journal
from tests.component.store_samples import a_callback, accepted, url_of

async def main(path):
    async with await Journal.open(url_of(path)) as journal:
        await journal.commit(accepted(a_callback(0)))
        print("ready", flush=True)
        sys.stdin.readline()
        if len(sys.argv) > 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
        done = 1
        try:
            while True:
                await journal.commit(accepted(a_callback(done)))
                done += 1
        except StoreError as error:
            print(done, type(error).__name__, error, flush=True)
        try:
            await journal.probe()
        except StoreError as error:
            print(type(error).__name__, flush=True)
        sys.stdin.readline()
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await journal.probe()
        print("probed", len((await journal.load()).callbacks), flush=True)
        sys.stdin.readline()

asyncio.run(main(sys.argv[1]))
"""

KILLED_IN_COMMIT = """
import aiosqlite, asyncio, os, signal, sys
from pathlib import Path
from engine.store.journal import Journal
from tests.component.faulty_disk import faulty_disk
from tests.component.store_samples import a_callback, accepted, url_of

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def main(path, moment, disk):
    run = aiosqlite.Connection.execute_fetchall

    async def watched(self, sql, parameters=None):
        if sql == "COMMIT" and moment == "before COMMIT":
            die()
        done = await run(self, sql, parameters)
        if sql == "COMMIT" and moment == "after COMMIT":
            die()
        return done

    journal = await Journal.open(url_of(path))
    await journal.commit(accepted(a_callback(0)))
    aiosqlite.Connection.execute_fetchall = watched
    writes = iter(range(4))
    if moment == "in the writes":
        disk.on_write = lambda: 0 if next(writes, None) is not None else die()
    if moment == "before the sync":
        disk.on_sync = die
    await journal.commit([entry for n in (1, 2) for entry in accepted(a_callback(n))])

with faulty_disk(Path(sys.argv[1])) as disk:
    asyncio.run(main(sys.argv[1], sys.argv[2], disk))
"""


# ---- full, limited, read-only ----------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "ringback-test", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"mounting a file system is not possible here: {why.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def filled(place: Path, free: int) -> Path:
    """Fill the file system up to this many free bytes; the file that takes the room."""
    ballast = place / "ballast"
    with ballast.open("wb") as file:
        file.write(b"x" * (shutil.disk_usage(place).free - free))
    assert shutil.disk_usage(place).free == free
    return ballast


def remounted(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


async def test_on_a_full_disk_nothing_is_stored_and_a_probe_wants_more_than_a_page_of_room(small_disk: Path) -> None:
    async with await Journal.open(url_of(small_disk / "ringback.db")) as journal:
        await journal.commit(group(0))
        ballast = filled(small_disk, free=0)
        assert "free disk space" in str(await refused(journal.commit(group(*range(1, 400)))))
        assert "free disk space" in str(await refused(journal.probe()))
        assert ids(await journal.load()) == ["cb0"]

        ballast.unlink()
        filled(small_disk, free=PAGE)
        assert "free disk space" in str(await refused(journal.probe())), "a page of room is not enough to go on"
        ballast.unlink()
        filled(small_disk, free=PROBE_BYTES * 3)
        await journal.probe()
        await journal.commit(group(*range(1, 20)))
        expected = [f"cb{n}" for n in range(20)]
        ballast.unlink()
        await asserted_stored(journal, *expected)


async def test_an_engine_killed_on_a_full_disk_finds_what_was_acknowledged(small_disk: Path) -> None:
    path = small_disk / "ringback.db"
    child = started(UNTIL_IT_FAILS, path)
    try:
        ballast = filled(small_disk, free=20 * PAGE)
        child.tell("go")
        acknowledged, error = child.line().split(" ", 1)
        assert error.startswith("StoreError"), error
    finally:
        child.kill()
    ballast.unlink()
    await asserted_exactly(path, [f"cb{n}" for n in range(int(acknowledged))])


async def test_a_file_system_made_read_only_refuses_the_journal_and_keeps_what_it_has(small_disk: Path) -> None:
    url = url_of(small_disk / "ringback.db")
    async with await Journal.open(url) as journal:
        await journal.commit(group(0))
    remounted(small_disk, "ro")
    assert "folder this user may write to" in str(await refused(Journal.open(url)))
    remounted(small_disk, "rw")
    async with await Journal.open(url) as journal:
        await journal.commit(group(1))
        assert ids(await journal.load()) == ["cb0", "cb1"]


async def test_a_limit_of_the_file_size_is_told_and_lifting_it_lets_the_journal_go_on(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    child = started(UNTIL_IT_FAILS, path, 64 * PAGE)
    try:
        child.tell("go")
        acknowledged, error = child.line().split(" ", 1)
        assert error.startswith("StoreError"), error
        assert child.line() == "StoreError", "a probe found room where there is none"
        child.tell("lift it")
        assert child.line() == f"probed {acknowledged}"
    finally:
        child.kill()
    await asserted_exactly(path, [f"cb{n}" for n in range(int(acknowledged))])


# ---- killed ----------------------------------------------------------------------------------------------


def killed_in_commit(path: Path, moment: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_IN_COMMIT, str(path), moment], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL, f"not killed {moment}: {ended.stdout}{ended.stderr}"


@pytest.mark.parametrize(
    ("moment", "stored"),
    [
        ("before COMMIT", ["cb0"]),
        ("in the writes", ["cb0"]),
        ("before the sync", ["cb0", "cb1", "cb2"]),  # nobody was told yes; a whole group may be there
        ("after COMMIT", ["cb0", "cb1", "cb2"]),
    ],
)
async def test_an_engine_killed_in_a_commit_leaves_the_whole_group_or_nothing(
    tmp_path: Path, moment: str, stored: list[str]
) -> None:
    path = tmp_path / "ringback.db"
    killed_in_commit(path, moment)
    await asserted_exactly(path, stored)


async def test_what_a_killed_engine_left_in_the_log_is_in_the_database_itself_once_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    killed_in_commit(path, "before the sync")
    async with await Journal.open(url_of(path)):
        alone = tmp_path / "alone.db"
        shutil.copy(path, alone)
        with closing(sqlite3.connect(alone)) as connection:
            found = [row[0] for row in connection.execute("SELECT id FROM callbacks ORDER BY id")]
    assert found == ["cb0", "cb1", "cb2"]
