"""Agents' presence and work, and who is served next."""

from __future__ import annotations

import pytest

from engine.core.changes import AgentChanged, AgentMoved, Change
from engine.core.desks import Desks
from engine.core.expressions import parse
from engine.core.model import Agent, AgentId, AgentStatus, AttemptId, CallbackId, Presence, Stage, Work
from tests.unit.core.world import AMY, BEN

BILLING = parse("billing")
CALL = (AttemptId("c-1"), CallbackId("c"))


def desks_of(*agents: Agent) -> Desks:
    desks = Desks()
    desks.configure({agent.id: agent for agent in agents}, 0.0)
    return desks


def ready(desks: Desks, agent: Agent, now: float = 1.0) -> list[Change]:
    return desks.set_presence(agent.id, Presence.READY, None, "asked", now)


def status(desks: Desks, agent: Agent) -> AgentStatus:
    found = desks.status(agent.id)
    assert found is not None
    return found


def test_given_nobody_ready_then_nobody_is_free() -> None:
    assert desks_of(AMY, BEN).longest_idle(BILLING) is None


def test_given_two_ready_agents_then_the_longest_idle_comes_first_and_ids_break_ties() -> None:
    desks = desks_of(BEN, AMY)
    ready(desks, BEN, 1.0)
    ready(desks, AMY, 1.0)
    assert desks.longest_idle(BILLING) == AMY

    desks.reserve(AMY.id, *CALL, 2.0)
    desks.release(AMY.id, "not_needed", 3.0)
    assert desks.longest_idle(BILLING) == BEN


def test_given_a_requirement_then_only_those_who_meet_it_are_found() -> None:
    desks = desks_of(AMY, BEN)
    ready(desks, AMY, 1.0)
    ready(desks, BEN, 2.0)

    assert desks.longest_idle(parse("sales")) == BEN
    assert desks.longest_idle(parse("billing >= 6")) is None


@pytest.mark.parametrize("stage", list(Stage))
def test_given_work_of_any_stage_then_the_agent_is_not_free_and_the_work_is_shown(stage: Stage) -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)
    desks.reserve(AMY.id, *CALL, 2.0)
    if stage is not Stage.RESERVED:
        desks.advance(AMY.id, stage, "test", 3.0)

    assert desks.longest_idle(BILLING) is None
    assert status(desks, AMY).work == Work(*CALL, stage)
    assert status(desks, AMY).shown == {Stage.ACTIVE: "talking"}.get(stage, stage.value)


def test_given_an_agent_without_work_when_it_should_advance_then_that_is_a_defect() -> None:
    with pytest.raises(ValueError, match="no work"):
        desks_of(AMY).advance(AMY.id, Stage.ACTIVE, "bridged", 1.0)


def test_given_a_change_then_the_row_and_the_move_are_told() -> None:
    desks = desks_of(AMY)

    changes = ready(desks, AMY)

    moved = AgentMoved(AMY.id, "logged_out", "ready", None, "asked", 1.0)
    assert changes == [AgentChanged(status(desks, AMY)), moved]


def test_given_no_change_then_nothing_is_told() -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)

    assert ready(desks, AMY, 5.0) == []
    assert status(desks, AMY).idle_since == 1.0, "saying ready again costs nobody their turn"


def test_given_a_missed_ring_then_a_ready_agent_becomes_not_ready() -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)
    desks.reserve(AMY.id, *CALL, 2.0)

    desks.redirect_on_no_answer(AMY.id, 3.0)

    assert status(desks, AMY) == AgentStatus(AMY.id, Presence.NOT_READY, "rona", None, 3.0)


@pytest.mark.parametrize(("presence", "reason"), [(Presence.LOGGED_OUT, None), (Presence.NOT_READY, "lunch")])
def test_given_a_missed_ring_of_somebody_who_left_then_presence_and_reason_stay(
    presence: Presence, reason: str | None
) -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)
    desks.reserve(AMY.id, *CALL, 2.0)
    desks.set_presence(AMY.id, presence, reason, "asked", 2.5)

    desks.redirect_on_no_answer(AMY.id, 3.0)

    assert status(desks, AMY) == AgentStatus(AMY.id, presence, reason, None, 3.0)


def test_given_a_removed_agent_then_they_are_logged_out_and_keep_their_work() -> None:
    desks = desks_of(AMY, BEN)
    ready(desks, AMY)
    desks.reserve(AMY.id, *CALL, 2.0)

    desks.configure({BEN.id: BEN}, 3.0)

    assert status(desks, AMY).presence is Presence.LOGGED_OUT
    assert status(desks, AMY).work is not None
    assert desks.agent(AMY.id) is None


def test_given_restored_statuses_then_they_are_as_before() -> None:
    before = AgentStatus(AgentId("amy"), Presence.READY, idle_since=7.0)
    desks = Desks()
    desks.restore([before])

    assert desks.configure({AMY.id: AMY}, 9.0) == []
    assert list(desks.statuses()) == [before]
