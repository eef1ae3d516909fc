"""Callers who ring in wait in one line with those who are called back, and come to an agent; told as stories."""

from __future__ import annotations

import pytest

from engine.core.callphase import Phase
from engine.core.configuration import CallLimits, Inbound, Widening
from engine.core.dispatcher import Dispatcher
from engine.core.effects import AnswerCaller, Connect, DialCustomer, HoldWithMusic, Play, Release, RingAgent
from engine.core.events import EffectEnded, LegSeen, ResultKind, WorkCompleted
from engine.core.expressions import parse
from engine.core.terms import CallbackState, InboundOutcome, Presence, PromptId, ServiceId, WorkId
from engine.core.values import replace
from tests.unit.core.callers import (
    ALSO_SALES,
    AT_THE_DESK,
    BILLING_NUMBER,
    OPEN,
    SALES_NUMBER,
    entering,
    in_conversation,
    rings_in,
)
from tests.unit.core.office import HOURS, at, goes_on_until, pauses
from tests.unit.core.world import AMY, BEN, START, World, only, says

GREETING = (PromptId.INBOUND_GREETING,)


# ---- ringing in, and waiting ---------------------------------------------------------------------------


def test_given_nobody_free_then_a_caller_is_answered_greeted_and_hears_music() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    answered, held = world.done_on(caller.leg)
    assert only(answered, AnswerCaller).max_seconds > 600
    assert says(only(held, HoldWithMusic)) == GREETING
    assert (caller.call.joined_at, caller.call.priority, caller.position) == (START, 0, 1)


def test_given_an_agent_who_is_free_then_the_phone_rings_at_once_and_they_talk() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    ring = only(world.done(RingAgent)[-1], RingAgent)
    assert (ring.agent, ring.caller_id) == ("amy", caller.call.phone)
    assert world.agent().shown == "ringing"
    world.agent().picks_up()
    assert says(world.agent().hears) == (PromptId.WHISPER,)
    world.agent().hears_whisper()
    assert caller.is_in(Phase.CONNECTED)
    assert world.agent().shown == "talking"
    world.pass_time(120)
    caller.hangs_up()
    assert (caller.outcome, caller.call.ended_at) == (InboundOutcome.CONNECTED, START + 120)
    assert world.agent().shown == "wrap_up"
    world.pass_time(OPEN.wrap_up_seconds)
    assert world.agent().shown == "ready"


def test_given_an_agent_who_hangs_up_first_then_the_caller_is_let_go_and_the_call_is_over() -> None:
    world = World((OPEN,))
    caller = in_conversation(world)
    world.agent().hangs_up()
    assert only(caller.hears, Release).prompts == ()
    assert caller.ends(InboundOutcome.CONNECTED)
    assert caller.is_over


def test_given_a_long_wait_then_the_caller_is_told_their_place_again_and_again() -> None:
    world = World((OPEN,))
    first, second = rings_in(world), rings_in(world)
    world.pass_time(8)
    assert first.is_told == (PromptId.POSITION_IS, 1, PromptId.KEEP_PLACE)
    assert second.is_told == (PromptId.POSITION_IS, 2, PromptId.KEEP_PLACE)
    first.hangs_up()
    world.pass_time(40)
    assert second.is_told == (PromptId.POSITION_IS, 1, PromptId.KEEP_PLACE)
    assert len(second.all_told) == 3


def test_given_agents_whose_calls_are_known_then_the_caller_is_told_about_how_long() -> None:
    world = World((OPEN,))
    talk = in_conversation(world)
    world.pass_time(600)
    talk.hangs_up()
    world.pass_time(OPEN.wrap_up_seconds)
    rings_in(world)
    world.agent().answers()
    others = [rings_in(world) for _ in range(3)]
    world.pass_time(8)
    *before, last = (PromptId.POSITION_IS, 3), others[2].is_told[-1]
    assert others[2].is_told[:2] == before[0]
    assert others[2].is_told[2] is PromptId.WAIT_ABOUT
    minutes = others[2].is_told[3]
    assert isinstance(minutes, int)
    assert 10 < minutes < 60
    assert last is PromptId.KEEP_PLACE


