"""Who waits is told that they are not forgotten, and who is recorded is told so first."""

from __future__ import annotations

import pytest

from engine.core.configuration import Recording
from engine.core.effects import Connect, HoldWithMusic, Record
from engine.core.events import LegSeen
from engine.core.terms import PromptId
from engine.core.values import replace
from tests.unit.core.world import BILLING, World, connected

RECORDED = replace(BILLING, recording=Recording())


def comforts(world: World) -> list[tuple[PromptId | int, ...]]:
    return [effect.prompts for effect in world.done(HoldWithMusic) if PromptId.COMFORT in effect.prompts]


def waiting_alone(world: World) -> None:
    """Confirmed, and the agent, who was reserved, lets it ring."""
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.pass_time(BILLING.agent_ring_seconds + 0.1)


def test_given_a_customer_who_waits_then_they_are_comforted_again_and_again_until_the_limit() -> None:
    world = World()
    waiting_alone(world)

    world.pass_time(BILLING.hold_limit_seconds)

    assert BILLING.comfort_seconds is not None
    assert len(comforts(world)) == BILLING.hold_limit_seconds / BILLING.comfort_seconds - 1


def test_given_no_comfort_configured_then_only_music_is_heard() -> None:
    world = World(services=[replace(BILLING, comfort_seconds=None)])
    waiting_alone(world)

    world.pass_time(BILLING.hold_limit_seconds)

    assert comforts(world) == []


def test_given_an_agent_whose_phone_rings_then_no_sentence_about_waiting_keeps_them_from_talking() -> None:
    world = World(services=[replace(BILLING, comfort_seconds=5)])
    world.agent().ready()
    customer = world.customer()
    customer.confirms()

    world.pass_time(BILLING.agent_ring_seconds - 1)

    assert comforts(world) == []


def test_given_two_who_talk_then_nobody_is_comforted_any_more() -> None:
    world = World()
    connected(world)

    world.pass_time(600)

    assert comforts(world) == []


@pytest.mark.parametrize(("recording", "said"), [(Recording(), (PromptId.RECORDED,)), (Recording(announce=False), ())])
def test_given_a_service_that_records_when_two_talk_then_they_are_told_and_recorded(
    recording: Recording, said: tuple[PromptId, ...]
) -> None:
    world = World(services=[replace(BILLING, recording=recording)])
    customer = connected(world)

    (record,) = world.done(Record)

    assert record.prompts == said
    assert record.bridge == customer.attempt.bridge
    assert record.name == f"ringback-{customer.attempt.id}-1"


def test_given_a_service_that_does_not_record_then_nothing_is_recorded() -> None:
    world = World()
    connected(world)

    assert world.done(Connect)
    assert world.done(Record) == []


def test_given_a_restart_in_a_conversation_then_it_is_recorded_on() -> None:
    world = World(services=[RECORDED])
    customer = connected(world)
    (before,) = world.done(Record)

    world.restart()
    world.see(customer.attempt.id, LegSeen.ENTERED, LegSeen.ENTERED, bridged=True)

    assert world.done(Record)[-1] == before
