"""Every way through what a caller is asked, with real keys on a real Asterisk: what is kept, heard, and who is called.

What happened at the telephones is the simulated network's own record, what was heard its own recordings.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest

from engine.core.callermenu import ANSWER_SECONDS
from engine.core.terms import PromptId
from engine.lab.witness import WitnessCall
from tests.live.faults.background import Background
from tests.live.inbound import paths
from tests.live.inbound.paths import CALLERS, Told, everybody_rings_in

STORIES = {everybody_rings_in: 60}
KEPT_AT = {
    "other number": f"+1{paths.OTHER}",
    "other number without pound": f"+1{paths.OTHER_WITHOUT_POUND}",
    "wrong number, then another": f"+1{paths.AFTER_WRONG}",
    "withheld": f"+1{paths.OF_NOBODY}",
    "star, then kept": CALLERS["star, then kept"].number,
    "hangs up in the goodbye": CALLERS["hangs up in the goodbye"].number,
}
GIVEN_UP = [
    "three wrong numbers",
    "rejects every number",
    "comes back too often",
    "other keys while waiting",
    "by another trunk",
    "hangs up in the greeting",
    "hangs up in the news",
    "hangs up while the number is read",
    "hangs up while entering",
    "hangs up at the check",
]
NOT_TAKEN = {
    "takes no slot": "closed",
    "star at a slot": "closed",
    "hangs up at a slot": "closed",
    "closed": "closed",
    "finds it full": "refused",
    "nobody's number": "refused",
}


@pytest.fixture(scope="module")
def told(background: Background) -> Told:
    return background.result(everybody_rings_in)


def _digits(number: str) -> list[int]:
    return [int(digit) for digit in number if digit.isdecimal()]


# ---- a place that is kept ----------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", KEPT_AT)
def test_a_caller_who_says_yes_to_a_number_keeps_the_place_at_it(told: Told, caller: str) -> None:
    row, callback = told.rows[caller], told.callbacks[str(KEPT_AT[caller])]
    assert (row["outcome"], row["callback"]) == ("callback", callback["id"])
    assert (callback["state"], callback["channel"]) == ("queued", "phone")
    assert callback["joined_at"] == row["joined_at"] == row["entered_at"]


def test_of_the_menu_nothing_else_became_a_callback(told: Told) -> None:
    kept = {phone for phone, callback in told.callbacks.items() if callback["service"] == "menu"}
    assert kept == set(KEPT_AT.values())


def test_who_keeps_the_place_is_let_go_after_the_goodbye(told: Told) -> None:
    for caller in set(KEPT_AT) - {"hangs up in the goodbye"}:
        call = told.calls[caller]
        assert (call.hung_up_at, call.cause) == (None, 16)
        [said_at] = told.heard(caller, PromptId.CALLBACK_KEPT)[PromptId.CALLBACK_KEPT]
        assert call.answered_at is not None
        assert said_at + call.answered_at - call.keys[-1].at < 1.5


def test_the_number_that_was_entered_is_read_back_digit_by_digit(told: Told) -> None:
    digits = _digits(f"1{paths.OTHER}")
    assert told.hears("other number", PromptId.WILL_CALL, *digits, PromptId.CONFIRM_NUMBER)
    assert not told.hears("other number", *digits[:-1], (digits[-1] + 1) % 10)


def test_a_caller_hears_greeting_place_own_number_and_goodbye_and_is_called_in_that_place(told: Told) -> None:
    caller, number = "second in line", paths.SECOND_IN_LINE
    [greeted_at] = told.hears(caller, PromptId.INBOUND_GREETING)
    [placed_at, *_] = told.hears(caller, PromptId.POSITION_IS, 2, PromptId.KEEP_PLACE)
    [read_at, *_] = told.hears(caller, PromptId.WILL_CALL, *_digits(number), PromptId.CONFIRM_NUMBER)
    [goodbye_at] = told.hears(caller, PromptId.CALLBACK_KEPT)
    assert greeted_at < 0.5
    assert 7.5 < placed_at < 9
    assert read_at < goodbye_at
    row, callback, [call] = told.rows[caller], told.callbacks[number], told.invited(number)
    assert (row["outcome"], row["callback"]) == ("callback", callback["id"])
    assert (callback["state"], callback["reason"], callback["joined_at"]) == ("completed", "talked", row["joined_at"])
    assert call.met_at is not None
    [first] = [each for each in told.invited(str(paths.NEWS_AGENT)) if each.met_at and each.met_at < call.invited_at]
    assert told.rows["first in line"]["outcome"] == "connected"
    assert told.calls["first in line"].met_at == pytest.approx(first.met_at, abs=0.5)


# ---- no place is kept --------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", GIVEN_UP)
def test_a_caller_who_hangs_up_before_saying_yes_has_given_up(told: Told, caller: str) -> None:
    row, call = told.rows[caller], told.calls[caller]
    assert (row["outcome"], row["callback"]) == ("abandoned", None)
    assert call.hung_up_at is not None
    assert call.ended_at is not None
    assert abs(row["ended_at"] - call.ended_at) < 1


def test_after_three_wrong_numbers_the_caller_is_told_and_waits_on(told: Told) -> None:
    wrong, not_possible = PromptId.NUMBER_NOT_POSSIBLE, PromptId.NOT_POSSIBLE
    heard = told.heard("three wrong numbers", wrong, not_possible)
    assert len(heard[wrong]) == 2
    assert len(heard[not_possible]) == 1
    assert heard[wrong][-1] < heard[not_possible][0]
    assert len(told.heard("wrong number, then another", wrong)[wrong]) == 1


@pytest.mark.parametrize("caller", ["star", "meaningless", "silent", "silent when entering"])
def test_a_caller_in_the_menu_is_given_no_agent_and_gets_one_when_back_in_the_line(told: Told, caller: str) -> None:
    row, call = told.rows[caller], told.calls[caller]
    assert (row["outcome"], row["callback"], row["agent_legs"]) == ("connected", None, 1)
    assert call.met_at is not None
    [rung] = [each for each in told.invited(row["agent"].removeprefix("a")) if _is_for(each, row)]
    back_at, within = _back_in_line(told, caller)
    assert told.agents_came_at < back_at < rung.invited_at < back_at + within


def _is_for(rung: WitnessCall, row: sqlite3.Row) -> bool:
    """Whether an agent's phone rang for this call: it was met when the two were bridged."""
    return rung.met_at is not None and abs(rung.met_at - row["bridged_at"]) < 1


