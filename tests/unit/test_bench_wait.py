"""The wait bench: its queues are what they say, and its bars can be missed."""

from __future__ import annotations

from random import Random

import pytest

from tests.bench.wait import SEED, report_of
from tests.bench.wait_designs import AGENTS, HANDLE, Design, designs
from tests.bench.wait_queue import Queue, Squares

DESIGNS = {each.name: each for each in designs()}
FEW = 400


@pytest.mark.parametrize("name", DESIGNS)
def test_given_a_design_then_everybody_who_had_to_wait_was_told_by_all_and_the_line_moves(name: str) -> None:
    squares = Queue(DESIGNS[name], SEED, FEW, lambda _served: None).run()
    assert squares.count == FEW
    assert set(squares.errors) == {"ours", "queue length", "last to enter", "moving average"}
    assert 0 < squares.waited / squares.count < 20 * HANDLE
    assert squares.within_p50 <= squares.within_p80 <= FEW


@pytest.mark.parametrize(("name", "busy"), [("M/M/s", 0.9), ("uneven arrivals", 0.9), ("sinusoidal day", 0.8)])
def test_given_a_design_then_so_much_of_the_agents_time_is_asked_for(name: str, busy: float) -> None:
    stream = DESIGNS[name].streams["one"]
    chance, now = Random(1), 0.0  # noqa: S311 - no secret
    come = 60_000
    for _each in range(come):
        now += stream.gap(chance, now)
    assert come * HANDLE / now / AGENTS == pytest.approx(busy, rel=0.03)


def test_given_the_same_seed_then_the_same_queue_and_otherwise_another() -> None:
    first, again, other = (_run(DESIGNS["M/M/s"], seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def _run(design: Design, seed: int) -> Squares:
    return Queue(design, seed, 50, lambda _served: None).run()


def sums(**changed: float) -> Squares:
    """A measurement that keeps every bar, but for what is changed: mean squared errors by name, and `p80`."""
    errors = {"ours": 105.0, "queue length": 100.0, "last to enter": 205.0, "moving average": 300.0}
    count = 1000
    errors |= {name.replace("_", " "): value for name, value in changed.items() if name != "p80"}
    return Squares(
        count=count,
        waited=60.0 * count,
        errors={name: value * count for name, value in errors.items()},
        theory=100.0 * count,
        within_p50=500,
        within_p80=round(changed.get("p80", 0.8) * count),
    )


def missed(**changed: float) -> tuple[str, ...]:
    return report_of({"M/M/s": sums(**changed)}, "M/M/s", judge_theory=True).missed


def test_given_what_keeps_every_bar_then_nothing_is_missed() -> None:
    assert missed() == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"queue_length": 104.0}, "queue length errs by 1.040"),
        ({"ours": 116.0}, "ours errs by 1.160"),
        ({"last_to_enter": 150.0}, "last to enter errs by 1.50"),
        ({"moving_average": 200.0}, "on average 1.90 times"),
        ({"p80": 0.74}, "M/M/s: P80 holds for 74.0%"),
        ({"p80": 0.86}, "M/M/s: P80 holds for 86.0%"),
    ],
)
def test_given_one_figure_beyond_its_bar_then_it_is_said(changed: dict[str, float], said: str) -> None:
    (only,) = missed(**changed)
    assert only.startswith(said)


def test_given_too_few_for_theory_then_its_bars_are_not_judged_and_the_others_are() -> None:
    report = report_of({"M/M/s": sums(ours=150.0, p80=0.9)}, "M/M/s", judge_theory=False)
    assert [each.partition(":")[0] for each in report.missed] == ["M/M/s"]
