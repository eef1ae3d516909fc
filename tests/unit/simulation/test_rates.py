"""People come as often as they are said to."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from math import isclose
from random import Random
from statistics import fmean, pvariance

from engine.simulation.distributions import Hyperexponential
from engine.simulation.rates import DAY, HOUR, AtARate, AtMoments, ConstantRate, RateByTime, Wave, WithGaps

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


def by_hour(process: AtARate, days: int = 200) -> dict[int, float]:
    """How many come in each hour of the day, on the average."""
    found = Counter(
        datetime.fromtimestamp(at, UTC).hour for at in process.moments(MIDNIGHT, MIDNIGHT + days * DAY, Random(1))
    )
    return {hour: found[hour] / days for hour in range(24)}


def test_a_constant_rate_has_exponential_gaps() -> None:
    moments = list(AtARate(ConstantRate(60), "UTC").moments(MIDNIGHT, MIDNIGHT + 1000 * HOUR, Random(2)))
    gaps = [after - before for before, after in zip([MIDNIGHT, *moments], moments, strict=False)]
    assert isclose(len(moments), 60_000, rel_tol=0.02)
    assert isclose(fmean(gaps), 60, rel_tol=0.02)
    assert isclose(pvariance(gaps), 3600, rel_tol=0.05)


def test_a_rate_by_time_of_day_holds_until_the_next_and_over_midnight() -> None:
    rates = by_hour(AtARate(RateByTime({8 * 3600: 30, 12 * 3600: 90, 20 * 3600: 0}), "UTC"))
    assert all(isclose(rates[hour], 30, rel_tol=0.06) for hour in range(8, 12))
    assert all(isclose(rates[hour], 90, rel_tol=0.06) for hour in range(12, 20))
    assert sum(rates[hour] for hour in (*range(8), *range(20, 24))) == 0


def test_times_of_day_are_those_of_the_zone() -> None:
    rates = by_hour(AtARate(RateByTime({0: 0, 9 * 3600: 60, 10 * 3600: 0}), "America/New_York"), days=5)
    assert {hour for hour, rate in rates.items() if rate} == {14}


def test_a_wave_is_highest_at_its_peak_and_has_its_mean() -> None:
    rates = by_hour(AtARate(Wave(60, 0.5, 12.5 * 3600), "UTC"))
    assert isclose(sum(rates.values()) / 24, 60, rel_tol=0.02)
    assert isclose(rates[12], 90, rel_tol=0.06)
    assert isclose(rates[0], 30, rel_tol=0.08)


def test_gaps_may_be_of_any_distribution() -> None:
    gap = Hyperexponential((10, 200), (0.9, 0.1))
    moments = list(WithGaps(gap).moments(MIDNIGHT, MIDNIGHT + 1000 * HOUR, Random(3)))
    assert isclose(len(moments), 1000 * HOUR / gap.mean, rel_tol=0.03)


def test_known_moments_come_in_order_and_only_those_of_the_time_asked_for() -> None:
    process = AtMoments((MIDNIGHT + 5, MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 100))
    assert list(process.moments(MIDNIGHT, MIDNIGHT + 100, Random(1))) == [MIDNIGHT, MIDNIGHT + 5]


def test_nobody_comes_at_a_rate_of_nothing() -> None:
    assert list(AtARate(ConstantRate(0), "UTC").moments(MIDNIGHT, MIDNIGHT + DAY, Random(1))) == []
