"""The engine dies before and after each thing it does for callers alone, with one caller there, and comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.live.calls.centre import agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.callers import TALKS_ON, Callers
from tests.live.faults.scene import Scene, scene


class Who(StrEnum):
    """Each caller by what happens to them."""

    ANSWER_BEFORE = "answer_before"
    ANSWER_AFTER = "answer_after"
    CHECK_BEFORE = "check_before"
    CHECK_AFTER = "check_after"
    RECORD_BEFORE = "record_before"
    RECORD_AFTER = "record_after"
    COMMIT_BEFORE = "commit_before"
    COMMIT_AFTER = "commit_after"
    FAREWELL_BEFORE = "farewell_before"
    FAREWELL_AFTER = "farewell_after"


POINTS = {
    Who.ANSWER_BEFORE: "AnswerCaller.before",
    Who.ANSWER_AFTER: "AnswerCaller.after",
    Who.CHECK_BEFORE: "CheckNumber.before",
    Who.CHECK_AFTER: "CheckNumber.after",
    Who.RECORD_BEFORE: f"Record.before@{Who.RECORD_BEFORE}",
    Who.RECORD_AFTER: f"Record.after@{Who.RECORD_AFTER}",
    Who.COMMIT_BEFORE: "commit.before@KeyPressed#2",
    Who.COMMIT_AFTER: "commit.after@KeyPressed#2",
    Who.FAREWELL_BEFORE: f"Farewell.before@{Who.FAREWELL_BEFORE}",
    Who.FAREWELL_AFTER: f"Farewell.after@{Who.FAREWELL_AFTER}",
}
"""The second key is the one that keeps the place."""
ANSWERED = (Who.ANSWER_BEFORE, Who.ANSWER_AFTER)
"""Each start answers those who wait once more: they have left before the next one is to die."""
CHECKED = (Who.CHECK_BEFORE, Who.CHECK_AFTER)
RECORDED = {Who.RECORD_BEFORE: 1011, Who.RECORD_AFTER: 1021}
LOST = Who.COMMIT_BEFORE
KEPT = {Who.COMMIT_AFTER: 1041, Who.FAREWELL_BEFORE: 1051, Who.FAREWELL_AFTER: 1061}
"""With the agents who call them back."""
AGENTS = {**RECORDED, LOST: 1031, **KEPT}
ENTERS_A_NUMBER = "wait 0.5,press 1,wait 0.5,press 2,wait 0.5,press 12#,talk"


@dataclass(frozen=True, slots=True)
class After:
    """What became of one caller. `rows`: how often their call is written. `callbacks`: how each ended. `called`: how
    often they were called, by the telephone network's record. `met`: they heard an agent in the call that came in.
    """

    rows: int
    outcome: str | None
    met: bool
    callbacks: list[tuple[str, str | None]]
    called: int


@dataclass(frozen=True, slots=True)
class Seen:
    """`waits_again`: who was back in the line after the start, with nobody asking them anything. `recorded`: whose
    conversation went on and was recorded then.
    """

    after: dict[Who, After]
    waits_again: set[Who]
    recorded: set[Who]


def the_engine_dies_with_one_caller_at_each_point(place: Place) -> Seen:
    environment = {"RINGBACK_ASTERISK__0__RECOVERY_SETTLE_SECONDS": "0.5"}
    with scene(place, talk_seconds=100, record_audio=False, environment=environment) as at:
        callers = Callers(at, list(Who))
        at.configure(
            [
                service(who, inbound={"numbers": [callers.dialled(who)]}, recording={} if who in RECORDED else None)
                for who in Who
            ],
            [agent(number, who) for who, number in AGENTS.items()],
        )
        at.ready(*RECORDED.values())
        at.engine.kill()
        waits_again: set[Who] = set()
        for who in Who:
            at.engine.spawn(RINGBACK_CRASH_AT=POINTS[who])
            at.engine.wait_until_ready()
            _bring(callers, who)
            assert at.engine.has_ended_within(20), f"{POINTS[who]} was not reached"
            if who in ANSWERED:
                at.engine.start()
                callers.until_waiting(who)
                waits_again.add(who)
                callers.hang_up(who)
                callers.until_over(who)
                at.engine.kill()
        at.engine.start()
        recorded = {who for who in RECORDED if _is_recorded(at, callers, who)}
        for who in CHECKED:
            callers.until_waiting(who)
            if callers.is_up(who) and "menu" not in callers.timers(who):
                waits_again.add(who)
            callers.hang_up(who)
        for number in RECORDED.values():
            at.hang_up(str(number))
        at.ready(AGENTS[LOST], *KEPT.values())
        callers.until_met(LOST)
        at.hang_up(str(AGENTS[LOST]))
        for who, number in KEPT.items():
            at.until_state(str(callers.callbacks(who)[0]["id"]), "connected")
            at.hang_up(str(number))
            at.until_ended(str(callers.callbacks(who)[0]["id"]))
        callers.until_over(*Who)
        return Seen({who: _after(at, callers, who) for who in Who}, waits_again, recorded)


def _bring(callers: Callers[Who], who: Who) -> None:
    """Let one caller come so far that the engine dies."""
    callers.ring(who, ENTERS_A_NUMBER if who in CHECKED else TALKS_ON)
    if who in KEPT or who is LOST:
        callers.until_waiting(who)
        callers.press(who, "1")
        callers.until_asked(who)
        callers.press(who, "1")


def _is_recorded(at: Scene, callers: Callers[Who], who: Who) -> bool:
    """Whether Asterisk records the conversation, or does so within some seconds."""
    row = callers.row(who)
    url = f"{at.lab.pbx.ari_url}/recordings/live/ringback-{row['id']}-{row['agent_legs']}"

    def state() -> str:
        try:
            with urlopen(Request(url, headers=at.lab.pbx.headers()), timeout=5) as answer:  # noqa: S310 - our own lab
                return str(json.load(answer)["state"])
        except HTTPError as refused:
            with refused:
                return str(refused.code)

    at.wait(lambda: state() == "recording", f"{who} is recorded", 10)
    return callers.is_up(who)


def _after(at: Scene, callers: Callers[Who], who: Who) -> After:
    return After(
        len(callers.rows(who)),
        callers.row(who)["outcome"],
        callers.ended(who).met_at is not None,
        [(each["state"], each["reason"]) for each in callers.callbacks(who)],
        len(at.calls_to(callers.phone(who))),
    )


STORIES = {the_engine_dies_with_one_caller_at_each_point: 75}


@pytest.fixture(scope="module")
def seen(background: Background) -> Seen:
    return background.result(the_engine_dies_with_one_caller_at_each_point)


@pytest.mark.parametrize("who", ANSWERED)
def test_who_was_about_to_be_answered_or_just_was_is_taken_once_and_waits(seen: Seen, who: Who) -> None:
    assert who in seen.waits_again
    assert seen.after[who] == After(1, "abandoned", met=False, callbacks=[], called=0), "they hung up themselves"


@pytest.mark.parametrize("who", CHECKED)
def test_whose_number_was_about_to_be_checked_is_back_in_the_line(seen: Seen, who: Who) -> None:
    assert who in seen.waits_again
    assert seen.after[who] == After(1, "abandoned", met=False, callbacks=[], called=0), "they hung up themselves"


@pytest.mark.parametrize("who", RECORDED)
def test_whose_conversation_was_about_to_be_recorded_is_recorded_from_the_start_on(seen: Seen, who: Who) -> None:
    assert who in seen.recorded
    assert seen.after[who] == After(1, "connected", met=True, callbacks=[], called=0)


def test_a_place_that_was_not_written_as_kept_is_still_the_callers(seen: Seen) -> None:
    assert seen.after[LOST] == After(1, "connected", met=True, callbacks=[], called=0)


@pytest.mark.parametrize("who", KEPT)
def test_a_place_that_was_written_as_kept_is_one_callback_and_one_call(seen: Seen, who: Who) -> None:
    assert seen.after[who] == After(1, "callback", met=False, callbacks=[("completed", "talked")], called=1)
