"""The plan of a crash run: the same seed gives the same, and what must be tried is in it."""

from itertools import islice
from typing import get_args

import pytest

from engine.core import events, switchboard
from engine.core.effects import Effect
from engine.crash_points import POINTS
from tests.live.crash.plan import ALL_POINTS, AT_INSTANTS, OF_THE_STORE, OF_TRANSFERS, Fault, Kill, make_plan
from tests.live.crash.town import FIRST, INWARD, PREVIEW


def test_the_same_seed_gives_the_same_plan_and_numbers() -> None:
    one, two, other = make_plan(7, 10, ALL_POINTS), make_plan(7, 10, ALL_POINTS), make_plan(8, 10, ALL_POINTS)
    assert one == two
    assert one.steps != other.steps
    assert list(islice(one.numbers(), 200)) == list(islice(two.numbers(), 200))


def test_no_number_comes_twice_and_each_is_a_customer_of_the_network() -> None:
    numbers = list(islice(make_plan(7, 10, ALL_POINTS).numbers(), 2000))
    assert len(set(numbers)) == 2000
    assert all(len(number) == 11 and number[4:9] == "55501" for number in numbers)
    assert {"15", "27", "20", "11", "25"} <= {number[-2:] for number in numbers}


def test_who_rings_in_and_who_asks_have_numbers_of_their_own() -> None:
    plan = make_plan(7, 10, ALL_POINTS)
    ring, ask = (set(islice(each, 500)) for each in (plan.numbers_to_ring_from(), plan.numbers_to_ask_with()))
    assert (len(ring), len(ask), ring & ask) == (500, 500, set())


@pytest.mark.parametrize("seed", range(20))
def test_ten_kills_are_mixed_and_hold_every_fault(seed: int) -> None:
    steps = make_plan(seed, 10, ALL_POINTS).steps
    assert len(steps) == 10
    assert {Kill.INSTANT, Kill.EARLY, Kill.POINT} == {step.kill for step in steps}
    assert {*Fault} == {step.fault for step in steps}
    assert all((step.kill is Kill.POINT) == bool(step.point) for step in steps)


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_kills_come_to_every_point(seed: int) -> None:
    steps = make_plan(seed, 100, ALL_POINTS).steps
    assert len(steps) == 100
    assert {step.point for step in steps if step.kill is Kill.POINT} == {*ALL_POINTS}


@pytest.mark.parametrize("seed", range(20))
def test_a_dozen_kills_more_than_points_come_to_every_point_and_leave_room_for_every_fault(seed: int) -> None:
    steps = make_plan(seed, len(ALL_POINTS) + AT_INSTANTS, ALL_POINTS).steps
    assert {step.point for step in steps if step.kill is Kill.POINT} == {*ALL_POINTS}
    assert {step.fault for step in steps} == {*Fault}


def test_every_point_of_the_engine_is_there_and_each_comes_once() -> None:
    assert set(POINTS) - set(OF_TRANSFERS) <= set(ALL_POINTS)
    assert set(OF_TRANSFERS) <= set(POINTS)
    assert len(set(ALL_POINTS)) == len(ALL_POINTS)


def test_what_a_point_is_armed_for_exists() -> None:
    """A misspelt one would never be reached."""
    kinds = {each.__name__ for each in get_args(events.Event)}
    timers = {switchboard.SLOT, switchboard.PREVIEW, switchboard.ANSWER}
    of_commits = {point.partition("@")[2] for point in ALL_POINTS if point.startswith("commit.") and "@" in point}
    assert of_commits - kinds == timers
    with_a_voice = {each.__name__ for each in get_args(Effect) if "voice" in each.__struct_fields__}
    of_services = [point for point in ALL_POINTS if "@" in point and not point.startswith("commit.")]
    assert {point.partition(".")[0] for point in of_services} <= with_a_voice
    assert {point.partition("@")[2] for point in of_services} == {FIRST, PREVIEW, INWARD}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("fault", sorted(OF_THE_STORE))
def test_a_store_that_fails_is_tried_once_in_ten_kills_and_often_in_a_hundred(fault: Fault, seed: int) -> None:
    """Once at an instant, so that it is there at the kill or before; it lasts for seconds, as planned."""
    few, many = make_plan(seed, 10, ALL_POINTS).steps, make_plan(seed, 100, ALL_POINTS).steps
    assert [step.kill for step in few if step.fault is fault] == [Kill.INSTANT]
    beside = [step.kill for step in many if step.fault is fault]
    assert len(beside) >= 5
    assert {*beside} == {Kill.INSTANT, Kill.POINT}
    assert all(0.5 <= step.fault_seconds <= 8.0 for step in (*few, *many) if step.fault is fault)


def test_kills_fall_into_a_fault_of_the_store_and_come_after_one() -> None:
    steps = [step for seed in range(20) for step in make_plan(seed, 10, ALL_POINTS).steps if step.fault in OF_THE_STORE]
    within = sum(step.after_seconds < step.fault_seconds for step in steps)
    assert 10 <= within <= len(steps) - 10


def test_a_fault_that_cannot_be_made_is_left_out_and_nothing_else_changes() -> None:
    plan = make_plan(7, 10, ALL_POINTS)
    left = plan.without(Fault.DISK_FULL)
    changed = [(one, other) for one, other in zip(plan.steps, left.steps, strict=True) if one != other]
    assert [(one.fault, other.fault) for one, other in changed] == [(Fault.DISK_FULL, Fault.NONE)]
    assert left.seed == plan.seed


def test_without_points_all_kills_are_at_instants() -> None:
    assert all(step.kill is not Kill.POINT for step in make_plan(1, 10, ()).steps)
