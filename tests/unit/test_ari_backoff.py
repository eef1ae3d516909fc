"""The waits between attempts to reach Asterisk."""

import itertools

import pytest

from engine.asterisk.ari.backoff import Backoff


def bounds(count: int) -> list[float]:
    longest = Backoff(first_seconds=0.25, ceiling_seconds=10, draw=lambda: 1.0)
    return [longest.delay_seconds(failures) for failures in range(1, count + 1)]


def test_the_bound_doubles_until_the_ceiling() -> None:
    assert bounds(8) == [0.25, 0.5, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("failures", [0, -1])
def test_no_failure_counts_as_the_first(failures: int) -> None:
    assert Backoff(draw=lambda: 1.0).delay_seconds(failures) == Backoff().first_seconds


def test_the_bound_stays_at_the_ceiling_after_a_week_of_failures() -> None:
    assert Backoff(ceiling_seconds=10, draw=lambda: 1.0).delay_seconds(100_000) == 10


def test_the_jitter_is_full_so_that_two_engines_part() -> None:
    draws = itertools.cycle([0.0, 0.5, 0.999])
    backoff = Backoff(first_seconds=1, ceiling_seconds=8, draw=lambda: next(draws))
    assert [backoff.delay_seconds(4) for _ in range(3)] == [0.0, 4.0, pytest.approx(7.992)]


def test_the_default_draw_differs_from_wait_to_wait() -> None:
    assert len({Backoff().delay_seconds(6) for _ in range(50)}) > 40
