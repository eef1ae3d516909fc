"""After a start: who was ready and is not there is set to not ready, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.attendance import absent_ones, ready_ones, send_absent_ones_away
from engine.core.dispatcher import Dispatcher
from engine.core.events import PhonesSeen, PresenceRequested
from engine.core.terms import AgentId, PhoneState, Presence
from engine.errors import StoreError
from tests.unit.core.world import AMY, BEN, World


def office(**phones: PhoneState) -> World:
    """Amy and Ben are ready; their phones are as told."""
    world = World(agents=(AMY, BEN))
    for agent in (AMY, BEN):
        world.tell(PresenceRequested(agent.id, Presence.READY))
    endpoints = {"amy": AMY.endpoint, "ben": BEN.endpoint}
    world.tell(PhonesSeen({endpoints[name]: state for name, state in phones.items()}))
    return world


def nobody_connected(_agent: AgentId) -> bool:
    return False


def absent(world: World, connected: Callable[[AgentId], bool] = nobody_connected) -> list[AgentId]:
    return absent_ones(world.dispatcher, ready_ones(world.dispatcher), connected)


@pytest.mark.parametrize("phone", [PhoneState.IDLE, PhoneState.BUSY, PhoneState.UNKNOWN])
def test_given_a_phone_that_is_there_or_of_which_nothing_is_known_then_its_agent_is_there(phone: PhoneState) -> None:
    assert absent(office(amy=phone)) == []


def test_given_a_phone_that_is_not_registered_then_its_agent_is_there_only_by_their_screen() -> None:
    world = office(amy=PhoneState.UNREGISTERED, ben=PhoneState.UNREGISTERED)

    assert absent(world) == [AMY.id, BEN.id]
    assert absent(world, lambda agent: agent == AMY.id) == [BEN.id]


def test_given_somebody_who_was_not_ready_at_the_start_then_it_is_no_business_of_this() -> None:
    world = office(amy=PhoneState.UNREGISTERED)
    world.tell(PresenceRequested(AMY.id, Presence.NOT_READY, "lunch"))
    before = ready_ones(world.dispatcher)
    world.tell(PresenceRequested(AMY.id, Presence.READY))

    assert before == [BEN.id]
    assert absent_ones(world.dispatcher, before, nobody_connected) == []


def test_given_somebody_on_a_call_then_they_are_there() -> None:
    world = office()
    customer = world.customer()
    world.tell(PhonesSeen({AMY.endpoint: PhoneState.UNREGISTERED, BEN.endpoint: PhoneState.UNREGISTERED}))
    holding = [status.id for status in world.dispatcher.desks.statuses() if status.work]

    assert customer.callback.open
    assert holding
    assert not set(holding) & set(absent(world))


async def test_given_the_grace_is_over_then_who_is_absent_is_set_to_not_ready_and_a_failed_write_stops_nobody() -> None:
    world = office(amy=PhoneState.UNREGISTERED, ben=PhoneState.UNREGISTERED)
    asked: list[PresenceRequested] = []

    async def submit(event: PresenceRequested) -> None:
        asked.append(event)
        if event.agent == AMY.id:
            raise StoreError("the disk is full")
        world.tell(event)

    def dispatcher() -> Dispatcher:
        return world.dispatcher

    await send_absent_ones_away(dispatcher, submit, nobody_connected, 0.0)

    assert asked == [PresenceRequested(each, Presence.NOT_READY, "system") for each in (AMY.id, BEN.id)]
    assert world.journal.agents[BEN.id].reason == "system"
