"""A disk that does not answer: a commit waits for it, the end of the process does not."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from engine.errors import StoreError
from engine.store.journal import Journal
from engine.store.readers import Readers
from tests.component.faulty_disk import FaultyDisk
from tests.component.store_samples import url_of
from tests.component.store_truth import Child, as_after_a_crash, asserted_stored, group, ids, refused

FROZEN = """
import asyncio, signal, sys, threading
from pathlib import Path
from engine.errors import StoreError
from engine.store.journal import Journal
from tests.component.faulty_disk import faulty_disk
from tests.component.store_samples import a_callback, accepted, url_of

async def main(path, disk):
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    async with await Journal.open(url_of(path), patience_seconds=0.1) as journal:
        await journal.commit(accepted(a_callback(0)))

        def freeze():
            print("frozen", flush=True)
            threading.Event().wait()

        disk.on_sync = freeze
        await journal.commit(accepted(a_callback(1)))

with faulty_disk(Path(sys.argv[1])) as disk:
    try:
        asyncio.run(main(sys.argv[1], disk))
    except StoreError as error:
        print(error, flush=True)
"""


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
async def test_a_frozen_disk_does_not_keep_the_process_and_leaves_the_whole_group_or_nothing(
    tmp_path: Path, stop: signal.Signals
) -> None:
    path = tmp_path / "ringback.db"
    child = Child(FROZEN, path)
    try:
        assert child.line() == "frozen"
        child.process.send_signal(stop)
        child.process.wait(timeout=30)
        said = child.line()
    finally:
        child.kill()
    assert ("the disk does not answer" in said) is (stop is signal.SIGTERM), said
    async with await Journal.open(url_of(path)) as journal:
        found = ids(await journal.load())
        assert found in (["cb0"], ["cb0", "cb1"])
        assert await as_after_a_crash(journal) == found


IMPATIENT_SECONDS = 0.05


class Ice:
    """Freezes whoever calls `wait` until it is thawed."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._thawed = threading.Event()

    def wait(self) -> int:
        self.reached.set()
        self._thawed.wait()
        return 0

    def thaw(self) -> None:
        self._thawed.set()


async def frozen_commit(journal: Journal, disk: FaultyDisk) -> tuple[Ice, asyncio.Task[None]]:
    """The commit of cb1, which hangs in the disk until it is thawed."""
    ice = Ice()
    disk.on_sync = ice.wait
    committing = asyncio.create_task(journal.commit(group(1)))
    assert await asyncio.to_thread(ice.reached.wait, 10), "the commit did not come to the disk"
    return ice, committing


async def test_a_commit_waits_for_a_disk_that_answers_again(journal: Journal, disk: FaultyDisk) -> None:
    ice, committing = await frozen_commit(journal, disk)
    loading = asyncio.create_task(journal.load())
    await asyncio.sleep(0)
    assert not committing.done()
    ice.thaw()
    await committing
    assert ids(await loading) == ["cb0", "cb1"]


async def test_a_commit_given_up_with_its_asker_takes_nothing_more_and_keeps_other_engines_out(
    journal: Journal, disk: FaultyDisk
) -> None:
    journal._patience_seconds = IMPATIENT_SECONDS
    ice, committing = await frozen_commit(journal, disk)
    try:
        committing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await committing
        for use in (journal.commit(group(2)), journal.load(), journal.probe(), journal.close()):
            assert "the disk does not answer" in str(await refused(use))
        assert "in use by the process" in str(await refused(Journal.open(url_of(journal.path))))
    finally:
        ice.thaw()
        await let_go(journal)
    async with await Journal.open(url_of(journal.path)) as found:
        assert ids(await found.load()) == ["cb0", "cb1"], "what hung was written in the end"


async def test_a_close_that_meets_a_frozen_commit_gives_up_and_says_so(journal: Journal, disk: FaultyDisk) -> None:
    journal._patience_seconds = IMPATIENT_SECONDS
    ice, committing = await frozen_commit(journal, disk)
    try:
        assert "the disk does not answer" in str(await refused(journal.close()))
        assert not committing.done()
    finally:
        ice.thaw()
        await committing
        await let_go(journal)


async def test_a_close_that_hangs_itself_keeps_other_engines_out(journal: Journal, disk: FaultyDisk) -> None:
    ice = Ice()
    connection = journal._connection
    journal._patience_seconds = IMPATIENT_SECONDS
    disk.on_sync = ice.wait
    try:
        assert "the disk does not answer" in str(await refused(journal.close()))
        assert ice.reached.is_set()
        assert "in use by the process" in str(await refused(Journal.open(url_of(journal.path))))
        assert "closed" in str(await refused(journal.commit(group(1))))
    finally:
        ice.thaw()
        journal._connection = connection
        await let_go(journal)


async def let_go(journal: Journal) -> None:
    """What the end of the process would do for a journal that was given up."""
    if journal._connection is not None:
        await journal._connection.close()
        journal._connection = None
    journal._lock.release()
    journal._hangs = False
    journal._closed = True


async def test_readers_whose_question_hangs_are_given_up(journal: Journal) -> None:
    ice = Ice()
    readers = Readers(journal.path, 2, patience_seconds=IMPATIENT_SECONDS)
    await readers.all("SELECT 1")
    (connection,) = readers._idle
    await connection.create_function("hang", 0, ice.wait)
    asking = asyncio.create_task(readers.all("SELECT hang()"))
    try:
        await asyncio.to_thread(ice.reached.wait)
        assert "the disk does not answer" in str(await refused(asking))
        assert "the disk does not answer" in str(await refused(readers.close()))
    finally:
        ice.thaw()
        with suppress(StoreError):
            await readers.close()


async def test_a_use_that_is_cancelled_before_its_turn_leaves_nothing_behind(
    journal: Journal, disk: FaultyDisk
) -> None:
    ice, committing = await frozen_commit(journal, disk)
    waiting = asyncio.create_task(journal.commit(group(2)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    ice.thaw()
    await committing
    await asserted_stored(journal, "cb0", "cb1")
