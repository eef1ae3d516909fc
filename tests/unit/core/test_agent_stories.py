"""Agents: presence, ringing out (RONA), leaving in the middle of a call, wrap-up; what the customer hears meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.decision import Refusal
from engine.core.effects import Connect, DialCustomer, Dismantle, HoldWithMusic, Release, RingAgent
from engine.core.events import LegEnded, LegEntered, PresenceRequested, ResultKind
from engine.core.terms import AgentId, CallbackState, Outcome, Presence, PromptId
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN, BILLING, AgentAtDesk, Customer, World, connected, only, says

S = CallbackState
RING = BILLING.agent_ring_seconds


def lets_it_ring(agent: AgentAtDesk) -> None:
    agent.world.pass_time(RING)


def rejects(agent: AgentAtDesk) -> None:
    agent.rejects()


def hangs_up_in_the_whisper(agent: AgentAtDesk) -> None:
    agent.picks_up()
    agent.hangs_up()


def hangs_up_while_being_bridged(agent: AgentAtDesk) -> None:
    agent.world.results.pop(Connect)
    agent.answers()
    agent.hangs_up()
    agent.world.ends(Connect, ResultKind.REFUSED)


MISSES = [lets_it_ring, rejects, hangs_up_in_the_whisper, hangs_up_while_being_bridged]


@pytest.mark.parametrize("misses", MISSES)
def test_given_a_missed_ring_when_another_agent_is_free_then_they_are_rung_and_the_music_goes_on(
    misses: Callable[[AgentAtDesk], None],
) -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer()
    customer.confirms()
    world.agent("ben").ready()

    misses(world.agent("amy"))

    assert (world.agent("amy").shown, world.agent("amy").status.reason) == ("not_ready", "rona")
    assert world.agent("ben").shown == "ringing"
    assert customer.state is S.CONFIRMED
    assert isinstance(customer.hears, HoldWithMusic | Connect)
    assert len({effect.leg for effect in world.done(RingAgent)}) == 2


@pytest.mark.parametrize("misses", MISSES)
def test_given_a_missed_ring_when_nobody_else_is_free_then_the_customer_waits_first_in_line(
    misses: Callable[[AgentAtDesk], None],
) -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    first = world.customer()
    second = world.customer()
    first.confirms()

    misses(world.agent("amy"))

    assert first.state is S.CONFIRMED
    assert world.dispatcher.line.position(first.id) == 1
    assert world.dispatcher.line.position(second.id) == 2
    world.agent("ben").ready()
    assert world.agent("ben").times_rung == 1
    assert second.state is S.QUEUED


def test_given_a_missed_ring_while_bridging_when_music_had_stopped_then_it_starts_again() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()

    hangs_up_while_being_bridged(world.agent())

    assert [effect.bridge for effect in world.done(Dismantle)] == [customer.attempt.bridge]
    assert isinstance(customer.hears, HoldWithMusic), "the Connect may have stopped the music"


def test_given_a_missed_ring_when_the_dropped_leg_ends_then_the_customer_is_still_served_once() -> None:
    world = World(agents=(AMY, BEN))
    world.results.pop(Release)
    world.agent("amy").ready()
    customer = world.customer()
    customer.confirms()
    lets_it_ring(world.agent("amy"))

    for _twice in range(2):
        world.tell(LegEnded(world.agent("amy").leg, 19))

    world.agent("ben").ready()
    world.agent("ben").answers()
    assert customer.state is S.CONNECTED
    assert len(world.done(RingAgent)) == 2
    assert len(world.dispatcher.line) == 0


def test_given_a_missed_ring_when_the_agent_answers_too_late_then_nobody_is_whispered_to() -> None:
    world = World()
    world.results.pop(Release)
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    lets_it_ring(world.agent())
    before = len(world.effects)

    world.tell(LegEntered(world.agent().leg))

    assert [only(effect, Release).leg for effect in world.effects[before:]] == [world.agent().leg]
    assert customer.state is S.CONFIRMED


def test_given_nobody_within_the_hold_limit_then_an_apology_and_again_at_the_head() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    first = world.customer()
    first.confirms()
    rejects(world.agent("amy"))

    world.pass_time(BILLING.hold_limit_seconds)

    assert says(only(first.hears, Release)) == (PromptId.APOLOGY,)
    first.is_let_go(Outcome.NO_AGENT)
    assert first.waits_until == BILLING.attempts.fault_interval_seconds
    others = [world.customer() for _each in range(2)]
    world.pass_time(first.waits_until)
    assert world.dispatcher.line.position(first.id) == 1
    world.agent("ben").ready()
    assert first.state is S.DIALING
    assert [other.state for other in others] == [S.QUEUED, S.QUEUED]


def test_given_an_agent_whose_phone_rings_when_the_hold_limit_passes_then_they_may_still_answer() -> None:
    world = World(agents=(AMY, BEN))
    customer = ringing_at_the_hold_limit(world)

    world.agent("ben").answers()

    assert customer.state is S.CONNECTED


def test_given_an_agent_whose_phone_rings_when_the_hold_limit_passes_and_nobody_answers_then_an_apology() -> None:
    world = World(agents=(AMY, BEN))
    customer = ringing_at_the_hold_limit(world)

    world.pass_time(BILLING.agent_ring_seconds - 2)

    assert says(only(customer.hears, Release)) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.NO_AGENT)


def ringing_at_the_hold_limit(world: World) -> Customer:
    """A customer whose wait is over just when the second agent's phone rings."""
    world.agent("amy").ready()
    customer = world.customer()
    customer.confirms()
    rejects(world.agent("amy"))
    world.pass_time(BILLING.hold_limit_seconds - 1)
    world.agent("ben").ready()
    world.pass_time(2)
    assert customer.closing is None
    return customer


