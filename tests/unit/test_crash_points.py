"""Every point at which the engine may be killed, by hand: a new effect without points of its own must be noticed."""

import os
import signal
import subprocess
import sys
from typing import get_args

import pytest

from engine import crash_points
from engine.core.effects import Effect

EFFECTS = {
    "DialCustomer",
    "AnswerCaller",
    "CheckNumber",
    "RingAgent",
    "Play",
    "Listen",
    "CountAudio",
    "HoldWithMusic",
    "Connect",
    "Limit",
    "Record",
    "Farewell",
    "Release",
    "Dismantle",
}
POINTS = {
    "commit.before",
    "commit.after",
    "DialCustomer.before",
    "DialCustomer.after",
    "AnswerCaller.before",
    "AnswerCaller.after",
    "CheckNumber.before",
    "CheckNumber.after",
    "RingAgent.before",
    "RingAgent.after",
    "Play.before",
    "Play.after",
    "Listen.before",
    "Listen.after",
    "CountAudio.before",
    "CountAudio.after",
    "HoldWithMusic.before",
    "HoldWithMusic.after",
    "Connect.before",
    "Connect.after",
    "Connect.bridge-made",
    "Limit.before",
    "Limit.after",
    "Record.before",
    "Record.after",
    "Farewell.before",
    "Farewell.after",
    "Release.before",
    "Release.after",
    "Dismantle.before",
    "Dismantle.after",
    "last-words.said",
}


def test_the_points_are_these_and_each_comes_once() -> None:
    assert set(crash_points.POINTS) == POINTS
    assert len(crash_points.POINTS) == len(POINTS)


def test_every_effect_has_a_point_before_and_after() -> None:
    assert {effect.__name__ for effect in get_args(Effect)} == EFFECTS
    for effect in EFFECTS:
        assert {f"{effect}.before", f"{effect}.after"} <= POINTS


REACHED = """
from engine import crash_points
for n, about in enumerate(({"first"}, {"crash"}, {"first", "crash"}, ()), 1):
    print(n, flush=True)
    crash_points.reached("RingAgent.after", lambda: about)
"""
"""Four times at the same point, each time for other services."""


@pytest.mark.parametrize(
    ("armed", "dies_at"),
    [
        ("RingAgent.after", 1),
        ("RingAgent.after#4", 4),
        ("RingAgent.after@crash", 2),
        ("RingAgent.after@first#2", 3),
        ("RingAgent.after@first#3", None),
        ("RingAgent.after@slot", None),
        ("RingAgent.before", None),
        ("", None),
    ],
)
def test_the_process_ends_at_the_armed_point_when_it_concerns_what_it_is_armed_for(
    armed: str, dies_at: int | None
) -> None:
    ended = subprocess.run(
        (sys.executable, "-c", REACHED),
        env={**os.environ, crash_points.VARIABLE: armed},
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert ended.returncode == (0 if dies_at is None else -signal.SIGKILL)
    assert ended.stdout.split()[-1] == str(dies_at or 4)
