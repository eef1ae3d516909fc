"""The event socket is lost with a call in every phase: each goes on, and nobody is called twice."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

import pytest

from tests.live.cable import Cable
from tests.live.calls.centre import agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.listening import prompt_heard_at
from tests.live.faults.scene import AGENTS, ANSWERS_LATE, COLLEAGUE, EVERY_PHASE, LISTENS, Phase, scene

MOVES = "select after, because, at from agent_moves where agent = ? order by id"
STRANGER = f"121255501{LISTENS}"
CONNECTED = ("completed", "talked")
ENDINGS = {
    Phase.RINGING: CONNECTED,
    Phase.ANNOUNCING: CONNECTED,
    Phase.MUSIC: CONNECTED,
    Phase.AGENT_RINGS: CONNECTED,
    Phase.WHISPERING: CONNECTED,
    Phase.TALKING: CONNECTED,
    Phase.ENDING: ("completed", "ended_unobserved"),
    Phase.LAST_WORDS: ("cancelled", "by_key"),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """What became of everybody, by the engine and by the telephone network."""

    phases: dict[Phase, str]
    back_at: float
    readiness: tuple[int, str]
    state_of_who_pressed_meanwhile: str
    announcements: list[float]
    endings: dict[Phase, tuple[str, str | None]]
    calls: dict[Phase, int]
    outcomes: dict[Phase, list[str | None]]
    agent_moves: dict[Phase, list[sqlite3.Row]]
    agent_rings: dict[Phase, int]
    stranger_stayed: bool


def event_socket_is_cut(place: Place) -> Cut:
    with scene(place, talk_seconds=20, environment={"RINGBACK_ASTERISK__0__RECOVERY_SETTLE_SECONDS": "1"}) as at:
        at.set_up(agent_ring_seconds=12, hold_limit_seconds=60, attempts={"max": 1, "interval_seconds": 3})
        at.stranger(STRANGER)
        at.play(ringing=ANSWERS_LATE)
        at.cable.do(Cable.unplug_events)
        lost_at = time.time()
        phases = at.seen_phases()
        at.hang_up(str(AGENTS[Phase.ENDING]))
        at.press(at.numbers[Phase.ANNOUNCING], "1")
        at.wait(lambda: at.readiness()[0] == 503, "the engine says that it cannot be heard", 10)
        readiness = at.readiness()
        at.wait(lambda: at.is_up(at.numbers[Phase.RINGING]), "the customer answers meanwhile", 10)
        at.until(lost_at + 3.5)
        at.cable.do(Cable.plug_in)
        at.wait(lambda: at.readiness()[0] == 200, "the engine hears Asterisk again", 30)
        back_at = time.time()
        state_of_who_pressed = at.state(Phase.ANNOUNCING)

        at.ready(AGENTS[Phase.MUSIC], COLLEAGUE)
        at.until(back_at + 5)  # the first words, once more
        for phase in (Phase.RINGING, Phase.ANNOUNCING):
            if at.is_up(at.numbers[phase]):
                at.press(at.numbers[phase], "1")
        for phase in (Phase.RINGING, Phase.ANNOUNCING, Phase.MUSIC, Phase.AGENT_RINGS, Phase.WHISPERING):
            at.wait(lambda phase=phase: "bridged" in at.because(phase), f"{phase} is connected", 30)  # type: ignore[misc]
            if at.is_up(at.numbers[phase]):
                at.hang_up(at.numbers[phase])
        at.until_ended(*at.callbacks.values())
        announcing = at.calls_to(at.numbers[Phase.ANNOUNCING])[-1]
        announcement = at.lab.prompts_dir / "en" / Phase.ANNOUNCING / "announce.wav"
        disturbed = (Phase.AGENT_RINGS, Phase.WHISPERING)
        return Cut(
            phases,
            back_at,
            (readiness[0], str(readiness[1].get("detail"))),
            state_of_who_pressed,
            prompt_heard_at(at.lab.recordings(announcing), announcement),
            at.everybody(lambda phase: (at.state(phase), at.reason(phase))),
            at.everybody(lambda phase: len(at.calls_to(at.numbers[phase]))),
            at.everybody(at.outcomes),
            {phase: at.rows(MOVES, f"a{AGENTS[phase]}") for phase in disturbed},
            {phase: len(at.calls_to(str(AGENTS[phase]))) for phase in disturbed},
            at.is_up(STRANGER),
        )


LATE = f"121355501{LISTENS}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the only call there was: it was answered, and the time to answer passed, while nobody listened."""

    answered_at: float | None
    ended: tuple[str, str | None, list[str | None]]
    calls: int


