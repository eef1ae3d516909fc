"""Person or machine: each rule, with the moment at which it holds, worked out from the settings."""

from __future__ import annotations

import pytest

from engine.core.configuration import Screening as Settings
from engine.core.screening import (
    ANSWER_PAUSE_SECONDS,
    LEAVES_SECONDS,
    LISTENED_SECONDS,
    LISTENS_SECONDS,
    Finding,
    Screening,
)
from engine.core.terms import Evidence, ScreeningMode, Verdict
from engine.core.values import replace

RULES = Settings()
WAIT = 10.0
PAUSE = RULES.pause_seconds
A_HELLO = 0.7
A_GREETING = RULES.greeting_seconds + 1
MOMENT = 0.001

BY_KEY = Finding(Verdict.PERSON, Evidence.KEY)
LISTENER = Finding(Verdict.PERSON, Evidence.SHORT_GREETING)
BEEPED = Finding(Verdict.MACHINE, Evidence.BEEP)
LEFT = Finding(Verdict.MACHINE, Evidence.SAID_AND_LEFT)
UNMOVED = Finding(Verdict.MACHINE, Evidence.NO_REACTION)
ROBOT = Finding(Verdict.SCREENING_ROBOT, Evidence.REPLY)
FAX = Finding(Verdict.FAX, Evidence.FAX_TONE)


def answered(settings: Settings = RULES, wait: float = WAIT) -> Screening:
    """At the moment 0; the announcement begins."""
    screening = Screening(settings, wait)
    screening.talk.answered(0.0)
    screening.we_speak(0.0)
    return screening


def talks(screening: Screening, since: float, seconds: float) -> float:
    """The moment at which talk detection notices that they have stopped."""
    screening.talk.started(since)
    screening.talk.finished(seconds, since + seconds + PAUSE)
    return since + seconds + PAUSE


def test_given_nothing_heard_then_nothing_is_found_and_no_time_brings_anything() -> None:
    screening = answered()
    screening.we_are_silent(9)

    assert screening.judge(60) is None
    assert screening.due_at(60) is None


def test_given_few_words_then_it_is_a_person_once_they_listen() -> None:
    screening = answered()
    now = talks(screening, 0.5, A_HELLO)
    listens_at = 0.5 + A_HELLO + LISTENS_SECONDS

    assert screening.judge(now) is None
    assert screening.due_at(now) == pytest.approx(listens_at)
    assert screening.judge(listens_at - MOMENT) is None
    assert screening.judge(listens_at + MOMENT) == LISTENER
    assert screening.judge(listens_at + 1) is None, "it is told once"
    assert screening.due_at(listens_at + 1) is None


# ---- machines ------------------------------------------------------------------------------------------------


def test_given_a_beep_after_a_greeting_then_it_is_a_machine_also_after_it_seemed_a_person() -> None:
    screening = answered()
    talks(screening, 0, A_GREETING)
    screening.found_before(LISTENER.verdict, LISTENER.evidence)

    assert screening.beep(0.5, 8) == BEEPED
    assert screening.beep(0.5, 9) is None, "it is told once"


@pytest.mark.parametrize("said", [0.0, RULES.beep_greeting_seconds / 2])
def test_given_a_beep_without_a_greeting_then_it_is_no_evidence(said: float) -> None:
    """The beep itself is talk to talk detection."""
    screening, beep = answered(), 0.5
    talks(screening, 0, said + beep)

    assert screening.beep(beep, 3) is None
    assert screening.found is None


def test_given_a_long_greeting_when_both_are_silent_for_long_then_it_is_a_machine() -> None:
    screening = answered()
    now = talks(screening, 0, A_GREETING)
    assert screening.judge(now + 30) is None, "we are speaking"
    assert screening.due_at(now) is None, "and until we have spoken no time brings anything"

    screening.we_are_silent(12)

    assert screening.due_at(12) == 12 + RULES.reaction_seconds
    assert screening.judge(12 + RULES.reaction_seconds - MOMENT) is None
    assert screening.judge(12 + RULES.reaction_seconds) == UNMOVED


def test_given_a_long_greeting_with_breaths_then_it_adds_up() -> None:
    screening, now = answered(), 0.0
    parts = int(RULES.greeting_seconds) + 1
    for _part in range(parts):
        now = talks(screening, now, A_GREETING / parts)
    screening.we_are_silent(now)

    assert screening.judge(now + RULES.reaction_seconds) == UNMOVED


