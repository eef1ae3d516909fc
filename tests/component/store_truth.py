"""What is stored now, and what would be after a crash: the questions that every test of a failing store asks.

`as_after_a_crash` looks at a copy of the database and its log without the shared index: what the next engine would find
if this process were killed at this moment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Awaitable
from itertools import count
from pathlib import Path

import pytest

from engine.core.terms import CallbackId
from engine.errors import StoreError
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.records import Entry, StoredState
from engine.store.upkeep import check
from tests.component.store_samples import a_callback, accepted, url_of


def group(*numbers: int) -> list[Entry]:
    return [entry for n in numbers for entry in accepted(a_callback(n))]


def ids(state: StoredState) -> list[str]:
    assert {timer.owner for timer in state.timers} == {each.id for each in state.callbacks}, "half a group is stored"
    return sorted(each.id for each in state.callbacks)


_copies = count()


async def as_after_a_crash(journal: Journal) -> list[str]:
    folder = journal.path.parent / f"crash-{next(_copies)}"
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{journal.path}{suffix}", folder / f"ringback.db{suffix}")
    async with await Journal.open(url_of(folder / "ringback.db")) as found:
        state = await found.load()
    assert check(folder / "ringback.db") == []
    return ids(state)


async def read_by(queries: Queries, *callbacks: str) -> set[str]:
    """Those of these callbacks that a reader finds."""
    return {each for each in callbacks if await queries.callback(CallbackId(each)) is not None}


async def asserted_stored(journal: Journal, *expected: str) -> None:
    """The journal, a reader and the next engine after a crash all find these callbacks and no others."""
    assert ids(await journal.load()) == sorted(expected)
    async with Queries(url_of(journal.path)) as queries:
        assert await read_by(queries, *(f"cb{n}" for n in range(30))) == set(expected)
    assert await as_after_a_crash(journal) == sorted(expected)


async def refused(work: Awaitable[object]) -> StoreError:
    """The error of work that must fail, and not with an unknown end."""
    with pytest.raises(StoreError) as error:
        await work
    assert type(error.value) is StoreError, f"told as unknown: {error.value}"
    return error.value


async def asserted_exactly(path: Path, expected: list[str]) -> None:
    """The next engine finds these callbacks, whole, writes on, and so does the one after it."""
    async with await Journal.open(url_of(path)) as journal:
        assert ids(await journal.load()) == sorted(expected)
        await journal.probe()
        await journal.commit(group(999))
        await asserted_stored_ids(journal, [*expected, "cb999"])
    assert check(path) == []


async def asserted_stored_ids(journal: Journal, expected: list[str]) -> None:
    assert ids(await journal.load()) == sorted(expected) == await as_after_a_crash(journal)


class Child:
    """A program of ours that is told what to do line by line."""

    def __init__(self, program: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def kill(self) -> str:
        """Kill it without warning; what it had still said."""
        self.process.kill()
        said, _ = self.process.communicate(timeout=20)
        return said


def started(program: str, *arguments: object) -> Child:
    child = Child(program, *arguments)
    said = child.line()
    if said != "ready":
        child.kill()
        pytest.fail(f"the program did not become ready: {said!r}")
    return child