def test_given_an_agent_being_rung_then_no_news_are_said() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    world.pass_time(10)
    assert caller.all_told == [GREETING]


def test_given_no_key_for_callbacks_then_it_is_not_offered_and_the_key_means_nothing() -> None:
    world = World((replace(OPEN, inbound=Inbound(callback_key=None)),))
    caller = rings_in(world)
    world.pass_time(8)
    assert caller.is_told == (PromptId.POSITION_IS, 1)
    caller.presses("1")
    assert caller.is_in(Phase.WAITING)


def test_given_music_that_fails_then_it_is_tried_again() -> None:
    world = World((OPEN,))
    world.results[HoldWithMusic] = ResultKind.REFUSED
    caller = rings_in(world)
    world.results[HoldWithMusic] = ResultKind.OK
    before = len(world.done_on(caller.leg))
    world.pass_time(3)
    assert len(world.done_on(caller.leg)) == before + 1


def test_given_the_end_of_their_wait_then_the_caller_hears_sorry_and_is_let_go() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    world.pass_time(599)
    assert caller.ends(None)
    world.pass_time(1)
    assert caller.is_told == (PromptId.INBOUND_SORRY,)
    assert caller.ends(InboundOutcome.NO_AGENT)
    caller.is_let_go()
    assert len(world.dispatcher.line) == 0


def test_given_an_agent_being_rung_at_the_end_of_the_wait_then_they_still_talk() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    world.pass_time(595)
    world.agent().ready()
    world.pass_time(10)
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_an_agent_who_misses_the_last_moment_then_the_caller_hears_sorry() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    world.pass_time(595)
    world.agent().ready()
    world.pass_time(15)
    assert caller.ends(InboundOutcome.NO_AGENT)
    assert world.agent().status.presence is Presence.NOT_READY


def test_given_somebody_who_hangs_up_while_they_wait_then_they_have_abandoned_the_call() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    world.pass_time(20)
    caller.hangs_up()
    assert (caller.outcome, caller.call.cause) == (InboundOutcome.ABANDONED, 16)
    assert world.journal.timers == {}


def test_given_somebody_who_hangs_up_while_an_agent_is_rung_then_the_agent_is_free_again() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    caller.hangs_up()
    assert caller.ends(InboundOutcome.ABANDONED)
    assert isinstance(world.agent().hears, Release)
    assert world.agent().shown == "ready"


# ---- one line --------------------------------------------------------------------------------------------


def test_given_callers_and_callbacks_then_they_are_served_in_the_order_in_which_they_joined() -> None:
    world = World((OPEN,))
    first = world.customer()
    world.pass_time(1)
    caller = rings_in(world)
    world.pass_time(1)
    last = world.customer()
    world.agent().ready()
    assert first.is_in(CallbackState.DIALING)
    first.hangs_up(cause=17)
    assert world.done(RingAgent)[-1].attempt == caller.id
    world.agent().answers()
    assert last.is_in(CallbackState.QUEUED)
    caller.hangs_up()
    world.pass_time(OPEN.wrap_up_seconds)
    assert last.state is CallbackState.DIALING


def test_given_callers_with_priority_then_they_come_before_those_who_joined_earlier() -> None:
    inbound = Inbound((BILLING_NUMBER,), priority=2)
    world = World((replace(OPEN, inbound=inbound),))
    callback = world.customer()
    world.pass_time(60)
    caller = rings_in(world)
    world.agent().ready()
    assert world.done(RingAgent)[-1].attempt == caller.id
    assert callback.state is CallbackState.QUEUED