def answered_while_the_socket_is_lost(place: Place) -> Answered:
    with scene(place, record_audio=False) as at:
        at.configure(
            [service("late", ring_timeout_seconds=3, attempts={"max": 1, "interval_seconds": 3})], [agent(1011, "late")]
        )
        at.ready(1011)
        callback = at.request("late", LATE)
        at.wait(lambda: at.calls_to_so_far(LATE), "the phone rings", 10)
        at.cable.do(Cable.unplug_events)
        at.wait(lambda: at.is_up(LATE), "the customer answers", 10)
        at.until(at.leg(LATE).invited_at + 5)
        at.cable.do(Cable.plug_in)
        at.wait(lambda: at.callback(callback)["state"] not in ("reserved", "dialing"), "the call goes on", 30)
        if at.callback(callback)["state"] == "announcing":
            at.press(LATE, "1")
            at.until_state(callback, "connected")
            at.hang_up(LATE)
        ended = at.until_ended(callback)[0]
        outcomes = [attempt["outcome"] for attempt in ended["attempts"]]
        return Answered(at.leg(LATE).answered_at, (ended["state"], ended["reason"], outcomes), len(at.calls_to(LATE)))


STORIES = {event_socket_is_cut: 50, answered_while_the_socket_is_lost: 20}


@pytest.fixture(scope="module")
def cut(background: Background) -> Cut:
    return background.result(event_socket_is_cut)


def test_a_call_was_in_every_phase_when_the_socket_was_lost(cut: Cut) -> None:
    assert cut.phases == EVERY_PHASE


def test_readiness_says_that_asterisk_cannot_be_heard(cut: Cut) -> None:
    status, detail = cut.readiness
    assert status == 503
    assert "event socket" in detail or "socket was closed" in detail


@pytest.mark.parametrize("phase", Phase)
def test_each_call_goes_on_and_nobody_is_called_twice(cut: Cut, phase: Phase) -> None:
    assert (cut.endings[phase], cut.calls[phase]) == (ENDINGS[phase], 1), cut.outcomes[phase]


def test_a_key_pressed_meanwhile_is_lost_and_the_announcement_repeated(cut: Cut) -> None:
    assert cut.state_of_who_pressed_meanwhile == "announcing"
    assert len(cut.announcements) == 2, cut.announcements


@pytest.mark.parametrize("phase", [Phase.AGENT_RINGS, Phase.WHISPERING])
def test_an_agent_who_was_rung_or_spoken_to_keeps_the_call_and_is_not_blamed(cut: Cut, phase: Phase) -> None:
    moves = [(row["after"], row["because"]) for row in cut.agent_moves[phase] if row["at"] < cut.back_at]
    assert moves[-1] in (("ringing", "ringing"), ("talking", "bridged")), moves
    assert cut.agent_rings[phase] == 1


def test_an_agent_who_does_not_answer_afterwards_either_is_not_ready(cut: Cut) -> None:
    last = cut.agent_moves[Phase.AGENT_RINGS][-1]
    assert (last["after"], last["because"]) == ("not_ready", "rona")


def test_a_stranger_in_our_application_survives_the_recovery(cut: Cut) -> None:
    assert cut.stranger_stayed


def test_who_answers_in_time_while_the_socket_is_lost_is_served_although_the_time_to_answer_is_over(
    background: Background,
) -> None:
    answered = background.result(answered_while_the_socket_is_lost)
    assert answered.answered_at is not None
    assert (answered.ended, answered.calls) == (("completed", "talked", ["connected"]), 1)
