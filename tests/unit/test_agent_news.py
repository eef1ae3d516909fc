"""What an agent is told when their status changes, and that nobody waits for who listens."""

from __future__ import annotations

import pytest

from engine.agent_news import MOST_WAITING, AgentNews, NewsKind, attended, differences
from engine.api.agents import kind_of
from engine.core.changes import AgentChanged, AgentMoved
from engine.core.configuration import Agent, Configuration
from engine.core.decision import Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.records import AgentStatus, Work
from engine.core.terms import VOICE, AgentId, CallbackId, Media, Presence, ServiceId, Stage, WorkId
from engine.core.values import replace
from engine.written import Written

AMY = AgentId("amy")
CALL = Work(WorkId("c1-1"), ServiceId("billing"), Stage.RINGING, CallbackId("c1"))
CHAT = Work(WorkId("in1"), ServiceId("billing"), Stage.OFFERED, media=Media("chat"))
READY = AgentStatus(AMY, Presence.READY)


def holding(*works: Work) -> AgentStatus:
    return replace(READY, works=works)


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        (Stage.OFFERED, NewsKind.PREVIEW),
        (Stage.RESERVED, NewsKind.STATE),
        (Stage.RINGING, NewsKind.RINGING),
        (Stage.ACTIVE, NewsKind.CONNECTED),
        (Stage.HELD, NewsKind.HELD),
        (Stage.WRAP_UP, NewsKind.WRAP_UP),
    ],
)
def test_each_stage_has_its_kind_of_news(stage: Stage, kind: NewsKind) -> None:
    work = replace(CALL, stage=stage)
    assert list(differences(READY, holding(work))) == [(kind, work)]


def test_every_stage_has_one() -> None:
    for stage in Stage:
        assert list(differences(READY, holding(replace(CALL, stage=stage))))


def test_a_caller_who_is_held_and_taken_back_is_told_twice() -> None:
    active, held = replace(CALL, stage=Stage.ACTIVE), replace(CALL, stage=Stage.HELD)
    assert list(differences(holding(active), holding(held))) == [(NewsKind.HELD, held)]
    assert list(differences(holding(held), holding(active))) == [(NewsKind.CONNECTED, active)]


def test_what_ends_is_told_before_what_comes_and_what_stays_not_at_all() -> None:
    other = replace(CALL, id=WorkId("c2-1"))
    told = list(differences(holding(CALL, CHAT), holding(CHAT, other)))
    assert told == [(NewsKind.ENDED, CALL), (NewsKind.RINGING, other)]


def test_a_state_is_told_of_what_the_agent_attends_to_and_nothing_if_nothing_is_seen_of_it() -> None:
    away = replace(holding(CHAT), presence=Presence.NOT_READY, reason="lunch")
    assert list(differences(holding(CHAT), away)) == [(NewsKind.STATE, CHAT)]
    assert list(differences(READY, replace(READY, idle_since=5.0))) == []
    active = replace(CHAT, id=WorkId("in2"), stage=Stage.ACTIVE)
    assert attended(holding(active, CHAT)) == CHAT
    assert attended(holding(active, CHAT, CALL)) == CALL


def test_a_call_of_a_customer_a_call_to_one_and_other_work_are_three_kinds() -> None:
    inbound = replace(CALL, callback=None, media=VOICE)
    assert [kind_of(each) for each in (CALL, inbound, CHAT)] == ["callback", "inbound", "interaction"]


def desk() -> tuple[Written, AgentNews]:
    configuration = Configuration(agents={AMY: Agent(AMY, "Amy", "PJSIP/amy")})
    dispatcher = Dispatcher(Snapshot(configuration=configuration, agents=(READY,)))
    written = Written()
    return written, AgentNews(written, lambda: dispatcher, lambda: 7.0)


async def test_all_that_one_group_changes_is_told_in_order_and_then_only_what_is_new() -> None:
    written, news = desk()
    listener = news.listen(AMY)
    assert (await listener.next()).kind is NewsKind.SNAPSHOT
    moved = AgentMoved(AMY, "ready", "ringing", None, "matched", 5.0)
    written.tell([AgentChanged(holding(CALL)), moved, AgentChanged(holding(CALL, CHAT))])
    written.tell([AgentChanged(holding(CALL, CHAT))])
    written.tell([AgentChanged(READY)])
    told = [await listener.next() for _ in range(4)]
    assert [(each.kind, each.work) for each in told] == [
        (NewsKind.RINGING, CALL),
        (NewsKind.PREVIEW, CHAT),
        (NewsKind.ENDED, CALL),
        (NewsKind.ENDED, CHAT),
    ]
    assert [each.at for each in told] == [5.0, 5.0, 7.0, 7.0]


async def test_whoever_does_not_take_their_news_is_told_nothing_more_and_woken() -> None:
    written, news = desk()
    slow, quick = news.listen(AMY), news.listen(AMY)
    for n in range(MOST_WAITING):
        written.tell([AgentChanged(replace(READY, presence=(Presence.NOT_READY, Presence.READY)[n % 2]))])
        await quick.next()
    assert (slow.overrun, quick.overrun) == (True, False)
    await slow.woken(0.0)


async def test_after_an_outage_only_a_snapshot_waits() -> None:
    written, news = desk()
    listener = news.listen(AMY)
    written.tell([AgentChanged(holding(CALL))])
    written.tell_restored()
    told = await listener.next()
    assert (told.kind, told.status) == (NewsKind.SNAPSHOT, READY)
    assert listener._waiting.empty()
