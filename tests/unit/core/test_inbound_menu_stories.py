"""A caller who would rather be called back: every way through the questions, and out of each; told as stories."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.callermenu import ANSWER_SECONDS, DIGIT_SECONDS, ENTRIES, MOST_DIGITS, REPEATS, VISITS
from engine.core.callphase import Phase
from engine.core.configuration import Inbound, Widening
from engine.core.effects import CheckNumber, DialCustomer, Farewell, HoldWithMusic, Play
from engine.core.events import EffectEnded, NewNumber, NumberChecked, PlayingFinished, ResultKind
from engine.core.expressions import parse
from engine.core.promising import OFFERED_SLOTS
from engine.core.terms import CallbackState, InboundOutcome, LegId, PromptId, RequestChannel
from engine.core.values import replace
from tests.unit.core.callers import AT_THE_DESK, BILLING_NUMBER, OPEN, Caller, in_conversation, rings_in
from tests.unit.core.office import HOURS, at, goes_on_until
from tests.unit.core.world import START, World, only

OWN = "+12025557001"
OTHER = "+12025558765"
READ_BACK = (PromptId.WILL_CALL, 1, 2, 0, 2, 5, 5, 5, 7, 0, 0, 1, PromptId.CONFIRM_NUMBER)
OTHER_READ_BACK = (PromptId.WILL_CALL, 1, 2, 0, 2, 5, 5, 5, 8, 7, 6, 5, PromptId.CONFIRM_NUMBER)
ENTER = (PromptId.ENTER_NUMBER,)


def asked(phone: str | None = OWN) -> Caller:
    """A caller who has pressed the key."""
    caller = rings_in(World((OPEN,)), phone)
    caller.world.pass_time(20)
    caller.presses("1")
    assert caller.is_in(Phase.ASKING)
    return caller


def waits_on(caller: Caller, *told: PromptId) -> bool:
    """Back in the line with music, in the same place, served as before."""
    assert only(caller.hears, HoldWithMusic).prompts == told
    assert (caller.call.joined_at, caller.position) == (START, 1)
    caller.world.agent().ready()
    caller.world.agent().answers()
    return caller.is_in(Phase.CONNECTED)


# ---- their own number ------------------------------------------------------------------------------------


def test_given_a_yes_then_the_callback_is_kept_in_the_place_of_the_call_and_goodbye_is_said() -> None:
    caller = asked()
    assert caller.is_told_now(*READ_BACK)
    caller.hears_it_out()
    caller.presses("1")
    assert only(caller.hears, Farewell).prompts == (PromptId.CALLBACK_KEPT,)
    assert caller.ends(InboundOutcome.CALLBACK)
    kept = caller.kept
    assert (kept.state, kept.joined_at, kept.created_at) == (CallbackState.QUEUED, START, START + 20)
    assert (kept.request.phone, kept.request.channel) == (OWN, RequestChannel.PHONE)
    caller.is_let_go()


def test_given_a_caller_who_shows_a_number_of_ours_then_it_is_not_called_back() -> None:
    """A caller id is easily made up, and we would ring ourselves."""
    caller = asked(BILLING_NUMBER)
    caller.presses("1")
    assert waits_on(caller, PromptId.NOT_POSSIBLE)
    assert caller.world.journal.callbacks == {}


def test_given_a_yes_while_the_number_is_still_read_then_it_counts() -> None:
    caller = asked()
    caller.presses("1")
    assert caller.ends(InboundOutcome.CALLBACK)


def test_given_the_goodbye_then_nobody_is_called_before_it_is_over_and_then_in_the_old_place() -> None:
    caller = asked()
    caller.world.customer()
    caller.presses("1")
    caller.world.agent().ready()
    assert [each.phone for each in caller.world.done(DialCustomer)] == ["+12025550001"]
    caller.world.agent().leaves()
    caller.is_let_go()
    caller.world.agent().ready()
    assert [each.phone for each in caller.world.done(DialCustomer)][-1] == OWN


def test_given_a_caller_who_hangs_up_before_the_goodbye_is_over_then_the_callback_stands() -> None:
    caller = asked()
    caller.presses("1")
    caller.hangs_up()
    assert caller.ends(InboundOutcome.CALLBACK)
    caller.world.agent().ready()
    assert caller.called_back.state is CallbackState.DIALING


def test_given_a_goodbye_of_which_nothing_is_heard_then_the_call_is_over_at_last() -> None:
    caller = asked()
    caller.world.last_words_seconds = None
    caller.presses("1")
    caller.world.pass_time(OPEN.call_limits.last_words_seconds)
    assert caller.is_over


def test_given_a_service_that_had_asked_less_by_then_then_the_callback_asks_no_more() -> None:
    service = replace(OPEN, skill=parse("billing >= 9"), expansion=(Widening(10, parse("billing")),))
    caller = rings_in(World((service,)), OWN)
    caller.world.pass_time(20)
    caller.presses("11")
    assert caller.kept.widened == 1
    caller.is_let_go()
    caller.world.agent().ready()
    assert caller.called_back.state is CallbackState.DIALING


def test_given_a_caller_who_is_asked_then_others_are_served_meanwhile_and_the_place_is_kept() -> None:
    caller = asked()
    world = caller.world
    second = rings_in(world)
    world.agent().ready()
    world.agent().answers()
    assert second.is_in(Phase.CONNECTED)
    caller.presses("*")
    assert caller.position == 1


def test_given_an_agent_who_is_free_meanwhile_then_they_are_rung_when_the_caller_comes_back() -> None:
    caller = asked()
    caller.world.agent().ready()
    assert caller.call.agent is None
    caller.presses("*")
    caller.world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


# ---- another number --------------------------------------------------------------------------------------


def test_given_another_number_then_it_is_checked_read_back_and_called() -> None:
    caller = asked()
    caller.presses("2")
    assert caller.is_told_now(*ENTER)
    caller.presses("2025558765#")
    assert only(caller.world.done(CheckNumber)[-1], CheckNumber).digits == "2025558765"
    assert caller.is_told_now(*OTHER_READ_BACK)
    caller.presses("1")
    assert caller.kept.request.phone == OTHER


def test_given_a_number_without_the_hash_key_then_it_is_complete_when_nothing_more_comes() -> None:
    caller = asked()
    caller.presses("22025558765")
    caller.world.pass_time(DIGIT_SECONDS)
    assert caller.is_told_now(*OTHER_READ_BACK)


def test_given_a_slow_finger_then_each_digit_begins_the_time_anew() -> None:
    caller = asked()
    caller.presses("2")
    for digit in "2025558765":
        caller.presses(digit)
        caller.world.pass_time(DIGIT_SECONDS - 0.5)
    assert caller.world.done(CheckNumber) == []
    caller.world.pass_time(0.5)
    assert caller.is_told_now(*OTHER_READ_BACK)


def test_given_more_digits_than_any_number_has_then_they_are_checked_at_once_and_refused() -> None:
    caller = asked()
    caller.presses("2" + "5" * MOST_DIGITS)
    assert caller.is_told == (PromptId.NUMBER_NOT_POSSIBLE, *ENTER)


def test_given_the_hash_key_without_a_digit_then_the_question_is_asked_again_once() -> None:
    caller = asked()
    caller.presses("2#")
    assert caller.is_told_now(*ENTER)
    assert caller.is_in(Phase.ASKING)
    caller.presses("#")
    assert waits_on(caller)


def test_given_numbers_that_cannot_be_called_then_they_are_asked_for_a_few_times_and_no_more() -> None:
    caller = asked()
    caller.presses("2")
    for _ in range(ENTRIES):
        assert caller.is_told[-1] is PromptId.ENTER_NUMBER
        caller.presses("55#")
    assert waits_on(caller, PromptId.NOT_POSSIBLE)


def test_given_a_no_to_each_number_then_they_are_asked_for_a_few_times_and_no_more() -> None:
    caller = asked()
    for _ in range(ENTRIES):
        caller.presses("2")
        assert caller.is_told_now(*ENTER)
        caller.presses("2025558765#")
        assert caller.is_told_now(*OTHER_READ_BACK)
    caller.presses("2")
    assert waits_on(caller, PromptId.NOT_POSSIBLE)


@pytest.mark.parametrize("result", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_a_check_that_fails_then_the_number_counts_as_one_that_cannot_be_called(result: ResultKind) -> None:
    caller = asked()
    caller.world.results[CheckNumber] = result
    caller.presses("22025558765#")
    assert caller.is_told == (PromptId.NUMBER_NOT_POSSIBLE, *ENTER)


def test_given_a_check_that_is_never_answered_then_the_caller_is_not_kept() -> None:
    caller = asked()
    caller.world.results.pop(CheckNumber)
    caller.presses("22025558765#")
    caller.presses("1*#")
    assert caller.is_in(Phase.ASKING)
    caller.world.pass_time(5)
    assert caller.is_told == (PromptId.NUMBER_NOT_POSSIBLE, *ENTER)


def test_given_an_answer_to_a_check_that_nobody_waits_for_then_it_means_nothing() -> None:
    caller = asked()
    before = len(caller.world.effects)
    caller.world.tell(NumberChecked(caller.leg, NewNumber(OTHER)))
    caller.presses("*")
    caller.world.tell(NumberChecked(caller.leg, NewNumber(OTHER)))
    caller.world.tell(EffectEnded(CheckNumber(caller.id, caller.leg, OPEN.id, "5"), ResultKind.REFUSED))
    caller.world.tell(NumberChecked(LegId("pbx.99"), NewNumber(OTHER)))
    assert len(caller.world.effects) == before + 1, "only the music"


def test_given_nobodys_number_then_it_is_asked_for_at_once_and_called_after_the_goodbye() -> None:
    caller = asked(None)
    assert caller.is_told_now(*ENTER)
    caller.presses("2025558765#1")
    assert caller.kept.request.phone == OTHER
    caller.world.agent().ready()
    assert caller.world.done(DialCustomer) == [], "it may be the phone in their hand"
    caller.is_let_go()
    assert caller.called_back.state is CallbackState.DIALING


# ---- keys that mean nothing, and silence -------------------------------------------------------------------


def test_given_silence_then_the_question_is_asked_once_more_and_then_the_music_goes_on() -> None:
    caller = asked()
    caller.hears_it_out()
    caller.world.pass_time(ANSWER_SECONDS)
    assert caller.is_told_now(*READ_BACK)
    assert caller.is_in(Phase.ASKING)
    caller.hears_it_out()
    caller.world.pass_time(ANSWER_SECONDS)
    assert waits_on(caller)


def test_given_silence_when_a_number_is_asked_for_then_the_same() -> None:
    caller = asked()
    caller.presses("2")
    caller.is_silent()
    assert caller.is_told_now(*ENTER)
    caller.is_silent()
    assert waits_on(caller)


@pytest.mark.parametrize("key", list("034567890#"))
def test_given_a_key_that_means_nothing_then_the_same(key: str) -> None:
    caller = asked()
    caller.presses(key)
    assert caller.is_told_now(*READ_BACK)
    caller.presses(key)
    assert waits_on(caller)


def test_given_a_question_whose_end_is_never_told_then_it_is_asked_again_in_time() -> None:
    caller = asked()
    caller.world.pass_time(OPEN.call_limits.announcement_seconds)
    assert caller.is_told_now(*READ_BACK)
    caller.world.pass_time(OPEN.call_limits.announcement_seconds)
    assert waits_on(caller)


@pytest.mark.parametrize("result", [ResultKind.REFUSED, ResultKind.UNKNOWN])
def test_given_a_question_that_cannot_be_said_then_the_caller_is_soon_back_with_music(result: ResultKind) -> None:
    caller = rings_in(World((OPEN,)), OWN)
    caller.world.results[Play] = result
    caller.presses("1")
    caller.world.pass_time(10)
    caller.world.results[Play] = ResultKind.OK
    assert waits_on(caller)


def test_given_an_old_question_that_ends_late_then_the_new_one_is_still_open() -> None:
    caller = asked()
    old = caller.world.done(Play)[-1].tag
    caller.world.pass_time(1)
    caller.presses("2")
    caller.world.tell(PlayingFinished(caller.leg, old))
    caller.world.pass_time(ANSWER_SECONDS)
    assert caller.is_told_now(*ENTER)
    assert len([told for told in caller.all_told if told == ENTER]) == 1


def test_given_somebody_who_keeps_coming_back_then_the_key_means_nothing_any_more_and_is_not_offered() -> None:
    caller = asked()
    for _ in range(VISITS - 1):
        caller.presses("*1")
        assert caller.is_in(Phase.ASKING)
    caller.presses("*1")
    assert caller.is_in(Phase.WAITING)
    caller.world.pass_time(40)
    assert caller.is_told == (PromptId.POSITION_IS, 1)


def test_given_the_end_of_the_wait_while_they_are_asked_then_the_answer_is_still_heard() -> None:
    caller = rings_in(World((OPEN,)), OWN)
    caller.world.pass_time(595)
    caller.presses("1")
    caller.world.pass_time(10)
    assert caller.ends(None)
    caller.presses("1")
    assert caller.ends(InboundOutcome.CALLBACK)


def test_given_the_end_of_the_wait_while_they_are_asked_then_the_music_is_the_end() -> None:
    caller = rings_in(World((OPEN,)), OWN)
    caller.world.pass_time(595)
    caller.presses("1")
    caller.world.pass_time(10)
    caller.presses("*")
    caller.world.pass_time(0)
    assert caller.ends(InboundOutcome.NO_AGENT)


def test_given_an_agent_being_rung_then_the_key_means_nothing() -> None:
    caller = rings_in(World((OPEN,)), OWN)
    caller.world.agent().ready()
    caller.presses("1")
    assert caller.is_in(Phase.WAITING)
    caller.world.agent().picks_up()
    caller.presses("1")
    assert caller.is_in(Phase.WHISPERING)


def test_given_two_who_talk_then_keys_mean_nothing() -> None:
    caller = in_conversation(World((OPEN,)))
    before = len(caller.world.effects)
    caller.presses("12*#")
    assert len(caller.world.effects) == before


@pytest.mark.parametrize("keys", ["1", "12", "125", "12025558765#", "12025558765#2", "12#", "155"])
def test_given_a_caller_who_hangs_up_at_any_question_then_the_call_is_abandoned(keys: str) -> None:
    caller = rings_in(World((OPEN,)), OWN)
    caller.presses(keys)
    caller.hangs_up()
    assert caller.ends(InboundOutcome.ABANDONED)
    assert caller.world.journal.timers == {}
    assert caller.world.journal.callbacks == {}


# ---- no way round without an end -----------------------------------------------------------------------------

QUICK_PRESS = 0.3
"""Seconds from one key to the next."""
MOST_ASKED = VISITS * (2 * ENTRIES + 1) * (1 + REPEATS) + OFFERED_SLOTS * (1 + REPEATS)
"""Every number read back and asked for, every slot offered, each of it twice."""
FOREVER = st.lists(st.sampled_from(["silence", "2025558765#", "55#", *"0123456789*#1122"]), min_size=1, max_size=6)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(pattern=FOREVER, open_now=st.booleans(), known=st.booleans(), answered=st.booleans(), heard=st.booleans())
def test_given_any_keys_for_ever_then_the_caller_comes_out_of_every_question(
    pattern: list[str], *, open_now: bool, known: bool, answered: bool, heard: bool
) -> None:
    """Whatever is pressed over and over: so many questions and no more, and the call ends."""
    inbound = replace(AT_THE_DESK.inbound or Inbound(), wait_limit_seconds=200)
    world = World((replace(AT_THE_DESK, inbound=inbound),), calendars=(HOURS,))
    goes_on_until(world, at("10:00" if open_now else "03:00"))
    if not answered:
        world.results.pop(CheckNumber)
    caller = rings_in(world, OWN if known else None)
    for turn in range(6000):
        if not caller.ends(None):
            break
        what = pattern[turn % len(pattern)]
        if what == "silence":
            if heard and caller.is_in(Phase.ASKING) and world.done(Play):
                caller.hears_it_out()
            world.pass_time(ANSWER_SECONDS + 1)
            continue
        for key in what:
            caller.presses(key)
            world.pass_time(QUICK_PRESS)
            if not caller.ends(None):
                break
    assert not caller.ends(None), f"{pattern}: still {caller.flow.phase}"
    assert len(world.done(Play)) <= MOST_ASKED
