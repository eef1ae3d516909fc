"""Each rule of the crash judge fails on invented evidence that breaks it, and on no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.lab.witness import KeyPress, Side, WitnessCall
from tests.live.crash.evidence import (
    Answer,
    Asked,
    AttemptSeen,
    Blow,
    CallbackSeen,
    Evidence,
    Intervals,
    Outage,
    Said,
    Word,
)
from tests.live.crash.judge import RULES, judge

ADA, BEN = "12025550100", "12025550115"
INTERVALS = Intervals(retry=8.0, fault=2.0, later=4.0)


def call(number: str, start: float, end: float | None, **more: object) -> WitnessCall:
    seen = WitnessCall(f"{number}@{start}", number, Side.CUSTOMER, f"{number}.{start}", start, ended_at=end)
    return replace(seen, **more)  # type: ignore[arg-type]  # a test's shorthand


def attempt(callback: str, n: int, start: float, end: float | None, outcome: str | None, **more: object) -> AttemptSeen:
    seen = AttemptSeen(f"{callback}-{n}", callback, start, None, None, end, outcome)
    return replace(seen, **more)  # type: ignore[arg-type]  # a test's shorthand


ADA_ROW = CallbackSeen("ada", ADA, "completed", "talked", 60.0)
BEN_ROW = CallbackSeen("ben", BEN, "cancelled", "by_key", 60.0)
FIRST, SECOND = call(ADA, 10.1, 20.0, answered_at=12.0), call(ADA, 28.1, 50.0, answered_at=30.0, met_at=45.0)
TRIED = attempt("ada", 1, 10.0, 20.1, "unconfirmed", answered_at=12.0)
TALKED = attempt("ada", 2, 28.0, 50.1, "connected", answered_at=30.0, confirmed_at=40.0)
DECLINED = call(BEN, 10.1, 25.0, answered_at=12.0, keys=(KeyPress("3", 22.0),))
DECLINING = attempt("ben", 1, 10.0, 25.1, "cancelled_by_key", answered_at=12.0)

SOUND = Evidence(
    calls=(FIRST, SECOND, DECLINED),
    callbacks=(ADA_ROW, BEN_ROW),
    attempts=(TRIED, TALKED, DECLINING),
    asked=(Asked(ADA, Answer.ACCEPTED, "ada", 201), Asked(BEN, Answer.ACCEPTED, "ben", 201)),
    intervals=INTERVALS,
    kills=(Blow(15.0, "instant", 2),),
    outages=(Outage(15.0, 17.0),),
)


def broken(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    return {rule: found for rule, found in judge(evidence).violations.items() if found}


def called_twice(first: WitnessCall, outcome: str, second_at: float, **attempt_fields: object) -> Evidence:
    """Ada is called, the attempt ends in `outcome`, and she is called again."""
    assert first.ended_at is not None
    second = call(ADA, second_at, second_at + 10)
    return replace(
        SOUND,
        calls=(first, second, DECLINED),
        attempts=(
            attempt("ada", 1, 10.0, first.ended_at, outcome, **attempt_fields),
            attempt("ada", 2, second_at - 0.1, second_at + 11, "no_answer"),
            DECLINING,
        ),
    )


def test_sound_evidence_breaks_no_rule() -> None:
    assert broken(SOUND) == {}
    assert judge(SOUND).holds
    assert set(judge(SOUND).violations) == set(RULES)


# ---- 1: lost ---------------------------------------------------------------------------------------------


def test_an_accepted_request_that_the_database_does_not_know_is_lost() -> None:
    lost = replace(SOUND, asked=(*SOUND.asked, Asked("12125550101", Answer.ACCEPTED, "cleo", 201)))
    assert list(broken(lost)) == ["lost"]
    assert "accepted as cleo" in broken(lost)["lost"][0]


def test_an_accepted_request_that_never_ends_is_lost() -> None:
    stuck = replace(SOUND, callbacks=(replace(ADA_ROW, state="retry_wait", ended_at=None), BEN_ROW))
    assert list(broken(stuck)) == ["lost"]


def test_a_refused_request_may_not_be_in_the_database() -> None:
    both = replace(SOUND, asked=(Asked(ADA, Answer.REFUSED, "", 503), SOUND.asked[1]))
    assert list(broken(both)) == ["lost"]


def test_a_request_without_an_answer_may_exist_or_not() -> None:
    nobody = Asked("12125550101", Answer.NONE)
    assert broken(replace(SOUND, asked=(*SOUND.asked, nobody))) == {}
    assert broken(replace(SOUND, asked=(Asked(ADA, Answer.NONE), SOUND.asked[1]))) == {}


def test_a_callback_that_nobody_asked_for_is_not_sound() -> None:
    assert list(broken(replace(SOUND, asked=SOUND.asked[:1]))) == ["lost"]


def test_a_refused_request_may_stand_beside_an_earlier_one_of_the_same_number() -> None:
    again = Asked(ADA, Answer.REFUSED, "", 422, sent_at=70.0, answered_at=70.1)
    assert broken(replace(SOUND, asked=(*SOUND.asked, again))) == {}
    made = CallbackSeen("ada2", ADA, "expired", "lifetime", 80.0, created_at=70.05)
    assert list(broken(replace(SOUND, asked=(*SOUND.asked, again), callbacks=(*SOUND.callbacks, made)))) == ["lost"]


def test_a_callback_that_never_ends_is_lost_also_if_nobody_was_told_of_it() -> None:
    nobody = Asked("12125550101", Answer.NONE)
    stuck = CallbackSeen("cleo", "12125550101", "queued", None, None)
    assert list(broken(replace(SOUND, asked=(*SOUND.asked, nobody), callbacks=(*SOUND.callbacks, stuck)))) == ["lost"]


def test_another_call_to_a_customer_needs_an_agent_who_wanted_it() -> None:
    child = CallbackSeen("ada2", ADA, "expired", "lifetime", 80.0, parent_id="ada")
    wanted = Said("amy", "ada-2", Word.RESCHEDULE, Answer.NONE, callback="ada", when=70.0)
    twice = replace(SOUND, callbacks=(*SOUND.callbacks, child))
    assert list(broken(twice)) == ["lost"]
    assert broken(replace(twice, said=(wanted,))) == {}


# ---- 2: unwritten ----------------------------------------------------------------------------------------


def test_an_invite_outside_of_every_attempt_is_unwritten() -> None:
    late = replace(SOUND, calls=(*SOUND.calls, call("12125550101", 30.0, 31.0)))
    assert list(broken(late)) == ["unwritten"]
    assert "lies in 0 attempts" in broken(late)["unwritten"][0]


def test_two_invites_of_one_attempt_are_one_too_many() -> None:
    refused_at_once = call(ADA, 10.1, 10.2, sip_code=486)
    twice = replace(SOUND, calls=(refused_at_once, call(ADA, 10.5, 20.0), SECOND, DECLINED))
    assert list(broken(twice)) == ["unwritten"]
    assert "2 INVITEs" in broken(twice)["unwritten"][0]


def test_a_call_id_may_come_once() -> None:
    doubled = replace(SOUND, calls=(FIRST, replace(SECOND, call_id=FIRST.call_id), DECLINED))
    assert list(broken(doubled)) == ["unwritten"]


@pytest.mark.parametrize(("outcome", "sound"), [("interrupted", True), ("refused", True), ("no_answer", False)])
def test_an_attempt_without_an_invite_is_one_that_failed_on_our_side(outcome: str, sound: bool) -> None:  # noqa: FBT001
    silent = attempt("ada", 1, 10.0, 20.1, outcome)
    evidence = replace(SOUND, calls=(SECOND, DECLINED), attempts=(silent, TALKED, DECLINING))
    if outcome == "interrupted":
        assert broken(replace(evidence, attempts=(replace(silent, answered_at=12.0), TALKED, DECLINING)))
    assert list(broken(evidence)) == ([] if sound else ["unwritten"])


def test_a_dial_that_was_taken_back_because_the_first_agent_left_needs_no_invite() -> None:
    silent = attempt("ada", 1, 10.0, 20.1, "no_agent")
    evidence = replace(SOUND, calls=(SECOND, DECLINED), attempts=(silent, TALKED, DECLINING))
    assert list(broken(evidence)) == ["unwritten"]
    first = replace(evidence, connects={"": "agent_first"}, callbacks=(ADA_ROW, BEN_ROW))
    assert "unwritten" not in broken(first)


# ---- 3: too soon -----------------------------------------------------------------------------------------


def test_a_second_call_within_the_interval_is_too_soon() -> None:
    assert list(broken(called_twice(FIRST, "unconfirmed", 25.0))) == ["too-soon"]
    assert broken(called_twice(FIRST, "unconfirmed", 28.0)) == {}


def test_an_interrupted_call_that_rang_waits_for_the_whole_interval() -> None:
    rang = call(ADA, 10.1, 14.0)
    assert list(broken(called_twice(rang, "interrupted", 17.0))) == ["too-soon"]
    assert broken(called_twice(rang, "interrupted", 22.0)) == {}


def test_a_number_that_was_refused_at_once_never_rang() -> None:
    assert broken(called_twice(call(ADA, 10.1, 10.2, sip_code=486), "busy", 12.0)) == {}
    rang_first = call(ADA, 10.1, 11.2, sip_code=603)
    assert list(broken(called_twice(rang_first, "rejected", 13.0))) == ["too-soon"]


def test_who_confirmed_is_called_soon_after_a_fault_of_ours_and_only_then() -> None:
    pressed = replace(FIRST, keys=(KeyPress("1", 19.0),))
    assert broken(called_twice(pressed, "interrupted", 22.0, confirmed_at=19.1)) == {}
    assert list(broken(called_twice(pressed, "interrupted", 21.0, confirmed_at=19.1))) == ["too-soon"]
    assert list(broken(called_twice(pressed, "interrupted", 22.0))) == ["too-soon"], "the key was not heard"
    assert list(broken(called_twice(FIRST, "interrupted", 22.0, confirmed_at=19.1))) == ["too-soon"], "no key was sent"
    assert list(broken(called_twice(pressed, "abandoned", 22.0, confirmed_at=19.1))) == ["too-soon"], "not our fault"


def test_a_later_call_comes_after_the_time_that_was_promised() -> None:
    assert list(broken(called_twice(FIRST, "later", 23.0))) == ["too-soon"]
    assert broken(called_twice(FIRST, "later", 24.0)) == {}


# ---- 4, 5: talked, declined ------------------------------------------------------------------------------


def test_who_talked_is_not_called_again() -> None:
    talked_first = replace(FIRST, met_at=18.0)
    assert list(broken(replace(SOUND, calls=(talked_first, SECOND, DECLINED)))) == ["talked"]


def test_who_talked_may_be_called_again_as_another_callback() -> None:
    """Nobody makes one unasked: that is the first rule."""
    talked_first = replace(FIRST, met_at=18.0)
    child = CallbackSeen("ada2", ADA, "completed", "talked", 60.0, parent_id="ada")
    second = replace(TALKED, id="ada2-1", callback="ada2")
    wanted = Said("amy", "ada-1", Word.RESCHEDULE, Answer.ACCEPTED, callback="ada", when=25.0, made="ada2")
    again = replace(
        SOUND,
        calls=(talked_first, SECOND, DECLINED),
        callbacks=(*SOUND.callbacks, child),
        attempts=(TRIED, second, DECLINING),
    )
    assert broken(replace(again, said=(wanted,))) == {}
    assert list(broken(again)) == ["lost"]


def test_a_second_call_during_the_first_is_not_one_after_the_key() -> None:
    declined = replace(FIRST, ended_at=40.0, keys=(KeyPress("3", 35.0),))
    assert "declined" not in broken(replace(SOUND, calls=(declined, SECOND, DECLINED)))


@pytest.mark.parametrize("key", ["3", "9"])
def test_who_declined_is_not_called_again(key: str) -> None:
    declined = replace(FIRST, keys=(KeyPress(key, 18.5),))
    suppressed = {ADA} if key == "9" else set()
    assert list(broken(replace(SOUND, calls=(declined, SECOND, DECLINED), suppressed=suppressed))) == ["declined"]


@pytest.mark.parametrize("at", [14.6, 15.5, 17.0])
def test_a_key_pressed_in_an_outage_or_just_before_it_is_lost_and_counted(at: float) -> None:
    lost = replace(SOUND, calls=(replace(FIRST, keys=(KeyPress("3", at),)), SECOND, DECLINED))
    assert broken(lost) == {}
    assert judge(lost).keys_lost == 1


@pytest.mark.parametrize("at", [14.4, 17.2])
def test_a_key_pressed_before_or_after_an_outage_counts(at: float) -> None:
    heard = replace(SOUND, calls=(replace(FIRST, keys=(KeyPress("3", at),)), SECOND, DECLINED))
    assert list(broken(heard)) == ["declined"]
    slow = replace(heard, outages=(Outage(15.0, 17.0, lag_seconds=0.5),))
    assert bool(broken(slow)) is (at > 17.0)


@pytest.mark.parametrize(("store_broke_at", "counts"), [(None, True), (13.0, False)])
def test_a_key_that_died_with_the_engine_before_the_store_was_back_is_lost(
    store_broke_at: float | None,
    counts: bool,  # noqa: FBT001
) -> None:
    pressed = replace(SOUND, calls=(replace(FIRST, keys=(KeyPress("3", 13.5),)), SECOND, DECLINED))
    died = replace(pressed, outages=(Outage(store_broke_at or 15.0, 17.0),))
    assert list(broken(died)) == (["declined"] if counts else [])
    assert judge(died).keys_lost == int(not counts)


# ---- 6, 7: overlap, interrupted --------------------------------------------------------------------------


def test_two_calls_to_one_number_at_the_same_time_overlap() -> None:
    evidence = called_twice(replace(FIRST, ended_at=20.0), "unconfirmed", 19.0)
    assert "overlap" in broken(evidence)
    assert "overlap" not in broken(called_twice(FIRST, "unconfirmed", 28.0))


def test_nobody_is_left_in_a_call() -> None:
    assert list(broken(replace(SOUND, calls=(FIRST, replace(SECOND, ended_at=None), DECLINED)))) == ["overlap"]


def test_interrupted_attempts_need_calls_that_a_kill_could_interrupt() -> None:
    interrupted = replace(SOUND, attempts=(replace(TRIED, outcome="interrupted"), TALKED, DECLINING))
    assert broken(interrupted) == {}
    assert list(broken(replace(interrupted, kills=()))) == ["interrupted"]
    assert list(broken(replace(interrupted, kills=(Blow(26.0, "instant", 0),)))) == ["interrupted"], "nobody was called"
    assert broken(replace(interrupted, kills=(), faults=(Blow(15.0, "events-cut", 1),))) == {}
    assert broken(replace(interrupted, kills=(Blow(15.0, "instant", 0),))) == {}, "the INVITE was on its way"


# ---- 16: screened ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["machine", "message_left", "fax"])
def test_who_pressed_a_key_that_was_heard_is_no_machine(outcome: str) -> None:
    taken = replace(SOUND, attempts=(TRIED, TALKED, replace(DECLINING, outcome=outcome)))
    assert list(broken(taken)) == ["screened"]
    assert "pressed 3" in broken(taken)["screened"][0]
    assert broken(replace(taken, outages=(Outage(21.0, 23.0),))) == {}, "nobody could hear it"
    assert broken(replace(SOUND, attempts=(replace(TRIED, outcome=outcome), TALKED, DECLINING))) == {}, (
        "no key was sent"
    )