def test_given_a_customer_who_confirmed_then_they_come_before_callers() -> None:
    world = World((OPEN,), (AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer()
    caller = rings_in(world)
    customer.confirms()
    world.pass_time(15)  # amy lets it ring
    world.agent("ben").ready()
    assert world.done(RingAgent)[-1].attempt == customer.attempt.id
    assert caller.is_in(Phase.WAITING)


def test_given_an_agent_who_does_not_answer_then_the_caller_keeps_the_place_and_goes_to_the_next() -> None:
    world = World((OPEN,), (AMY, BEN))
    world.agent("amy").ready()
    first = rings_in(world)
    second = rings_in(world)
    world.pass_time(15)
    assert (world.agent("amy").status.presence, world.agent("amy").status.reason) == (Presence.NOT_READY, "rona")
    assert (first.position, second.position) == (1, 2)
    world.agent("ben").ready()
    assert world.done(RingAgent)[-1].attempt == first.id
    assert first.call.agent_legs == 2
    world.agent("ben").rejects()
    assert (first.position, second.position) == (1, 2)


def test_given_an_agent_who_hangs_up_during_the_whisper_then_the_caller_waits_on() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    world.agent().picks_up()
    world.agent().hangs_up()
    assert caller.is_in(Phase.WAITING)
    assert caller.position == 1
    assert world.agent().status.reason == "rona"


def test_given_a_bridge_that_is_refused_then_the_caller_hears_sorry_unless_somebody_left() -> None:
    world = World((OPEN,))
    world.agent().ready()
    world.results[Connect] = ResultKind.REFUSED
    caller = rings_in(world)
    world.agent().answers()
    assert caller.ends(None)
    world.agent().hangs_up()
    assert caller.is_in(Phase.WAITING)
    world.agent().ready()
    world.agent().answers()
    world.pass_time(2)
    assert caller.ends(InboundOutcome.INTERRUPTED)
    assert caller.is_told == (PromptId.INBOUND_SORRY,)


def test_given_a_caller_who_leaves_before_the_bridge_is_known_then_the_bridge_says_whether_they_talked() -> None:
    for result, outcome in (
        (ResultKind.OK, InboundOutcome.CONNECTED),
        (ResultKind.UNKNOWN, InboundOutcome.CONNECTED),
        (ResultKind.REFUSED, InboundOutcome.ABANDONED),
    ):
        world = World((OPEN,))
        world.results.pop(Connect)
        world.agent().ready()
        caller = rings_in(world)
        world.agent().answers()
        caller.hangs_up()
        assert caller.ends(None)
        world.tell(EffectEnded(world.done(Connect)[-1], result))
        assert caller.ends(outcome)


def test_given_a_paused_service_then_callers_are_served_all_the_same() -> None:
    world = World((OPEN,))
    pauses(world)
    callback = world.customer()
    caller = rings_in(world)
    world.agent().ready()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)
    assert callback.state is CallbackState.QUEUED


def test_given_callers_who_wait_then_a_request_is_told_of_them() -> None:
    world = World((OPEN,))
    talk = in_conversation(world)
    world.pass_time(300)
    talk.hangs_up()
    world.pass_time(OPEN.wrap_up_seconds)
    rings_in(world)
    world.agent().answers()
    alone = world.dispatcher.wait_of_new(OPEN.id, None, world.now)
    for _ in range(3):
        rings_in(world)
    behind = world.dispatcher.wait_of_new(OPEN.id, None, world.now)
    assert alone is not None
    assert behind is not None
    assert behind.p50_seconds > 2 * alone.p50_seconds


def test_given_an_agent_who_says_the_call_is_done_while_it_lasts_then_nothing_ends() -> None:
    world = World((OPEN,))
    caller = in_conversation(world)
    work = WorkId(caller.id)
    world.tell(WorkCompleted(world.agent().id, work, None, OPEN.id, None))
    assert caller.is_in(Phase.CONNECTED)
    caller.hangs_up()
    world.tell(WorkCompleted(world.agent().id, work, None, OPEN.id, None))
    assert world.agent().shown == "ready"


# ---- who is taken in ---------------------------------------------------------------------------------------


def test_given_a_full_line_then_the_caller_is_told_so_and_let_go() -> None:
    world = World((replace(OPEN, queue_cap=2),))
    world.customer()
    rings_in(world)
    caller = rings_in(world)
    assert caller.is_told == (PromptId.INBOUND_FULL,)
    assert (caller.outcome, caller.call.joined_at) == (InboundOutcome.REFUSED, None)
    caller.is_let_go()


def test_given_a_number_that_no_service_has_then_the_call_is_refused_and_recorded() -> None:
    world = World((OPEN, ALSO_SALES))
    caller = rings_in(world, dialled="+12025551234")
    assert (caller.outcome, caller.is_over) == (InboundOutcome.REFUSED, True)
    assert (caller.call.service, caller.call.dialled) == ("", "+12025551234")
    assert only(caller.hears, Release).prompts == ()
    caller.hangs_up()
    assert len(world.dispatcher.line) == 0


@pytest.mark.parametrize("dialled", [SALES_NUMBER, "12025559000", "0012025559000", "+1 202 555 9000"])
def test_given_a_number_as_trunks_write_it_then_it_leads_to_its_service(dialled: str) -> None:
    world = World((OPEN, ALSO_SALES))
    assert rings_in(world, dialled=dialled).call.service == "sales"


def test_given_one_service_without_a_number_then_it_takes_what_leads_to_no_other() -> None:
    world = World((replace(OPEN, inbound=Inbound()), ALSO_SALES))
    assert rings_in(world, dialled="s").call.service == "billing"
    assert rings_in(world, dialled=SALES_NUMBER).call.service == "sales"


def test_given_two_services_without_a_number_then_nobody_knows_whose_call_it_is() -> None:
    world = World((replace(OPEN, inbound=Inbound()), replace(ALSO_SALES, inbound=Inbound())))
    assert rings_in(world, dialled="s").ends(InboundOutcome.REFUSED)


def test_given_a_call_told_twice_then_it_is_one_call() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    again = world.tell(entering(1))
    assert (again.changes, again.effects) == ([], [])
    assert caller.position == 1


def test_given_two_calls_of_one_number_then_both_wait_and_one_may_talk() -> None:
    world = World((OPEN,))
    callback = world.customer(phone="+12025557001")
    first, second = rings_in(world, "+12025557001"), rings_in(world, "+12025557001")
    assert (first.position, second.position) == (1, 2)
    first.hangs_up()
    world.agent().ready()
    assert callback.is_in(CallbackState.QUEUED), "the other call is still there"
    world.agent().answers()
    assert second.is_in(Phase.CONNECTED)
    assert callback.state is CallbackState.CANCELLED


# ---- who can serve them, and what is set ---------------------------------------------------------------------

WIDER = replace(OPEN, skill=parse("billing >= 4"), expansion=(Widening(60, parse("billing")),))


def test_given_a_service_that_asks_less_after_a_while_then_another_agent_serves_the_caller() -> None:
    world = World((WIDER,), (AMY, BEN))
    world.agent("ben").ready()
    caller = rings_in(world)
    world.pass_time(59)
    assert world.done(RingAgent) == []
    world.pass_time(1)
    assert (caller.call.widened, caller.call.agent) == (1, "ben")


def test_given_a_caller_who_is_asked_something_meanwhile_then_they_are_widened_and_served_afterwards() -> None:
    world = World((WIDER,), (AMY, BEN))
    world.agent("ben").ready()
    caller = rings_in(world)
    world.pass_time(55)
    caller.presses("1")
    world.pass_time(6)
    assert caller.is_in(Phase.ASKING)
    assert caller.call.widened == 1
    caller.presses("*")
    assert caller.call.agent == "ben"


def test_given_a_configuration_that_asks_less_then_whoever_waits_is_served_by_it() -> None:
    world = World((replace(WIDER, expansion=()),), (AMY, BEN))
    world.agent("ben").ready()
    caller = rings_in(world)
    world.pass_time(100)
    world.configure((WIDER,), (AMY, BEN))
    assert (caller.call.widened, caller.call.agent) == (1, "ben")


def test_given_a_configuration_with_another_step_to_come_then_it_comes_in_time() -> None:
    world = World((replace(WIDER, expansion=()),), (AMY, BEN))
    world.agent("ben").ready()
    caller = rings_in(world)
    world.pass_time(30)
    world.configure((WIDER,), (AMY, BEN))
    assert caller.call.agent is None
    world.pass_time(30)
    assert caller.call.agent == "ben"


def test_given_a_configuration_without_the_step_then_it_counts_no_more() -> None:
    world = World((WIDER,), (AMY, BEN))
    caller = rings_in(world)
    world.pass_time(60)
    world.configure((replace(WIDER, expansion=()),), (AMY, BEN))
    world.agent("ben").ready()
    assert (caller.call.widened, caller.call.agent) == (0, None)


def test_given_a_caller_then_their_service_cannot_be_removed() -> None:
    world = World((OPEN, ALSO_SALES))
    caller = rings_in(world)
    reply = world.configure((ALSO_SALES,), (AMY,)).reply
    assert getattr(reply, "code", None) == "service-in-use"
    caller.hangs_up()
    world.configure((ALSO_SALES,), (AMY,))
    assert ServiceId("billing") not in world.journal.configuration.services


def test_given_a_service_that_takes_no_more_calls_then_who_waits_is_served() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    world.configure((replace(OPEN, inbound=None),), (AMY,))
    assert rings_in(world).ends(InboundOutcome.REFUSED)
    world.agent().ready()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_an_agent_removed_while_rung_for_a_caller_then_the_ringing_is_finished() -> None:
    world = World((OPEN,), (AMY, BEN))
    world.agent("amy").ready()
    caller = rings_in(world)
    world.configure((OPEN,), (BEN,))
    world.pass_time(15)
    assert caller.position == 1
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_an_agent_who_leaves_while_rung_for_a_caller_then_they_may_still_answer() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    world.agent().leaves()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_a_service_that_closes_then_who_waits_is_still_served() -> None:
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, at("16:58"))
    caller = rings_in(world)
    world.pass_time(300)
    world.agent().ready()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


