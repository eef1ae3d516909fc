"""Suppressions, pauses, capacities of slots, work from outside and classifications on a real file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from engine.core.changes import (
    AgentChanged,
    AttemptChanged,
    CallbackChanged,
    CallClassified,
    Change,
    HandleTimeKept,
    InboundChanged,
    InboundClassified,
    InteractionChanged,
    ServicePaused,
    ServiceResumed,
    SlotCapacitySet,
    SuppressionKept,
    SuppressionRemoved,
)
from engine.core.records import AgentStatus, Classification, InboundCall, Interaction, Suppression, Work
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    DispositionId,
    InteractionId,
    InteractionState,
    LegId,
    Media,
    Presence,
    Reason,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.values import replace
from engine.errors import StoreError
from engine.store.journal import Journal
from engine.store.queries import Queries
from tests.component.store_samples import BILLING, NOW, a_callback, a_full_attempt, accepted, ended, url_of

SALES = ServiceId("sales")
PHONE, OTHER = "+12025550113", "+4915112345678"
BY_KEY = Suppression(PHONE, Reason.NEVER_AGAIN, NOW)
BY_STAFF = Suppression(OTHER, Reason.BY_ADMIN, NOW + 0.5, "asked by letter; 'no' 🦊")
FULL = Interaction(
    id=InteractionId("in1"),
    media=Media("chat"),
    service=BILLING,
    state=InteractionState.ACTIVE,
    created_at=NOW,
    priority=-3,
    context={"ключ": '値\n"quoted"', "empty": ""},
    agent=AgentId("amy"),
    offered_at=NOW + 1,
    accepted_at=NOW + 2,
    ended_at=NOW + 3,
    excluded=(AgentId("ben"), AgentId("cora")),
)
SAID = Classification(DispositionId("sold"), DispositionId("paid"), "two lines\nand 'quotes' 🦊")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(url_of(tmp_path / "ringback.db"), clock=lambda: NOW) as journal:
        yield journal


@pytest.fixture
async def queries(journal: Journal) -> AsyncIterator[Queries]:
    async with Queries(url_of(journal.path)) as queries:
        yield queries


def an_interaction(n: int, state: InteractionState = InteractionState.QUEUED) -> Interaction:
    at = NOW + n
    return Interaction(
        InteractionId(f"in{n:02}"), Media("email"), BILLING, state, at, ended_at=at + 1 if state.ended else None
    )


def test_the_full_samples_leave_no_field_at_its_default() -> None:
    for value in (FULL, SAID, BY_STAFF):
        for each in fields(type(value)):
            default = each.default if each.default_factory is NODEFAULT else each.default_factory()
            assert getattr(value, each.name) != default, f"{type(value).__name__}.{each.name}"


# ---- numbers that are never called ------------------------------------------------------------------------


async def test_suppressions_come_back_and_go(journal: Journal) -> None:
    await journal.commit([SuppressionKept(BY_KEY), SuppressionKept(BY_STAFF)])
    assert (await journal.load()).suppressions == (BY_KEY, BY_STAFF)
    noted = replace(BY_KEY, note="said so twice")
    await journal.commit([SuppressionKept(noted), SuppressionRemoved(OTHER), SuppressionRemoved("+1")])
    assert (await journal.load()).suppressions == (noted,)


@pytest.mark.parametrize(
    ("group", "left"),
    [
        ([SuppressionKept(BY_KEY), SuppressionRemoved(PHONE)], ()),
        ([SuppressionKept(BY_KEY), SuppressionRemoved(PHONE), SuppressionKept(BY_KEY)], (BY_KEY,)),
        ([SuppressionRemoved(PHONE), SuppressionKept(replace(BY_KEY, note="again"))], (replace(BY_KEY, note="again"),)),
        ([SuppressionKept(BY_KEY), SuppressionKept(replace(BY_KEY, note="b"))], (replace(BY_KEY, note="b"),)),
    ],
)
@pytest.mark.parametrize("stood_before", [True, False])
async def test_of_several_changes_of_one_number_the_last_counts(
    journal: Journal, group: list[Change], left: tuple[Suppression, ...], *, stood_before: bool
) -> None:
    if stood_before:
        await journal.commit([SuppressionKept(replace(BY_KEY, note="before"))])
    await journal.commit(group)
    assert (await journal.load()).suppressions == left


# ---- pauses and slots -------------------------------------------------------------------------------------


async def test_paused_services_come_back_and_are_resumed(journal: Journal) -> None:
    await journal.commit([ServicePaused(SALES, NOW), ServicePaused(BILLING, NOW)])
    assert (await journal.load()).paused == (BILLING, SALES)
    await journal.commit([ServiceResumed(BILLING), ServiceResumed(ServiceId("unknown"))])
    assert (await journal.load()).paused == (SALES,)


async def test_of_several_pauses_and_resumes_in_one_group_the_last_counts(journal: Journal) -> None:
    await journal.commit(
        [
            ServicePaused(SALES, NOW),
            ServicePaused(BILLING, NOW),
            ServiceResumed(SALES),
            ServiceResumed(BILLING),
            ServicePaused(BILLING, NOW + 1),
        ]
    )
    assert (await journal.load()).paused == (BILLING,)
    await journal.commit([ServicePaused(BILLING, NOW + 2), ServiceResumed(BILLING)])
    assert (await journal.load()).paused == ()


async def test_capacities_of_slots_come_back_by_service_and_time_also_long_after(journal: Journal) -> None:
    long_ago, soon, other = NOW - 30 * 86400.0, NOW + 1800.5, NOW + 3600
    kept = [
        SlotCapacitySet(BILLING, long_ago, 5),
        SlotCapacitySet(BILLING, soon, 0),
        SlotCapacitySet(BILLING, other, 7),
        SlotCapacitySet(SALES, soon, 3),
    ]
    await journal.commit([*reversed(kept)])
    assert (await journal.load()).slot_capacities == tuple(kept)


async def test_of_several_capacities_of_one_slot_the_last_counts_and_none_means_the_services_own(
    journal: Journal,
) -> None:
    at = NOW + 1800
    await journal.commit([SlotCapacitySet(BILLING, at, 1), SlotCapacitySet(SALES, at, 2)])
    await journal.commit([SlotCapacitySet(BILLING, at, 5), SlotCapacitySet(BILLING, at, None)])
    assert (await journal.load()).slot_capacities == (SlotCapacitySet(SALES, at, 2),)
    await journal.commit([SlotCapacitySet(BILLING, at, None), SlotCapacitySet(BILLING, at, 6)])
    assert SlotCapacitySet(BILLING, at, 6) in (await journal.load()).slot_capacities


# ---- work from outside --------------------------------------------------------------------------------------


async def test_every_field_of_an_interaction_comes_back(journal: Journal, queries: Queries) -> None:
    await journal.commit([InteractionChanged(FULL), InteractionChanged(an_interaction(7))])
    assert await queries.interaction(FULL.id) == FULL
    assert await queries.interaction(InteractionId("in07")) == an_interaction(7)
    assert await queries.interaction(InteractionId("nothing")) is None


@pytest.mark.parametrize("state", InteractionState)
async def test_each_state_comes_back_and_only_open_ones_are_loaded(
    journal: Journal, queries: Queries, state: InteractionState
) -> None:
    interaction = an_interaction(1, state)
    await journal.commit([InteractionChanged(interaction)])
    assert await queries.interaction(interaction.id) == interaction
    assert (await journal.load()).interactions == (() if state.ended else (interaction,))


async def test_one_group_may_begin_and_end_an_interaction(journal: Journal, queries: Queries) -> None:
    steps = [replace(an_interaction(1), state=each) for each in InteractionState]
    last = replace(steps[-1], ended_at=NOW + 9)
    await journal.commit([*map(InteractionChanged, steps), InteractionChanged(last)])
    assert await queries.interaction(last.id) == last
    assert (await journal.load()).interactions == ()


async def test_interactions_are_listed_newest_first_page_by_page(journal: Journal, queries: Queries) -> None:
    states = list(InteractionState)
    made = [replace(an_interaction(n, states[n % 5]), service=SALES if n % 3 == 0 else BILLING) for n in range(20)]
    await journal.commit([InteractionChanged(each) for each in made])
    newest = made[::-1]
    first = await queries.interactions(limit=15)
    second = await queries.interactions(limit=15, cursor=first.next)
    assert [*first.items, *second.items] == newest
    assert second.next is None
    is_open = [each for each in InteractionState if not each.ended]
    found = await queries.interactions(states=is_open, service=SALES)
    assert list(found.items) == [each for each in newest if each.service == SALES and not each.state.ended]
    done = await queries.interactions(states=[InteractionState.COMPLETED])
    assert list(done.items) == [each for each in newest if each.state is InteractionState.COMPLETED]
    with pytest.raises(ValueError, match="cursor"):
        await queries.interactions(cursor="x")
    with pytest.raises(ValueError, match="limit"):
        await queries.interactions(limit=0)


@pytest.mark.parametrize(
    ("states", "index"), [([InteractionState.QUEUED], "ix_interactions_open"), (None, "ix_interactions_created_at")]
)
async def test_the_list_is_read_through_an_index(
    queries: Queries, monkeypatch: pytest.MonkeyPatch, states: list[InteractionState] | None, index: str
) -> None:
    ask = queries._readers.all
    plans: list[str] = []

    async def explained(text: str, values: object = None) -> list[object]:
        plan = await ask(f"EXPLAIN QUERY PLAN {text}", values)  # type: ignore[arg-type]
        plans.extend(str(step[3]) for step in plan)
        return []

    monkeypatch.setattr(queries._readers, "all", explained)
    await queries.interactions(states=states)
    assert index in plans[0]
    assert not any("TEMP B-TREE" in plan for plan in plans)


# ---- classifications ------------------------------------------------------------------------------------


async def test_a_classification_comes_back_and_the_last_one_counts(journal: Journal, queries: Queries) -> None:
    over = ended(a_callback(1))
    await journal.commit([*accepted(a_callback(1)), CallbackChanged(over)])
    assert await queries.classifications_of_all([over.id]) == {}
    await journal.commit([CallClassified(over.id, Classification(DispositionId("first")), NOW)])
    assert await queries.classifications_of_all([over.id]) == {over.id: Classification(DispositionId("first"))}
    second = CallClassified(over.id, Classification(DispositionId("second")), NOW + 1)
    await journal.commit([second, CallClassified(over.id, SAID, NOW + 2)])
    assert await queries.classifications_of_all([over.id, CallbackId("nobody")]) == {over.id: SAID}


async def test_classifications_are_read_for_many_callbacks_at_once(journal: Journal, queries: Queries) -> None:
    callbacks = [a_callback(n) for n in range(1200)]
    await journal.commit([CallbackChanged(each) for each in callbacks])
    await journal.commit([CallClassified(each.id, SAID, NOW) for each in callbacks[::2]])
    found = await queries.classifications_of_all(each.id for each in callbacks)
    assert found == {each.id: SAID for each in callbacks[::2]}
    assert await queries.classifications_of_all([]) == {}


async def test_nobody_can_be_classified_who_was_never_accepted(journal: Journal) -> None:
    before = await journal.load()
    with pytest.raises(StoreError):
        await journal.commit([SuppressionKept(BY_KEY), CallClassified(CallbackId("nobody"), SAID, NOW)])
    assert await journal.load() == before


async def test_an_attempt_is_found_by_its_id_with_whom_it_overtook(journal: Journal, queries: Queries) -> None:
    attempt = a_full_attempt(CallbackId("cb1"))
    await journal.commit([CallbackChanged(a_callback(1)), AttemptChanged(attempt)])
    found = await queries.attempt(attempt.id)
    assert found == attempt
    assert found is not None
    assert found.overtook == 3
    assert await queries.attempt(AttemptId("cb1")) is None


# ---- how long agents are kept ----------------------------------------------------------------------------


async def test_handle_times_come_back_as_last_written(journal: Journal) -> None:
    await journal.commit([HandleTimeKept(SALES, 10.5, 1.0), HandleTimeKept(BILLING, 61.25, 2.0)])
    await journal.commit([HandleTimeKept(SALES, 30.75, 1.998)])
    assert (await journal.load()).handle_times == (
        HandleTimeKept(BILLING, 61.25, 2.0),
        HandleTimeKept(SALES, 30.75, 1.998),
    )


async def test_an_agents_work_keeps_since_when_and_what_was_written_without_it_is_read(journal: Journal) -> None:
    work = Work(WorkId("w"), BILLING, Stage.ACTIVE, since=NOW)
    status = AgentStatus(AgentId("amy"), Presence.READY, works=(work,))
    await journal.commit([AgentChanged(status)])
    assert (await journal.load()).agents == (status,)
    assert journal._connection is not None
    await journal._connection.execute("UPDATE agents SET works = json_remove(works, '$[0][5]')")
    await journal._connection.commit()
    assert (await journal.load()).agents == (replace(status, works=(replace(work, since=0.0),)),)


async def test_calls_that_came_in_are_classified_on_their_own(journal: Journal, queries: Queries) -> None:
    calls = [
        InboundCall(AttemptId(f"callpbx-{n}"), LegId(f"pbx-{n}"), BILLING, "+12025550100", "en", NOW, ended_at=NOW + 1)
        for n in range(600)
    ]
    # In one group, whichever order: the call is there before what was said of it.
    first = InboundClassified(calls[0].id, Classification(DispositionId("first")), NOW)
    await journal.commit([first, *map(InboundChanged, calls)])
    assert await queries.inbound_classifications_of_all([calls[0].id]) == {calls[0].id: first.classification}
    await journal.commit([InboundClassified(each.id, SAID, NOW) for each in calls[::2]])
    found = await queries.inbound_classifications_of_all(each.id for each in calls)
    assert found == {each.id: SAID for each in calls[::2]}
    assert await queries.inbound_classifications_of_all([]) == {}
    assert await queries.classifications_of_all([CallbackId(calls[0].id)]) == {}
