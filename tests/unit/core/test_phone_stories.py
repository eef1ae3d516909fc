"""Agents' phones: who cannot be rung is not chosen, and is served for again in the moment the phone is free."""

from __future__ import annotations

import pytest

from engine.core.configuration import Agent
from engine.core.events import ConfigurationApplied, PhoneChanged, PhonesSeen, PhonesUnknown
from engine.core.explain_now_words import says_of_now
from engine.core.explain_speech import Speech
from engine.core.terms import AgentId, CallbackState, PhoneState
from engine.core.values import replace
from tests.unit.core.office import ASKED_FIRST, Doubled, accepts, chat, dials
from tests.unit.core.world import AMY, BEN, BILLING, Customer, World, configuration

S = CallbackState
NOT_NOW = [PhoneState.BUSY, PhoneState.UNREGISTERED]
AT_ONCE = replace(BILLING, wrap_up_seconds=0)


def phone(world: World, agent: Agent, state: PhoneState) -> None:
    world.tell(PhoneChanged(agent.endpoint, state))


@pytest.mark.parametrize("state", NOT_NOW)
def test_given_an_agent_whose_phone_cannot_be_rung_then_another_one_is_chosen(state: PhoneState) -> None:
    world = Doubled(agents=(AMY, BEN))
    phone(world, AMY, state)
    world.agent("amy").ready()
    world.pass_time(10)
    world.agent("ben").ready()

    customer = world.customer()

    assert customer.attempt.agent == BEN.id, "amy has been idle longer"


@pytest.mark.parametrize("state", NOT_NOW)
@pytest.mark.parametrize("then", [PhoneState.IDLE, PhoneState.UNKNOWN])
def test_given_nobody_else_when_the_phone_is_free_then_the_customer_is_called_in_that_moment(
    state: PhoneState, then: PhoneState
) -> None:
    world = Doubled()
    phone(world, AMY, state)
    world.agent().ready()
    customer = world.customer()
    assert customer.is_in(S.QUEUED)

    phone(world, AMY, then)

    assert customer.is_in(S.DIALING)


def test_given_phones_that_cannot_be_seen_any_more_then_the_customer_is_called() -> None:
    world = Doubled()
    world.tell(PhonesSeen({AMY.endpoint: PhoneState.UNREGISTERED}))
    world.agent().ready()
    customer = world.customer()
    assert customer.is_in(S.QUEUED)

    world.tell(PhonesUnknown())

    assert customer.is_in(S.DIALING)


def test_given_a_start_then_nothing_is_known_of_phones() -> None:
    world = World()
    phone(world, AMY, PhoneState.UNREGISTERED)
    world.agent().ready()
    customer = world.customer()

    world.restart()
    world.pass_time(0)
    world.regain_telephony()

    assert world.dispatcher.desks.phones.of(AMY.endpoint) is PhoneState.UNKNOWN
    assert customer.is_in(S.DIALING)


def test_given_our_own_call_keeps_the_phone_busy_when_it_is_over_then_the_next_waits_for_the_phone_only() -> None:
    world = Doubled(services=(AT_ONCE,))
    first, second = world.customer(), world.customer()
    agent = world.agent()
    agent.ready()
    first.answers()
    first.confirms()
    phone(world, AMY, PhoneState.BUSY)
    agent.answers()
    first.hangs_up()
    agent.hangs_up()
    assert (agent.shown, second.state) == ("ready", S.QUEUED)

    phone(world, AMY, PhoneState.IDLE)

    assert second.is_in(S.DIALING)


def test_given_a_phone_of_our_own_call_that_is_free_before_the_wrap_up_then_the_wrap_up_decides() -> None:
    world = Doubled()
    first, second = world.customer(), world.customer()
    agent = world.agent()
    agent.ready()
    first.answers()
    first.confirms()
    phone(world, AMY, PhoneState.BUSY)
    agent.answers()
    first.hangs_up()
    phone(world, AMY, PhoneState.IDLE)
    assert (agent.shown, second.state) == ("wrap_up", S.QUEUED)

    agent.ready()

    assert second.is_in(S.DIALING)


def test_given_agents_who_share_a_phone_then_none_of_them_is_chosen_while_it_is_in_use() -> None:
    cat = Agent(AgentId("cat"), "Cat", AMY.endpoint, AMY.skills)
    world = Doubled(agents=(AMY, cat))
    phone(world, AMY, PhoneState.BUSY)
    world.agent("amy").ready()
    world.agent("cat").ready()
    customers = [world.customer(), world.customer()]
    assert [each.state for each in customers] == [S.QUEUED, S.QUEUED]

    phone(world, AMY, PhoneState.IDLE)

    assert [each.state for each in customers] == [S.DIALING, S.DIALING]


@pytest.mark.parametrize("state", NOT_NOW)
def test_given_a_phone_that_cannot_be_rung_then_its_agent_is_shown_no_preview_and_takes_a_chat(
    state: PhoneState,
) -> None:
    world = Doubled(services=(ASKED_FIRST,))
    phone(world, AMY, state)
    world.agent().ready()

    customer, other = world.customer(), chat(world)

    assert customer.is_in(S.QUEUED)
    assert other.shown == ("offered", "amy")


@pytest.mark.parametrize("state", NOT_NOW)
def test_given_a_yes_to_a_preview_and_a_phone_that_cannot_be_rung_any_more_then_nobody_is_dialled(
    state: PhoneState,
) -> None:
    world = Doubled(services=(ASKED_FIRST,))
    agent = world.agent()
    agent.ready()
    customer = world.customer()
    assert customer.is_in(S.PREVIEWING)
    phone(world, AMY, state)

    accepts(agent, customer)

    assert (customer.state, agent.shown) == (S.QUEUED, "ready"), "nobody is blamed"
    assert dials(world) == []


def test_given_another_endpoint_in_the_configuration_then_that_phone_counts() -> None:
    world = Doubled()
    phone(world, AMY, PhoneState.UNREGISTERED)
    world.agent().ready()
    customer = world.customer()
    elsewhere = replace(AMY, endpoint="PJSIP/agent-1999")

    world.tell(ConfigurationApplied(configuration((BILLING,), (elsewhere,)).configuration, ""))

    assert customer.is_in(S.DIALING)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PhoneState.UNREGISTERED, "Amy is at a phone that is not registered"),
        (PhoneState.BUSY, "Amy is at a phone that is in use"),
    ],
)
def test_given_nobody_whose_phone_can_be_rung_when_asked_why_then_that_is_said(state: PhoneState, words: str) -> None:
    world = World()
    phone(world, AMY, state)
    world.agent().ready()
    customer = world.customer()

    assert words in _why(world, customer)


def test_given_nobody_with_a_phone_then_no_wait_is_told_and_with_a_busy_phone_one_is() -> None:
    world = World(services=(AT_ONCE,))
    first = world.customer()
    agent = world.agent()
    agent.ready()
    first.answers()
    first.confirms()
    agent.answers()
    world.pass_time(60)
    first.hangs_up()
    agent.hangs_up()
    phone(world, AMY, PhoneState.BUSY)
    waiting = world.customer()
    assert world.dispatcher.waits.of(waiting.id) is not None

    phone(world, AMY, PhoneState.UNREGISTERED)

    assert world.dispatcher.waits.of(waiting.id) is None


def _why(world: World, customer: Customer) -> str:
    speech = Speech(world.dispatcher.configuration, customer.callback.request.service)
    return " ".join(says_of_now(each, speech) for each in world.dispatcher.why_not_yet(customer.id, world.now))
