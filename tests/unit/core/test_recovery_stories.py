"""After a start: each phase as last written, and what is left of its legs, by the Recovery table of the design."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.effects import Connect, DialCustomer, Dismantle, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import LegEnded, LegEntered, LegSeen, PlayingFinished, ResultKind
from engine.core.terms import CallbackState, Outcome, PromptId, Reason
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, Customer, World, only, says

S = CallbackState
GONE, RINGING, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ENTERED


def dialing(customer: Customer) -> None:
    customer.rings()


def answered(customer: Customer) -> None:
    customer.picks_up()


def announcing(customer: Customer) -> None:
    customer.answers()


def announced(customer: Customer) -> None:
    customer.answers()
    customer.hears_announcement()


def confirmed(customer: Customer) -> None:
    customer.confirms()


def confirmed_alone(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().rejects()


def whispering(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().picks_up()


def bridging(customer: Customer) -> None:
    customer.world.results.pop(Connect)
    customer.confirms()
    customer.world.agent().answers()
    customer.world.results[Connect] = ResultKind.OK


def in_conversation(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().answers()


REACHES = [
    dialing,
    answered,
    announcing,
    announced,
    confirmed,
    confirmed_alone,
    whispering,
    bridging,
    in_conversation,
]


def interrupted(reach: Callable[[Customer], None]) -> Customer:
    """A customer whose call had come so far when the engine died and started again."""
    world = World(agents=(AMY, BEN))
    world.agent().ready()
    customer = world.customer()
    reach(customer)
    world.restart()
    return customer


@pytest.mark.parametrize("agent", list(LegSeen))
@pytest.mark.parametrize("customer_leg", list(LegSeen))
@pytest.mark.parametrize("reach", REACHES)
def test_given_any_phase_and_any_legs_when_looked_at_then_nobody_is_dialled_and_time_ends_it(
    reach: Callable[[Customer], None], customer_leg: LegSeen, agent: LegSeen
) -> None:
    customer = interrupted(reach)
    world = customer.world
    dials = len(world.done(DialCustomer))

    world.see(customer.attempt.id, customer_leg, agent)

    assert len(world.done(DialCustomer)) == dials
    assert (customer.attempt.ended_at is not None) == (customer_leg is GONE or customer.state is S.COMPLETED)
    world.agent().leaves()
    world.pass_time(BILLING.life_seconds)
    kept = reach in (confirmed, whispering) and agent is ENTERED and customer_leg is not GONE
    still_talking = kept or (reach is in_conversation and customer.attempt.ended_at is None)
    assert still_talking == (customer.state is S.CONNECTED)
    assert still_talking or customer.callback.ended_at is not None


@pytest.mark.parametrize(
    ("reach", "agent", "interval", "at_head"),
    [
        (dialing, GONE, BILLING.attempts.interval_seconds, False),
        (answered, GONE, BILLING.attempts.interval_seconds, False),
        (announcing, GONE, BILLING.attempts.interval_seconds, False),
        (announced, GONE, BILLING.attempts.interval_seconds, False),
        (confirmed, GONE, BILLING.attempts.fault_interval_seconds, True),
        (confirmed_alone, GONE, BILLING.attempts.fault_interval_seconds, True),
        (whispering, GONE, BILLING.attempts.fault_interval_seconds, True),
        (bridging, RINGING, BILLING.attempts.fault_interval_seconds, True),
        (bridging, ENTERED, BILLING.attempts.fault_interval_seconds, True),
    ],
)
def test_given_a_customer_whose_leg_is_gone_then_the_attempt_was_interrupted_and_is_made_again(
    reach: Callable[[Customer], None],
    agent: LegSeen,
    interval: float,
    at_head: bool,  # noqa: FBT001 - a column of the table
) -> None:
    customer = interrupted(reach)

    customer.world.see(customer.attempt.id, GONE, agent)

    assert customer.outcomes == (Outcome.INTERRUPTED,)
    assert customer.state is S.RETRY_WAIT
    assert (customer.waits_until, customer.callback.at_head) == (interval, at_head)
    assert customer.world.agent().status.work is None


@pytest.mark.parametrize("reach", [dialing, answered, announcing, announced])
def test_given_an_unconfirmed_customer_in_our_hands_then_the_announcement_begins_anew_and_keys_are_open(
    reach: Callable[[Customer], None],
) -> None:
    customer = interrupted(reach)
    plays = len(customer.world.done(Play))

    customer.world.see(customer.attempt.id, ENTERED)

    assert len(customer.world.done(Play)) == plays + 1
    assert customer.state is S.ANNOUNCING
    customer.presses("1")
    assert customer.world.agent().shown == "ringing", "the agent was kept"


def test_given_a_customer_who_was_being_waited_for_when_asked_anew_then_they_have_the_full_time_again() -> None:
    customer = interrupted(announced)
    world = customer.world
    world.see(customer.attempt.id, ENTERED)
    plays = len(world.done(Play))

    world.pass_time(BILLING.confirmation.wait_seconds)

    assert len(world.done(Play)) == plays, "they are still being told what to press"


def test_given_a_ringing_customer_then_the_ringing_goes_on_until_the_ring_timeout() -> None:
    customer = interrupted(dialing)
    world = customer.world

    decision = world.see(customer.attempt.id, RINGING)

    assert decision.effects == []
    assert customer.state is S.DIALING
    world.pass_time(BILLING.ring_timeout_seconds)
    customer.is_let_go(Outcome.NO_ANSWER)


def test_given_a_ringing_customer_whose_ringing_was_never_told_then_it_is_known_that_the_phone_rang() -> None:
    def posted(customer: Customer) -> None:
        """The engine dies with the request under way."""

    world = World()
    world.results.clear()
    world.agent().ready()
    customer = world.customer()
    posted(customer)
    assert customer.is_in(S.RESERVED)
    world.restart()

    world.see(customer.attempt.id, RINGING)

    assert customer.state is S.DIALING
    assert customer.attempt.rang


def test_given_a_customer_who_answered_and_is_kept_by_the_dialplan_then_we_wait_for_them_a_while() -> None:
    customer = interrupted(announcing)
    customer.world.see(customer.attempt.id, RINGING)

    customer.enters()
    assert isinstance(customer.hears, Play)

    customer = interrupted(announcing)
    customer.world.see(customer.attempt.id, RINGING)
    customer.world.pass_time(LIMITS.enter_seconds)
    customer.is_let_go(Outcome.INTERRUPTED)


@pytest.mark.parametrize(
    ("reach", "agent"),
    [(confirmed, GONE), (whispering, GONE), (bridging, GONE), (bridging, RINGING), (bridging, ENTERED)],
)
def test_given_a_confirmed_customer_whose_agent_is_lost_then_music_again_and_an_agent_is_rung_anew(
    reach: Callable[[Customer], None], agent: LegSeen
) -> None:
    customer = interrupted(reach)
    world = customer.world
    old_leg = world.agent().leg

    world.see(customer.attempt.id, ENTERED, agent)

    assert isinstance(customer.hears, HoldWithMusic)
    assert says(customer.hears) == ()
    assert [release.leg for release in world.done(Release)] == [old_leg], "a dial may still be on its way"
    assert world.agent().leg == LegEnded(customer.attempt.agent_leg).leg != old_leg
    world.agent().answers()
    assert customer.state is S.CONNECTED


@pytest.mark.parametrize("agent", list(LegSeen))
def test_given_a_call_that_was_being_bridged_then_its_bridge_goes_before_the_music_and_the_next_agent_has_another(
    agent: LegSeen,
) -> None:
    customer = interrupted(bridging)
    world = customer.world
    [first] = world.done(Connect)

    decision = world.see(customer.attempt.id, ENTERED, agent)

    kinds = [type(effect) for effect in decision.effects if isinstance(effect, Dismantle | HoldWithMusic)]
    assert kinds == [Dismantle, HoldWithMusic], "who is in a bridge hears no music of their own"
    assert [effect.bridge for effect in world.done(Dismantle)] == [first.bridge]
    world.agent().answers()
    assert world.done(Connect)[-1].bridge == customer.attempt.bridge != first.bridge
    assert customer.state is S.CONNECTED


def test_given_a_confirmed_customer_without_an_agent_then_they_wait_first_in_line_again() -> None:
    customer = interrupted(confirmed_alone)
    world = customer.world

    world.see(customer.attempt.id, ENTERED)

    assert isinstance(customer.hears, HoldWithMusic)
    assert world.dispatcher.line.position(customer.id) == 1
    world.agent("ben").ready()
    assert world.agent("ben").shown == "ringing"


def test_given_a_confirmed_customer_then_the_hold_limit_counts_from_the_confirmation() -> None:
    customer = interrupted(confirmed_alone)
    world = customer.world
    world.pass_time(20)
    world.see(customer.attempt.id, ENTERED)

    world.pass_time(BILLING.hold_limit_seconds - 20)

    customer.is_let_go(Outcome.NO_AGENT)


def test_given_a_hold_limit_that_passed_in_the_whisper_when_the_agent_is_lost_then_the_wait_still_ends() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.pass_time(BILLING.agent_ring_seconds - 1)
    world.agent().rejects()
    world.pass_time(BILLING.hold_limit_seconds - 20)
    world.agent().ready()
    world.agent().picks_up()
    world.results.pop(Connect)
    world.pass_time(9)
    assert (customer.attempt.id, "hold") not in world.journal.timers
    world.agent().leaves()
    world.restart()

    world.see(customer.attempt.id, ENTERED)
    world.pass_time(BILLING.agent_ring_seconds)

    assert says(only(customer.hears, Release)) == (PromptId.APOLOGY,)
    customer.is_let_go(Outcome.NO_AGENT)


def waits_with_music(world: World) -> Customer:
    """A customer who has confirmed, and whose agent did not come."""
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().rejects()
    return customer


def starts_after(world: World, seconds: float) -> None:
    """The engine was away, and cannot hear Asterisk yet."""
    world.restart()
    world.lose_telephony()
    world.now += seconds


def hears_again(world: World) -> None:
    """What fell due fires before Asterisk is heard again, as the runtime arms its timers."""
    world.pass_time(0)
    world.regain_telephony()
    world.pass_time(0)


def test_given_a_hold_limit_that_passed_while_the_engine_was_away_then_a_free_agent_is_rung() -> None:
    world = World(agents=(AMY, BEN))
    customer = waits_with_music(world)
    starts_after(world, BILLING.hold_limit_seconds)
    world.agent("ben").ready()

    world.see(customer.attempt.id, ENTERED)
    hears_again(world)

    assert world.agent("ben").shown == "ringing"
    world.agent("ben").answers()
    assert customer.state is S.CONNECTED


def test_given_a_hold_limit_that_passed_while_the_engine_was_away_when_nobody_is_free_then_it_ends_soon() -> None:
    world = World()
    customer = waits_with_music(world)
    starts_after(world, BILLING.hold_limit_seconds)

    world.see(customer.attempt.id, ENTERED)
    hears_again(world)
    world.pass_time(BILLING.agent_ring_seconds - 1)
    assert customer.closing is None
    world.pass_time(1)

    customer.is_let_go(Outcome.NO_AGENT)


def test_given_a_hold_limit_that_passed_while_the_engine_was_away_when_an_agent_is_rung_then_it_rings_on() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    starts_after(world, BILLING.hold_limit_seconds)

    world.see(customer.attempt.id, ENTERED, RINGING)
    hears_again(world)
    world.agent().answers()

    assert customer.state is S.CONNECTED


def test_given_a_conversation_with_both_legs_then_it_is_left_alone() -> None:
    customer = interrupted(in_conversation)
    world = customer.world

    decision = world.see(customer.attempt.id, ENTERED, ENTERED)

    assert decision.effects == []
    assert customer.state is S.CONNECTED
    customer.hangs_up()
    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)
    assert world.done(Release)[-1].leg == world.agent().leg


@pytest.mark.parametrize(("customer_leg", "agent"), [(GONE, GONE), (GONE, ENTERED), (ENTERED, GONE)])
def test_given_a_conversation_that_lost_a_leg_then_it_ended_unobserved_and_the_agent_wraps_up(
    customer_leg: LegSeen, agent: LegSeen
) -> None:
    customer = interrupted(in_conversation)
    world = customer.world

    world.see(customer.attempt.id, customer_leg, agent)

    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.ENDED_UNOBSERVED)
    assert customer.outcomes == (Outcome.CONNECTED,)
    assert world.agent().shown == "wrap_up"
    left = {
        (GONE, GONE): [],
        (GONE, ENTERED): [world.agent().leg],
        (ENTERED, GONE): [customer.attempt.customer_leg],
    }
    assert [release.leg for release in world.done(Release)] == left[customer_leg, agent]
    world.pass_time(BILLING.wrap_up_seconds)
    assert world.agent().shown == "ready"


# ---- the look comes beside events, or twice ------------------------------------------------------------


def test_given_a_restart_when_the_agent_answers_before_the_look_then_the_customer_is_not_asked_again() -> None:
    customer = interrupted(confirmed)
    world = customer.world
    world.tell(LegEntered(world.agent().leg))

    world.see(customer.attempt.id, ENTERED, ENTERED)

    assert customer.state is S.CONFIRMED
    assert isinstance(customer.hears, HoldWithMusic)


def test_given_a_restart_when_the_customer_leaves_before_the_look_then_the_agents_leg_is_released() -> None:
    customer = interrupted(confirmed)
    world = customer.world

    customer.hangs_up()
    world.see(customer.attempt.id, GONE, RINGING)

    assert customer.outcomes == (Outcome.ABANDONED,)
    assert [release.leg for release in world.done(Release)] == [world.agent().leg]


def test_given_a_restart_when_the_agent_hangs_up_before_the_look_then_the_conversation_is_over() -> None:
    customer = interrupted(in_conversation)

    customer.world.agent().hangs_up()

    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)


@pytest.mark.parametrize("reach", REACHES)
def test_given_a_lost_event_socket_when_looked_at_without_a_restart_then_the_call_goes_on(
    reach: Callable[[Customer], None],
) -> None:
    world = World(agents=(AMY, BEN))
    world.agent().ready()
    customer = world.customer()
    reach(customer)

    for _twice in range(2):
        world.see(customer.attempt.id, ENTERED, ENTERED)

    assert len(customer.attempts) == 1
    assert customer.attempt.ended_at is None
    if reach is bridging:
        world.ends(Connect, ResultKind.OK)
    if customer.state is S.ANNOUNCING:
        customer.presses("1")
    if customer.state is S.CONFIRMED:
        world.agent("ben").ready()
        ringing = next(each for each in ("amy", "ben") if world.agent(each).shown == "ringing")
        world.agent(ringing).answers()
    assert customer.state is S.CONNECTED


def test_given_a_look_at_an_ended_attempt_then_nothing_changes() -> None:
    customer = interrupted(in_conversation)
    world = customer.world
    world.see(customer.attempt.id, GONE, GONE)

    decision = world.see(customer.attempt.id, ENTERED, ENTERED)

    assert (decision.changes, decision.effects) == ([], [])


def test_given_a_restart_then_everybody_keeps_their_place_and_timers_go_on() -> None:
    world = World(agents=(AMY, BEN))
    waiting = [world.customer(), world.customer()]
    world.agent().ready()
    busy = waiting[0]
    busy.hangs_up(17, 486)
    world.agent().leaves()
    newcomer = world.customer()
    world.pass_time(10)
    other = waiting[1]

    world.restart()
    world.pass_time(BILLING.attempts.interval_seconds)

    line = world.dispatcher.line
    open_ones = [each for each in (busy, other, newcomer) if each.state is S.QUEUED]
    assert [line.position(each.id) for each in open_ones] == list(range(1, len(open_ones) + 1))
    assert busy.state is S.QUEUED


def test_given_a_playback_told_after_the_restart_then_it_belongs_to_nobody() -> None:
    customer = interrupted(confirmed)
    customer.world.see(customer.attempt.id, ENTERED, RINGING)

    decision = customer.world.tell(PlayingFinished(customer.attempt.customer_leg, "announcement.1"))

    assert decision.changes == []
    assert len(customer.world.done(RingAgent)) == 1
