"""Every point at which the engine may be killed, by hand: a new effect without points of its own must be noticed."""

from typing import get_args

from engine import crash_points
from engine.core.effects import Effect

EFFECTS = {"DialCustomer", "RingAgent", "Play", "HoldWithMusic", "Connect", "Farewell", "Release", "Dismantle"}
POINTS = {
    "commit.before",
    "commit.after",
    "DialCustomer.before",
    "DialCustomer.after",
    "RingAgent.before",
    "RingAgent.after",
    "Play.before",
    "Play.after",
    "HoldWithMusic.before",
    "HoldWithMusic.after",
    "Connect.before",
    "Connect.after",
    "Connect.bridge-made",
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
