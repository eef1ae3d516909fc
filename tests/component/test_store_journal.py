"""The journal on a real file: what was written comes back, a group is one, the database refuses the impossible."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from engine.core.changes import (
    AgentChanged,
    AgentMoved,
    AttemptChanged,
    CallbackChanged,
    CallbackMoved,
    ConfigurationKept,
    IdempotencyKept,
    TimerCleared,
    TimerSet,
)
from engine.core.events import IdempotencyKey
from engine.core.records import AgentStatus, Callback, Timer, Work
from engine.core.terms import (
    AgentId,
    CallbackId,
    CallbackState,
    Media,
    Outcome,
    Presence,
    Reason,
    RequestChannel,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.values import replace
from engine.errors import StoreError
from engine.store.journal import SWEEP_ROWS, Journal
from engine.store.queries import Queries
from engine.store.records import ApiKey, KeyKept, KeyKind, KeyRevoked, KeyRole, NodeSeen
from tests.component.store_samples import (
    BILLING,
    NOW,
    a_callback,
    a_full_attempt,
    a_full_callback,
    accepted,
    an_open_attempt,
    ended,
    url_of,
)

DAY = 24 * 3600.0


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def journal(tmp_path: Path, clock: Clock) -> AsyncIterator[Journal]:
    async with await Journal.open(url_of(tmp_path / "ringback.db"), clock=clock) as journal:
        yield journal


@pytest.fixture
async def queries(journal: Journal) -> AsyncIterator[Queries]:
    async with Queries(url_of(journal.path)) as queries:
        yield queries


async def counted(journal: Journal, table: str) -> int:
    assert journal._connection is not None
    ((count,),) = await journal._connection.execute_fetchall(f"SELECT count(*) FROM {table}")  # noqa: S608
    return int(count)


# ---- what was written comes back -------------------------------------------------------------------------


def test_the_full_samples_leave_no_field_at_its_default() -> None:
    for value in (a_full_callback(), a_full_callback().request, a_full_attempt(CallbackId("x"))):
        for each in fields(type(value)):
            default = each.default if each.default_factory is NODEFAULT else each.default_factory()
            assert getattr(value, each.name) != default, f"{type(value).__name__}.{each.name}"


async def test_a_new_journal_is_empty(journal: Journal) -> None:
    state = await journal.load()
    assert (state.version, state.document) == (0, None)
    assert not (state.callbacks or state.attempts or state.agents or state.timers or state.nodes)


async def test_every_field_of_a_callback_and_its_attempts_comes_back(journal: Journal, queries: Queries) -> None:
    full = a_full_callback()
    past, live = a_full_attempt(full.id, 1), replace(a_full_attempt(full.id, 2), ended_at=None, outcome=None)
    await journal.commit([*accepted(a_callback(1)), CallbackChanged(full), AttemptChanged(past), AttemptChanged(live)])
    assert await queries.callback(full.id) == full
    assert await queries.attempts_of(full.id) == [past, live]
    state = await journal.load()
    assert state.callbacks == (full, a_callback(1))
    assert state.attempts == (live,)


async def test_empty_fields_come_back_as_none(journal: Journal, queries: Queries) -> None:
    callback, attempt = a_callback(1), an_open_attempt(CallbackId("cb1"))
    await journal.commit([CallbackChanged(callback), AttemptChanged(attempt)])
    assert await queries.callback(callback.id) == callback
    assert await queries.attempts_of(callback.id) == [attempt]


@pytest.mark.parametrize("state", CallbackState)
async def test_each_state_comes_back_and_only_open_ones_are_loaded(
    journal: Journal, queries: Queries, state: CallbackState
) -> None:
    callback = a_callback(1, state=state)
    await journal.commit([CallbackChanged(callback), CallbackMoved(callback.id, state, state, "tried", NOW)])
    assert await queries.callback(callback.id) == callback
    assert await queries.moves_of(callback.id) == [CallbackMoved(callback.id, state, state, "tried", NOW)]
    assert (await journal.load()).callbacks == (() if state.ended else (callback,))


async def test_each_reason_channel_and_outcome_comes_back(journal: Journal, queries: Queries) -> None:
    callbacks = [
        replace(a_callback(n, state=CallbackState.CANCELLED), reason=reason, outcomes=(outcome,))
        for n, (reason, outcome) in enumerate((r, o) for r in Reason for o in Outcome)
    ]
    by_channel = [
        replace(a_callback(5000 + n), request=replace(a_callback(5000 + n).request, channel=channel))
        for n, channel in enumerate(RequestChannel)
    ]
    attempts = [
        replace(a_full_attempt(callback.id), outcome=outcome)
        for callback, outcome in zip(callbacks, Outcome, strict=False)
    ]
    await journal.commit([CallbackChanged(each) for each in callbacks + by_channel])
    await journal.commit([AttemptChanged(each) for each in attempts])
    for callback in callbacks + by_channel:
        assert await queries.callback(callback.id) == callback
    for attempt in attempts:
        assert await queries.attempts_of(attempt.callback) == [attempt]


CHAT = Work(WorkId("in1"), BILLING, Stage.ACTIVE, None, Media("chat"))


async def test_agents_come_back_with_their_work(journal: Journal, queries: Queries) -> None:
    statuses = [
        AgentStatus(AgentId(f"{presence}-{stage}"), presence, reason, works, NOW)
        for presence in Presence
        for reason in (None, "Mittag 🥨")
        for stage in (None, *Stage)
        for works in [() if stage is None else (Work(WorkId("cb1-1"), BILLING, stage, CallbackId("cb1")), CHAT)]
        if (reason is None) is (presence is not Presence.NOT_READY)
    ]
    moved = AgentMoved(AgentId("amy"), "ready", "not_ready", None, "asked", NOW)
    await journal.commit([*(AgentChanged(each) for each in statuses), moved])
    assert sorted((await journal.load()).agents, key=lambda each: each.id) == sorted(statuses, key=lambda each: each.id)
    assert sorted(await queries.agents(), key=lambda each: each.id) == sorted(statuses, key=lambda each: each.id)
    assert await counted(journal, "agent_moves") == 1


async def test_the_newest_configuration_is_in_force(journal: Journal, queries: Queries) -> None:
    assert await queries.configuration() == (0, None)
    await journal.commit([ConfigurationKept(1, "services: []", NOW)])
    await journal.commit([ConfigurationKept(2, "services: [ä]\n", NOW), ConfigurationKept(3, "agents: []", NOW)])
    state = await journal.load()
    assert (state.version, state.document) == (3, "agents: []") == await queries.configuration()


async def test_keys_are_kept_and_revoked_for_good(journal: Journal, queries: Queries) -> None:
    key = ApiKey("k1", "Web shop", KeyRole.PUBLIC, KeyKind.WEB, "s1", NOW, ("https://a.example", "https://b.example"))
    agent = ApiKey("k2", "Amy", KeyRole.AGENT, KeyKind.SECRET, "s2", NOW + 1, subject="amy")
    await journal.commit([KeyKept(key), KeyKept(agent)])
    assert await queries.keys() == [key, agent]
    await journal.commit([KeyRevoked("k1", NOW + 5), KeyRevoked("unknown", NOW)])
    await journal.commit([KeyRevoked("k1", NOW + 9)])
    await journal.commit([KeyKept(dataclasses.replace(key, name="Shop"))])
    assert await queries.keys() == [dataclasses.replace(key, name="Shop", revoked_at=NOW + 5), agent]


async def test_each_node_comes_back_with_the_startup_time_it_told_last(journal: Journal) -> None:
    await journal.commit([NodeSeen("one", "2026-11-22T20:00:00.000+0000"), NodeSeen("two", "2026-11-22T20:00:01Z")])
    await journal.commit([NodeSeen("one", "2026-11-22T21:00:00.000+0000"), NodeSeen("one", "2026-11-22T22:00:00Z")])
    assert (await journal.load()).nodes == {"one": "2026-11-22T22:00:00Z", "two": "2026-11-22T20:00:01Z"}


async def test_what_was_committed_is_there_after_a_new_start(tmp_path: Path) -> None:
    url = url_of(tmp_path / "ringback.db")
    async with await Journal.open(url) as journal:
        await journal.commit(accepted(a_callback(1)))
        before = await journal.load()
    async with await Journal.open(url) as journal:
        assert await journal.load() == before


# ---- a group is one --------------------------------------------------------------------------------------


async def test_several_changes_of_one_row_store_the_last_and_every_move(journal: Journal, queries: Queries) -> None:
    first = a_callback(1)
    reserved = replace(first, state=CallbackState.RESERVED)
    moved = CallbackMoved(first.id, CallbackState.QUEUED, CallbackState.RESERVED, "agent_reserved", NOW)
    await journal.commit(
        [
            *accepted(first),
            CallbackChanged(reserved),
            moved,
            TimerSet(Timer("cb1", "retry", 1.0)),
            TimerCleared("cb1", "retry"),
            TimerCleared("cb1", "life"),
            TimerSet(Timer("cb1", "life", 7.5)),
        ]
    )
    state = await journal.load()
    assert state.callbacks == (reserved,)
    assert state.timers == (Timer("cb1", "life", 7.5),)
    assert [each.because for each in await queries.moves_of(first.id)] == ["accepted", "agent_reserved"]


async def test_one_group_may_end_a_callback_and_accept_the_next_of_the_number(journal: Journal) -> None:
    first = a_callback(1)
    again = replace(first, id=CallbackId("again"), parent_id=first.id)
    await journal.commit(
        [CallbackChanged(first), CallbackChanged(ended(first)), CallbackChanged(again), CallbackChanged(again)]
    )
    assert (await journal.load()).callbacks == (again,)


def numbered(callback: Callback, phone: str) -> Callback:
    return replace(callback, request=replace(callback.request, phone=phone))


async def test_one_group_may_give_a_number_to_a_callback_that_changed_before_the_number_was_free(
    journal: Journal,
) -> None:
    one, two = a_callback(1), a_callback(2)
    await journal.commit([*accepted(one), *accepted(two)])
    heir = replace(numbered(two, one.request.phone), priority=3)
    await journal.commit(
        [CallbackChanged(replace(two, priority=3)), CallbackChanged(ended(one)), CallbackChanged(heir)]
    )
    assert (await journal.load()).callbacks == (heir,)


async def test_in_one_group_two_callbacks_may_change_numbers(journal: Journal) -> None:
    one, two = a_callback(1), a_callback(2)
    await journal.commit([*accepted(one), *accepted(two)])
    changed = [
        numbered(one, "+12025559999"),
        numbered(two, one.request.phone),
        numbered(one, two.request.phone),
        replace(numbered(two, one.request.phone), priority=3),
    ]
    await journal.commit([CallbackChanged(each) for each in changed])
    assert (await journal.load()).callbacks == tuple(changed[2:])


async def test_one_group_may_end_an_attempt_and_start_the_next(journal: Journal) -> None:
    one, two = an_open_attempt(CallbackId("cb1"), 1), an_open_attempt(CallbackId("cb1"), 2)
    await journal.commit([*accepted(a_callback(1)), AttemptChanged(one)])
    over = replace(one, ended_at=NOW + 5, outcome=Outcome.BUSY)
    await journal.commit([AttemptChanged(one), AttemptChanged(over), AttemptChanged(two)])
    assert (await journal.load()).attempts == (two,)


async def test_an_empty_group_is_nothing(journal: Journal) -> None:
    await journal.commit([])


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(AttemptChanged(an_open_attempt(CallbackId("cb1"), 2)), id="second open attempt"),
        pytest.param(AttemptChanged(a_full_attempt(CallbackId("nobody"))), id="attempt without callback"),
        pytest.param(CallbackMoved(CallbackId("nobody"), None, CallbackState.QUEUED, "x", NOW), id="move of nobody"),
        pytest.param(
            CallbackChanged(replace(a_callback(1), id=CallbackId("other"))), id="second open callback of the number"
        ),
        pytest.param(
            CallbackChanged(replace(a_callback(9), parent_id=CallbackId("nobody"))), id="child without a parent"
        ),
        pytest.param(ConfigurationKept(1, "again", NOW), id="configuration version twice"),
        pytest.param(CallbackChanged(replace(a_callback(9), token_hash="\ud800")), id="text that is no Unicode"),
        pytest.param(CallbackChanged(replace(a_callback(9), priority=2**70)), id="number too large"),
        pytest.param(TimerSet(Timer("cb1", "life", float("nan"))), id="time that is no number"),
    ],
)
async def test_what_the_database_refuses_takes_its_whole_group_along(journal: Journal, bad: object) -> None:
    before = [
        *accepted(a_callback(1)),
        AttemptChanged(an_open_attempt(CallbackId("cb1"))),
        ConfigurationKept(1, "", NOW),
    ]
    await journal.commit(before)
    stored = await journal.load()
    with pytest.raises(StoreError) as refused:
        await journal.commit([*accepted(a_callback(2)), bad, *accepted(a_callback(3))])  # type: ignore[list-item]
    assert "+1202555" not in str(refused.value)
    assert await journal.load() == stored
    assert await counted(journal, "callback_moves") == 1
    await journal.commit(accepted(a_callback(2)))
    assert len((await journal.load()).callbacks) == 2


async def test_the_same_number_may_wait_for_another_service(journal: Journal) -> None:
    one = a_callback(1)
    two = replace(one, id=CallbackId("two"), request=replace(one.request, service=ServiceId("sales")))
    await journal.commit([CallbackChanged(one), CallbackChanged(two)])
    assert len((await journal.load()).callbacks) == 2


async def test_commits_at_the_same_time_follow_one_another(journal: Journal) -> None:
    await asyncio.gather(*(journal.commit(accepted(a_callback(n))) for n in range(50)))
    assert len((await journal.load()).callbacks) == 50


@pytest.mark.parametrize("turns", range(25))
async def test_a_cancelled_commit_is_whole_or_absent_and_the_next_one_works(journal: Journal, turns: int) -> None:
    committing = asyncio.create_task(journal.commit([*accepted(a_callback(1)), *accepted(a_callback(2))]))
    for _ in range(turns):
        await asyncio.sleep(0)
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert journal._connection is not None
    assert not journal._connection.in_transaction
    assert await counted(journal, "callbacks") in (0, 2)
    assert await counted(journal, "timers") == await counted(journal, "callbacks")
    await journal.commit(accepted(a_callback(3)))
    assert await counted(journal, "callbacks") in (1, 3)


async def test_a_commit_that_has_begun_is_stored_though_it_is_cancelled(journal: Journal) -> None:
    assert journal._connection is not None
    committing = asyncio.create_task(journal.commit([*accepted(a_callback(1)), *accepted(a_callback(2))]))
    while not journal._connection.in_transaction:  # noqa: ASYNC110 - SQLite has no event to wait for
        await asyncio.sleep(0)
    for _ in range(3):
        committing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert await counted(journal, "callbacks") == 2


async def test_a_commit_cancelled_twice_and_failing_still_ends_as_cancelled(journal: Journal) -> None:
    committing = asyncio.create_task(
        journal.commit([CallbackMoved(CallbackId("x"), None, CallbackState.QUEUED, "", 0)])
    )
    await asyncio.sleep(0)
    committing.cancel()
    await asyncio.sleep(0)
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing


async def test_a_closed_journal_refuses(tmp_path: Path) -> None:
    journal = await Journal.open(url_of(tmp_path / "ringback.db"))
    await journal.close()
    await journal.close()
    with pytest.raises(StoreError, match="closed"):
        await journal.commit(accepted(a_callback(1)))
    with pytest.raises(StoreError, match="closed"):
        await journal.load()


# ---- kept answers ----------------------------------------------------------------------------------------


async def test_a_kept_answer_stays_for_a_day_and_the_first_one_wins(journal: Journal, queries: Queries) -> None:
    def kept(answer: str, at: float) -> IdempotencyKept:
        return IdempotencyKept(IdempotencyKey("k", f"body of {answer}", answer), CallbackId(answer), at)

    await journal.commit([kept("first", NOW), kept("second", NOW + 1)])
    await journal.commit([kept("third", NOW + DAY - 1)])
    found = await queries.idempotency("k", now=NOW + DAY - 1)
    assert found is not None
    assert (found.body_hash, found.answer, found.callback, found.at) == ("body of first", "first", "first", NOW)
    assert await queries.idempotency("k", now=NOW + DAY) is None
    assert await queries.idempotency("other", now=NOW) is None
    await journal.commit([kept("fourth", NOW + DAY)])
    found = await queries.idempotency("k", now=NOW + DAY)
    assert found is not None
    assert found.answer == "fourth"


async def test_answers_that_are_over_are_swept_now_and_then_and_a_bounded_number(
    journal: Journal, clock: Clock
) -> None:
    answers = [
        IdempotencyKept(IdempotencyKey(f"k{n}", "b", "a"), CallbackId(f"cb{n}"), NOW) for n in range(SWEEP_ROWS + 20)
    ]
    await journal.commit(answers)
    clock.now = NOW + DAY
    await journal.commit([TimerSet(Timer("a", "b", 1))])
    assert await counted(journal, "idempotency") == 20
    await journal.commit([TimerSet(Timer("a", "b", 2))])
    assert await counted(journal, "idempotency") == 20, "the next sweep is some seconds later"
    clock.now += 6
    await journal.commit([TimerSet(Timer("a", "b", 3))])
    assert await counted(journal, "idempotency") == 0


# ---- what is said ----------------------------------------------------------------------------------------


async def test_no_value_reaches_the_log_even_when_everything_is_logged(
    journal: Journal, queries: Queries, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await journal.commit(accepted(a_callback(1)))
        await queries.callbacks(phone="+12025550001")
    assert "+1202555" not in caplog.text


async def test_the_files_are_for_this_user_only(journal: Journal) -> None:
    await journal.commit(accepted(a_callback(1)))
    files = list(journal.path.parent.iterdir())
    assert len(files) == 4
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