def test_given_talk_before_we_began_anew_then_it_is_no_greeting_any_more() -> None:
    """What a noisy line adds up to over minutes."""
    screening = answered()
    now = talks(screening, 0, RULES.greeting_seconds - 0.5)
    screening.we_are_silent(now)
    screening.we_speak(now + 1)
    now = talks(screening, now + 2, RULES.greeting_seconds - 0.5)
    screening.we_are_silent(now)

    screening.judge(now + RULES.reaction_seconds)

    assert screening.found != UNMOVED


def test_given_a_long_greeting_that_ends_after_our_words_then_the_silence_counts_from_its_end() -> None:
    screening = answered()
    screening.we_are_silent(1)
    now = talks(screening, 0.5, A_GREETING)

    assert screening.due_at(now) == pytest.approx(0.5 + A_GREETING + RULES.reaction_seconds)


def test_given_a_key_is_waited_for_more_briefly_then_so_is_a_reaction() -> None:
    screening = answered(wait=1)
    talks(screening, 0, A_GREETING)

    screening.we_are_silent(12)

    assert screening.due_at(12) == 13
    assert screening.judge(13) == UNMOVED


@pytest.mark.parametrize(
    ("said", "waited", "left"),
    [
        (A_GREETING, LEAVES_SECONDS - 0.1, LEFT),
        (A_GREETING, LEAVES_SECONDS + 0.1, None),
        (A_HELLO, LEAVES_SECONDS - 0.1, None),
    ],
)
def test_given_they_hang_up_then_it_was_a_machine_if_a_long_greeting_had_just_ended(
    said: float, waited: float, left: Finding | None
) -> None:
    screening = answered()
    talks(screening, 0, said)

    assert screening.left(said + waited) == left


# ---- robots --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beeps", [True, False])
def test_given_a_greeting_when_our_words_are_answered_then_it_is_a_robot(
    beeps: bool,  # noqa: FBT001 - a column of the table
) -> None:
    screening = answered()
    now = talks(screening, 0, RULES.robot_greeting_seconds + 0.5)
    if beeps:
        screening.beep(0.5, now)
    screening.we_are_silent(12)

    now = talks(screening, 12 + ANSWER_PAUSE_SECONDS + MOMENT, RULES.reply_seconds + 0.1)

    assert screening.judge(now) == ROBOT
    assert screening.judge(now + 60) is None
    assert screening.due_at(now) is None


def test_given_an_answer_that_goes_on_then_the_robot_is_known_before_its_end() -> None:
    screening = answered()
    screening.talk.has_ear(0)
    talks(screening, 0, A_GREETING)
    screening.we_are_silent(12)
    began = 12 + ANSWER_PAUSE_SECONDS + MOMENT

    screening.talk.started(began)
    assert screening.judge(began + RULES.reply_seconds / 2) is None
    assert screening.is_answered
    due_at = screening.due_at(began + RULES.reply_seconds / 2)

    assert due_at is not None
    assert due_at <= began + RULES.reply_seconds + PAUSE + 0.1
    assert screening.judge(due_at) == ROBOT
    assert not screening.is_answered


@pytest.mark.parametrize(
    ("words", "pause", "seconds"),
    [
        (A_HELLO, ANSWER_PAUSE_SECONDS + 0.5, RULES.reply_seconds + 0.1),
        (A_GREETING, ANSWER_PAUSE_SECONDS / 2, RULES.reply_seconds + 0.1),
        (A_GREETING, ANSWER_PAUSE_SECONDS + 0.5, RULES.reply_seconds / 2),
    ],
    ids=["after few words", "too soon", "too short"],
)
def test_given_other_talk_after_our_words_then_it_is_no_robot(words: float, pause: float, seconds: float) -> None:
    screening = answered()
    screening.judge(talks(screening, 0, words))
    screening.we_are_silent(12)

    now = talks(screening, 12 + pause, seconds)

    screening.judge(now)
    assert screening.found != ROBOT


def test_given_talk_until_we_are_silent_then_more_of_it_is_no_answer() -> None:
    """A robot listens to us first; noise does not."""
    screening = answered()
    talks(screening, 0, A_GREETING)
    talks(screening, 10.5, LISTENED_SECONDS / 2)
    screening.we_are_silent(12)

    screening.judge(talks(screening, 12 + ANSWER_PAUSE_SECONDS + MOMENT, RULES.reply_seconds + 0.1))

    assert screening.found != ROBOT


