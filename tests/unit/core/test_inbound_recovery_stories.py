"""Starts while callers are there: who rang in is found where they were, and nobody is hung up on; told as stories."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callerends import FIRST_NEWS_SECONDS
from engine.core.callphase import Phase
from engine.core.configuration import Widening
from engine.core.effects import AnswerCaller, Connect, Dismantle, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import KeyPressed, LegEnded, LegSeen, PlayingFinished, ResultKind
from engine.core.expressions import parse
from engine.core.terms import CallbackState, InboundOutcome, LegId, PromptId
from engine.core.values import replace
from tests.unit.core.callers import AT_THE_DESK, OPEN, Caller, entering, in_conversation, rings_in
from tests.unit.core.office import HOURS, at, goes_on_until
from tests.unit.core.world import AMY, BEN, World

OWN = "+12025557001"
GONE, RINGING, ANSWERED, ENTERED = LegSeen.GONE, LegSeen.RINGING, LegSeen.ANSWERED, LegSeen.ENTERED
THERE = [RINGING, ANSWERED, ENTERED]


def waiting() -> Caller:
    caller = rings_in(World((OPEN,), (AMY, BEN)), OWN)
    caller.world.pass_time(20)
    return caller


def asking() -> Caller:
    caller = waiting()
    caller.presses("12555")
    return caller


def agent_ringing() -> Caller:
    caller = waiting()
    caller.world.agent().ready()
    return caller


def whispering() -> Caller:
    caller = agent_ringing()
    caller.world.agent().picks_up()
    return caller


def bridging() -> Caller:
    caller = whispering()
    caller.world.results.pop(Connect)
    caller.world.agent().hears_whisper()
    caller.world.results[Connect] = ResultKind.OK
    return caller


def connected() -> Caller:
    return in_conversation(World((OPEN,), (AMY, BEN)), OWN)


def promised() -> Caller:
    caller = waiting()
    caller.presses("11")
    return caller


def sorry() -> Caller:
    caller = waiting()
    caller.world.pass_time(580)
    return caller


def offered_a_slot() -> Caller:
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, at("03:00"))
    return rings_in(world, OWN)


Before = Callable[[], Caller]

UNANSWERED = [waiting, asking, agent_ringing, whispering]
EVERYWHERE = [*UNANSWERED, bridging, connected, promised, sorry, offered_a_slot]


@pytest.mark.parametrize("customer", THERE)
@pytest.mark.parametrize("phase", [waiting, asking])
def test_given_a_caller_who_is_still_there_then_they_wait_in_their_place_with_music(
    phase: Before, customer: LegSeen
) -> None:
    caller = phase()
    world = caller.world
    other = rings_in(world)
    world.restart()
    assert caller.is_seen(customer) == "music again, agent wanted"
    other.is_seen(customer)
    assert isinstance(caller.hears, HoldWithMusic)
    assert len(world.done(AnswerCaller, caller.id)) == 2, "it may never have been answered"
    assert (caller.position, other.position) == (1, 2)
    world.agent().ready()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


@pytest.mark.parametrize("phase", UNANSWERED)
def test_given_a_caller_who_is_gone_then_the_call_was_interrupted_and_the_agent_is_free(
    phase: Before,
) -> None:
    caller = phase()
    world = caller.world
    world.restart()
    assert caller.is_seen(GONE, RINGING if caller.call.agent_legs else GONE) == "interrupted"
    assert caller.ends(InboundOutcome.INTERRUPTED)
    assert caller.is_over
    assert world.agent().shown in ("ready", "logged_out")
    assert world.journal.timers == {}
    for ring in world.done(RingAgent):
        assert ring.leg in [each.leg for each in world.done(Release)], "their phone may ring on"


@pytest.mark.parametrize("agent", [RINGING, ANSWERED])
def test_given_an_agents_phone_that_rings_on_then_they_answer_and_talk(agent: LegSeen) -> None:
    caller = agent_ringing()
    world = caller.world
    world.restart()
    assert caller.is_seen(ENTERED, agent) == "music again, agent kept"
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)
    assert len(world.done(RingAgent)) == 1


def test_given_an_agent_who_has_come_to_the_phone_then_the_whisper_begins_and_they_talk() -> None:
    caller = agent_ringing()
    caller.world.restart()
    assert caller.is_seen(ENTERED, ENTERED) == "music again, agent kept"
    caller.world.agent().hears_whisper()
    assert caller.is_in(Phase.CONNECTED)


@pytest.mark.parametrize("phase", [agent_ringing, whispering])
def test_given_an_agent_whose_leg_is_gone_then_another_one_is_rung_and_nobody_is_blamed(
    phase: Before,
) -> None:
    caller = phase()
    world = caller.world
    world.restart()
    assert caller.is_seen(ENTERED, GONE) == "music again, agent wanted"
    assert world.agent("amy").status.ready, "no fault of hers"
    assert world.done(RingAgent)[-1].leg == caller.call.agent_leg
    assert caller.call.agent_legs == 2


def test_given_an_agent_who_hangs_up_before_the_look_then_the_caller_is_looked_after() -> None:
    caller = agent_ringing()
    world = caller.world
    world.restart()
    world.tell(LegEnded(caller.call.agent_leg, 16))
    assert caller.is_seen(ENTERED, GONE) == "music again, agent wanted"
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_two_in_their_bridge_then_they_are_left_alone() -> None:
    caller = bridging()
    callback = caller.world.customer(phone=OWN)
    caller.world.restart()
    assert caller.is_seen(ENTERED, ENTERED, bridged=True) == "left alone"
    assert caller.is_in(Phase.CONNECTED)
    assert callback.is_in(CallbackState.CANCELLED), "they talk, and they had asked before"
    caller.hangs_up()
    assert caller.ends(InboundOutcome.CONNECTED)


def test_given_two_who_are_there_and_in_no_bridge_then_they_never_met_and_an_agent_comes() -> None:
    caller = bridging()
    caller.world.restart()
    assert caller.is_seen(ENTERED, ENTERED) == "music again, agent wanted"
    assert caller.call.bridging_at is None
    assert caller.world.done(Dismantle)
    caller.world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_both_gone_from_a_bridge_nobody_saw_then_they_may_have_talked() -> None:
    caller = bridging()
    caller.world.restart()
    assert caller.is_seen(GONE, GONE) == "ended unobserved"
    assert caller.ends(InboundOutcome.CONNECTED)
    assert caller.world.agent().shown == "wrap_up"


def test_given_a_caller_gone_and_an_agent_in_no_bridge_then_they_never_met() -> None:
    caller = bridging()
    caller.world.restart()
    assert caller.is_seen(GONE, ENTERED) == "interrupted"
    assert caller.ends(InboundOutcome.INTERRUPTED)
    assert caller.world.agent().shown == "ready"
    assert isinstance(caller.world.agent().hears, Release)


def test_given_two_who_talk_then_a_start_changes_nothing() -> None:
    caller = connected()
    caller.world.restart()
    before = len(caller.world.effects)
    assert caller.is_seen(ENTERED, ENTERED, bridged=True) == "left alone"
    assert len(caller.world.effects) == before
    caller.presses("1")
    caller.world.agent().hangs_up()
    assert caller.ends(InboundOutcome.CONNECTED)


def test_given_a_conversation_whose_agent_is_gone_then_the_caller_is_let_go() -> None:
    caller = connected()
    caller.world.restart()
    assert caller.is_seen(ENTERED, GONE) == "ended unobserved"
    assert isinstance(caller.hears, Release)
    assert caller.is_over


def test_given_a_conversation_whose_caller_is_gone_then_it_is_over_and_the_agent_wraps_up() -> None:
    caller = connected()
    caller.world.restart()
    assert caller.is_seen(GONE, ENTERED) == "ended unobserved"
    assert isinstance(caller.world.agent().hears, Release)
    assert caller.world.agent().shown == "wrap_up"


@pytest.mark.parametrize("phase", [promised, sorry])
def test_given_a_call_that_was_closing_then_it_is_hung_up_or_over(phase: Before) -> None:
    for seen, did in ((ENTERED, "let go again"), (GONE, "closed as decided")):
        caller = phase()
        outcome = caller.outcome
        caller.world.restart()
        assert caller.is_seen(seen) == did
        if seen is ENTERED:
            caller.is_let_go()
        assert (caller.outcome, caller.is_over) == (outcome, True)


def test_given_a_promise_and_a_start_then_nobody_is_called_before_the_call_is_over() -> None:
    caller = rings_in(World((OPEN,)), None)
    caller.presses("12025558765#1")
    caller.world.restart()
    caller.world.agent().ready()
    assert caller.called_back.is_in(CallbackState.QUEUED)
    caller.is_seen(GONE)
    assert caller.called_back.state is CallbackState.DIALING


def test_given_a_start_then_a_number_that_is_ringing_in_is_still_not_called() -> None:
    world = World((OPEN,))
    callback = world.customer(phone=OWN)
    caller = rings_in(world, OWN)
    world.restart()
    world.agent().ready()
    assert callback.is_in(CallbackState.QUEUED)
    caller.is_seen(GONE)
    assert callback.state is CallbackState.DIALING


@pytest.mark.parametrize("phase", EVERYWHERE)
def test_given_news_before_the_look_then_nothing_breaks_and_the_look_decides(phase: Before) -> None:
    caller = phase()
    world = caller.world
    world.restart()
    for digit in "12#*":
        world.tell(KeyPressed(caller.leg, digit))
    world.tell(PlayingFinished(caller.leg, "menu.1"))
    world.tell(PlayingFinished(LegId(f"{caller.id}.agent.1"), "whisper"))
    world.pass_time(61)
    if not caller.is_over:
        caller.is_seen(GONE, GONE)
    assert caller.is_over


@pytest.mark.parametrize("phase", EVERYWHERE)
def test_given_a_caller_who_hangs_up_before_the_look_then_the_call_is_over(phase: Before) -> None:
    caller = phase()
    caller.world.restart()
    caller.hangs_up()
    if not caller.is_over:  # only a look can tell whether the two have met
        caller.is_seen(GONE, GONE)
    assert caller.is_over
    assert not any(owner == caller.id for owner, _name in caller.world.journal.timers)


def test_given_a_key_pressed_before_the_look_then_the_answer_counts_and_the_look_leads_back() -> None:
    caller = waiting()
    caller.world.restart()
    caller.presses("1")
    assert caller.is_in(Phase.ASKING)
    assert caller.is_seen(ENTERED) == "music again, agent wanted"
    assert caller.is_in(Phase.WAITING)


def test_given_an_engine_that_dies_over_a_call_that_comes_in_then_it_is_taken_in_afterwards() -> None:
    world = World((OPEN,))
    world.fail_to_commit(entering(1))
    assert world.journal.inbound == {}
    world.tell(entering(1))
    caller = Caller(world, entering(1).call, entering(1).leg)
    assert caller.position == 1


def test_given_an_engine_that_dies_after_it_has_written_the_call_then_it_is_answered_late() -> None:
    world = World((OPEN,))
    world.die_after_commit(entering(1))
    caller = Caller(world, entering(1).call, entering(1).leg)
    assert world.done(AnswerCaller) == []
    again = world.tell(entering(1))
    assert (again.changes, again.effects) == ([], [])
    assert caller.is_seen(RINGING) == "music again, agent wanted"
    assert len(world.done(AnswerCaller)) == 1


def test_given_an_engine_that_dies_over_a_promise_then_there_is_none_and_the_caller_waits() -> None:
    caller = waiting()
    caller.presses("1")
    caller.world.fail_to_commit(KeyPressed(caller.leg, "1"))
    assert caller.world.journal.callbacks == {}
    assert caller.is_seen(ENTERED) == "music again, agent wanted"


def test_given_an_engine_that_dies_after_it_has_written_a_promise_then_the_promise_stands() -> None:
    caller = waiting()
    caller.presses("1")
    caller.world.die_after_commit(KeyPressed(caller.leg, "1"))
    assert caller.ends(InboundOutcome.CALLBACK)
    assert caller.is_seen(ENTERED) == "let go again"
    caller.is_let_go()
    assert caller.kept.open


def test_given_a_wait_that_was_over_while_the_engine_was_away_then_they_are_looked_for_once_more() -> None:
    caller = waiting()
    world = caller.world
    world.restart()
    world.lose_telephony()
    world.now += 1000
    world.pass_time(0)
    assert caller.is_seen(ENTERED) == "music again, agent wanted"
    world.regain_telephony()
    assert caller.ends(None)
    world.agent().ready()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_a_step_of_the_expansion_that_fell_due_meanwhile_then_it_counts() -> None:
    service = replace(OPEN, skill=parse("billing >= 4"), expansion=(Widening(60, parse("billing")),))
    world = World((service,), (BEN,))
    world.agent("ben").ready()
    caller = rings_in(world)
    world.restart()
    world.lose_telephony()
    world.now += 100
    world.pass_time(0)
    caller.is_seen(ENTERED)
    world.regain_telephony()
    assert caller.call.agent == "ben"


@pytest.mark.parametrize("phase", UNANSWERED)
def test_given_a_lost_event_socket_then_the_same_is_done_as_after_a_start(phase: Before) -> None:
    caller = phase()
    world = caller.world
    agent = GONE if not caller.call.agent_legs else RINGING
    world.lose_telephony()
    caller.is_seen(ENTERED, agent)
    world.regain_telephony()
    world.agent().ready()
    if caller.is_in(Phase.WAITING):
        world.agent().picks_up()
    world.agent().hears_whisper()
    assert caller.is_in(Phase.CONNECTED)


def test_given_a_stop_and_a_start_then_the_callers_who_waited_through_it_come_to_an_agent() -> None:
    world = World((OPEN,))
    callers = [rings_in(world) for _ in range(2)]
    world.stop()
    world.restart()
    for caller in reversed(callers):
        caller.is_seen(ENTERED)
    assert [caller.position for caller in callers] == [1, 2]
    world.agent().ready()
    world.agent().answers()
    assert callers[0].is_in(Phase.CONNECTED)


def test_given_a_stop_then_no_caller_is_asked_anything_any_more() -> None:
    world = World((OPEN,))
    before = rings_in(world)
    world.stop()
    during = rings_in(world)
    for caller in (before, during):
        caller.presses("1")
        assert caller.is_in(Phase.WAITING)
        world.pass_time(FIRST_NEWS_SECONDS)
        assert PromptId.KEEP_PLACE not in caller.is_told


def test_given_a_stop_then_who_rings_a_closed_service_is_let_go_with_a_goodbye() -> None:
    world = offered_a_slot().world
    world.stop()
    caller = rings_in(world)
    assert caller.outcome is InboundOutcome.CLOSED
    assert caller.is_told == (PromptId.INBOUND_CLOSED, PromptId.CLOSED_GOODBYE)


def test_given_an_empty_number_then_the_caller_of_a_promise_hears_it_in_their_language() -> None:
    caller = rings_in(World((replace(OPEN, languages=("de", "en")),)), OWN)
    caller.presses("11")
    assert caller.kept.request.language == "de"
    assert caller.is_told == (PromptId.CALLBACK_KEPT,)


def test_given_a_death_before_a_caller_of_a_closed_service_was_answered_then_the_start_answers_first() -> None:
    caller = offered_a_slot()
    caller.world.restart()
    before = len(caller.world.effects)

    caller.is_seen(ENTERED)

    assert [type(each) for each in caller.world.effects[before:]] == [AnswerCaller, Play]
