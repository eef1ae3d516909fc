"""Distributions have the mean and the variance they say, and streams are the same for the same name."""

from __future__ import annotations

from itertools import pairwise
from math import isclose
from random import Random
from statistics import fmean, median, pvariance

import pytest

from engine.simulation.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    LogNormal,
    Uniform,
)
from engine.simulation.streams import Streams

DRAWS = 100_000
EACH: dict[str, tuple[Distribution, float, float]] = {
    "constant": (Constant(30), 30, 0),
    "exponential": (Exponential(240), 240, 240**2),
    "lognormal": (LogNormal(240, 200), 240, 200**2),
    "gamma": (Gamma(240, 120), 240, 120**2),
    "uneven gamma": (Gamma(100, 150), 100, 150**2),
    "hyperexponential": (Hyperexponential((60, 600), (3, 1)), 195, (0.75 * 2 * 3600 + 0.25 * 2 * 360_000) - 195**2),
    "uniform": (Uniform(5, 17), 11, 12),
    "empirical": (Empirical((10, 20, 90)), 40, (900 + 400 + 2500) / 3),
}


@pytest.mark.parametrize(("distribution", "mean", "variance"), EACH.values(), ids=EACH)
def test_a_distribution_has_the_mean_and_the_variance_it_says(
    distribution: Distribution, mean: float, variance: float
) -> None:
    assert isclose(distribution.mean, mean)
    assert isclose(distribution.variance, variance)
    chance = Random(4)
    drawn = [distribution.draw(chance) for _ in range(DRAWS)]
    assert min(drawn) >= 0
    assert isclose(fmean(drawn), mean, rel_tol=0.02)
    assert isclose(pvariance(drawn), variance, rel_tol=0.08)


def test_half_of_a_lognormal_lies_below_its_median() -> None:
    chance, distribution = Random(5), LogNormal(240, 200)
    assert isclose(median(distribution.draw(chance) for _ in range(DRAWS)), distribution.median, rel_tol=0.02)


def test_the_same_name_has_the_same_numbers_whatever_others_draw() -> None:
    first, second = Streams(7), Streams(7)
    wanted = [first.of("customer", "c1", "2").random() for _ in range(3)]
    second.of("customer", "c9").random()
    second.own("customer", "c1", "2").random()
    assert [second.of("customer", "c1", "2").random() for _ in range(3)] == wanted
    assert len(set(wanted)) == 1, "each time from the beginning"


def test_another_name_or_another_seed_has_other_numbers() -> None:
    numbers = [
        Streams(7).of("customer", "c1").random(),
        Streams(7).of("customer", "c2").random(),
        Streams(7).of("agent", "c1").random(),
        Streams(8).of("customer", "c1").random(),
    ]
    assert all(one != other for one, other in pairwise(sorted(numbers)))


def test_numbers_of_ones_own_go_on_while_others_are_asked_for() -> None:
    streams = Streams(7)
    own = streams.own("arrivals", "0")
    first = own.random()
    streams.of("customer", "c1").random()
    again = streams.own("arrivals", "0")
    assert [again.random(), again.random()] == [first, own.random()]
