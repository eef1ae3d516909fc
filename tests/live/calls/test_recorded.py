"""Real calls with `serve --record`, over a kill and a new start: a replay takes every decision again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core.events import AttemptSeen, KeyPressed, LegEnded, StopRequested, TimerFired
from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from engine.recording import Step, replay, steps
from tests.live.calls.centre import Centre, agent, service
from tests.live.faults.background import Background, Place

TALK_SECONDS = 12.0


def engines_are_killed_and_stopped_in_calls(place: Place) -> tuple[Path, Path]:
    """The records of an engine that was killed during calls and of the next one, which was stopped during calls."""
    directory = place.folder
    first, second = directory / "first.jsonl", directory / "second.jsonl"
    with Lab.up(talk_seconds=TALK_SECONDS) as lab:
        killed = EngineProcess(lab, directory, arguments=("--record", str(first)))
        with killed:
            centre = Centre(lab, killed)
            centre.configure(
                [service("billing", attempts={"max": 2, "interval_seconds": 2})],
                [agent(number, "billing") for number in range(1001, 1005)],
            )
            centre.ready(1001, 1002, 1003, 1004)
            centre.until_ended(
                centre.request("billing", "12025550110"),  # busy, twice
                centre.request("billing", "12025550115"),  # presses 3
                centre.request("billing", "12025550127"),  # presses 9
            )
            talking = centre.request("billing", "12025550125")
            centre.until_state(talking, "connected")
            centre.request("billing", "12025550111")
            centre.wait(lambda: centre.calls_to_so_far("12025550111"), "the phone rings", 10)
            killed.kill()
        with EngineProcess(lab, directory, arguments=("--record", str(second))) as stopped:
            centre = Centre(lab, stopped)
            centre.until_ended(talking)
            centre.until_state(centre.request("billing", "12125550101"), "connected")
            centre.request("billing", "12125550111")
            centre.wait(lambda: centre.calls_to_so_far("12125550111"), "the phone rings", 10)
            assert stopped.terminate() == 0
    return first, second


STORIES = {engines_are_killed_and_stopped_in_calls: 55}


@pytest.fixture(scope="module")
def records(background: Background) -> tuple[Path, Path]:
    return background.result(engines_are_killed_and_stopped_in_calls)


def test_given_calls_of_all_sorts_then_a_replay_takes_the_same_decisions(records: tuple[Path, Path]) -> None:
    for record in records:
        replayed = replay(record)
        assert replayed.differences == ()
        assert replayed.events > 30
        assert record.stat().st_mode & 0o777 == 0o600


def test_given_a_kill_and_a_stop_then_both_records_hold_what_happened_until_then(records: tuple[Path, Path]) -> None:
    killed, stopped = (kinds(steps(record)) for record in records)
    assert {KeyPressed, LegEnded, TimerFired} <= killed
    assert StopRequested not in killed
    assert {AttemptSeen, StopRequested, LegEnded} <= stopped


def kinds(told: Iterator[Step]) -> set[type]:
    return {type(step.event) for step in told}
