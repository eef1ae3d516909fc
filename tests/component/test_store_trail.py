"""What an explanation reads from the database is what happened: stories are written down, read back and told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.core.changes import ConfigurationKept
from engine.core.configuration import Pace
from engine.core.explain import Past, explain, looks
from engine.core.expressions import parse
from engine.core.terms import AgentOrder, ServiceId
from engine.core.values import replace
from engine.store.journal import Journal
from engine.store.queries import Queries
from tests.component.store_samples import url_of
from tests.unit.core.explained import crew_of, past_of
from tests.unit.core.office import ASKED_FIRST, accepts, chat, rejects
from tests.unit.core.world import AMY, BEN, BILLING, SALES, Customer, World

VIP = replace(BILLING, id=ServiceId("vip"), name="VIP", priority=5)


def busy_office() -> tuple[World, Customer]:
    """Two services share Amy and Ben; the customer waits behind others, and Amy does not pick up."""
    world = World((BILLING, VIP, SALES), (AMY, BEN), node=Pace(calls_per_second=2))
    for name in ("amy", "ben"):
        world.agent(name).ready()
        world.pass_time(3)
    others = [world.customer(), world.customer("vip"), world.customer(), world.customer("vip")]
    world.pass_time(3)
    customer = world.customer()
    for other in others:
        world.pass_time(5)
        other.hangs_up(17)
    world.pass_time(2)
    customer.confirms()
    world.pass_time(20)
    for name in ("amy", "ben"):
        world.agent(name).ready()
    world.pass_time(5)
    return world, customer


def chats_beside_calls() -> tuple[World, Customer]:
    agents = tuple(replace(each, capacity=parse("voice + chat <= 2")) for each in (AMY, BEN))
    world = World((replace(BILLING, agent_order=AgentOrder.BEST_LEVEL, pace=Pace(max_dials=2)),), agents)
    for agent in agents:
        world.agent(agent.id).ready()
        world.pass_time(1)
    chats = [chat(world, f"chat-{n}") for n in range(4)]
    for each in chats:
        each.is_accepted(each.now.agent or "")
    world.pass_time(5)
    customer = world.customer()
    world.pass_time(5)
    chats[1].is_done(chats[1].now.agent or "")
    return world, customer


def asked_first() -> tuple[World, Customer]:
    world = World((ASKED_FIRST,), (AMY, BEN))
    world.agent().ready()
    world.pass_time(3)
    customer = world.customer()
    world.pass_time(3)
    rejects(world.agent(), customer)
    world.pass_time(3)
    world.agent("ben").ready()
    world.pass_time(3)
    accepts(world.agent("ben"), customer)
    world.pass_time(3)
    return world, customer


@pytest.mark.parametrize("story", [busy_office, chats_beside_calls, asked_first])
async def test_given_a_story_when_it_is_read_back_then_it_is_explained_by_the_same_facts(
    tmp_path: Path, story: Callable[[], tuple[World, Customer]]
) -> None:
    world, customer = story()
    url = url_of(tmp_path / "ringback.db")
    async with await Journal.open(url) as journal, Queries(url) as queries:
        for _event, _now, decision in world.told:
            await journal.commit(decision.changes)
        callback = await queries.callback(customer.id)
        assert callback is not None
        past = Past(
            callback,
            tuple(await queries.moves_of(callback.id)),
            tuple(await queries.attempts_of(callback.id)),
            tuple(await queries.calls_to_number_of(callback)),
            ((0.0, world.journal.configuration),),
            world.node,
        )

        assert past == past_of(world, customer.id)
        crews = [await queries.crew_at(callback, look) for look in looks(past)]

    assert crews == [crew_of(world, past, look) for look in looks(past)]
    assert crews
    assert explain(past, crews)


async def test_given_several_configurations_then_those_in_force_since_a_moment_are_named(tmp_path: Path) -> None:
    url = url_of(tmp_path / "ringback.db")
    async with await Journal.open(url) as journal, Queries(url) as queries:
        await journal.commit([ConfigurationKept(n, f"document {n}", 10.0 * n) for n in (1, 2, 3)])

        assert await queries.configurations_since(5.0) == [(1, 10.0), (2, 20.0), (3, 30.0)]
        assert await queries.configurations_since(20.0) == [(2, 20.0), (3, 30.0)]
        assert await queries.configurations_since(99.0) == [(3, 30.0)]
        assert await queries.document(2) == "document 2"
        assert await queries.document(4) is None
