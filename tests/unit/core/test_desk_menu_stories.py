"""Agents without a screen dial a menu: what they hear, what they can become there, and that it always ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pytest

from engine.core.configuration import Agent
from engine.core.decision import Snapshot
from engine.core.deskmenu import ANSWER_SECONDS, MOST_QUESTIONS, REASONS, SAYING_SECONDS
from engine.core.dispatcher import Dispatcher
from engine.core.effects import AnswerCaller, DialCustomer, Effect, Play, Release
from engine.core.events import (
    CallbackRequested,
    DeskPhoneEntered,
    Event,
    KeyPressed,
    LegEnded,
    PlayingFinished,
    PresenceRequested,
    TimerFired,
)
from engine.core.records import Request
from engine.core.terms import AgentId, AttemptId, CallbackId, LegId, Presence, PromptId, RequestChannel
from engine.core.values import replace
from tests.unit.core.journal import Journal
from tests.unit.core.world import AMY, BEN, BILLING, START, configuration

E = TypeVar("E", bound=Effect)
CALL, LEG = AttemptId("call17-1"), LegId("17.1")


class World:
    """A dispatcher, its journal and what it asked for: these calls are no customers'."""

    def __init__(self, agents: Iterable[Agent] = (AMY,)) -> None:
        self.now = START
        self.journal = Journal()
        self.dispatcher = Dispatcher(Snapshot())
        self.effects: list[Effect] = []
        self.tell(configuration((BILLING,), agents))

    def tell(self, event: Event) -> None:
        decision = self.dispatcher.handle(event, self.now)
        self.journal.keep(decision)
        self.effects += decision.effects

    def pass_time(self, seconds: float) -> None:
        """Let the timers fire that fall due, in order."""
        end = self.now + seconds
        while due := [each for each in self.journal.timers.values() if each.due_at <= end]:
            first = min(due, key=lambda each: each.due_at)
            self.now = first.due_at
            self.tell(TimerFired(first.owner, first.name))
        self.now = end

    def restart(self) -> None:
        self.dispatcher = Dispatcher(self.journal.snapshot(self.now))

    def amy_is_ready(self) -> None:
        self.tell(PresenceRequested(AMY.id, Presence.READY))

    def done(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.effects if isinstance(effect, kind)]


class Phone:
    """Amy's phone, which has dialled the menu."""

    def __init__(self, world: World, endpoint: str = AMY.endpoint) -> None:
        self.world = world
        world.tell(DeskPhoneEntered(CALL, LEG, endpoint))

    def presses(self, keys: str) -> None:
        for key in keys:
            self.world.tell(KeyPressed(LEG, key))

    def hears_it_out(self) -> None:
        self.world.tell(PlayingFinished(LEG, self.said[-1].tag))

    @property
    def said(self) -> list[Play]:
        return self.world.done(Play)

    def hears(self) -> PromptId | int:
        """The beginning of what is said to them last."""
        return self.said[-1].prompts[0]

    @property
    def last_words(self) -> list[PromptId | int]:
        return [prompt for release in self.world.done(Release) for prompt in release.prompts]


def presence(world: World, agent: AgentId = AMY.id) -> tuple[Presence, str | None]:
    status = world.journal.agents[agent]
    return status.presence, status.reason


def test_given_an_agent_who_is_logged_out_when_they_press_1_then_they_take_calls_and_hear_so() -> None:
    world = World()
    phone = Phone(world)
    assert world.done(AnswerCaller)
    assert phone.hears() is PromptId.DESK_LOGGED_OUT

    phone.presses("1")

    assert presence(world) == (Presence.READY, None)
    assert phone.hears() is PromptId.DESK_READY


@pytest.mark.parametrize(("n", "reason"), [(n, reason) for n, (_said, reason) in enumerate(REASONS, start=1)])
def test_given_an_agent_who_is_ready_when_they_give_a_reason_then_they_take_no_calls(n: int, reason: str) -> None:
    world = World()
    world.amy_is_ready()
    phone = Phone(world)

    phone.presses("2")
    assert phone.said[-1].prompts[0] is PromptId.DESK_REASON
    assert n in phone.said[-1].prompts
    phone.presses(str(n))

    assert presence(world) == (Presence.NOT_READY, reason)
    assert phone.hears() is PromptId.DESK_NOT_READY


