"""What a recovery does about each call, and says that it did; a confirmed customer keeps the agent who is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import Phase, Recovery
from engine.core.decision import Recovered
from engine.core.effects import Dismantle, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import AttemptSeen, LegEntered, LegSeen
from engine.core.terms import AttemptId, CallbackState, Outcome, PromptId
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, Customer, World, only, says

S = CallbackState
GONE, RINGING, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ENTERED
RING = BILLING.agent_ring_seconds


def dialing(customer: Customer) -> None:
    customer.rings()


def answered(customer: Customer) -> None:
    customer.picks_up()


def announcing(customer: Customer) -> None:
    customer.answers()


def confirmed(customer: Customer) -> None:
    customer.confirms()


def whispering(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().picks_up()


def talking(customer: Customer) -> None:
    whispering(customer)
    customer.world.agent().hears_whisper()


def let_go(customer: Customer) -> None:
    customer.answers()
    customer.presses("3")


Reach = Callable[[Customer], None]


def reached(reach: Reach, *, restarted: bool) -> Customer:
    world = World(agents=(AMY, BEN))
    world.agent().ready()
    customer = world.customer()
    reach(customer)
    if restarted:
        world.restart()
    return customer


TOLD = [
    (dialing, Phase.DIALING, RINGING, GONE, Recovery.LEFT_ALONE),
    (dialing, Phase.DIALING, ENTERED, GONE, Recovery.ANNOUNCED),
    (dialing, Phase.DIALING, GONE, GONE, Recovery.INTERRUPTED),
    (answered, Phase.ANSWERED, RINGING, GONE, Recovery.LEFT_ALONE),
    (answered, Phase.ANSWERED, ENTERED, GONE, Recovery.ANNOUNCED),
    (announcing, Phase.ANNOUNCING, RINGING, GONE, Recovery.LEFT_ALONE),
    (announcing, Phase.ANNOUNCING, ENTERED, GONE, Recovery.ANNOUNCED),
    (announcing, Phase.ANNOUNCING, GONE, GONE, Recovery.INTERRUPTED),
    (confirmed, Phase.WAITING, ENTERED, RINGING, Recovery.AGENT_KEPT),
    (confirmed, Phase.WAITING, ENTERED, ENTERED, Recovery.AGENT_KEPT),
    (confirmed, Phase.WAITING, ENTERED, GONE, Recovery.AGENT_WANTED),
    (confirmed, Phase.WAITING, GONE, ENTERED, Recovery.INTERRUPTED),
    (whispering, None, ENTERED, ENTERED, Recovery.AGENT_KEPT),
    (whispering, None, ENTERED, GONE, Recovery.AGENT_WANTED),
    (talking, Phase.CONNECTED, ENTERED, ENTERED, Recovery.LEFT_ALONE),
    (talking, Phase.CONNECTED, ENTERED, GONE, Recovery.ENDED_UNOBSERVED),
    (talking, Phase.CONNECTED, GONE, ENTERED, Recovery.ENDED_UNOBSERVED),
    (let_go, Phase.CLOSING, ENTERED, GONE, Recovery.RELEASED),
    (let_go, Phase.CLOSING, GONE, GONE, Recovery.CLOSED),
]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(("reach", "phase", "customer_leg", "agent", "did"), TOLD)
def test_given_a_call_when_it_is_looked_at_then_the_recovery_says_what_it_did(
    reach: Reach,
    phase: Phase | None,
    customer_leg: LegSeen,
    agent: LegSeen,
    did: Recovery,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    """`phase` None: whispering, which is not written, so that a restart leads one step back."""
    customer = reached(reach, restarted=restarted)
    attempt = customer.attempt.id

    reply = customer.world.see(attempt, customer_leg, agent).reply

    before = phase or (Phase.WAITING if restarted else Phase.WHISPERING)
    assert reply == Recovered(attempt, before, did)


def test_given_an_attempt_that_nobody_knows_when_it_is_looked_at_then_nothing_is_said() -> None:
    world = World()

    decision = world.tell(AttemptSeen(AttemptId("nobody-1"), ENTERED, ENTERED))

    assert (decision.changes, decision.effects, decision.reply) == ([], [], None)


# ---- the agent is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("reach", "restarted"), [(confirmed, False), (confirmed, True), (whispering, True)])
def test_given_an_agents_phone_that_is_found_ringing_then_it_rings_on_for_the_full_time(
    reach: Reach,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    customer = reached(reach, restarted=restarted)
    world = customer.world
    world.agent("ben").ready()
    world.pass_time(RING - 6)
    done = len(world.effects)

    world.see(customer.attempt.id, ENTERED, RINGING)

    assert [type(effect) for effect in world.effects[done:]] == [HoldWithMusic]
    assert world.agent("amy").shown == "ringing"
    world.pass_time(RING - 1)
    assert world.agent("amy").shown == "ringing", "what rang while nobody listened does not count"
    world.pass_time(1)
    assert (world.agent("amy").status.reason, world.agent("ben").shown) == ("rona", "ringing")


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("reach", [confirmed, whispering])
def test_given_an_agent_who_is_found_on_the_phone_then_the_whisper_begins_anew_and_they_talk(
    reach: Reach,
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    customer = reached(reach, restarted=restarted)
    world = customer.world
    done = len(world.effects)

    world.see(customer.attempt.id, ENTERED, ENTERED)

    music, whisper = world.effects[done:]
    assert (says(only(music, HoldWithMusic)), says(only(whisper, Play))) == ((), (PromptId.WHISPER,))
    assert (customer.attempt.id, "agent_ring") not in world.journal.timers
    world.pass_time(LIMITS.whisper_seconds)
    assert customer.state is S.CONNECTED, "also if the end of the whisper is never told"
    assert world.agent().times_rung == 1


def test_given_an_agent_who_was_found_ringing_when_they_answer_then_they_talk() -> None:
    customer = reached(confirmed, restarted=True)
    customer.world.see(customer.attempt.id, ENTERED, RINGING)

    customer.world.agent().answers()

    assert customer.state is S.CONNECTED
    assert customer.callback.agent == "amy"
    assert customer.world.done(Release) == []


def test_given_an_agent_who_was_given_up_when_their_leg_is_still_found_then_it_is_let_go_and_another_one_rung() -> None:
    customer = reached(confirmed, restarted=False)
    world = customer.world
    world.pass_time(RING)
    first = world.agent("amy").leg
    world.restart()

    assert world.recover(customer.attempt.id, ENTERED, ENTERED) is Recovery.AGENT_WANTED

    assert world.done(Release)[-1].leg == first
    world.agent("ben").ready()
    assert world.agent("ben").shown == "ringing"


@pytest.mark.parametrize("restarted", [False, True])
def test_given_an_agents_leg_that_no_look_found_then_it_is_let_go_anyway_and_again_when_it_appears(
    restarted: bool,  # noqa: FBT001 - a socket that was lost, or an engine that died
) -> None:
    world = World(agents=(AMY,))
    world.results.pop(RingAgent)
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    first = world.agent().leg
    if restarted:
        world.restart()

    assert world.recover(customer.attempt.id, ENTERED, GONE) is Recovery.AGENT_WANTED

    assert [effect.leg for effect in world.done(Release)] == [first], "its dial may be queued, or on its way"
    assert [effect.bridge for effect in world.done(Dismantle)] == [f"{customer.attempt.id}.bridge.1"]
    assert world.agent().leg != first
    late = world.tell(LegEntered(first))
    assert [only(effect, Release).leg for effect in late.effects] == [first]
    world.agent().answers()
    assert customer.state is S.CONNECTED


def test_given_a_lost_agent_when_they_are_rung_anew_then_they_did_not_miss_a_call() -> None:
    customer = reached(confirmed, restarted=True)

    customer.world.see(customer.attempt.id, ENTERED, GONE)

    assert (customer.world.agent().shown, customer.world.agent().status.reason) == ("ringing", None)


@pytest.mark.parametrize("agent", list(LegSeen))
def test_given_a_stop_when_a_confirmed_customer_is_looked_at_then_no_agent_is_kept(agent: LegSeen) -> None:
    customer = reached(whispering, restarted=False)
    world = customer.world
    world.stop()

    assert world.recover(customer.attempt.id, ENTERED, agent) is Recovery.RELEASED

    customer.is_let_go(Outcome.INTERRUPTED)
    assert world.agent().shown == "ready"


# ---- the announcement again ----------------------------------------------------------------------------


def asks(customer: Customer) -> int:
    """How often the customer has been asked."""
    return len([play for play in customer.world.done(Play) if play.leg == customer.attempt.customer_leg])


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_given_announcements_that_began_anew_after_a_recovery_then_no_repeat_is_used_up(looks: int) -> None:
    customer = reached(announcing, restarted=False)
    world = customer.world
    for _look in range(looks):
        world.see(customer.attempt.id, ENTERED)
    assert asks(customer) == 1 + looks

    for _repeat in range(BILLING.confirmation.repeats):
        customer.hears_announcement()
        world.pass_time(BILLING.confirmation.wait_seconds)
        assert customer.closing is None, "they are asked once more, as promised"

    assert asks(customer) == 1 + looks + BILLING.confirmation.repeats
    customer.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)
    customer.is_let_go(Outcome.UNCONFIRMED)


def test_given_a_repeat_that_was_used_when_the_announcement_begins_anew_then_it_stays_used() -> None:
    customer = reached(announcing, restarted=False)
    world = customer.world
    customer.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)
    assert asks(customer) == 1 + BILLING.confirmation.repeats
    world.see(customer.attempt.id, ENTERED)

    customer.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)

    customer.is_let_go(Outcome.UNCONFIRMED)
