"""The plan of a crash run: the same seed gives the same, and what must be tried is in it."""

from itertools import islice

import pytest

from engine.crash_points import POINTS
from tests.live.crash.plan import Fault, Kill, make_plan


def test_the_same_seed_gives_the_same_plan_and_numbers() -> None:
    one, two, other = make_plan(7, 10, POINTS), make_plan(7, 10, POINTS), make_plan(8, 10, POINTS)
    assert one == two
    assert one.steps != other.steps
    assert list(islice(one.numbers(), 200)) == list(islice(two.numbers(), 200))


def test_no_number_comes_twice_and_each_is_a_customer_of_the_network() -> None:
    numbers = list(islice(make_plan(7, 10, POINTS).numbers(), 2000))
    assert len(set(numbers)) == 2000
    assert all(len(number) == 11 and number[4:9] == "55501" for number in numbers)
    assert {"15", "27", "20", "11", "25"} <= {number[-2:] for number in numbers}


@pytest.mark.parametrize("seed", range(20))
def test_ten_kills_are_mixed_and_hold_every_fault(seed: int) -> None:
    steps = make_plan(seed, 10, POINTS).steps
    assert len(steps) == 10
    assert {Kill.INSTANT, Kill.EARLY, Kill.POINT} == {step.kill for step in steps}
    assert {*Fault} == {step.fault for step in steps}
    assert all((step.kill is Kill.POINT) == bool(step.point) for step in steps)


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_kills_come_to_every_point(seed: int) -> None:
    steps = make_plan(seed, 100, POINTS).steps
    assert len(steps) == 100
    assert {step.point for step in steps if step.kill is Kill.POINT} == {*POINTS}


def test_without_points_all_kills_are_at_instants() -> None:
    assert all(step.kill is not Kill.POINT for step in make_plan(1, 10, ()).steps)