def test_given_talk_over_our_words_then_it_is_no_answer() -> None:
    screening = answered()
    screening.beep(0.5, talks(screening, 0, A_GREETING))

    screening.judge(talks(screening, 9, RULES.reply_seconds + 1))

    assert screening.found == BEEPED


# ---- keys and tones ------------------------------------------------------------------------------------------


def test_given_a_key_then_it_is_a_person_whatever_was_found_and_whatever_is_heard_later() -> None:
    screening = answered()
    assert screening.beep(0.5, talks(screening, 0, A_GREETING)) == BEEPED

    assert screening.key() == BY_KEY

    assert screening.key() is None
    assert screening.fax_tone() is None
    assert screening.beep(0.5, 9) is None
    assert screening.left(9) is None
    assert screening.amd("MACHINE") is None
    assert screening.judge(talks(screening, 10, A_GREETING)) is None
    assert screening.due_at(20) is None
    assert screening.found == BY_KEY


def test_given_a_tone_then_it_is_a_fax_unless_a_key_is_pressed() -> None:
    screening = answered()

    assert screening.fax_tone() == FAX
    assert screening.fax_tone() is None
    assert screening.judge(talks(screening, 0, A_GREETING)) is None
    assert screening.key() == BY_KEY


def test_given_a_robot_when_a_key_is_pressed_then_it_stays_known_that_a_robot_was_there() -> None:
    screening = answered()
    screening.found_before(ROBOT.verdict, ROBOT.evidence)

    assert screening.key() is None
    assert screening.found == ROBOT


# ---- modes and starts ----------------------------------------------------------------------------------------


def test_given_no_screening_then_nothing_is_ever_found() -> None:
    screening = answered(replace(RULES, mode=ScreeningMode.OFF))
    now = talks(screening, 0, A_GREETING)
    screening.we_are_silent(now)

    assert screening.judge(now + 30) is None
    assert (screening.key(), screening.fax_tone(), screening.amd("MACHINE")) == (None, None, None)
    assert (screening.beep(0.5, now), screening.left(now)) == (None, None)
    assert (screening.found, screening.due_at(now)) == (None, None)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("HUMAN", Verdict.PERSON), ("MACHINE", Verdict.MACHINE), ("NOTSURE", Verdict.UNKNOWN), ("", Verdict.UNKNOWN)],
)
def test_given_asterisks_amd_then_its_word_counts_and_talk_is_no_evidence(status: str, verdict: Verdict) -> None:
    screening = answered(replace(RULES, mode=ScreeningMode.ASTERISK))

    assert screening.amd(status) == Finding(verdict, Evidence.AMD)
    now = talks(screening, 0, A_GREETING)
    screening.we_are_silent(now)

    assert screening.judge(now + 30) is None
    assert screening.key() == BY_KEY


@pytest.mark.parametrize("known", [BEEPED, UNMOVED, LISTENER, ROBOT, FAX, BY_KEY])
def test_given_what_was_found_before_a_start_then_it_stands(known: Finding) -> None:
    screening = Screening(RULES, WAIT)
    screening.found_before(known.verdict, known.evidence)
    screening.talk.answered(0)
    screening.we_are_silent(5)

    assert screening.found == known
    assert screening.judge(60) is None


@pytest.mark.parametrize("mode", list(ScreeningMode))
@pytest.mark.parametrize("spoken", [True, False])
@pytest.mark.parametrize("words", [0.0, 0.05, A_HELLO, RULES.greeting_seconds - 1, A_GREETING])
def test_given_any_talk_then_a_moment_that_is_due_brings_something_or_moves_on(
    mode: ScreeningMode,
    words: float,
    spoken: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Whoever waits for a moment in the past would wait again and again."""
    screening = answered(replace(RULES, mode=mode))
    now = talks(screening, 0, words) if words else 0.0
    if spoken:
        screening.we_are_silent(now)

    for _due in range(5):
        screening.judge(now)
        due_at = screening.due_at(now)
        if due_at is None:
            break
        assert due_at > now
        now = due_at
    else:
        pytest.fail("it is due again and again")
