"""People who rang in, and a stop of the engine in good order, a lost event socket, and a death of Asterisk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

import pytest

from tests.live.cable import Cable
from tests.live.calls.centre import agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.callers import Callers
from tests.live.faults.scene import Scene, scene


class Who(StrEnum):
    WAITS = "waits"
    LEFT = "left"
    """Hangs up while the event socket is away."""
    MENU = "menu"
    RUNG = "rung"
    """An agent's phone rings for them when the engine is stopped."""
    TALKS = "talks"
    ASKED = "asked"
    """Waits when Asterisk dies, and had asked for a callback."""
    RINGING = "ringing"
    """An agent's phone rings for them when Asterisk dies."""


AGENTS = {Who.RUNG: 1011, Who.TALKS: 1021, Who.RINGING: 1901}
"""1901 never answers."""
STAY = (Who.WAITS, Who.MENU, Who.TALKS)
CUT_SECONDS, STOPPED_SECONDS = 2.5, 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """`places`: of three, before the first fault and after the next two. `silence`: the longest that who waits
    with music heard, until Asterisk dies. `left`, `crash`: how calls ended. `stop`: its exit code and seconds.
    `did`: what the start after it did. `asked`: the callback's state and how many there are.
    """

    places: dict[Who, list[float]]
    silence: dict[Who, float]
    left: list[str]
    stop: tuple[int, float]
    connected_before_the_end: bool
    did: dict[Who, str]
    crash: dict[Who, list[str]]
    agents_after_the_crash: dict[Who, str]
    asked: tuple[str, int]


def callers_through_a_cut_a_stop_and_a_crash(place: Place) -> Seen:
    with scene(place, talk_seconds=100, environment={"RINGBACK_ASTERISK__0__RECOVERY_SETTLE_SECONDS": "1"}) as at:
        callers = Callers(at, list(Who))
        at.configure(
            [service(who, agent_ring_seconds=15, inbound={"numbers": [callers.dialled(who)]}) for who in Who],
            [agent(number, who) for who, number in AGENTS.items()],
        )
        at.ready(AGENTS[Who.TALKS])
        for who in (Who.WAITS, Who.MENU, Who.LEFT, Who.TALKS):
            callers.ring(who)
        callers.until_met(Who.TALKS)
        callers.until_waiting(Who.WAITS, Who.MENU, Who.LEFT)
        places = {who: [callers.row(who)["joined_at"]] for who in STAY}

        at.until(time.time() + 2)  # the greeting
        cut_at = time.time()
        at.cable.do(Cable.unplug_events)
        callers.hang_up(Who.LEFT)
        at.until(cut_at + CUT_SECONDS)
        at.cable.do(Cable.plug_in)
        at.wait(lambda: callers.row(Who.LEFT)["ended_at"], "it is found who has left", 20)
        at.wait(lambda: at.readiness()[0] == 200, "the engine hears Asterisk again", 20)
        _note(places, callers)

        at.ready(AGENTS[Who.RUNG])
        callers.press(Who.MENU, "1")
        callers.until_asked(Who.MENU)
        callers.ring(Who.RUNG)
        at.wait(lambda: at.calls_to_so_far(str(AGENTS[Who.RUNG])), "the agent's phone rings", 10)
        asked_at = time.time()
        code = at.engine.terminate()
        stopped_at = time.time()
        bridged_at = callers.row(Who.RUNG)["bridged_at"]
        at.until(stopped_at + STOPPED_SECONDS)
        at.engine.start()
        started_at = time.time()
        _note(places, callers)
        did = {who: str(line["did"]) for line in at.logged("attempt.recovered") for who in _who(callers, line)}

        at.until(started_at + 1)
        had = at.request(Who.ASKED, callers.phone(Who.ASKED))
        at.ready(AGENTS[Who.RINGING])
        callers.ring(Who.ASKED)
        callers.ring(Who.RINGING)
        at.wait(lambda: at.calls_to_so_far(str(AGENTS[Who.RINGING])), "the agent's phone rings", 10)
        callers.until_waiting(Who.ASKED)
        away_until = time.time()
        at.lab.stop_pbx()
        at.lab.console("channel request hangup all", side="network")  # as a carrier whose customer is gone
        at.lab.start_pbx()
        callers.until_over(*Who)
        at.wait(lambda: at.readiness()[0] == 200, "the engine has recovered", 30)
        at.wait(lambda: _states(at)[Who.TALKS] == "ready", "the wrap-up is over", 10)
        return Seen(
            places,
            {
                Who.WAITS: callers.silence_seconds(Who.WAITS, cut_at - 1, away_until),
                Who.MENU: callers.silence_seconds(Who.MENU, stopped_at + 1, away_until),
            },
            [row["outcome"] for row in callers.rows(Who.LEFT)],
            (code, stopped_at - asked_at),
            bridged_at is not None and bridged_at < stopped_at,
            did,
            {who: [row["outcome"] for row in callers.rows(who)] for who in Who},
            _states(at),
            (str(at.callback(had)["state"]), len(callers.callbacks(Who.ASKED))),
        )


def _note(places: dict[Who, list[float]], callers: Callers[Who]) -> None:
    for who, noted in places.items():
        noted.append(callers.row(who)["joined_at"])


def _who(callers: Callers[Who], line: dict[str, object]) -> list[Who]:
    return [who for who in Who for row in callers.rows(who) if row["id"] == line["attempt"]]


def _states(at: Scene) -> dict[Who, str]:
    return {who: at.agent_state(number)[0] for who, number in AGENTS.items()}


STORIES = {callers_through_a_cut_a_stop_and_a_crash: 45}


@pytest.fixture(scope="module")
def seen(background: Background) -> Seen:
    return background.result(callers_through_a_cut_a_stop_and_a_crash)


def test_nobody_who_waits_loses_the_place(seen: Seen) -> None:
    for who, (before, after_the_cut, after_the_stop) in seen.places.items():
        assert before == after_the_cut == after_the_stop, who


def test_music_goes_on_through_a_cut_and_a_stop(seen: Seen) -> None:
    assert max(seen.silence.values()) < 0.5, seen.silence


def test_who_hangs_up_while_the_event_socket_is_away_is_found_gone(seen: Seen) -> None:
    assert seen.left == ["interrupted"]


def test_a_stop_does_not_wait_for_those_who_wait_or_talk(seen: Seen) -> None:
    code, seconds = seen.stop
    assert code == 0
    assert seconds < 10


def test_whom_an_agent_is_rung_for_at_the_stop_still_gets_them(seen: Seen) -> None:
    assert seen.connected_before_the_end
    assert seen.crash[Who.RUNG] == ["connected"]


def test_a_start_adopts_those_whom_a_stop_left_with_music(seen: Seen) -> None:
    assert seen.did == {
        Who.WAITS: "music again, agent wanted",
        Who.MENU: "music again, agent wanted",
        Who.RUNG: "left alone",
        Who.TALKS: "left alone",
    }


def test_all_calls_end_with_asterisk_and_who_talked_has_talked(seen: Seen) -> None:
    talked = {Who.RUNG, Who.TALKS}
    assert seen.crash == {who: ["connected" if who in talked else "interrupted"] for who in Who}


def test_agents_are_free_and_not_blamed_after_a_crash_of_asterisk(seen: Seen) -> None:
    assert seen.agents_after_the_crash == dict.fromkeys(AGENTS, "ready")


def test_a_callback_waits_on_after_a_crash_of_asterisk(seen: Seen) -> None:
    assert seen.asked == ("queued", 1)
