"""Agents hold customers and give them to somebody else; the record of the call stays true, and nobody is lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.core.callphase import Recovery
from engine.core.changes import InboundChanged
from engine.core.configuration import Inbound, Recording
from engine.core.conversation import RINGS_AT_MOST_SECONDS
from engine.core.decision import Decision, Recovered
from engine.core.effects import Connect, Dismantle, HoldWithMusic, Limit, Record, Release, RingAgent
from engine.core.events import (
    AttemptSeen,
    CallerEntered,
    EffectEnded,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegHeld,
    LegReplaced,
    LegRingsStill,
    LegSeen,
    LegUnheld,
    NewNumber,
    PlayingFinished,
    ResultKind,
)
from engine.core.lifecycle import Because
from engine.core.records import InboundCall
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackState,
    InboundOutcome,
    LegId,
    Outcome,
    PromptId,
    Reason,
)
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN, BILLING, LIMITS, AgentAtDesk, Customer, World, being_bridged, connected

HALF, OTHER_HALF = LegId("pbx-1764188400.57"), LegId("pbx-1764188400.99")
BOTH = (AMY, BEN)
UNOBSERVED = Reason.ENDED_UNOBSERVED


@dataclass(frozen=True, slots=True)
class Transfer:
    """Amy talks to a customer; whoever she gives them to comes in as HALF."""

    world: World
    customer: Customer

    @property
    def agent(self) -> AgentAtDesk:
        return self.world.agent("amy")

    def gives(self, half: LegId = HALF) -> Decision:
        return self.world.tell(LegReplaced(self.customer.attempt.agent_leg, half))

    def is_answered(self, half: LegId = HALF) -> Decision:
        return self.world.tell(LegAnswered(half))

    def leaves(self, half: LegId = HALF) -> Decision:
        return self.world.tell(LegEnded(half))

    def waits_again(self) -> bool:
        attempt = self.customer.attempt
        return attempt.waits_again_at is not None and attempt.ended_at is None

    def released(self) -> set[str]:
        return {effect.leg for effect in self.world.done(Release)}

    @property
    def because(self) -> list[str]:
        moves = self.world.journal.callback_moves
        return [str(move.because) for move in moves if move.callback == self.customer.id]


@pytest.fixture
def talk() -> Transfer:
    world = World(agents=BOTH)
    customer = connected(world)
    world.pass_time(60)
    return Transfer(world, customer)


# ---- holds ---------------------------------------------------------------------------------------------------


def test_given_an_agent_who_holds_then_the_desk_shows_it_until_they_are_back(talk: Transfer) -> None:
    leg = talk.customer.attempt.agent_leg
    for _twice in range(2):
        talk.world.tell(LegHeld(leg))
        assert talk.agent.shown == "held"
    for _twice in range(2):
        talk.world.tell(LegUnheld(leg))
        assert talk.agent.shown == "talking"


def test_given_a_hold_of_the_customers_side_or_of_nobody_then_nothing_changes(talk: Transfer) -> None:
    talk.world.tell(LegHeld(talk.customer.attempt.customer_leg))
    talk.world.tell(LegUnheld(talk.customer.attempt.agent_leg))
    assert (talk.agent.shown, talk.customer.state) == ("talking", CallbackState.CONNECTED)


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_given_a_customer_on_hold_when_somebody_hangs_up_then_the_call_is_over_as_ever(
    talk: Transfer, who: str
) -> None:
    talk.world.tell(LegHeld(talk.customer.attempt.agent_leg))
    if who == "customer":
        talk.customer.hangs_up()
    else:
        talk.agent.hangs_up()
    assert (talk.customer.state, talk.customer.reason) == (CallbackState.COMPLETED, Reason.TALKED)
    assert talk.agent.shown == "wrap_up"


# ---- a transfer --------------------------------------------------------------------------------------------


def test_given_a_customer_who_is_given_away_then_the_agent_is_free_and_the_call_goes_on(talk: Transfer) -> None:
    world, leg = talk.world, talk.customer.attempt.agent_leg
    talk.gives()
    attempt = talk.customer.attempt
    assert (attempt.transferred_at, attempt.given_to, attempt.ended_at) == (world.now, HALF, None)
    assert talk.agent.shown == "wrap_up"
    assert talk.released() == {leg}
    assert [limit.leg for limit in world.done(Limit)] == [HALF]
    assert world.done(Limit)[0].max_seconds == pytest.approx(LIMITS.conversation_seconds - 60, abs=1)
    world.pass_time(BILLING.wrap_up_seconds)
    assert talk.agent.shown == "ready"
    assert talk.customer.state is CallbackState.CONNECTED
    assert talk.because[-1] == Because.TRANSFERRED


@pytest.mark.parametrize("first", ["customer", "other"])
def test_given_a_customer_who_talks_to_somebody_else_when_one_leaves_then_the_other_is_let_go(
    talk: Transfer, first: str
) -> None:
    world = talk.world
    talk.gives()
    talk.is_answered()
    given_at = world.now
    world.pass_time(300)
    if first == "customer":
        talk.customer.hangs_up()
    else:
        talk.leaves()
    attempt = talk.customer.attempt
    assert (attempt.outcome, attempt.ended_at, attempt.parted_at) == (Outcome.CONNECTED, world.now, given_at)
    assert (talk.customer.state, talk.customer.reason) == (CallbackState.COMPLETED, Reason.TALKED)
    assert (HALF if first == "customer" else attempt.customer_leg) in talk.released()
    assert world.done(Dismantle)[-1].bridge == attempt.bridge
    assert talk.agent.shown == "ready"


def test_given_the_end_of_the_agents_own_leg_then_it_is_no_end_of_the_call(talk: Transfer) -> None:
    talk.gives()
    talk.agent.hangs_up()
    assert talk.customer.attempt.ended_at is None
    assert talk.customer.attempt.customer_leg not in talk.released()


def test_given_an_agent_in_wrap_up_when_their_call_ends_later_then_the_wrap_up_is_as_long_as_ever(
    talk: Transfer,
) -> None:
    talk.gives()
    talk.is_answered()
    talk.world.pass_time(BILLING.wrap_up_seconds - 1)
    talk.leaves()
    assert talk.agent.shown == "wrap_up"
    talk.world.pass_time(1)
    assert talk.agent.shown == "ready"


def test_given_an_agent_who_serves_the_next_customer_when_the_first_call_ends_then_they_talk_on(
    talk: Transfer,
) -> None:
    world = talk.world
    talk.gives()
    talk.is_answered()
    world.pass_time(BILLING.wrap_up_seconds)
    second = world.customer()
    second.confirms()
    talk.agent.answers()
    talk.leaves()
    assert (talk.agent.shown, second.state) == ("talking", CallbackState.CONNECTED)
    assert talk.customer.state is CallbackState.COMPLETED


# ---- nobody answers ------------------------------------------------------------------------------------------


def test_given_nobody_who_answers_then_the_customer_hears_music_and_is_served_first(talk: Transfer) -> None:
    world = talk.world
    waiting = world.customer()
    talk.gives()
    talk.leaves()
    assert isinstance(talk.customer.hears, HoldWithMusic)
    assert world.done(Dismantle)[-1].bridge == talk.customer.attempt.bridge
    assert talk.because[-3:] == [Because.BRIDGED, Because.TRANSFERRED, Because.TRANSFER_UNANSWERED]
    world.agent("ben").ready()
    assert world.agent("ben").times_rung == 1
    assert waiting.state is CallbackState.QUEUED
    world.agent("ben").answers()
    attempt = talk.customer.attempt
    assert (attempt.waits_again_at, attempt.agent, talk.customer.state) == (
        None,
        AgentId("ben"),
        CallbackState.CONNECTED,
    )
    assert world.agent("ben").shown == "talking"
    world.agent("ben").hangs_up()
    assert (talk.customer.reason, talk.customer.outcomes) == (Reason.TALKED, (Outcome.CONNECTED,))
    assert world.agent("ben").shown == "wrap_up"


def test_given_nobody_who_answers_nor_is_free_then_the_customer_hears_an_apology_and_is_not_called_again(
    talk: Transfer,
) -> None:
    world = talk.world
    talk.gives()
    world.pass_time(30)
    talk.leaves()
    world.agent("amy").leaves()
    world.pass_time(BILLING.hold_limit_seconds - 1)
    assert talk.waits_again()
    world.pass_time(1)
    [said] = [effect for effect in world.done(Release) if effect.prompts]
    assert (said.leg, said.prompts) == (talk.customer.attempt.customer_leg, (PromptId.APOLOGY,))
    talk.customer.is_let_go(Outcome.CONNECTED)
    assert (talk.customer.state, talk.customer.reason) == (CallbackState.COMPLETED, Reason.TALKED)
    assert talk.customer.attempt.agent == AgentId("amy")
    world.pass_time(24 * 3600)
    assert len(talk.customer.attempts) == 1


def test_given_an_agent_who_misses_a_customer_who_waits_again_then_the_record_names_who_talked(talk: Transfer) -> None:
    world = talk.world
    talk.gives()
    talk.leaves()
    world.agent("ben").ready()
    world.pass_time(BILLING.agent_ring_seconds)
    assert world.agent("ben").shown == "not_ready"
    talk.customer.hangs_up()
    assert talk.customer.attempt.agent == AgentId("amy")
    assert (talk.customer.state, talk.customer.reason) == (CallbackState.COMPLETED, Reason.TALKED)


def test_given_a_customer_who_hangs_up_while_the_next_agents_phone_rings_then_that_agent_has_no_wrap_up(
    talk: Transfer,
) -> None:
    talk.gives()
    talk.leaves()
    talk.world.agent("ben").ready()
    talk.customer.hangs_up()
    assert talk.world.agent("ben").shown == "ready"
    assert talk.customer.reason is Reason.TALKED


def test_given_a_phone_that_rings_behind_a_channel_that_is_up_when_it_refuses_then_the_customer_waits_again(
    talk: Transfer,
) -> None:
    talk.gives()
    talk.is_answered()
    talk.world.tell(LegRingsStill(HALF))
    talk.leaves()
    assert talk.waits_again()


def test_given_a_phone_that_rang_when_it_has_been_longer_than_phones_ring_then_somebody_had_answered(
    talk: Transfer,
) -> None:
    talk.gives()
    talk.is_answered()
    talk.world.tell(LegRingsStill(HALF))
    talk.world.pass_time(RINGS_AT_MOST_SECONDS + 1)
    talk.leaves()
    assert talk.customer.reason is Reason.TALKED
    assert talk.customer.attempt.ended_at is not None


def test_given_a_second_transfer_that_nobody_answers_then_the_customer_waits_once_more(talk: Transfer) -> None:
    world = talk.world
    talk.gives()
    talk.leaves()
    world.agent("ben").ready()
    world.agent("ben").answers()
    world.pass_time(100)
    talk.gives(OTHER_HALF)
    talk.leaves(OTHER_HALF)
    assert talk.waits_again()
    assert talk.customer.attempt.transferred_at is not None
    assert world.agent("ben").shown == "wrap_up"


def test_given_an_engine_that_stops_when_nobody_answers_then_the_customer_hears_an_apology(talk: Transfer) -> None:
    talk.gives()
    talk.world.stop()
    assert talk.customer.attempt.ended_at is None
    talk.leaves()
    assert talk.world.done(Release)[-1].prompts == (PromptId.APOLOGY,)
    talk.customer.is_let_go(Outcome.CONNECTED)


# ---- before they have met ------------------------------------------------------------------------------------


@pytest.mark.parametrize("picked_up", [False, True])
def test_given_an_agent_who_gives_a_customer_away_unmet_then_they_have_missed_the_call(*, picked_up: bool) -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    if picked_up:
        world.agent().picks_up()
    world.tell(LegReplaced(customer.attempt.agent_leg, HALF))
    assert {effect.leg for effect in world.done(Release)} == {HALF, customer.attempt.agent_leg}
    assert (world.agent().shown, world.agent().status.reason) == ("not_ready", "rona")
    assert customer.state is CallbackState.CONFIRMED


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("result", [ResultKind.OK, ResultKind.UNKNOWN])
def test_given_a_transfer_that_is_told_before_the_connection_then_it_counts_after_it(
    result: ResultKind, *, left: bool
) -> None:
    world = World()
    customer = being_bridged(world)
    world.tell(LegReplaced(customer.attempt.agent_leg, HALF))
    world.tell(LegAnswered(HALF))
    if left:
        world.agent().hangs_up()
    world.ends(Connect, result)
    attempt = customer.attempt
    assert (attempt.given_to, attempt.transferred_at, attempt.ended_at) == (HALF, world.now, None)
    world.tell(LegEnded(HALF))
    assert customer.reason is Reason.TALKED


def test_given_a_transfer_that_is_told_before_a_connection_that_fails_then_the_agent_has_left() -> None:
    world = World()
    customer = being_bridged(world)
    world.tell(LegReplaced(customer.attempt.agent_leg, HALF))
    world.ends(Connect, ResultKind.REFUSED)
    assert HALF in {effect.leg for effect in world.done(Release)}
    assert (customer.state, world.agent().status.reason) == (CallbackState.CONFIRMED, "rona")


def test_given_a_call_that_is_over_when_its_agent_gives_it_away_then_whoever_comes_is_let_go(talk: Transfer) -> None:
    leg = talk.customer.attempt.agent_leg
    talk.customer.hangs_up()
    talk.world.dispatcher.handle(LegReplaced(leg, HALF), talk.world.now)
    decision = talk.world.dispatcher.handle(LegReplaced(leg, OTHER_HALF), talk.world.now)
    [effect] = decision.effects
    assert isinstance(effect, Release)
    assert (effect.leg, effect.prompts) == (OTHER_HALF, ())


def test_given_a_customers_side_that_gives_us_away_then_whoever_comes_is_let_go(talk: Transfer) -> None:
    talk.world.tell(LegReplaced(talk.customer.attempt.customer_leg, HALF))
    assert HALF in talk.released()
    assert talk.customer.attempt.transferred_at is None


# ---- after a start -------------------------------------------------------------------------------------------


def look(
    talk: Transfer,
    customer: LegSeen = LegSeen.ENTERED,
    agent: LegSeen = LegSeen.GONE,
    *,
    bridged: bool = True,
    other: LegId | None = None,
    apart: bool = False,
) -> Recovery:
    """What a look at Asterisk shows; whoever else is in the bridge has been answered."""
    seen = AttemptSeen(talk.customer.attempt.id, customer, agent, bridged, other, other is not None, apart)
    reply = talk.world.tell(seen).reply
    assert isinstance(reply, Recovered)
    return reply.did


def test_given_a_hold_when_the_engine_starts_anew_then_they_talk_on(talk: Transfer) -> None:
    talk.world.tell(LegHeld(talk.customer.attempt.agent_leg))
    talk.world.restart()
    assert look(talk, agent=LegSeen.ENTERED) is Recovery.LEFT_ALONE
    assert talk.agent.shown == "held"
    talk.world.tell(LegUnheld(talk.customer.attempt.agent_leg))
    assert talk.agent.shown == "talking"


@pytest.mark.parametrize("written", [True, False])
def test_given_a_transfer_when_the_engine_starts_anew_then_the_call_goes_on_and_its_end_is_known(
    talk: Transfer, *, written: bool
) -> None:
    if written:
        talk.gives()
    talk.world.restart()
    agent = LegSeen.GONE if written else LegSeen.ENTERED
    assert look(talk, agent=agent, other=HALF, apart=not written) is Recovery.LEFT_ALONE
    assert (talk.agent.shown, talk.customer.attempt.given_to) == ("wrap_up", HALF)
    assert talk.customer.state is CallbackState.CONNECTED
    talk.leaves()
    assert talk.customer.reason is Reason.TALKED
    assert talk.customer.attempt.agent_leg in talk.released() | talk.world.meetings.ended


@pytest.mark.parametrize("answered", [True, False])
def test_given_a_transfer_whose_other_side_is_gone_at_the_start_then_only_who_was_answered_has_ended(
    talk: Transfer, *, answered: bool
) -> None:
    talk.gives()
    if answered:
        talk.is_answered()
    talk.world.restart()
    did = look(talk)
    assert did is (Recovery.ENDED_UNOBSERVED if answered else Recovery.AGENT_WANTED)
    assert talk.waits_again() is not answered
    assert talk.customer.reason is (UNOBSERVED if answered else None)


def test_given_a_transfer_that_failed_unseen_while_the_agents_leg_lives_then_the_customer_waits_again(
    talk: Transfer,
) -> None:
    talk.world.restart()
    assert look(talk, agent=LegSeen.ENTERED, apart=True) is Recovery.AGENT_WANTED
    assert talk.waits_again()
    assert talk.customer.attempt.agent_leg in talk.released()
    assert talk.agent.shown == "wrap_up"


@pytest.mark.parametrize("written", [True, False])
def test_given_a_customer_who_left_unseen_when_the_engine_starts_anew_then_the_other_side_is_let_go(
    talk: Transfer, *, written: bool
) -> None:
    if written:
        talk.gives()
    talk.world.restart()
    assert look(talk, LegSeen.GONE, other=HALF) is Recovery.ENDED_UNOBSERVED
    assert HALF in talk.released()
    assert talk.customer.reason is UNOBSERVED


def test_given_a_look_that_is_older_than_the_end_that_was_told_then_the_end_counts(talk: Transfer) -> None:
    talk.gives()
    talk.leaves()
    assert look(talk, other=HALF) is Recovery.AGENT_WANTED
    assert talk.customer.attempt.given_to is None


@pytest.mark.parametrize("rings", [False, True])
def test_given_a_customer_who_waits_again_when_the_engine_starts_anew_then_they_still_do(
    talk: Transfer, *, rings: bool
) -> None:
    world = talk.world
    talk.gives()
    talk.leaves()
    if rings:
        world.agent("ben").ready()
    world.restart()
    assert look(talk) is Recovery.AGENT_WANTED
    if not rings:
        world.agent("ben").ready()
    world.agent("ben").answers()
    world.agent("ben").hangs_up()
    assert talk.customer.reason is Reason.TALKED


def test_given_two_who_are_recorded_when_the_engine_starts_after_a_transfer_then_the_recording_goes_on() -> None:
    world = World(services=[replace(BILLING, recording=Recording())])
    transfer = Transfer(world, connected(world))
    transfer.gives()
    world.restart()
    look(transfer, other=HALF)
    names = [effect.name for effect in world.done(Record)]
    assert names == [names[0]] * 2


# ---- calls that came in --------------------------------------------------------------------------------------

CALLER = AttemptId("callpbx1-7")
CALLER_LEG = LegId("pbx-1.7")
TAKES_CALLS = replace(BILLING, inbound=Inbound())


@dataclass(frozen=True, slots=True)
class CallerTalk:
    """Somebody rang in and talks to Amy. The World knows attempts only, so its dispatcher is told directly."""

    world: World

    def tell(self, *events: object) -> Decision:
        decision = Decision()
        for event in events:
            decision = self.world.dispatcher.handle(event, self.world.now)  # type: ignore[arg-type]
            self.world.journal.keep(decision)
        return decision

    @property
    def call(self) -> InboundCall:
        [flow] = self.world.dispatcher.callers()
        return flow.inbound


@pytest.fixture
def caller() -> CallerTalk:
    world = World(services=[TAKES_CALLS], agents=BOTH)
    world.agent("amy").ready()
    talk = CallerTalk(world)
    rung = talk.tell(CallerEntered(CALLER, CALLER_LEG, "100", NewNumber("+12025550123")))
    [ring] = [effect for effect in rung.effects if isinstance(effect, RingAgent)]
    said = talk.tell(LegEntered(ring.leg), PlayingFinished(ring.leg, "whisper"))
    talk.tell(*(EffectEnded(effect, ResultKind.OK) for effect in said.effects if isinstance(effect, Connect)))
    assert talk.call.bridged_at == world.now
    return talk


def test_given_a_caller_who_is_given_away_then_their_call_goes_on_until_one_of_them_leaves(caller: CallerTalk) -> None:
    caller.tell(LegReplaced(caller.call.agent_leg, HALF), LegAnswered(HALF))
    assert (caller.call.transferred_at, caller.call.given_to) == (caller.world.now, HALF)
    assert caller.world.agent("amy").shown == "wrap_up"
    assert caller.world.dispatcher.owns(HALF)
    decision = caller.tell(LegEnded(HALF))
    assert CALLER_LEG in {effect.leg for effect in decision.effects if isinstance(effect, Release)}
    assert list(caller.world.dispatcher.callers()) == []
    assert not caller.world.dispatcher.owns(HALF)


def test_given_a_caller_whom_nobody_answers_then_they_wait_before_those_who_have_not_talked(caller: CallerTalk) -> None:
    agent_leg, other, other_leg = caller.call.agent_leg, AttemptId("callpbx1-3"), LegId("pbx-1.3")
    caller.tell(CallerEntered(other, other_leg, "100", NewNumber("+12025550124")))
    decision = caller.tell(LegReplaced(agent_leg, HALF), LegEnded(HALF))
    assert any(isinstance(effect, HoldWithMusic) for effect in decision.effects)
    assert caller.world.dispatcher.line.position(CALLER) == 1


def test_given_a_caller_who_has_talked_when_nobody_comes_then_they_have_talked(caller: CallerTalk) -> None:
    decision = caller.tell(LegReplaced(caller.call.agent_leg, HALF), LegEnded(HALF), LegEnded(CALLER_LEG))
    [ended] = [change.call for change in decision.changes if isinstance(change, InboundChanged)]
    assert (ended.outcome, ended.ended_at) == (InboundOutcome.CONNECTED, caller.world.now)
