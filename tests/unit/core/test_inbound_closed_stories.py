"""Callers outside business hours: times are offered to them, one after another; told as stories."""

from __future__ import annotations

from engine.core.callermenu import ANSWER_SECONDS, VISITS
from engine.core.callphase import Phase
from engine.core.configuration import SlotPolicy
from engine.core.effects import Farewell, Play, Release
from engine.core.events import LegSeen
from engine.core.terms import CallbackState, InboundOutcome, PromptId
from engine.core.values import replace
from tests.unit.core.callers import AT_THE_DESK, OPEN, Caller, rings_in
from tests.unit.core.office import HOURS, at, booked, goes_on_until, moment, suppresses
from tests.unit.core.world import World, only

OWN = "+12025557001"
GOODBYE = (PromptId.CLOSED_GOODBYE,)
TODAY, TOMORROW = PromptId.TODAY, PromptId.TOMORROW
O_CLOCK = PromptId.O_CLOCK
READ_BACK = (PromptId.WILL_CALL, 1, 2, 0, 2, 5, 5, 5, 7, 0, 0, 1, PromptId.CONFIRM_NUMBER)


def slot(*when: PromptId | int, first: bool = False) -> tuple[PromptId | int, ...]:
    """What is said when a time is offered."""
    before = (PromptId.INBOUND_CLOSED,) if first else ()
    day, *time = when
    return (*before, PromptId.SLOT_OFFER, day, PromptId.AT, *time, PromptId.SLOT_ACCEPT)


def closed(clock: str = "03:00", phone: str | None = OWN) -> Caller:
    """Somebody rings in at that time of the first morning, before the office opens."""
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, at(clock))
    return rings_in(world, phone)


def test_given_a_closed_service_then_times_are_offered_one_by_one_in_words() -> None:
    caller = closed()
    assert caller.is_told == slot(TODAY, 9, O_CLOCK, first=True)
    for when in ((TODAY, 9, 30), (TODAY, 10, O_CLOCK), (TODAY, 10, 30), (TODAY, 11, O_CLOCK)):
        caller.presses("2")
        assert caller.is_told == slot(*when)
    caller.presses("2")
    assert caller.is_told == GOODBYE
    assert caller.ends(InboundOutcome.CLOSED)
    caller.is_let_go()


def test_given_the_evening_before_a_weekend_then_the_day_is_named() -> None:
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, moment("2023-11-17 20:00"))
    caller = rings_in(world)
    assert caller.is_told == slot(PromptId.MONDAY, 9, O_CLOCK, first=True)
    goes_on_until(world, moment("2023-11-19 23:59:30"))
    assert rings_in(world).is_told == slot(TOMORROW, 9, O_CLOCK, first=True)


def test_given_odd_minutes_then_they_are_said_as_on_a_clock() -> None:
    service = replace(AT_THE_DESK, slots=SlotPolicy(minutes=15, capacity=1))
    later = tuple((replace(day[0], start_seconds=9 * 3600 + 300),) if day else () for day in HOURS.weekly)
    hours = replace(HOURS, weekly=later)
    world = World((service,), calendars=(hours,))
    goes_on_until(world, at("03:00"))
    caller = rings_in(world)
    assert caller.is_told == slot(TODAY, 9, 0, 5, first=True)


def test_given_a_yes_and_their_own_number_then_the_slot_is_booked_and_they_are_called_then() -> None:
    caller = closed()
    caller.presses("21")
    assert caller.is_told_now(*READ_BACK)
    caller.presses("1")
    assert only(caller.hears, Farewell).prompts == (PromptId.SLOT_KEPT,)
    kept = caller.kept
    assert (kept.state, kept.booked, kept.scheduled_for) == (CallbackState.SCHEDULED, True, at("09:30"))
    caller.is_let_go()
    caller.world.agent().ready()
    goes_on_until(caller.world, at("09:30"))
    assert caller.called_back.state is CallbackState.DIALING


def test_given_a_yes_and_another_number_then_that_is_called() -> None:
    caller = closed()
    caller.presses("12")
    assert caller.is_told == (PromptId.ENTER_NUMBER,)
    caller.presses("2025558765#1")
    assert caller.kept.request.phone == "+12025558765"
    assert caller.kept.scheduled_for == at("09:00")


def test_given_nobodys_number_then_it_is_asked_for_after_the_yes() -> None:
    caller = closed(phone=None)
    caller.presses("1")
    assert caller.is_told == (PromptId.ENTER_NUMBER,)
    caller.presses("2025558765#1")
    assert caller.ends(InboundOutcome.CALLBACK)


