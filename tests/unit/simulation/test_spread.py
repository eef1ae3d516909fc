"""Quantiles of bands are right to half a per cent, in a memory that does not grow."""

from __future__ import annotations

from math import ceil, isclose
from random import Random
from statistics import fmean

import pytest

from engine.simulation.spread import Spread


def spread(*values: float) -> Spread:
    made = Spread()
    for value in values:
        made.add(value)
    return made


def test_nothing_has_no_mean_and_no_quantile() -> None:
    assert (spread().mean, spread().quantile(0.5)) == (None, None)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.8, 0.95, 0.999, 1.0])
def test_a_quantile_is_the_value_at_its_rank(share: float) -> None:
    chance = Random(1)
    values = [chance.lognormvariate(4, 2) for _ in range(10_000)]
    found = spread(*values).quantile(share)
    assert found is not None
    assert isclose(found, sorted(values)[ceil(share * len(values)) - 1], rel_tol=0.0051)


def test_the_mean_is_exact() -> None:
    assert spread(0, 10, 20, 90).mean == fmean((0, 10, 20, 90))


def test_waits_of_nothing_are_counted() -> None:
    made = spread(0, 0, 0, 0, 100)
    assert made.quantile(0.8) == 0
    last = made.quantile(0.81)
    assert last is not None
    assert isclose(last, 100, rel_tol=0.0051)


def test_two_spreads_together_are_as_one() -> None:
    first, second = spread(1, 2, 0), spread(5, 600)
    first.merge(second)
    one = spread(1, 2, 0, 5, 600)
    assert (first.count, first.mean, first.quantile(0.8)) == (one.count, one.mean, one.quantile(0.8))


def test_a_million_times_as_many_values_take_no_more_bands() -> None:
    chance = Random(2)
    made = spread(*(chance.expovariate(1 / 300) for _ in range(50_000)))
    assert len(made._bands) < 1800
