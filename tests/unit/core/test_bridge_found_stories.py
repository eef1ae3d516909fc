"""The engine died while it connected two people: a look decides whether they talk, have talked, or never met."""

from __future__ import annotations

import pytest

from engine.core.callphase import Recovery
from engine.core.effects import Connect, DialCustomer, Dismantle, HoldWithMusic, Release, RingAgent
from engine.core.events import AttemptSeen, EffectEnded, LegSeen, PlayingFinished, ResultKind
from engine.core.terms import CallbackState, Outcome, PromptId, Reason
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, Customer, World, being_bridged, only, says

S = CallbackState
GONE, RINGING, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ENTERED


def bridged_and_restarted(world: World) -> Customer:
    """The Connect was begun and its end never heard."""
    customer = being_bridged(world)
    world.restart()
    return customer


def ended_unobserved(customer: Customer) -> None:
    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.ENDED_UNOBSERVED)
    assert customer.outcomes == (Outcome.CONNECTED,)
    assert customer.world.agent().shown == "wrap_up"
    customer.world.pass_time(BILLING.life_seconds)
    assert len(customer.world.done(DialCustomer)) == 1


# ---- they talk -----------------------------------------------------------------------------------------


def test_given_both_in_the_bridge_when_the_engine_starts_then_they_are_connected_and_left_alone() -> None:
    world = World()
    customer = bridged_and_restarted(world)
    done = len(world.effects)

    did = world.recover(customer.attempt.id, ENTERED, ENTERED, bridged=True)

    assert did is Recovery.LEFT_ALONE
    assert customer.is_in(S.CONNECTED)
    assert customer.attempt.bridged_at == world.now
    assert world.agent().shown == "talking"
    world.pass_time(3600)
    assert customer.is_in(S.CONNECTED)
    assert world.effects[done:] == []


def test_given_both_in_the_bridge_when_one_hangs_up_then_it_was_a_conversation() -> None:
    world = World()
    customer = bridged_and_restarted(world)
    world.see(customer.attempt.id, ENTERED, ENTERED, bridged=True)

    customer.hangs_up()

    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)
    assert world.agent().shown == "wrap_up"


@pytest.mark.parametrize("result", list(ResultKind))
def test_given_they_were_found_in_the_bridge_when_the_end_of_connect_comes_late_then_nothing_changes(
    result: ResultKind,
) -> None:
    world = World()
    customer = being_bridged(world)
    world.tell(AttemptSeen(customer.attempt.id, ENTERED, ENTERED, bridged=True))
    before = customer.attempt

    decision = world.tell(EffectEnded(world.done(Connect)[-1], result))

    assert (decision.changes, decision.effects) == ([], [])
    assert customer.attempt == before


# ---- they have talked, or may have ---------------------------------------------------------------------


@pytest.mark.parametrize(("customer_leg", "agent"), [(ENTERED, GONE), (GONE, ENTERED)])
def test_given_one_left_in_the_bridge_when_the_engine_starts_then_they_have_talked(
    customer_leg: LegSeen, agent: LegSeen
) -> None:
    world = World()
    customer = bridged_and_restarted(world)

    did = world.recover(customer.attempt.id, customer_leg, agent, bridged=True)

    assert did is Recovery.ENDED_UNOBSERVED
    left = customer.attempt.customer_leg if agent is GONE else world.agent().leg
    assert [effect.leg for effect in world.done(Release)] == [left]
    ended_unobserved(customer)


def test_given_both_gone_when_the_engine_starts_then_nobody_can_say_that_they_did_not_talk() -> None:
    world = World()
    customer = bridged_and_restarted(world)

    assert world.recover(customer.attempt.id, GONE, GONE) is Recovery.ENDED_UNOBSERVED

    ended_unobserved(customer)


@pytest.mark.parametrize("agent_too", [False, True])
def test_given_no_look_when_legs_end_after_the_start_then_they_may_have_talked(
    agent_too: bool,  # noqa: FBT001 - one of two moments of the same story
) -> None:
    world = World()
    customer = bridged_and_restarted(world)

    customer.hangs_up()
    if agent_too:
        world.agent().hangs_up()
    assert customer.attempt.outcome is None, "a look may know more"
    world.pass_time(LIMITS.bridge_seconds)

    ended_unobserved(customer)