def test_given_a_slot_that_fills_while_the_number_is_read_back_then_they_are_told_that_it_cannot_be() -> None:
    caller = closed()
    caller.presses("1")
    for _ in range(2):
        booked(caller.world, at("09:00"))
    caller.presses("1")
    assert caller.is_told == (PromptId.NOT_POSSIBLE_GOODBYE,)
    assert caller.ends(InboundOutcome.CLOSED)


def test_given_slots_that_are_full_then_they_are_not_offered() -> None:
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, at("03:00"))
    for _ in range(2):
        booked(world, at("09:00"))
    assert rings_in(world).is_told == slot(TODAY, 9, 30, first=True)


def test_given_no_slots_then_the_caller_hears_that_it_is_closed_and_goodbye() -> None:
    world = World((replace(AT_THE_DESK, slots=None),), calendars=(HOURS,))
    goes_on_until(world, at("03:00"))
    caller = rings_in(world)
    assert caller.is_told == (PromptId.INBOUND_CLOSED, *GOODBYE)
    assert (caller.outcome, caller.call.joined_at) == (InboundOutcome.CLOSED, None)


def test_given_a_number_that_is_never_called_then_the_slot_cannot_be_had() -> None:
    caller = closed()
    suppresses(caller.world, OWN)
    caller.presses("11")
    assert caller.is_told == (PromptId.NOT_POSSIBLE_GOODBYE,)
    assert caller.world.journal.callbacks == {}


def test_given_silence_then_the_same_time_is_offered_once_more_and_then_goodbye() -> None:
    caller = closed()
    caller.is_silent()
    assert caller.is_told == slot(TODAY, 9, O_CLOCK)
    caller.hears_it_out()
    caller.world.pass_time(ANSWER_SECONDS)
    assert caller.is_told == GOODBYE


def test_given_a_key_that_means_nothing_then_the_same() -> None:
    caller = closed()
    caller.presses("7")
    assert caller.is_told == slot(TODAY, 9, O_CLOCK)
    caller.presses("7")
    assert caller.is_told == GOODBYE


def test_given_the_star_key_then_goodbye() -> None:
    caller = closed()
    caller.presses("*")
    assert caller.is_told == GOODBYE
    other = closed()
    other.presses("1*")
    assert other.is_told == GOODBYE


def test_given_a_caller_who_hangs_up_then_nothing_came_of_it() -> None:
    for keys in ("", "2", "1", "12", "12555"):
        caller = closed()
        caller.presses(keys)
        caller.hangs_up()
        assert caller.ends(InboundOutcome.CLOSED)
        assert caller.world.journal.timers == {}


def test_given_a_service_that_opens_while_they_listen_then_the_question_stays() -> None:
    caller = closed("08:59:50")
    caller.world.agent().ready()
    caller.world.pass_time(20)
    assert caller.is_in(Phase.ASKING)
    assert caller.call.agent is None


def test_given_a_start_while_a_time_is_offered_then_it_is_offered_again() -> None:
    caller = closed()
    caller.presses("2")
    caller.world.restart()
    assert caller.is_seen(LegSeen.ENTERED) == "announced again"
    assert caller.is_told == slot(TODAY, 9, O_CLOCK, first=True)
    caller.presses("11")
    assert caller.ends(InboundOutcome.CALLBACK)


def test_given_a_start_and_a_caller_who_is_gone_then_the_call_was_interrupted() -> None:
    caller = closed()
    caller.world.restart()
    assert caller.is_seen(LegSeen.GONE) == "interrupted"
    assert caller.ends(InboundOutcome.INTERRUPTED)


def test_given_telephony_lost_again_and_again_then_times_are_offered_so_often_and_no_more() -> None:
    caller = closed()
    for _ in range(VISITS + 1):
        caller.world.lose_telephony()
        caller.is_seen(LegSeen.ENTERED)
        caller.world.regain_telephony()
    assert caller.ends(InboundOutcome.CLOSED)
    assert len(caller.world.done(Play)) == VISITS


def test_given_the_slots_taken_away_while_they_are_offered_then_the_one_they_accept_cannot_be_had() -> None:
    caller = closed()
    caller.presses("1")
    caller.world.configure((replace(AT_THE_DESK, slots=None),), (), calendars=(HOURS,))
    caller.presses("1")
    assert caller.is_told == (PromptId.NOT_POSSIBLE_GOODBYE,)


def test_given_a_service_without_hours_then_it_is_never_closed() -> None:
    world = World((OPEN,))
    assert rings_in(world).is_in(Phase.WAITING)


def test_given_a_goodbye_that_is_refused_then_the_call_is_over_soon() -> None:
    caller = closed()
    caller.world.hang_up_seconds = caller.world.last_words_seconds = None
    caller.presses("*")
    assert isinstance(caller.hears, Release)
    caller.world.pass_time(AT_THE_DESK.call_limits.last_words_seconds)
    assert caller.is_over
