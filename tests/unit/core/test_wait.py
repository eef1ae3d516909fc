"""The forecast by itself: what theory says of it, and what it learns."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.wait import (
    AIM_WITHIN,
    AT_ONCE,
    BIAS_WITHIN,
    Experience,
    Recent,
    Standing,
    gamma_quantile,
    moments,
)


def simulated(standing: Standing, leaving: float, chance: Random, rounds: int) -> tuple[float, float]:
    """Mean and variance of the time until everybody ahead is gone and one more agent is free."""
    rate = standing.places / standing.handle_seconds
    waits = [
        sum(chance.expovariate(rate + k * leaving) for k in range(int(standing.ahead) + 1)) for _round in range(rounds)
    ]
    mean = sum(waits) / rounds
    return mean, sum((each - mean) ** 2 for each in waits) / rounds


def test_given_nobody_gives_up_then_the_wait_is_gamma() -> None:
    assert moments(Standing(4, 180.0, 10), 0.0) == pytest.approx((90.0, 5 * 18.0**2))


@pytest.mark.parametrize("ahead", [0, 3, 40, 400])
def test_given_people_who_give_up_then_mean_and_variance_are_those_of_a_simulation(ahead: int) -> None:
    standing, leaving = Standing(ahead, 180.0, 10), 1 / 400
    mean, variance = moments(standing, leaving)
    tried, spread = simulated(standing, leaving, Random(ahead), 4000)  # noqa: S311 - no secret
    assert mean == pytest.approx(tried, rel=0.05)
    assert variance == pytest.approx(spread, rel=0.1)


@given(
    ahead=st.floats(0, 1e6),
    handle=st.floats(1, 1e5),
    places=st.integers(1, 10_000),
    leaving=st.floats(0, 1),
    more=st.floats(0.01, 1000),
)
def test_given_more_ahead_then_the_wait_is_longer_and_it_is_always_a_time(
    ahead: float, handle: float, places: int, leaving: float, more: float
) -> None:
    mean, variance = moments(Standing(ahead, handle, places), leaving)
    longer, _ = moments(Standing(ahead + more, handle, places), leaving)
    assert 0 < mean < math.inf
    assert 0 < variance < math.inf
    assert longer >= mean * (1 - 1e-9)


@given(ahead=st.integers(0, 200), handle=st.floats(10, 1000), leaving=st.floats(1e-4, 0.1))
def test_given_a_long_line_then_the_integral_is_as_good_as_the_sum(ahead: int, handle: float, leaving: float) -> None:
    rates = [10 / handle + k * leaving for k in range(ahead + 1)]
    mean, variance = moments(Standing(ahead, handle, 10), leaving)
    assert mean == pytest.approx(sum(1 / each for each in rates), rel=0.01)
    assert variance == pytest.approx(sum(1 / each**2 for each in rates), rel=0.01)


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("level", [0.5, 0.8])
def test_given_a_gamma_distribution_then_the_quantile_is_right_within_a_few_percent(shape: float, level: float) -> None:
    chance = Random(1)  # noqa: S311 - no secret
    drawn = sorted(chance.gammavariate(shape, 60 / shape) for _each in range(40_000))
    assert gamma_quantile(60.0, shape, level) == pytest.approx(drawn[int(level * len(drawn))], rel=0.05)


def test_given_an_impossibly_low_level_then_the_quantile_is_no_negative_time() -> None:
    assert gamma_quantile(60.0, 0.1, 0.001) == 0.0


# ---- what it learns ------------------------------------------------------------------------------------


def test_given_waits_that_are_always_longer_than_told_then_what_is_told_grows_up_to_a_bound() -> None:
    experience, standing = Experience(), Standing(3, 180.0, 10)
    first = experience.forecast(standing)
    for _each in range(5000):
        told = experience.forecast(standing)
        experience.served(told, 3 * told.raw_seconds)
    assert experience.bias == BIAS_WITHIN[1]
    assert experience.forecast(standing).mean_seconds > first.mean_seconds


def test_given_a_few_errors_then_little_changes() -> None:
    experience, standing = Experience(), Standing(3, 180.0, 10)
    for _each in range(5):
        experience.served(experience.forecast(standing), 500.0)
    assert experience.bias == pytest.approx(1.0, abs=0.1)


def test_given_waits_of_another_spread_then_the_longer_time_still_holds_four_of_five_times() -> None:
    experience, standing, held = Experience(), Standing(9, 180.0, 10), 0
    chance = Random(5)  # noqa: S311 - no secret
    for n in range(20_000):
        told = experience.forecast(standing)
        waited = chance.expovariate(1 / 180.0)  # far wider than theory says of ten people ahead
        experience.served(told, waited)
        held += n >= 10_000 and waited <= told.wait.p80_seconds
    assert held / 10_000 == pytest.approx(0.8, abs=0.02)


def test_given_what_never_or_always_holds_then_the_level_stays_within_its_bounds() -> None:
    standing = Standing(3, 180.0, 10)
    for waited in (0.0, 1e9):
        experience = Experience()
        for _each in range(3000):
            experience.served(experience.forecast(standing), waited)
        told = experience.forecast(standing).wait
        raw, variance = moments(standing, 0.0)
        widest = gamma_quantile(raw * BIAS_WITHIN[1], raw**2 / variance, AIM_WITHIN[1])
        assert told.p50_seconds <= told.p80_seconds <= widest


def test_given_many_who_give_up_then_those_behind_them_are_told_less() -> None:
    experience, standing = Experience(), Standing(20, 180.0, 10)
    before = experience.forecast(standing).mean_seconds
    for _each in range(100):
        experience.gave_up(120.0)
    assert experience.forecast(standing).mean_seconds < before


def test_given_somebody_who_was_called_at_once_as_told_then_nothing_is_learned_of_forecasts() -> None:
    experience = Experience()
    experience.served(AT_ONCE, 0.0)
    assert experience.bias == 1.0


def test_given_more_than_are_kept_then_the_old_ones_fade() -> None:
    recent = Recent(10)
    for _each in range(100):
        recent.add(1.0, 1.0)
    for _each in range(100):
        recent.add(0.0, 1.0)
    assert recent.ratio == pytest.approx(0.0, abs=0.001)
    assert recent.count == pytest.approx(10.0)


def test_given_nothing_then_the_ratio_is_nought() -> None:
    assert Recent(10).ratio == 0.0