def test_given_connect_is_written_when_the_engine_dies_before_it_is_done_then_only_a_look_can_say_so() -> None:
    world = World()
    customer = whispered_to(world)
    world.die_after_commit(PlayingFinished(world.agent().leg, "whisper"))
    assert world.done(Connect) == []

    assert world.recover(customer.attempt.id, GONE, GONE) is Recovery.ENDED_UNOBSERVED

    ended_unobserved(customer)


# ---- they never met ------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", [RINGING, ENTERED])
def test_given_the_customer_gone_and_the_agent_in_no_bridge_then_they_never_met_and_the_customer_comes_first(
    agent: LegSeen,
) -> None:
    world = World()
    customer = bridged_and_restarted(world)

    assert world.recover(customer.attempt.id, GONE, agent) is Recovery.INTERRUPTED

    assert customer.outcomes == (Outcome.INTERRUPTED,)
    assert (customer.state, customer.callback.at_head) == (S.RETRY_WAIT, True)
    assert customer.waits_until == BILLING.attempts.fault_interval_seconds
    assert [effect.leg for effect in world.done(Release)] == [world.agent().leg]
    assert world.agent().shown == "ready", "no wrap-up without a conversation"
    world.pass_time(customer.waits_until)
    assert len(world.done(DialCustomer)) == 2


@pytest.mark.parametrize("agent", list(LegSeen))
def test_given_the_customer_in_no_bridge_then_music_again_and_an_agent_anew(agent: LegSeen) -> None:
    world = World(agents=(AMY, BEN))
    customer = bridged_and_restarted(world)
    first = world.agent().leg

    did = world.recover(customer.attempt.id, ENTERED, agent)

    assert did is Recovery.AGENT_WANTED
    assert (customer.attempt.bridging_at, customer.attempt.bridged_at) == (None, None)
    kinds = [type(effect) for effect in world.effects if isinstance(effect, Dismantle | HoldWithMusic)]
    assert kinds[-2:] == [Dismantle, HoldWithMusic], "who is in a bridge hears no music of their own"
    assert [effect.leg for effect in world.done(Release)] == [first]
    assert len(world.done(RingAgent)) == 2
    world.results[Connect] = ResultKind.OK
    world.agent().answers()
    assert customer.state is S.CONNECTED


def test_given_the_customer_in_no_bridge_when_they_hang_up_later_then_they_are_called_again() -> None:
    world = World()
    customer = bridged_and_restarted(world)
    world.see(customer.attempt.id, ENTERED, GONE)

    customer.hangs_up()

    assert customer.outcomes == (Outcome.ABANDONED,)
    assert customer.callback.at_head


@pytest.mark.parametrize("agent", list(LegSeen))
def test_given_a_stop_before_the_look_when_they_never_met_then_an_apology_and_no_more_music(agent: LegSeen) -> None:
    world = World()
    customer = bridged_and_restarted(world)
    world.stop()
    assert customer.attempt.outcome is None, "they may be talking"

    assert world.recover(customer.attempt.id, ENTERED, agent) is Recovery.RELEASED

    assert says(only(customer.hears, Release)) == (PromptId.APOLOGY,)
    assert customer.attempt.bridging_at is None
    customer.is_let_go(Outcome.INTERRUPTED)


def test_given_connect_is_not_written_when_the_engine_dies_then_it_was_never_begun_and_the_whisper_comes_again() -> (
    None
):
    world = World()
    customer = whispered_to(world)
    world.fail_to_commit(PlayingFinished(world.agent().leg, "whisper"))
    assert world.done(Connect) == []
    assert customer.attempt.bridging_at is None

    assert world.recover(customer.attempt.id, ENTERED, ENTERED) is Recovery.AGENT_KEPT

    world.agent().hears_whisper()
    assert customer.state is S.CONNECTED


def whispered_to(world: World) -> Customer:
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().picks_up()
    return customer