@pytest.mark.parametrize(
    ("keys", "end"), [("3", Presence.LOGGED_OUT), ("313", Presence.LOGGED_OUT), ("32", Presence.NOT_READY)]
)
def test_given_keys_one_after_another_then_each_is_read_as_the_menu_was_then(keys: str, end: Presence) -> None:
    world = World()
    world.amy_is_ready()

    Phone(world).presses(keys)

    assert presence(world)[0] is end


def test_given_a_key_that_means_nothing_then_nothing_changes_and_the_menu_is_said_again() -> None:
    world = World()
    world.amy_is_ready()
    phone = Phone(world)

    phone.presses("7")

    assert presence(world) == (Presence.READY, None)
    assert [each.prompts[0] for each in phone.said] == [PromptId.DESK_READY, PromptId.DESK_READY]


def test_given_a_phone_that_two_agents_share_or_none_has_then_it_is_told_so_and_changes_nobody() -> None:
    for agents, endpoint in (((AMY, replace(BEN, endpoint=AMY.endpoint)), AMY.endpoint), ((AMY,), "PJSIP/agent-1999")):
        world = World(agents=agents)
        phone = Phone(world, endpoint)

        phone.presses("1")

        assert phone.last_words == [PromptId.DESK_UNKNOWN]
        assert presence(world)[0] is Presence.LOGGED_OUT


def test_given_silence_after_the_menu_then_goodbye() -> None:
    world = World()
    phone = Phone(world)
    phone.hears_it_out()

    world.pass_time(ANSWER_SECONDS)

    assert phone.last_words == [PromptId.DESK_GOODBYE]


def test_given_an_agent_who_never_stops_pressing_then_the_call_ends_all_the_same() -> None:
    world = World()
    phone = Phone(world)

    phone.presses("1" * 3 * MOST_QUESTIONS)

    assert phone.last_words == [PromptId.DESK_GOODBYE]
    assert len(phone.said) == MOST_QUESTIONS


def test_given_an_end_that_is_told_or_never_told_then_nothing_of_the_call_is_left() -> None:
    for told in (True, False):
        world = World()
        phone = Phone(world)
        if told:
            world.tell(LegEnded(LEG))
        else:
            phone.presses("*")
            world.pass_time(SAYING_SECONDS + 1)

        assert not world.dispatcher.is_live(CALL)
        assert not world.dispatcher.owns(LEG)
        assert [owner for owner, _name in world.journal.timers if owner == CALL] == []


def test_given_news_of_the_same_call_twice_then_the_menu_is_said_once() -> None:
    world = World()
    phone = Phone(world)

    Phone(world)

    assert len(phone.said) == 1


def test_given_a_restart_when_the_phone_is_found_then_the_menu_begins_anew() -> None:
    world = World()
    Phone(world).presses("1")

    world.restart()
    again = Phone(world)

    assert presence(world)[0] is Presence.READY
    assert again.hears() is PromptId.DESK_READY


def test_given_an_agent_who_becomes_ready_in_the_menu_then_nobody_rings_them_before_they_have_hung_up() -> None:
    world = World()
    phone = Phone(world)
    phone.presses("1")
    world.tell(CallbackRequested(CallbackId("c1"), Request(BILLING.id, "+12025550100", "en", RequestChannel.API), ""))
    assert world.done(DialCustomer) == []

    world.tell(LegEnded(LEG))

    assert len(world.done(DialCustomer)) == 1


def test_given_a_phone_with_two_calls_to_the_menu_then_it_is_not_rung_before_both_are_over() -> None:
    world = World()
    Phone(world).presses("1")
    second = DeskPhoneEntered(AttemptId("call17-2"), LegId("17.2"), AMY.endpoint)
    world.tell(second)
    world.tell(CallbackRequested(CallbackId("c1"), Request(BILLING.id, "+12025550100", "en", RequestChannel.API), ""))

    world.tell(LegEnded(LEG))
    assert world.done(DialCustomer) == []

    world.tell(LegEnded(second.leg))
    assert len(world.done(DialCustomer)) == 1