def test_given_the_hold_limit_passes_in_the_whisper_when_the_agent_leaves_then_an_apology() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().picks_up()
    world.journal.timers.pop((customer.attempt.id, "whisper"))
    world.dispatcher.timers.clear(customer.attempt.id, "whisper")
    world.pass_time(BILLING.hold_limit_seconds)
    assert customer.state is S.CONFIRMED

    world.agent().hangs_up()

    assert says(customer.hears) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.NO_AGENT)


def test_given_the_hold_limit_passes_while_bridging_when_the_agent_leaves_then_an_apology_and_no_more_music() -> None:
    world = World(services=(replace(BILLING, hold_limit_seconds=20),))
    world.results.pop(Connect)
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.pass_time(14)
    world.agent().answers()
    world.pass_time(7)

    world.agent().hangs_up()
    decision = world.ends(Connect, ResultKind.REFUSED)

    assert not [effect for effect in decision.effects if isinstance(effect, HoldWithMusic)]
    customer.is_let_go(Outcome.NO_AGENT)


def test_given_two_requests_and_one_agent_then_the_second_waits_until_the_agent_is_free() -> None:
    world = World()
    first = connected(world)
    second = world.customer()
    assert second.is_in(S.QUEUED)

    first.hangs_up()
    assert second.is_in(S.QUEUED), "the agent is in wrap-up"
    world.pass_time(BILLING.wrap_up_seconds)

    assert second.state is S.DIALING


def test_given_two_agents_then_the_longest_idle_is_served_first() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("ben").ready()
    world.pass_time(1)
    world.agent("amy").ready()

    customer = world.customer()

    assert customer.attempt.agent == "ben"


def test_given_an_agent_without_the_skill_then_nobody_is_called() -> None:
    world = World(agents=(replace(AMY, skills={"sales": 5}),))
    world.agent().ready()

    customer = world.customer()

    assert customer.state is S.QUEUED
    assert world.done(DialCustomer) == []


# ---- leaving in the middle -----------------------------------------------------------------------------


def test_given_an_agent_who_leaves_while_the_customer_is_dialled_then_the_dial_is_cancelled_and_not_counted() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    world.agent().leaves()

    assert says(only(customer.hears, Release)) == ()
    assert world.agent().shown == "reserved", "the phone may still ring"
    customer.is_let_go(Outcome.NO_AGENT)
    assert (world.agent().shown, world.agent().status.reason) == ("not_ready", "lunch")
    assert customer.waits_until == BILLING.attempts.fault_interval_seconds, "the phone never rang"


def test_given_a_reserved_agent_when_they_say_ready_again_then_the_call_goes_on() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    world.agent().ready()

    assert customer.state is S.DIALING
    assert world.agent().shown == "reserved"


def test_given_an_agent_who_leaves_while_the_phone_rings_then_the_customer_is_left_in_peace_for_the_interval() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.rings()

    world.agent().leaves()

    customer.is_let_go(Outcome.NO_AGENT)
    assert customer.waits_until == BILLING.attempts.interval_seconds


@pytest.mark.parametrize("in_our_hands", [False, True])
def test_given_an_agent_who_leaves_after_the_answer_then_the_customer_is_kept_and_another_agent_rung(
    in_our_hands: bool,  # noqa: FBT001 - one of two moments of the same story
) -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer()
    customer.picks_up()
    if in_our_hands:
        customer.enters()

    world.agent("amy").leaves()
    assert world.agent("amy").shown == "not_ready"
    customer.confirms()

    assert customer.is_in(S.CONFIRMED)
    assert isinstance(customer.hears, HoldWithMusic)
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert customer.state is S.CONNECTED
    assert customer.callback.agent == "ben"
    assert customer.attempt.agent == "ben"


