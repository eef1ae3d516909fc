"""The agent first, and the engine stops, dies, or cannot hear: nobody is dialled for nobody, and no place is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import Phase, Recovery
from engine.core.decision import Recovered
from engine.core.effects import DialCustomer, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import AttemptLetGo, LegEntered, LegSeen, PresenceRequested, ResultKind
from engine.core.terms import AgentId, CallbackState, Outcome, Presence, PromptId
from tests.unit.core.test_agent_first_stories import INTERVAL, RING, centre, confirmed, dialled, rung
from tests.unit.core.world import AMY, BEN, BILLING, Customer, World, only, says

S = CallbackState
GONE, RINGING, ANSWERED, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ANSWERED, LegSeen.ENTERED
RESTARTED = pytest.mark.parametrize("restarted", [False, True])
"""A socket that was lost, or an engine that died."""


def looked_at(world: World, customer_leg: LegSeen, agent: LegSeen, *, restarted: bool) -> Recovery:
    """Everything is looked at as after a start or a lost event socket, and then calls go on."""
    if restarted:
        world.restart()
    world.lose_telephony()
    [attempt] = [flow.attempt.id for flow in world.dispatcher.live()]
    did = world.recover(attempt, customer_leg, agent)
    world.regain_telephony()
    world.pass_time(0)
    return did


# ---- before the customer is dialled --------------------------------------------------------------------


@RESTARTED
def test_given_an_agent_who_is_found_on_the_phone_then_they_hear_music_and_the_customer_is_dialled(
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = rung(world)

    assert looked_at(world, GONE, ENTERED, restarted=restarted) is Recovery.AGENT_KEPT

    assert says(only(world.agent().hears, HoldWithMusic)) == ()
    assert (customer.state, customer.attempt.n) == (S.DIALING, 1)
    assert len(world.done(DialCustomer)) == 1
    customer.confirms()
    world.agent().hears_whisper()
    assert customer.state is S.CONNECTED
    assert world.agent().times_rung == 1


def test_given_an_agent_who_is_found_on_the_phone_then_nobody_is_dialled_before_everything_was_looked_at() -> None:
    world = centre()
    customer = rung(world)
    world.restart()
    world.lose_telephony()

    world.see(customer.attempt.id, GONE, ENTERED)
    world.pass_time(5)

    assert world.done(DialCustomer) == [], "a late leg of an earlier call may have to be hung up first"
    world.regain_telephony()
    assert customer.state is S.DIALING


@RESTARTED
@pytest.mark.parametrize("agent", [RINGING, ANSWERED])
def test_given_an_agents_phone_that_is_found_ringing_then_it_rings_on_for_the_full_time(
    agent: LegSeen,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = rung(world)
    world.pass_time(RING - 1)
    before = len(world.effects)

    assert looked_at(world, GONE, agent, restarted=restarted) is Recovery.LEFT_ALONE

    assert world.effects[before:] == []
    world.pass_time(RING - 1)
    assert (customer.state, world.agent().shown) == (S.RINGING_AGENT, "ringing")
    world.pass_time(1)
    assert (customer.state, world.agent().status.reason) == (S.QUEUED, "rona")


@RESTARTED
def test_given_an_agents_phone_that_is_found_ringing_when_they_answer_then_the_customer_is_dialled(
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = rung(world)
    looked_at(world, GONE, RINGING, restarted=restarted)

    world.agent().picks_up()

    assert customer.state is S.DIALING


@RESTARTED
def test_given_an_agent_whose_leg_is_gone_then_they_are_not_blamed_and_the_customer_is_back_in_their_place(
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = rung(world)
    leg = world.agent().leg
    world.pass_time(1)
    other = world.customer()
    if restarted:
        world.restart()
    world.lose_telephony()

    assert world.recover(customer.attempt.id, GONE, GONE) is Recovery.BACK_IN_LINE

    assert [world.dispatcher.line.position(each.id) for each in (customer, other)] == [1, 2]
    assert (customer.attempt.outcome, customer.attempt.dialed_at) == (Outcome.NO_AGENT, None)
    assert [release.leg for release in world.done(Release)] == [leg], "its ring may be queued, or on its way"
    assert (world.agent().shown, world.agent().status.reason) == ("ready", None)
    world.regain_telephony()
    assert (customer.state, customer.attempt.n, customer.outcomes) == (S.RINGING_AGENT, 2, ())
    assert other.state is S.QUEUED


def test_given_an_engine_that_died_before_the_agent_was_rung_then_the_customer_keeps_their_place() -> None:
    world = centre(ready=False)
    customer = world.customer()
    world.die_after_commit(PresenceRequested(AgentId("amy"), Presence.READY))
    assert customer.is_in(S.RINGING_AGENT)
    assert world.done(RingAgent) == []

    assert looked_at(world, GONE, GONE, restarted=False) is Recovery.BACK_IN_LINE

    assert (customer.state, customer.attempt.n) == (S.RINGING_AGENT, 2)


def test_given_an_engine_that_died_before_the_dial_was_written_then_the_agent_is_kept_and_the_customer_dialled() -> (
    None
):
    world = centre()
    customer = rung(world)
    world.fail_to_commit(LegEntered(world.agent().leg))
    assert customer.attempt.dialed_at is None

    looked_at(world, GONE, ENTERED, restarted=False)

    assert [dial.leg for dial in world.done(DialCustomer)] == [customer.attempt.customer_leg]


def test_given_an_engine_that_died_after_the_dial_was_written_then_it_counts_as_dialled_and_the_agent_is_let_go() -> (
    None
):
    world = centre()
    customer = rung(world)
    leg = world.agent().leg
    world.die_after_commit(LegEntered(leg))
    assert customer.attempt.dialed_at == world.now

    assert looked_at(world, GONE, ENTERED, restarted=False) is Recovery.INTERRUPTED

    assert customer.outcomes == (Outcome.INTERRUPTED,)
    assert customer.waits_until == INTERVAL, "nobody can say that it did not ring"
    assert [release.leg for release in world.done(Release)] == [leg]
    assert world.agent().shown == "ready"


# ---- while the customer is dialled and asked -----------------------------------------------------------


def rings(customer: Customer) -> None:
    customer.rings()


def has_picked_up(customer: Customer) -> None:
    customer.picks_up()


def listens(customer: Customer) -> None:
    customer.answers()


REACHES = [rings, has_picked_up, listens]
Reach = Callable[[Customer], None]


@RESTARTED
@pytest.mark.parametrize(
    ("reach", "leg", "did"),
    [
        (rings, RINGING, Recovery.LEFT_ALONE),
        (rings, ENTERED, Recovery.ANNOUNCED),
        (has_picked_up, ANSWERED, Recovery.LEFT_ALONE),
        (listens, ENTERED, Recovery.ANNOUNCED),
    ],
)
def test_given_an_agent_who_waits_and_a_customer_who_is_there_then_both_are_kept_and_the_agent_hears_music_again(
    reach: Reach,
    leg: LegSeen,
    did: Recovery,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = dialled(world)
    reach(customer)
    music = len(world.done(HoldWithMusic))

    assert looked_at(world, leg, ENTERED, restarted=restarted) is did

    assert [each.leg for each in world.done(HoldWithMusic)[music:]] == [world.agent().leg]
    assert world.done(Release) == []
    customer.enters()
    customer.presses("1")
    assert says(only(world.agent().hears, Play)) == (PromptId.WHISPER,)
    world.agent().hears_whisper()
    assert (customer.state, world.agent().times_rung) == (S.CONNECTED, 1)


@RESTARTED
@pytest.mark.parametrize("reach", REACHES)
def test_given_an_agent_who_waits_and_a_customer_who_is_gone_then_the_agent_is_free_at_once(
    reach: Reach,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = dialled(world)
    reach(customer)

    assert looked_at(world, GONE, ENTERED, restarted=restarted) is Recovery.INTERRUPTED

    assert customer.outcomes == (Outcome.INTERRUPTED,)
    assert [release.leg for release in world.done(Release)] == [world.agent().leg]
    assert world.agent().shown == "ready"


@RESTARTED
@pytest.mark.parametrize("reach", REACHES)
def test_given_an_agent_who_waited_and_is_gone_then_nobody_is_blamed_and_they_are_rung_when_the_customer_confirms(
    reach: Reach,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = dialled(world)
    reach(customer)

    looked_at(world, ENTERED, GONE, restarted=restarted)

    assert (world.agent().shown, world.agent().status.reason) == ("reserved", None)
    customer.presses("1")
    assert (world.agent().shown, world.agent().times_rung) == ("ringing", 2)
    assert isinstance(customer.hears, HoldWithMusic)
    world.agent().answers()
    assert customer.state is S.CONNECTED


def test_given_an_agent_who_waited_and_is_gone_when_they_are_set_not_ready_then_the_dial_is_cancelled() -> None:
    world = centre()
    customer = dialled(world)
    looked_at(world, RINGING, GONE, restarted=True)

    world.agent().leaves()

    assert customer.closing is Outcome.NO_AGENT
    assert (world.agent().shown, world.agent().status.reason) == ("not_ready", "lunch")


@RESTARTED
def test_given_an_agent_who_was_given_up_when_their_leg_is_still_found_then_it_is_let_go(
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = dialled(world)
    customer.answers()
    leg = world.agent().leg
    world.agent().hangs_up()
    before = len(world.done(Release))

    looked_at(world, ENTERED, ENTERED, restarted=restarted)

    assert [release.leg for release in world.done(Release)[before:]] == [leg]
    assert customer.state is S.ANNOUNCING


@RESTARTED
def test_given_a_whisper_when_both_are_found_then_it_begins_anew(
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = centre()
    customer = confirmed(world)

    assert looked_at(world, ENTERED, ENTERED, restarted=restarted) is Recovery.AGENT_KEPT

    assert says(only(world.agent().hears, Play)) == (PromptId.WHISPER,)
    world.agent().hears_whisper()
    assert customer.state is S.CONNECTED


def test_given_an_attempt_that_is_looked_at_then_the_recovery_says_in_which_phase_it_was() -> None:
    world = centre()
    customer = rung(world)

    reply = world.see(customer.attempt.id, GONE, RINGING).reply

    assert reply == Recovered(customer.attempt.id, Phase.RINGING_FIRST, Recovery.LEFT_ALONE)


# ---- while nothing can be heard ------------------------------------------------------------------------


def test_given_an_agent_who_answers_unheard_then_they_hear_music_and_the_customer_is_dialled_when_it_can_be_heard() -> (
    None
):
    world = centre()
    customer = rung(world)
    world.lose_telephony()

    world.agent().picks_up()
    world.pass_time(RING * 2)

    assert isinstance(world.agent().hears, HoldWithMusic)
    assert world.done(DialCustomer) == []
    assert customer.is_in(S.RINGING_AGENT)
    world.regain_telephony()
    assert customer.state is S.DIALING


def test_given_an_agent_who_answered_unheard_when_a_look_is_older_then_they_are_believed() -> None:
    world = centre()
    customer = rung(world)
    world.lose_telephony()
    world.agent().picks_up()

    world.see(customer.attempt.id, GONE, RINGING)
    world.regain_telephony()
    world.pass_time(0)

    assert customer.state is S.DIALING


def test_given_an_agent_who_answered_unheard_when_the_engine_dies_and_finds_them_ringing_then_they_are_waited_for() -> (
    None
):
    world = centre()
    customer = rung(world)
    world.lose_telephony()
    world.agent().picks_up()

    looked_at(world, GONE, RINGING, restarted=True)

    assert world.done(DialCustomer) == [], "nobody knows that they are on the phone"
    world.agent().picks_up()
    assert customer.state is S.DIALING


def test_given_an_agent_who_answered_and_left_unheard_then_nobody_is_dialled() -> None:
    world = centre()
    customer = rung(world)
    world.lose_telephony()
    world.agent().picks_up()
    world.agent().hangs_up()

    world.regain_telephony()

    assert world.done(DialCustomer) == []
    assert (customer.state, world.agent().status.reason) == (S.QUEUED, "rona")


def test_given_an_agents_phone_that_rings_when_nothing_is_heard_for_long_then_nobody_is_blamed() -> None:
    world = centre()
    customer = rung(world)
    world.lose_telephony()

    world.pass_time(RING * 10)
    assert (customer.state, world.agent().shown) == (S.RINGING_AGENT, "ringing")
    looked_at(world, GONE, GONE, restarted=False)

    assert world.agent().status.reason is None
    assert customer.attempt.n == 2


@pytest.mark.parametrize("result", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_a_ring_that_fails_unheard_then_the_look_decides(result: ResultKind) -> None:
    world = centre()
    world.results.pop(RingAgent)
    customer = rung(world)
    world.lose_telephony()

    world.ends(RingAgent, result)
    assert customer.is_in(S.RINGING_AGENT)
    looked_at(world, GONE, RINGING, restarted=False)

    world.agent().picks_up()
    assert customer.state is S.DIALING


# ---- the engine stops, or lets go while nothing can be written -----------------------------------------


@pytest.mark.parametrize("reach", [rung, dialled])
def test_given_a_call_that_is_let_go_unwritten_then_it_is_over_and_the_agent_free(
    reach: Callable[[World], Customer],
) -> None:
    world = centre()
    customer = reach(world)
    leg = world.agent().leg
    world.lose_telephony()

    world.tell(AttemptLetGo(customer.attempt.id))

    assert customer.attempt.outcome is Outcome.INTERRUPTED
    assert leg in {release.leg for release in world.done(Release)}
    assert world.agent().shown == "ready"
    assert customer.outcomes == ()
    assert (customer.state is S.QUEUED) == (reach is rung)


def test_given_an_agent_who_is_rung_when_the_engine_stops_then_their_phone_stops_and_the_place_is_kept() -> None:
    world = centre()
    customer = rung(world)
    leg = world.agent().leg
    world.agent("ben").ready()

    world.stop()

    assert [release.leg for release in world.done(Release)] == [leg]
    assert (customer.state, customer.outcomes) == (S.QUEUED, ())
    assert customer.attempt.outcome is Outcome.INTERRUPTED
    assert (world.agent("amy").shown, world.agent("ben").shown) == ("ready", "ready")
    assert list(world.dispatcher.live()) == []
    world.restart()
    world.pass_time(0)
    assert world.dispatcher.line.position(customer.id) == 1


@pytest.mark.parametrize(("reach", "prompts"), [(rings, ()), (has_picked_up, ()), (listens, (PromptId.APOLOGY,))])
def test_given_an_agent_who_waits_when_the_engine_stops_then_both_are_let_go(
    reach: Reach, prompts: tuple[PromptId, ...]
) -> None:
    world = centre()
    customer = dialled(world)
    reach(customer)

    world.stop()

    assert says(only(customer.hears, Release)) == prompts
    assert world.agent().leg in {release.leg for release in world.done(Release)}
    assert world.agent().shown == "ready"
    customer.is_let_go(Outcome.INTERRUPTED)


def test_given_an_agent_in_the_whisper_when_the_engine_stops_then_they_are_still_connected() -> None:
    world = centre()
    customer = confirmed(world)

    world.stop()
    world.agent().hears_whisper()

    assert customer.state is S.CONNECTED


def test_given_a_configuration_that_changes_its_mind_then_a_call_ends_as_it_began() -> None:
    world = centre()
    customer = rung(world)
    world.configure((BILLING,), (AMY, BEN))
    world.restart()

    looked_at(world, GONE, ENTERED, restarted=False)

    customer.confirms()
    world.agent().hears_whisper()
    assert (customer.state, world.agent().times_rung) == (S.CONNECTED, 1)