def _back_in_line(told: Told, caller: str) -> tuple[float, float]:
    """When somebody was in the line again at the earliest, and within which time after it for certain."""
    question = {"silent": PromptId.CONFIRM_NUMBER, "silent when entering": PromptId.ENTER_NUMBER}.get(caller)
    call = told.calls[caller]
    if question is None:
        return call.keys[-1].at, 1.5
    asked_at = told.heard(caller, question)[question]
    assert len(asked_at) == 2
    assert call.answered_at is not None
    return call.answered_at + asked_at[-1] + ANSWER_SECONDS, 10


# ---- closed, full, nobody's --------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", NOT_TAKEN)
def test_a_caller_who_is_not_taken_leaves_a_record_and_no_callback(told: Told, caller: str) -> None:
    row = told.rows[caller]
    assert (row["outcome"], row["callback"], row["joined_at"]) == (NOT_TAKEN[caller], None, None)
    assert CALLERS[caller].number not in told.callbacks


@pytest.mark.parametrize(("caller", "n"), [("takes a slot", 0), ("takes the next slot", 1)])
def test_a_caller_of_a_closed_service_gets_the_slot_they_accept(told: Told, caller: str, n: int) -> None:
    callback = told.callbacks[str(CALLERS[caller].number)]
    assert told.rows[caller]["callback"] == callback["id"]
    assert (callback["state"], bool(callback["booked"])) == ("scheduled", True)
    assert datetime.fromtimestamp(callback["scheduled_for"], UTC).hour == paths.FIRST_SLOT_HOUR + n
    assert told.hears(caller, PromptId.SLOT_KEPT)


def test_a_slot_is_offered_by_its_day_and_hour(told: Told) -> None:
    slot = datetime.fromtimestamp(told.callbacks[str(CALLERS["takes a slot"].number)]["scheduled_for"], UTC)
    day = PromptId(slot.strftime("%A").lower())
    offer = (PromptId.SLOT_OFFER, day, PromptId.AT, slot.hour, PromptId.O_CLOCK, PromptId.SLOT_ACCEPT)
    assert told.hears("takes a slot", PromptId.INBOUND_CLOSED, *offer)


