"""Agents' presence and what they hold."""

from __future__ import annotations

import pytest

from engine.core.changes import AgentChanged, AgentMoved, Change
from engine.core.configuration import Agent
from engine.core.desks import Desks
from engine.core.expressions import parse
from engine.core.records import AgentStatus, Work
from engine.core.terms import VOICE, AgentId, CallbackId, Media, Presence, ServiceId, Stage, WorkId
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN

CALL = Work(WorkId("c-1"), ServiceId("billing"), Stage.RESERVED, CallbackId("c"))
CHAT = Work(WorkId("i-1"), ServiceId("billing"), Stage.ACTIVE, None, Media("chat"))


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


@pytest.mark.parametrize("stage", list(Stage))
def test_given_work_of_any_stage_then_the_agent_is_not_free_and_the_work_is_shown(stage: Stage) -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)
    desks.take(AMY.id, CALL, "reserved", 2.0)
    if stage is not Stage.RESERVED:
        desks.advance(AMY.id, CALL.id, stage, "test", 3.0)

    assert not status(desks, AMY).may_take(VOICE, AMY.capacity)
    assert status(desks, AMY).work == replace(CALL, stage=stage)
    shown = {Stage.ACTIVE: "talking", Stage.OFFERED: "previewing"}
    assert status(desks, AMY).shown == shown.get(stage, stage.value)


def test_given_an_agent_without_work_when_it_should_advance_then_that_is_a_defect() -> None:
    with pytest.raises(ValueError, match="no work"):
        desks_of(AMY).advance(AMY.id, CALL.id, Stage.ACTIVE, "bridged", 1.0)


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
    desks.take(AMY.id, CALL, "reserved", 2.0)

    desks.redirect_on_no_answer(AMY.id, CALL.id, 3.0)

    assert status(desks, AMY) == AgentStatus(AMY.id, Presence.NOT_READY, "rona", (), 3.0)


@pytest.mark.parametrize(("presence", "reason"), [(Presence.LOGGED_OUT, None), (Presence.NOT_READY, "lunch")])
def test_given_a_missed_ring_of_somebody_who_left_then_presence_and_reason_stay(
    presence: Presence, reason: str | None
) -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)
    desks.take(AMY.id, CALL, "reserved", 2.0)
    desks.set_presence(AMY.id, presence, reason, "asked", 2.5)

    desks.redirect_on_no_answer(AMY.id, CALL.id, 3.0)

    assert status(desks, AMY) == AgentStatus(AMY.id, presence, reason, (), 3.0)


def test_given_a_removed_agent_then_they_are_logged_out_and_keep_their_work() -> None:
    desks = desks_of(AMY, BEN)
    ready(desks, AMY)
    desks.take(AMY.id, CALL, "reserved", 2.0)

    desks.configure({BEN.id: BEN}, 3.0)

    assert status(desks, AMY).presence is Presence.LOGGED_OUT
    assert status(desks, AMY).work is not None
    assert desks.agent(AMY.id) is None


def test_given_a_removed_agent_when_their_last_work_ends_then_they_are_no_agent_any_more() -> None:
    desks = desks_of(AMY, BEN)
    ready(desks, AMY)
    desks.take(AMY.id, CALL, "reserved", 2.0)
    desks.configure({}, 3.0)
    assert [each.id for each in desks.statuses()] == [AMY.id]

    written = desks.release(AMY.id, CALL.id, "not_needed", 4.0)

    assert list(desks.statuses()) == []
    assert written[0] == AgentChanged(AgentStatus(AMY.id, idle_since=4.0))


def test_given_the_row_of_an_agent_removed_long_ago_at_a_start_then_they_are_no_agent() -> None:
    desks = Desks()
    desks.restore([AgentStatus(AMY.id), AgentStatus(BEN.id, works=(CALL,))])

    desks.configure({}, 9.0)

    assert [each.id for each in desks.statuses()] == [BEN.id]


def test_given_restored_statuses_then_they_are_as_before() -> None:
    before = AgentStatus(AgentId("amy"), Presence.READY, idle_since=7.0)
    desks = Desks()
    desks.restore([before])

    assert desks.configure({AMY.id: AMY}, 9.0) == []
    assert list(desks.statuses()) == [before]


def test_given_a_chat_and_a_call_then_the_call_is_shown_and_each_ends_by_itself() -> None:
    desks = desks_of(AMY)
    ready(desks, AMY)
    desks.take(AMY.id, CHAT, "taken", 2.0)
    assert status(desks, AMY).shown == "ready"

    desks.take(AMY.id, CALL, "reserved", 3.0)
    assert (status(desks, AMY).shown, status(desks, AMY).work) == ("reserved", CALL)

    desks.release(AMY.id, CHAT.id, "completed", 4.0)
    assert status(desks, AMY).works == (CALL,)


@pytest.mark.parametrize(
    ("rule", "held", "media", "may"),
    [
        (None, [], "voice", True),
        (None, [], "chat", True),
        (None, ["chat"], "chat", False),
        (None, ["chat"], "voice", False),
        ("voice <= 1 and chat <= 3", ["chat", "chat"], "chat", True),
        ("voice <= 1 and chat <= 3", ["chat", "chat", "chat"], "chat", False),
        ("voice <= 1 and chat <= 3", ["chat", "chat", "chat"], "voice", True),
        ("voice <= 1 and chat <= 3 and (voice == 0 or chat == 0)", ["chat"], "voice", False),
        ("voice <= 5", ["voice"], "voice", False),
        ("chat <= 2", [], "voice", True),
        ("voice == 0 and chat <= 2", [], "voice", False),
    ],
)
def test_given_a_capacity_rule_then_it_must_hold_with_one_more_and_nobody_has_two_calls(
    rule: str | None, held: list[str], media: str, *, may: bool
) -> None:
    agent = replace(AMY, capacity=None if rule is None else parse(rule))
    works = tuple(
        Work(WorkId(f"w{n}"), ServiceId("billing"), Stage.ACTIVE, None, Media(each)) for n, each in enumerate(held)
    )

    assert AgentStatus(agent.id, Presence.READY, works=works).may_take(Media(media), agent.capacity) is may
