"""The bench of the simulation at a hundredth of its size: its figures, and what it calls missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench import simulation
from tests.bench.simulation import Measured, measure, without_engine


def silent(_line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(0.5, silent)


def test_a_small_run_keeps_every_callback(measured: Measured) -> None:
    asked = measured.ran.figures["all"]["asked"] or 0
    assert 400 < asked < 600
    assert measured.ran.left == 0
    assert measured.seconds > 0
    assert measured.half_way > 1


def test_the_rival_serves_as_many() -> None:
    assert 900 < without_engine(1.0) < 1100


def test_bars_are_missed_in_words(measured: Measured) -> None:
    kept = simulation._report(0.005, replace(measured, seconds=0.1, highest=measured.half_way), 0.1, 100)
    assert kept.missed == ()
    assert kept.figures["cpu_seconds"] == 0.1
    slow = replace(measured, seconds=9.0, highest=measured.half_way + 100, ran=replace(measured.ran, left=3))
    missed = simulation._report(0.005, slow, 0.1, 100).missed
    assert "took 9.0 s of CPU, more than 0.3" in missed[0]
    assert missed[1] == "memory grew by 100 MiB in the second half, more than 24"
    assert missed[2] == "3 callbacks were still open at the end"