def test_whoever_is_not_taken_is_answered_and_told_so_to_the_last_word(told: Told) -> None:
    assert told.hears("closed", PromptId.INBOUND_CLOSED, PromptId.CLOSED_GOODBYE)
    assert told.hears("takes no slot", PromptId.CLOSED_GOODBYE)
    assert told.hears("star at a slot", PromptId.CLOSED_GOODBYE)
    assert told.hears("finds it full", PromptId.INBOUND_FULL)
    for caller in ("closed", "takes no slot", "star at a slot", "finds it full"):
        assert (told.calls[caller].hung_up_at, told.calls[caller].cause) == (None, 16)


def test_a_number_that_is_no_services_is_refused_unanswered(told: Told) -> None:
    call = told.calls["nobody's number"]
    assert (call.answered_at, call.sip_code) == (None, 603)
    assert told.rows["nobody's number"]["service"] == ""


# ---- agents and callbacks ----------------------------------------------------------------------------------


def test_agents_who_miss_a_caller_are_asked_no_more_and_another_one_comes(told: Told) -> None:
    row = told.rows["two agents miss"]
    assert (row["outcome"], row["agent"], row["agent_legs"]) == ("connected", f"a{paths.RONA_AGENT}", 3)
    assert set(told.agents.values()) == {("not_ready", "rona")}
    rung = [told.invited(str(number)) for number in (paths.RINGS_OUT, paths.REJECTS, paths.RONA_AGENT)]
    assert [len(each) for each in rung] == [1, 1, 1]
    assert [each[0].met_at is not None for each in rung] == [False, False, True]
    assert told.calls["two agents miss"].met_at is not None


def test_a_caller_has_the_place_of_the_callback_asked_for_before_which_ends_when_they_talk(told: Told) -> None:
    caller, earlier = told.rows["with callback"], told.rows["without callback"]
    callback = told.callbacks[str(CALLERS["with callback"].number)]
    assert caller["joined_at"] == callback["joined_at"] < earlier["joined_at"] < caller["entered_at"]
    first, second = told.invited(str(paths.PLACE_AGENT))
    assert told.calls["with callback"].met_at == pytest.approx(first.met_at, abs=0.5)
    assert told.calls["without callback"].met_at == pytest.approx(second.met_at, abs=0.5)
    assert (callback["state"], callback["reason"]) == ("cancelled", "called_in")
    assert abs(callback["ended_at"] - caller["bridged_at"]) < 0.1
    assert told.invited(callback["phone"]) == []


def test_the_callback_of_a_caller_who_hangs_up_stays(told: Told) -> None:
    row = told.rows["with callback, hangs up"]
    callback = told.callbacks[str(row["phone"])]
    assert (row["outcome"], row["joined_at"]) == ("abandoned", callback["joined_at"])
    assert (callback["state"], callback["ended_at"]) == ("queued", None)


def test_a_caller_who_has_a_callback_already_keeps_that_one(told: Told) -> None:
    row = told.rows["with callback, keeps it"]
    callback = told.callbacks[str(row["phone"])]
    assert (row["outcome"], row["callback"]) == ("callback", callback["id"])
    assert (callback["state"], callback["channel"]) == ("queued", "api")
    assert callback["joined_at"] == row["joined_at"] < row["entered_at"]


def test_a_number_that_is_ringing_in_is_not_called_until_it_has_hung_up(told: Told) -> None:
    call, [called] = told.calls["with callback elsewhere"], told.invited(paths.ELSEWHERE)
    assert call.ended_at is not None
    assert told.agents_came_at < call.ended_at - 3, "an agent was free while they were on the phone"
    assert 0 < called.invited_at - call.ended_at < 1
    assert called.met_at is not None


# ---- all of them -------------------------------------------------------------------------------------------


def test_nobody_is_called_but_those_whose_turn_came(told: Told) -> None:
    customers = [call.number for call in told.witness if call.side == "customer"]
    assert sorted(customers) == sorted(number.removeprefix("+") for number in (paths.SECOND_IN_LINE, paths.ELSEWHERE))
    assert len(told.attempts) == len(customers)


def test_every_call_has_one_record_that_has_ended_and_the_engine_complained_of_nothing(told: Told) -> None:
    assert all(row["ended_at"] is not None for row in told.rows.values())
    assert told.complaints == []
