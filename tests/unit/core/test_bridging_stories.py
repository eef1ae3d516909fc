"""Being connected: from the moment it is written they may talk, and whoever may have talked is never called again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import REFUSED_GRACE_SECONDS
from engine.core.effects import Connect, DialCustomer, Dismantle, EffectClass, HoldWithMusic, Release, RingAgent
from engine.core.events import EffectEnded, LegEnded, LegSeen, ResultKind
from engine.core.terms import CallbackState, LegId, Outcome, PromptId, Reason
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, Customer, World, being_bridged, only, says

S = CallbackState
OK, REFUSED, UNKNOWN = ResultKind.OK, ResultKind.REFUSED, ResultKind.UNKNOWN
GONE, RINGING, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ENTERED


def the_customer(customer: Customer) -> None:
    customer.hangs_up()


def the_agent(customer: Customer) -> None:
    customer.world.agent().hangs_up()


def first_the_agent_then_the_customer(customer: Customer) -> None:
    the_agent(customer)
    the_customer(customer)


def first_the_customer_then_the_agent(customer: Customer) -> None:
    the_customer(customer)
    the_agent(customer)


Leaves = Callable[[Customer], None]
EITHER = [the_customer, the_agent]
SOMEBODY = [*EITHER, first_the_agent_then_the_customer, first_the_customer_then_the_agent]


def is_over_as_a_conversation(customer: Customer) -> None:
    """Ended, never called again, both phones let go, the agent in wrap-up."""
    world = customer.world
    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.ENDED_UNOBSERVED)
    assert customer.outcomes == (Outcome.CONNECTED,)
    assert world.agent().shown == "wrap_up"
    assert [effect.bridge for effect in world.done(Dismantle)] == [customer.attempt.bridge]
    world.pass_time(BILLING.wrap_up_seconds)
    assert world.agent().shown == "ready"
    world.pass_time(BILLING.life_seconds)
    assert len(world.done(DialCustomer)) == 1


# ---- while the end of Connect is not known -------------------------------------------------------------


def test_given_an_agent_who_heard_the_whisper_then_the_connecting_is_written_and_waits_for_the_commit() -> None:
    world = World()
    customer = being_bridged(world)

    assert Connect.kind is EffectClass.IRREVERSIBLE
    assert (customer.attempt.bridging_at, customer.attempt.bridged_at) == (world.now, None)
    assert customer.is_in(S.CONFIRMED)
    assert world.agent().shown == "ringing"


@pytest.mark.parametrize("leaves", SOMEBODY)
def test_given_somebody_who_leaves_before_connect_has_ended_then_nothing_is_concluded_yet(leaves: Leaves) -> None:
    customer = being_bridged(World())
    done = len(customer.world.effects)

    leaves(customer)

    assert customer.attempt.outcome is None
    assert customer.world.effects[done:] == []


@pytest.mark.parametrize("result", [OK, UNKNOWN])
@pytest.mark.parametrize("leaves", SOMEBODY)
def test_given_somebody_who_left_when_connect_was_done_or_nobody_knows_then_they_may_have_talked(
    leaves: Leaves, result: ResultKind
) -> None:
    customer = being_bridged(World())
    leaves(customer)

    decision = customer.world.ends(Connect, result)

    left: dict[Leaves, list[LegId]] = {
        the_customer: [customer.world.agent().leg],
        the_agent: [customer.attempt.customer_leg],
    }
    released = [effect.leg for effect in decision.effects if isinstance(effect, Release)]
    assert released == left.get(leaves, []), "who is still on the phone is let go"
    is_over_as_a_conversation(customer)


def test_given_a_customer_who_left_when_connect_was_refused_then_they_gave_up_waiting() -> None:
    customer = being_bridged(World())
    world = customer.world
    customer.hangs_up(cause=31)

    world.ends(Connect, REFUSED)

    assert customer.outcomes == (Outcome.ABANDONED,)
    assert (customer.attempt.cause, customer.attempt.bridging_at) == (31, None)
    assert (customer.state, customer.callback.at_head) == (S.RETRY_WAIT, True)
    assert world.agent().shown == "ready", "no wrap-up without a conversation"
    assert [effect.leg for effect in world.done(Release)] == [world.agent().leg]


def test_given_an_agent_who_left_when_connect_was_refused_then_the_next_agent_is_rung() -> None:
    world = World(agents=(AMY, BEN))
    customer = being_bridged(world)
    world.agent("ben").ready()
    world.agent("amy").hangs_up()

    world.ends(Connect, REFUSED)

    assert world.agent("amy").status.reason == "rona"
    assert world.agent("ben").shown == "ringing"
    assert customer.is_in(S.CONFIRMED)
    assert isinstance(customer.hears, HoldWithMusic), "Connect stopped the music before it was refused"
    assert [effect.bridge for effect in world.done(Dismantle)] == [world.done(Connect)[0].bridge]
    world.results[Connect] = OK
    world.agent("ben").answers()
    assert customer.state is S.CONNECTED


@pytest.mark.parametrize("leaves", [first_the_agent_then_the_customer, first_the_customer_then_the_agent])
def test_given_both_left_when_connect_was_refused_then_nobody_is_looked_for_any_more(leaves: Leaves) -> None:
    world = World(agents=(AMY, BEN))
    customer = being_bridged(world)
    world.agent("ben").ready()
    leaves(customer)

    world.ends(Connect, REFUSED)

    assert customer.outcomes == (Outcome.ABANDONED,)
    assert (world.agent("ben").shown, world.agent("ben").times_rung) == ("ready", 0)
    assert world.agent("amy").shown == "ready", "there was nobody left whom the agent could miss"


def test_given_connect_done_and_nobody_left_then_it_is_a_conversation_whose_end_is_seen() -> None:
    customer = being_bridged(World())
    customer.world.ends(Connect, OK)
    assert customer.is_in(S.CONNECTED)

    customer.hangs_up()

    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)


# ---- a known refusal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", EITHER)
def test_given_a_refusal_when_the_end_of_a_leg_explains_it_then_it_counts_as_it_was(leaves: Leaves) -> None:
    world = World(agents=(AMY, BEN))
    customer = being_bridged(world)
    world.agent("ben").ready()
    world.ends(Connect, REFUSED)
    assert customer.attempt.bridging_at is None

    leaves(customer)

    if leaves is the_customer:
        assert customer.outcomes == (Outcome.ABANDONED,)
    else:
        assert world.agent("amy").status.reason == "rona"
        assert world.agent("ben").shown == "ringing"


def test_given_a_refusal_when_nobody_left_then_an_apology_and_again_at_the_head() -> None:
    customer = being_bridged(World())
    world = customer.world
    world.ends(Connect, REFUSED)
    assert customer.closing is None

    world.pass_time(REFUSED_GRACE_SECONDS)

    assert says(only(customer.hears, Release)) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.INTERRUPTED)
    assert (customer.callback.at_head, customer.waits_until) == (True, BILLING.attempts.fault_interval_seconds)


@pytest.mark.parametrize("agent", [GONE, ENTERED])
@pytest.mark.parametrize("restarted", [False, True])
def test_given_a_refusal_when_a_look_finds_the_customer_gone_then_they_never_talked_and_are_called_again(
    agent: LegSeen,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    customer = being_bridged(World())
    world = customer.world
    world.ends(Connect, REFUSED)
    if restarted:
        world.restart()

    world.see(customer.attempt.id, GONE, agent)

    assert customer.outcomes == (Outcome.INTERRUPTED,), "the refusal was known: they cannot have talked"
    assert customer.callback.at_head
    assert world.agent().shown == "ready"


# ---- an Asterisk that is slow --------------------------------------------------------------------------


@pytest.mark.parametrize("result", [None, UNKNOWN])
def test_given_people_who_may_be_talking_when_the_bridge_limit_passes_then_nobody_cuts_them(
    result: ResultKind | None,
) -> None:
    customer = being_bridged(World())
    world = customer.world
    if result is not None:
        world.ends(Connect, result)
    done = len(world.effects)

    world.pass_time(20 * LIMITS.bridge_seconds)

    assert world.effects[done:] == []
    assert customer.attempt.outcome is None
    world.ends(Connect, OK)
    assert customer.state is S.CONNECTED, "the end of Connect may come late"


@pytest.mark.parametrize("leaves", SOMEBODY)
@pytest.mark.parametrize("result", [None, UNKNOWN])
def test_given_people_who_may_be_talking_when_a_leg_ends_then_the_call_is_over_within_the_bridge_limit(
    leaves: Leaves, result: ResultKind | None
) -> None:
    customer = being_bridged(World())
    world = customer.world
    if result is not None:
        world.ends(Connect, result)
    world.pass_time(3.5 * LIMITS.bridge_seconds)

    leaves(customer)
    world.pass_time(LIMITS.bridge_seconds)

    is_over_as_a_conversation(customer)


def test_given_a_call_that_ended_unobserved_when_the_end_of_connect_comes_late_then_it_stays_over() -> None:
    customer = being_bridged(World())
    world = customer.world
    customer.hangs_up()
    world.pass_time(LIMITS.bridge_seconds)
    assert customer.is_in(S.COMPLETED)

    for result in ResultKind:
        decision = world.ends(Connect, result)
        assert (decision.changes, decision.effects) == ([], [])


@pytest.mark.parametrize("result", list(ResultKind))
def test_given_a_second_agent_being_bridged_when_the_result_of_the_first_comes_again_then_it_changes_nothing(
    result: ResultKind,
) -> None:
    world = World(agents=(AMY, BEN))
    customer = being_bridged(world)
    world.ends(Connect, REFUSED)
    world.agent("amy").hangs_up()
    world.agent("ben").ready()
    world.agent("ben").answers()
    first, second = world.done(Connect)
    assert first.bridge != second.bridge == customer.attempt.bridge

    world.tell(EffectEnded(first, result))
    assert customer.is_in(S.CONFIRMED)
    world.tell(EffectEnded(second, OK))

    assert customer.state is S.CONNECTED
    assert customer.callback.agent == "ben"


# ---- the event socket is lost meanwhile ----------------------------------------------------------------


@pytest.mark.parametrize("agent", [RINGING, ENTERED])
def test_given_connect_under_way_when_a_look_finds_no_bridge_then_they_are_left_alone_until_it_ends(
    agent: LegSeen,
) -> None:
    customer = being_bridged(World())
    world = customer.world
    done = len(world.effects)

    world.see(customer.attempt.id, ENTERED, agent)

    assert world.effects[done:] == [], "Connect may still be on its way"
    world.ends(Connect, OK)
    assert customer.state is S.CONNECTED


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("result", list(ResultKind))
def test_given_connect_under_way_when_a_look_finds_the_agent_gone_then_its_end_still_decides(
    result: ResultKind,
    heard: bool,  # noqa: FBT001 - whether the end of the leg was told too
) -> None:
    world = World(agents=(AMY, BEN))
    customer = being_bridged(world)
    world.agent("ben").ready()
    if heard:
        world.agent("amy").hangs_up()
    world.see(customer.attempt.id, ENTERED, GONE)

    world.ends(Connect, result)

    if result is REFUSED:
        assert customer.is_in(S.CONFIRMED)
        assert world.agent("ben").shown == "ringing", "a customer on the phone must not wait for nobody"
    else:
        assert (customer.state, customer.reason) == (S.COMPLETED, Reason.ENDED_UNOBSERVED)


@pytest.mark.parametrize("leaves", SOMEBODY)
def test_given_a_leg_whose_end_was_told_when_an_older_look_still_shows_it_then_it_is_gone_all_the_same(
    leaves: Leaves,
) -> None:
    """A recovery looks twice, and what either look found is told as there."""
    customer = being_bridged(World())
    world = customer.world
    leaves(customer)

    world.see(customer.attempt.id, ENTERED, ENTERED)
    world.ends(Connect, OK)

    is_over_as_a_conversation(customer)


def test_given_nobody_knows_how_connect_ended_when_a_look_finds_them_apart_then_music_and_an_agent_anew() -> None:
    world = World(agents=(AMY, BEN))
    customer = being_bridged(world)
    world.ends(Connect, UNKNOWN)
    world.agent("ben").ready()

    world.see(customer.attempt.id, ENTERED, ENTERED)

    assert isinstance(customer.hears, HoldWithMusic)
    first, _second = world.done(RingAgent)
    assert [effect.leg for effect in world.done(Release)] == [first.leg]
    assert customer.attempt.bridging_at is None


def test_given_nobody_knows_how_connect_ended_when_a_look_finds_them_together_then_they_are_connected() -> None:
    customer = being_bridged(World())
    customer.world.ends(Connect, UNKNOWN)

    customer.world.see(customer.attempt.id, ENTERED, ENTERED, bridged=True)

    assert customer.state is S.CONNECTED


def test_given_the_end_of_an_agents_leg_told_twice_when_connect_is_refused_then_they_missed_it_once() -> None:
    customer = being_bridged(World())
    world = customer.world
    for _twice in range(2):
        world.tell(LegEnded(world.agent().leg, 16))

    decision = world.ends(Connect, REFUSED)

    assert [type(effect) for effect in decision.effects] == [Dismantle, HoldWithMusic]
    assert customer.is_in(S.CONFIRMED)
