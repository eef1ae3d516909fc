"""A journal on a disk that fails as a test says; modules that need no failing disk have journals of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine.store.journal import Journal
from tests.component.faulty_disk import FaultyDisk, faulty_disk
from tests.component.store_samples import a_callback, accepted, url_of


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FaultyDisk]:
    with faulty_disk(tmp_path / "ringback.db") as disk:
        yield disk


@pytest.fixture
async def journal(tmp_path: Path, disk: FaultyDisk) -> AsyncIterator[Journal]:
    """A journal on the faulty disk, with one callback, cb0."""
    path = tmp_path / "ringback.db"
    async with await Journal.open(url_of(path), busy_timeout_seconds=0.05) as journal:
        await journal.commit(accepted(a_callback(0)))
        yield journal