# ---- the engine stops, and cannot hear -----------------------------------------------------------------------


def test_given_an_engine_that_stops_then_callers_keep_their_music_and_nobody_is_rung() -> None:
    world = World((OPEN,))
    caller, asked = rings_in(world), rings_in(world)
    asked.presses("1")
    world.stop()
    world.agent().ready()
    assert caller.is_in(Phase.WAITING)
    assert asked.is_in(Phase.WAITING)
    assert isinstance(asked.hears, HoldWithMusic)
    assert world.done(RingAgent) == []


def test_given_an_engine_that_stops_while_an_agent_is_rung_then_they_talk() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    world.stop()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_an_engine_that_stops_and_an_agent_who_does_not_come_then_the_music_goes_on() -> None:
    world = World((OPEN,))
    world.agent().ready()
    caller = rings_in(world)
    world.stop()
    world.pass_time(15)
    assert caller.is_in(Phase.WAITING)
    assert caller.ends(None)


def test_given_telephony_lost_then_no_agent_is_rung_and_no_wait_ends_until_it_is_back() -> None:
    world = World((OPEN,))
    caller = rings_in(world)
    world.lose_telephony()
    world.agent().ready()
    world.pass_time(700)
    assert caller.ends(None)
    assert world.done(RingAgent) == []
    caller.is_seen(LegSeen.ENTERED)
    world.regain_telephony()
    assert world.done(RingAgent)[-1].attempt == caller.id, "they are looked for at least once"


def test_given_somebody_who_rings_in_just_before_asterisk_is_heard_again_then_they_wait_and_are_served() -> None:
    world = World((OPEN,))
    world.agent().ready()
    world.lose_telephony()
    caller = rings_in(world)
    assert caller.position == 1
    assert world.done(RingAgent) == []
    world.regain_telephony()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def test_given_limits_of_a_call_then_asterisks_own_limit_is_longer_than_the_wait() -> None:
    limits = CallLimits(whisper_seconds=10, bridge_seconds=10, last_words_seconds=30)
    world = World((replace(OPEN, call_limits=limits),))
    rings_in(world)
    assert world.done(AnswerCaller)[-1].max_seconds == 600 + OPEN.agent_ring_seconds + 50


def test_given_the_same_calls_told_again_then_the_decisions_are_the_same() -> None:
    world = World((OPEN,))
    caller = in_conversation(world)
    other = rings_in(world)
    other.presses("1")
    other.hears_it_out()
    other.presses("1")
    caller.hangs_up()
    world.pass_time(100)
    assert world.done(DialCustomer)
    assert world.done(Play)
    fresh = Dispatcher(world.started_from)
    for event, now, decision in world.told:
        assert fresh.handle(event, now) == decision
