"""The engine is killed before it parts from a machine, and stopped in a message: no call ends without a word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.lab.witness import WitnessCall
from tests.live.calls.centre import Callback, agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.listening import prompt_heard_at
from tests.live.faults.scene import Scene, scene

KILLED, STOPPED = "killed", "stopped"
AGENTS = {KILLED: 1011, STOPPED: 1021}
NUMBERS = {KILLED: "12025550113", STOPPED: "12035550113"}
"""Both have voicemail, which records for twenty seconds."""
SERVICE = {
    "confirmation": {"wait_seconds": 8, "keys": {"connect": "1", "later": None, "cancel": None, "never": None}},
    "attempts": {"max": 1, "interval_seconds": 1},
}


@dataclass(frozen=True, slots=True)
class Parted:
    """A voicemail at which the engine was killed, and one whose message it was stopped in; when each prompt began."""

    killed: Callback
    killed_calls: list[WitnessCall]
    announced_at: list[float]
    goodbye_at: list[float]
    code: int
    outcomes: list[str]
    stopped_calls: list[WitnessCall]
    message_whole_at: list[float]
    apology_at: list[float]
    again: Callback
    again_message_at: list[float]


def engine_ends_while_it_parts_from_a_machine(place: Place) -> Parted:
    with scene(place, talk_seconds=3) as at:
        at.configure(
            [
                service(KILLED, **SERVICE, screening={"reply_wait_seconds": 3}),
                service(STOPPED, **SERVICE, screening={"machine": "leave_message"}),
            ],
            [agent(number, name) for name, number in AGENTS.items()],
        )
        at.ready(*AGENTS.values())
        killed = at.request(KILLED, NUMBERS[KILLED])
        at.wait(lambda: _waits_to_part(at, killed), "the engine waits before it parts from the machine", 30)
        at.engine.kill()
        at.engine.start()
        _records_anew(at, NUMBERS[KILLED])
        [ended] = at.until_ended(killed)
        [call] = at.calls_to(NUMBERS[KILLED])
        heard = [prompt_heard_at(at.lab.recordings(call), _prompt(at, KILLED, name)) for name in _WORDS]

        stopped = at.request(STOPPED, NUMBERS[STOPPED])
        at.wait(lambda: "parting" in _timers(at, stopped), "a message is left", 30)
        at.until(at.rows("select judged_at from attempts where callback = ?", stopped)[0]["judged_at"] + 3)
        code = at.engine.terminate()
        outcomes = [row["outcome"] for row in at.rows("select outcome from attempts where callback = ?", stopped)]
        stopped_calls = at.calls_to(NUMBERS[STOPPED])
        recording = at.lab.recordings(stopped_calls[0])
        words = [prompt_heard_at(recording, _prompt(at, STOPPED, name)) for name in ("message", "apology")]
        at.engine.start()
        [again] = at.until_ended(stopped)
        recording = at.lab.recordings(at.calls_to(NUMBERS[STOPPED])[-1])
        return Parted(
            killed=ended,
            killed_calls=at.calls_to(NUMBERS[KILLED]),
            announced_at=heard[0],
            goodbye_at=heard[1],
            code=code,
            outcomes=outcomes,
            stopped_calls=stopped_calls,
            message_whole_at=words[0],
            apology_at=words[1],
            again=again,
            again_message_at=prompt_heard_at(recording, _prompt(at, STOPPED, "message")),
        )


def _records_anew(at: Scene, number: str) -> None:
    """The voicemail gives twenty seconds from now on: how long the engine was away does not count."""
    answer = at.lab.console(f"channel redirect {at.leg(number).channel} voicemail,s,record", side="network")
    assert "successfully" in answer, answer


_WORDS = ("announce", "machine-goodbye")


def _prompt(at: Scene, service: str, name: str) -> Path:
    return at.lab.prompts_dir / "en" / service / f"{name}.wav"


def _timers(at: Scene, callback: str) -> set[str]:
    return {row["name"] for row in at.rows("select name from timers where owner = ?", f"{callback}-1")}


def _waits_to_part(at: Scene, callback: str) -> bool:
    """Known as a machine, everything said, and its goodbye still to come."""
    rows = at.rows("select verdict from attempts where callback = ?", callback)
    timers = _timers(at, callback)
    return bool(rows) and rows[0]["verdict"] == "machine" and "screening" in timers and "announcement" not in timers


STORIES = {engine_ends_while_it_parts_from_a_machine: 75}


@pytest.fixture(scope="module")
def parted(background: Background) -> Parted:
    return background.result(engine_ends_while_it_parts_from_a_machine)


def test_a_machine_that_was_known_before_a_kill_is_one_afterwards_and_is_not_called_again(parted: Parted) -> None:
    [attempt] = parted.killed["attempts"]
    assert (attempt["outcome"], attempt["verdict"], attempt["verdict_reason"]) == ("machine", "machine", "beep")
    assert len(parted.killed_calls) == 1


def test_the_announcement_is_said_again_after_the_kill_and_the_goodbye_comes_last(parted: Parted) -> None:
    assert len(parted.announced_at) == 2
    assert len(parted.goodbye_at) == 1
    assert parted.goodbye_at[0] > parted.announced_at[1]


def test_a_stop_ends_a_message_with_an_apology(parted: Parted) -> None:
    assert (parted.code, parted.outcomes, len(parted.stopped_calls)) == (0, ["interrupted"], 1)
    assert parted.message_whole_at == []
    assert len(parted.apology_at) == 1


def test_the_message_is_left_in_a_second_call_after_the_next_start(parted: Parted) -> None:
    assert [attempt["outcome"] for attempt in parted.again["attempts"]] == ["interrupted", "message_left"]
    assert len(parted.again_message_at) == 1