def test_given_an_agent_who_leaves_while_their_phone_rings_then_it_rings_on_and_no_rona_is_noted() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()

    world.agent().leaves()
    assert world.agent().shown == "ringing"
    lets_it_ring(world.agent())

    assert (world.agent().shown, world.agent().status.reason) == ("not_ready", "lunch")
    assert customer.state is S.CONFIRMED


def test_given_an_agent_who_leaves_while_their_phone_rings_when_they_answer_then_they_talk() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().leaves()

    world.agent().answers()

    assert customer.state is S.CONNECTED
    customer.hangs_up()
    world.pass_time(BILLING.wrap_up_seconds)
    assert world.agent().shown == "not_ready"


def test_given_an_agent_who_logs_out_while_talking_then_the_conversation_goes_on() -> None:
    world = World()
    customer = connected(world)

    world.agent().becomes(Presence.LOGGED_OUT)

    assert customer.is_in(S.CONNECTED)
    customer.hangs_up()
    world.pass_time(BILLING.wrap_up_seconds)
    assert world.agent().shown == "logged_out"
    assert customer.state is S.COMPLETED


def test_given_an_unknown_agent_when_a_presence_is_asked_then_it_is_refused() -> None:
    world = World()

    reply = world.tell(PresenceRequested(AgentId("nobody"), Presence.READY)).reply

    assert isinstance(reply, Refusal)
    assert reply.code == "not-found"
    assert "nobody" not in world.journal.agents


# ---- after the call ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_given_a_conversation_when_either_hangs_up_then_the_other_is_released_and_the_agent_wraps_up(who: str) -> None:
    world = World()
    customer = connected(world)
    agent = world.agent()

    if who == "customer":
        customer.hangs_up()
        other = agent.leg
    else:
        agent.hangs_up()
        other = customer.attempt.customer_leg

    assert [effect.leg for effect in world.done(Release)] == [other]
    assert agent.shown == "wrap_up"
    world.pass_time(BILLING.wrap_up_seconds - 1)
    assert agent.shown == "wrap_up"
    world.pass_time(1)
    assert agent.shown == "ready"


def test_given_wrap_up_when_the_agent_says_ready_then_they_are_served_at_once() -> None:
    world = World()
    connected(world).hangs_up()
    waiting = world.customer()

    world.agent().ready()

    assert waiting.state is S.DIALING
    assert world.agent().shown == "reserved"
    assert ("amy", "wrap_up") not in world.journal.timers


def test_given_wrap_up_when_the_agent_leaves_then_wrap_up_ends_in_not_ready() -> None:
    world = World()
    connected(world).hangs_up()

    world.agent().leaves()
    assert world.agent().shown == "wrap_up"
    world.pass_time(BILLING.wrap_up_seconds)

    assert world.agent().shown == "not_ready"


def test_given_a_service_without_wrap_up_then_the_agent_is_free_at_once() -> None:
    world = World(services=(replace(BILLING, wrap_up_seconds=0),))
    customer = connected(world)
    waiting = world.customer()

    customer.hangs_up()

    assert waiting.state is S.DIALING
    assert (world.agent().id, "wrap_up") not in world.journal.timers


# ---- the return from RONA ------------------------------------------------------------------------------


def missed(world: World) -> AgentAtDesk:
    agent = world.agent()
    agent.ready()
    customer = world.customer()
    customer.confirms()
    agent.rejects()
    customer.hangs_up()
    return agent


def test_given_no_return_time_when_an_agent_missed_a_ring_then_they_return_by_hand() -> None:
    world = World()
    agent = missed(world)

    world.pass_time(36000)

    assert (agent.shown, agent.status.reason) == ("not_ready", "rona")


def test_given_a_return_time_when_it_is_over_then_the_agent_is_ready_again() -> None:
    world = World(services=(replace(BILLING, rona_return_seconds=90),))
    agent = missed(world)

    world.pass_time(89)
    assert agent.shown == "not_ready"
    world.pass_time(1)

    assert agent.shown == "ready"


def test_given_a_return_time_when_the_agent_goes_to_lunch_meanwhile_then_they_stay_there() -> None:
    world = World(services=(replace(BILLING, rona_return_seconds=90),))
    agent = missed(world)

    agent.leaves()
    world.pass_time(900)

    assert (agent.shown, agent.status.reason) == ("not_ready", "lunch")


def test_given_a_return_time_when_the_agent_went_to_lunch_while_ringing_then_they_stay_there() -> None:
    world = World(services=(replace(BILLING, rona_return_seconds=90),))
    agent = world.agent()
    agent.ready()
    world.customer().confirms()
    agent.leaves()
    lets_it_ring(agent)

    world.pass_time(900)

    assert (agent.shown, agent.status.reason) == ("not_ready", "lunch")
