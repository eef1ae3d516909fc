"""The questions: filters, pages, bulk reading, and that reading never waits for the writer."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.changes import AttemptChanged, CallbackChanged, ConfigurationKept
from engine.core.records import Callback
from engine.core.terms import CallbackId, CallbackState, ServiceId
from engine.core.values import replace
from engine.errors import StoreError
from engine.store.journal import Journal
from engine.store.queries import Queries
from tests.component.store_samples import NOW, a_callback, a_full_attempt, accepted, an_open_attempt, ended, url_of

SALES = ServiceId("sales")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(url_of(tmp_path / "ringback.db")) as journal:
        yield journal


@pytest.fixture
async def queries(journal: Journal) -> AsyncIterator[Queries]:
    async with Queries(url_of(journal.path)) as queries:
        yield queries


@pytest.fixture
async def some(journal: Journal) -> list[Callback]:
    """Thirty callbacks, newest first: every third ended, every fifth of another service, pairs at the same moment."""
    states = {0: CallbackState.COMPLETED, 1: CallbackState.QUEUED, 2: CallbackState.RETRY_WAIT}
    made = [
        replace(a_callback(n, state=states[n % 3], service=SALES if n % 5 == 0 else ServiceId("billing")))
        for n in range(30)
    ]
    made = [replace(each, created_at=NOW + n // 2) for n, each in enumerate(made)]
    await journal.commit([CallbackChanged(each) for each in made])
    return sorted(made, key=lambda each: (each.created_at, each.id), reverse=True)


async def every_page(queries: Queries, limit: int, **wanted: object) -> list[Callback]:
    found: list[Callback] = []
    cursor: str | None = None
    while True:
        page = await queries.callbacks(limit=limit, cursor=cursor, **wanted)  # type: ignore[arg-type]
        assert len(page.items) <= limit
        found += page.items
        if page.next is None:
            return found
        assert len(page.items) == limit
        cursor = page.next


@pytest.mark.parametrize("limit", [1, 2, 7, 15, 30, 500])
async def test_pages_hold_everything_once_newest_first(queries: Queries, some: list[Callback], limit: int) -> None:
    assert await every_page(queries, limit) == some


async def test_filters_leave_out_what_does_not_fit(queries: Queries, some: list[Callback]) -> None:
    waiting = {CallbackState.QUEUED, CallbackState.RETRY_WAIT}
    assert await every_page(queries, 4, states=waiting) == [each for each in some if each.state in waiting]
    assert await every_page(queries, 4, states=set(CallbackState)) == some
    assert await every_page(queries, 4, states=[]) == []
    done = {CallbackState.COMPLETED}
    assert await every_page(queries, 4, states=done) == [each for each in some if each.state in done]
    assert await every_page(queries, 4, service=SALES) == [each for each in some if each.request.service == SALES]
    both = await every_page(queries, 2, service=SALES, states=waiting)
    assert both == [each for each in some if each.request.service == SALES and each.state in waiting]
    assert await every_page(queries, 4, phone="+12025550007") == [each for each in some if each.id == "cb7"]
    between = await every_page(queries, 4, created_from=NOW + 3, created_to=NOW + 6)
    assert between == [each for each in some if NOW + 3 <= each.created_at < NOW + 6]
    assert len(between) == 6


async def test_a_page_goes_on_where_it_ended_though_newer_ones_came(
    journal: Journal, queries: Queries, some: list[Callback]
) -> None:
    first = await queries.callbacks(limit=10)
    await journal.commit(accepted(a_callback(100)))
    second = await queries.callbacks(limit=10, cursor=first.next)
    assert list(first.items + second.items) == some[:20]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ä",
        "!!!!",
        encoded("[]"),
        encoded("{}"),
        encoded("[1]"),
        encoded('["1", "cb1"]'),
        encoded('[true, "cb1"]'),
        encoded("[1, 2]"),
        encoded('[NaN, "cb1"]'),
        encoded('[1e999, "cb1"]'),
        encoded(f'[{"9" * 400}, "cb1"]'),
        encoded('[1, "\\ud800"]'),
        encoded("[" * 5000),
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(queries: Queries, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await queries.callbacks(cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 501])
async def test_a_limit_out_of_bounds_is_refused(queries: Queries, limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be 1 to 500"):
        await queries.callbacks(limit=limit)


async def test_attempts_are_read_for_many_callbacks_at_once(journal: Journal, queries: Queries) -> None:
    callbacks = [a_callback(n) for n in range(1200)]
    attempts = [a_full_attempt(callback.id, n) for callback in callbacks[::2] for n in (2, 1, 3)]
    await journal.commit([*map(CallbackChanged, callbacks), *map(AttemptChanged, attempts)])
    found = await queries.attempts_of_all([callback.id for callback in callbacks])
    assert [each.n for each in found[CallbackId("cb0")]] == [1, 2, 3]
    assert found[CallbackId("cb1")] == []
    assert sum(map(len, found.values())) == len(attempts)
    assert await queries.attempts_of_all([]) == {}
    assert await queries.attempts_of(CallbackId("nobody")) == []


async def test_of_many_attempts_only_the_stored_ones_are_known_live_or_ended(
    journal: Journal, queries: Queries
) -> None:
    callbacks = [ended(a_callback(0)), a_callback(1)]
    attempts = [a_full_attempt(callbacks[0].id), an_open_attempt(callbacks[1].id)]
    await journal.commit([*(CallbackChanged(each) for each in callbacks), *(AttemptChanged(each) for each in attempts)])
    asked = ["cb0-1", *(f"cb{n}-1" for n in range(2, 1100)), "cb1-1", "cb0"]
    assert await queries.known_calls(asked) == {"cb0-1", "cb1-1"}
    assert await queries.known_calls([]) == set()


async def test_what_is_unknown_is_none(queries: Queries) -> None:
    assert await queries.callback(CallbackId("nobody")) is None
    assert await queries.moves_of(CallbackId("nobody")) == []
    assert await queries.keys() == []


async def test_reading_does_not_wait_for_a_transaction_that_writes(journal: Journal, queries: Queries) -> None:
    await journal.commit([ConfigurationKept(1, "old", NOW)])
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE configuration SET document = 'new'")
        async with asyncio.timeout(1):
            assert await queries.configuration() == (1, "old")
        writer.execute("COMMIT")
    assert await queries.configuration() == (1, "new")


async def test_many_questions_at_once_are_answered_while_the_journal_writes(journal: Journal, queries: Queries) -> None:
    async def write() -> None:
        for n in range(40):
            await journal.commit(accepted(a_callback(n)))

    async def ask() -> None:
        for _ in range(20):
            page = await queries.callbacks(limit=500)
            assert [each.id for each in page.items] == [f"cb{n}" for n in reversed(range(len(page.items)))]

    await asyncio.gather(write(), *(ask() for _ in range(8)))


async def test_a_cancelled_question_leaves_its_connection_of_use(queries: Queries, some: list[Callback]) -> None:
    for turns in range(20):
        asking = asyncio.create_task(queries.callbacks())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert await every_page(queries, 7) == some


async def test_the_connections_cannot_write(queries: Queries) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await queries._readers.all("DELETE FROM timers")
    await queries.ping()


async def test_closed_questions_are_refused(journal: Journal) -> None:
    queries = Queries(url_of(journal.path))
    await queries.ping()
    await queries.close()
    await queries.close()
    with pytest.raises(StoreError, match="closed"):
        await queries.ping()


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"phone": "+1"}, "ix_callbacks_phone"),
        ({"service": SALES, "states": [CallbackState.COMPLETED]}, "ix_callbacks_service_state"),
        ({"service": SALES}, "ix_callbacks_service "),
        ({"states": [CallbackState.QUEUED]}, "ix_callbacks_open"),
        ({"created_from": NOW}, "ix_callbacks_created_at"),
        ({}, "ix_callbacks_created_at"),
    ],
)
async def test_each_list_is_read_through_an_index(
    queries: Queries, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, object], index: str
) -> None:
    ask = queries._readers.all
    plans: list[str] = []

    async def explained(text: str, values: object = None) -> list[object]:
        plan = await ask(f"EXPLAIN QUERY PLAN {text}", values)  # type: ignore[arg-type]
        plans.extend(str(step[3]) + " " for step in plan)
        return []

    monkeypatch.setattr(queries._readers, "all", explained)
    await queries.callbacks(**wanted)  # type: ignore[arg-type]
    assert index in plans[0]
    assert not any("TEMP B-TREE" in plan for plan in plans)
