"""Each rule of the crash judge about bookings, wishes, agents and outside work fails on invented evidence, alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from engine.lab.witness import KeyPress, Side, WitnessCall
from tests.live.crash.evidence import (
    Announced,
    Answer,
    Asked,
    AttemptSeen,
    CallbackSeen,
    Evidence,
    InteractionSeen,
    Intervals,
    Offered,
    Outage,
    Said,
    Word,
)
from tests.live.crash.judge import judge
from tests.live.crash.promises import RULES

ADA, BEN, CLEO, DAN = "12025550100", "12025550127", "12025550101", "12025550102"


def call(number: str, start: float, end: float, **more: object) -> WitnessCall:
    seen = WitnessCall(f"{number}@{start}", number, Side.CUSTOMER, f"{number}.{start}", start, ended_at=end)
    return replace(seen, **more)  # type: ignore[arg-type]  # a test's shorthand


def row(name: str, number: str, service: str, **more: object) -> CallbackSeen:
    seen = CallbackSeen(name, number, "completed", "talked", 60.0, service=service, created_at=1.0, asked_at=1.0)
    return replace(seen, **more)  # type: ignore[arg-type]  # a test's shorthand


def asked(callback: CallbackSeen, **more: object) -> Asked:
    told = Asked(callback.number, Answer.ACCEPTED, callback.id, 201, callback.service, callback.scheduled_for, 0.9, 1.1)
    return replace(told, **more)  # type: ignore[arg-type]  # a test's shorthand


def attempt(callback: str, start: float, end: float, outcome: str, n: int = 1) -> AttemptSeen:
    return AttemptSeen(f"{callback}-{n}", callback, start, None, None, end, outcome)


def amy(work: str, word: Word, at: float, answer: Answer = Answer.ACCEPTED, **more: object) -> Said:
    said = Said("amy", work, word, answer, 200, sent_at=at, answered_at=at + 0.1)
    return replace(said, **more)  # type: ignore[arg-type]  # a test's shorthand


BOOKED = row("ada", ADA, "slot0", scheduled_for=10.0, booked=True)
DECLINED = row("ben", BEN, "crash", state="cancelled", reason="never_again")
PREVIEWED = row("cleo", CLEO, "preview")
FIRST = row("dan", DAN, "first")
WAITS = WitnessCall("agent", "1021", Side.AGENT, "agent", 10.0, answered_at=11.0, ended_at=30.0, caller=f"+{DAN}")
CHAT = InteractionSeen("i1", "1", "completed", "amy", 5.0, 7.0)
AGREED = amy("cleo-1", Word.ACCEPT, 10.0, callback="cleo")
TOOK, ENDED = amy("i1", Word.ACCEPT, 4.9), amy("i1", Word.COMPLETE, 6.9)
PRESSED = call(BEN, 10.1, 25.0, keys=(KeyPress("9", 20.0),))

SOUND = Evidence(
    calls=(call(ADA, 10.1, 20.0), PRESSED, call(CLEO, 10.3, 20.0), call(DAN, 11.2, 20.0)),
    callbacks=(BOOKED, DECLINED, PREVIEWED, FIRST),
    attempts=(
        attempt("ada", 10.0, 20.1, "connected"),
        attempt("ben", 10.0, 25.1, "never_again"),
        attempt("cleo", 10.2, 20.1, "connected"),
        attempt("dan", 11.1, 20.1, "connected"),
    ),
    asked=tuple(map(asked, (BOOKED, DECLINED, PREVIEWED, FIRST))),
    intervals=Intervals(retry=6.0, fault=2.0, later=4.0, exclusion=5.0),
    agents=(WAITS,),
    said=(AGREED, TOOK, ENDED),
    announced=(Announced("1", Answer.ACCEPTED, "i1", 201),),
    interactions=(CHAT,),
    suppressed={BEN},
    connects={"first": "agent_first", "preview": "preview"},
    capacity={"slot0": 1},
)


def broken(evidence: Evidence) -> Mapping[str, tuple[str, ...]]:
    return {rule: found for rule, found in judge(evidence).violations.items() if found}


def also_booked(**more: object) -> Evidence:
    """Somebody else booked the same slot; nobody called them."""
    other = row("eve", "12025550103", "slot0", **({"scheduled_for": 10.0, "booked": True, "asked_at": 2.0} | more))
    return replace(SOUND, callbacks=(*SOUND.callbacks, other), asked=(*SOUND.asked, asked(other)))


def without(number: str, *instead: WitnessCall) -> tuple[WitnessCall, ...]:
    return (*(each for each in SOUND.calls if each.number != number), *instead)


def test_sound_evidence_breaks_no_rule() -> None:
    assert broken(SOUND) == {}
    assert set(RULES) <= set(judge(SOUND).violations)


# ---- 8: early --------------------------------------------------------------------------------------------


def test_a_booked_slot_is_not_called_before_its_start() -> None:
    early = replace(SOUND, callbacks=(replace(BOOKED, scheduled_for=10.2), *SOUND.callbacks[1:]))
    early = replace(early, asked=(asked(early.callbacks[0]), *SOUND.asked[1:]))
    assert list(broken(early)) == ["early"]
    assert "booked for 10.200" in broken(early)["early"][0]


def test_a_slot_is_kept_as_it_was_told() -> None:
    other = replace(SOUND, asked=(asked(BOOKED, when=9.0), *SOUND.asked[1:]))
    assert list(broken(other)) == ["early"]


def test_who_was_put_off_is_not_called_before_that_time() -> None:
    later = amy("cleo-1", Word.RESCHEDULE, 8.0, callback="cleo", when=12.0, made="cleo")
    assert list(broken(replace(SOUND, said=(*SOUND.said, later)))) == ["early"]
    assert broken(replace(SOUND, said=(*SOUND.said, replace(later, when=10.0)))) == {}
    called_before = replace(later, sent_at=15.0, when=30.0)
    assert broken(replace(SOUND, said=(*SOUND.said, called_before))) == {}


# ---- 9: overbooked ---------------------------------------------------------------------------------------


def test_a_slot_with_more_bookings_than_places_is_overbooked() -> None:
    assert list(broken(also_booked())) == ["overbooked"]
    assert broken(replace(also_booked(), capacity={"slot0": 2})) == {}
    assert broken(also_booked(scheduled_for=910.0)) == {}, "another slot"
    assert broken(also_booked(booked=False)) == {}, "staff may name any moment"


def test_a_place_that_was_given_up_may_be_taken_by_another() -> None:
    assert broken(also_booked(asked_at=60.5)) == {}
    assert list(broken(also_booked(asked_at=59.5))) == ["overbooked"]


# ---- 10: suppressed --------------------------------------------------------------------------------------


def test_a_9_that_was_heard_is_written_down() -> None:
    unwritten = replace(SOUND, suppressed=frozenset())
    assert list(broken(unwritten)) == ["suppressed"]
    assert broken(replace(unwritten, outages=(Outage(19.0, 21.0),))) == {}, "nobody could hear it"


def test_a_number_that_pressed_9_is_not_taken_again() -> None:
    again = row("ben2", BEN, "crash", created_at=23.0)
    taken = replace(SOUND, callbacks=(*SOUND.callbacks, again), asked=(*SOUND.asked, asked(again)))
    assert list(broken(taken)) == ["suppressed"]
    beside = replace(again, created_at=9.0)
    assert broken(replace(taken, callbacks=(*SOUND.callbacks, beside))) == {}
    refused = Asked(BEN, Answer.REFUSED, "", 422, "crash", None, 23.0, 23.1)
    assert broken(replace(SOUND, asked=(*SOUND.asked, refused))) == {}


@pytest.mark.parametrize("number", [ADA, "12025550109"])
def test_nobody_else_is_suppressed(number: str) -> None:
    assert list(broken(replace(SOUND, suppressed={BEN, number}))) == ["suppressed"]


# ---- 11: unasked -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        (),
        (replace(AGREED, word=Word.REJECT),),
        (replace(AGREED, answer=Answer.REFUSED, status=409),),
        (replace(AGREED, sent_at=10.4),),
        (replace(AGREED, work="cleo-2"),),
    ],
    ids=["nothing", "a no", "too late", "after the call", "another attempt"],
)
def test_nobody_is_called_for_a_preview_without_a_yes(said: tuple[Said, ...]) -> None:
    assert "unasked" in broken(replace(SOUND, said=(TOOK, ENDED, *said)))


@pytest.mark.parametrize(("answer", "status"), [(Answer.NONE, 0), (Answer.REFUSED, 503)])
def test_a_yes_that_nobody_could_answer_may_count(answer: Answer, status: int) -> None:
    assert broken(replace(SOUND, said=(TOOK, ENDED, replace(AGREED, answer=answer, status=status)))) == {}


# ---- 12: agent first -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phone",
    [
        replace(WAITS, answered_at=None),
        replace(WAITS, answered_at=11.3),
        replace(WAITS, ended_at=9.0),
        replace(WAITS, caller=f"+{ADA}"),
    ],
    ids=["rings", "answers later", "has left", "is there for another"],
)
def test_with_the_agent_first_nobody_is_called_without_one_on_the_phone(phone: WitnessCall) -> None:
    assert list(broken(replace(SOUND, agents=(phone,)))) == ["agent-first"]


def test_an_agent_who_leaves_as_the_dial_is_on_its_way_is_no_violation() -> None:
    assert broken(replace(SOUND, agents=(replace(WAITS, ended_at=11.1),))) == {}


# ---- 13: unkept ------------------------------------------------------------------------------------------


def test_a_yes_that_was_taken_leads_to_a_call() -> None:
    uncalled = replace(
        SOUND, calls=without(CLEO), attempts=[each for each in SOUND.attempts if each.callback != "cleo"]
    )
    assert list(broken(uncalled)) == ["unkept"]
    over = replace(PREVIEWED, state="expired", reason="lifetime")
    assert broken(replace(uncalled, callbacks=(BOOKED, DECLINED, over, FIRST))) == {}


def test_a_classification_that_was_taken_is_kept() -> None:
    classified = replace(SOUND, said=(*SOUND.said, amy("cleo-1", Word.COMPLETE, 21.0, callback="cleo")))
    assert list(broken(classified)) == ["unkept"]
    assert broken(replace(classified, classified={"cleo"})) == {}


@pytest.mark.parametrize(("callback", "made"), [("cleo", "gone"), ("gone", "cleo")])
def test_what_was_put_off_is_there(callback: str, made: str) -> None:
    put_off = amy("cleo-1", Word.RESCHEDULE, 21.0, callback=callback, when=30.0, made=made)
    assert list(broken(replace(SOUND, said=(*SOUND.said, put_off)))) == ["unkept"]


# ---- 14: outside -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SOUND, interactions=()),
        replace(SOUND, interactions=(replace(CHAT, state="active", ended_at=None),)),
        replace(SOUND, interactions=(CHAT, replace(CHAT, id="i2", mark="2"))),
        replace(SOUND, announced=(*SOUND.announced, Announced("1", Answer.REFUSED, "", 503))),
        replace(SOUND, said=(AGREED, TOOK)),
        replace(SOUND, interactions=(replace(CHAT, state="cancelled"),)),
        replace(SOUND, interactions=(replace(CHAT, agent="bob"),)),
        replace(SOUND, interactions=(replace(CHAT, accepted_at=None),)),
        replace(SOUND, said=(*SOUND.said, replace(TOOK, agent="bob"))),
        replace(SOUND, said=(*SOUND.said, Said("", "i1", Word.CANCEL, Answer.ACCEPTED, 200))),
    ],
    ids=[
        "lost",
        "open",
        "nobody announced it",
        "refused and kept",
        "nobody ended it",
        "ended otherwise",
        "another has it",
        "nobody took it",
        "two were given it",
        "cancelled and completed",
    ],
)
def test_work_from_outside_is_kept_and_ends_as_was_told(wrong: Evidence) -> None:
    assert list(broken(wrong)) == ["outside"]


def test_work_whose_announcement_or_end_nobody_answered_may_be_there() -> None:
    unanswered = replace(
        SOUND, announced=(Announced("1", Answer.NONE),), said=(AGREED, TOOK, replace(ENDED, answer=Answer.NONE))
    )
    assert broken(unanswered) == {}


# ---- 15: rejected ----------------------------------------------------------------------------------------


def test_an_agent_who_said_no_is_not_asked_again_at_once() -> None:
    no = amy("cleo-1", Word.REJECT, 8.0, callback="cleo")
    rejected = replace(SOUND, said=(*SOUND.said, no))
    assert broken(replace(rejected, offered=(Offered("amy", "cleo", 7.0), Offered("amy", "cleo", 13.0)))) == {}
    assert broken(replace(rejected, offered=(Offered("bob", "cleo", 9.0), Offered("amy", "ada", 9.0)))) == {}
    assert list(broken(replace(rejected, offered=(Offered("amy", "cleo", 12.9),)))) == ["rejected"]
