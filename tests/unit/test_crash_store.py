"""The crash rig's failing store: how long it fails, and from when on an engine that dies takes with it its news."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.bench.failing_disk import locked
from tests.live.crash.plan import Fault
from tests.live.crash.store import FailingStore

LIMIT_SECONDS = 5.0


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ringback.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table noted (what text)")
        connection.commit()
    return path


def is_writable(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0.0, isolation_level=None)) as connection:
        try:
            connection.execute("insert into noted values ('here')")
        except sqlite3.OperationalError:
            return False
    return True


def until_written(store: FailingStore) -> bool:
    deadline = time.monotonic() + LIMIT_SECONDS
    while store.down_since is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    return store.down_since is None


def test_it_fails_for_its_seconds_and_asks_meanwhile(database: Path) -> None:
    asked = threading.Event()
    with FailingStore({Fault.STORE_LOCKED: locked(database)}, lambda: True) as store:
        assert not store.has_failed_since(0.0)
        before = time.time()
        store.begin(Fault.STORE_LOCKED, 0.5, asked.set)
        assert not is_writable(database)
        assert asked.wait(LIMIT_SECONDS)
        assert store.is_over_within(LIMIT_SECONDS)
        assert time.time() >= before + 0.5
        assert is_writable(database)
        assert store.has_failed_since(before)
        assert not store.has_failed_since(time.time())


def test_the_store_counts_as_down_until_the_engine_is_ready_again(database: Path) -> None:
    ready = threading.Event()
    with FailingStore({Fault.STORE_LOCKED: locked(database)}, ready.is_set) as store:
        before = time.time()
        store.begin(Fault.STORE_LOCKED, 0.0, lambda: None)
        assert store.is_over_within(LIMIT_SECONDS)
        assert store.down_since is not None
        assert before <= store.down_since <= time.time()
        ready.set()
        assert until_written(store)


def test_a_dead_engine_keeps_nothing_and_the_fault_goes_on_for_the_next(database: Path) -> None:
    with FailingStore({Fault.STORE_LOCKED: locked(database)}, lambda: False) as store:
        store.begin(Fault.STORE_LOCKED, 60.0, lambda: None)
        died_at = time.time()
        store.forget()
        assert store.down_since is not None
        assert store.down_since >= died_at
        assert not is_writable(database)
    assert is_writable(database)


def test_who_dies_after_the_fault_leaves_nothing_to_write(database: Path) -> None:
    with FailingStore({Fault.STORE_LOCKED: locked(database)}, lambda: False) as store:
        store.begin(Fault.STORE_LOCKED, 0.0, lambda: None)
        assert store.is_over_within(LIMIT_SECONDS)
        assert store.down_since is not None
        store.forget()
        assert store.down_since is None
