"""How good the waits are that people are told, beside what Asterisk tells them.

Everybody who has to wait is told something by the engine, by the prediction that is the best possible in a queue of
Markov's kind if its rates were known (queue length), by the wait of the one called last (last to enter service), and by
the moving average that Asterisk's queues announce. What each errs by is squared and compared with the mean wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import fmean

from tests.bench.report import Report
from tests.bench.wait_designs import Design, designs
from tests.bench.wait_queue import Queue, Squares

Progress = Callable[[str], None]

EXACT, OTHERS = 1_000_000, 100_000
"""How many have to wait in the queue that theory knows, and in the others."""
FEWEST = 2_000
SEED = 1
THEORY_WITHIN = 0.03
FLOOR = 1.15
BETTER = 2.0
COVERED = (0.75, 0.85)
LAST_TO_ENTER = (1.6, 2.6)
"""About twice as bad as queue length, near saturation (Ibrahim and Whitt 2009)."""
JUDGED_FROM = 0.5
"""Below this scale too few wait for the bars of theory: chance alone is larger."""


def run(scale: float, progress: Progress) -> Report:
    """Each design by itself."""
    measured: dict[str, Squares] = {}
    for design in designs():
        wanted = max(FEWEST, round((EXACT if design.theory else OTHERS) * scale))
        measured[design.name] = _measure(design, wanted, progress)
    return report_of(measured, next(each.name for each in designs() if each.theory), judge_theory=scale >= JUDGED_FROM)


def _measure(design: Design, wanted: int, progress: Progress) -> Squares:
    def served(so_far: int) -> None:
        progress(f"{design.name}: {so_far:,} of {wanted:,}")

    served(0)
    return Queue(design, SEED, wanted, served).run()


def report_of(measured: Mapping[str, Squares], exact: str, *, judge_theory: bool) -> Report:
    """The table and the bars. `exact`: the design that theory knows."""
    sums = measured[exact]
    theory = sums.errors["queue length"] / sums.theory
    floor = sums.errors["ours"] / sums.theory
    last = sums.errors["last to enter"] / sums.errors["queue length"]
    better = {name: each.errors["moving average"] / each.errors["ours"] for name, each in measured.items()}
    covered = {name: each.within_p80 / each.count for name, each in measured.items()}
    missed = []
    if judge_theory:
        if abs(theory - 1) > THEORY_WITHIN:
            missed.append(f"queue length errs by {theory:.3f} of what theory says, more than {THEORY_WITHIN:.0%} off")
        if floor > FLOOR:
            missed.append(f"ours errs by {floor:.3f} of the least possible, more than {FLOOR}")
        if not LAST_TO_ENTER[0] <= last <= LAST_TO_ENTER[1]:
            missed.append(f"last to enter errs by {last:.2f} of queue length; theory says about 2")
    if fmean(better.values()) < BETTER:
        missed.append(f"on average {fmean(better.values()):.2f} times better than the moving average, not {BETTER}")
    missed += [f"{name}: P80 holds for {share:.1%}" for name, share in covered.items() if not _is_covered(share)]
    return Report(
        title="What people are told who have to wait: squared error, relative to the squared mean wait",
        columns=("", *measured),
        rows=tuple(_rows(measured, better)),
        figures={
            "queue_length_over_theory": theory,
            "ours_over_theory": floor,
            "last_to_enter_over_queue_length": last,
            "better_than_moving_average": fmean(better.values()),
            "worst_better": min(better.values()),
            "p80_lowest": min(covered.values()),
            "p80_highest": max(covered.values()),
        },
        missed=tuple(missed),
        notes=(
            f"In {exact} theory knows the least possible error; queue length, rates known, errs by {theory:.3f} of it,",
            f"ours, which measures the rates, by {floor:.3f}; last to enter by {last:.2f} times that of queue length.",
            f"On average over the designs ours errs {fmean(better.values()):.2f} times less than the moving average.",
            "Queue length knows the rates of its design, but neither shifts, nor who gives up, nor other skills.",
        ),
    )


def _is_covered(share: float) -> bool:
    return COVERED[0] <= share <= COVERED[1]


def _rows(measured: Mapping[str, Squares], better: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    all_ = measured.values()
    yield "had to wait", *(f"{each.count:,}" for each in all_)
    yield "mean wait, seconds", *(f"{each.waited / each.count:,.0f}" for each in all_)
    for name in ("ours", "queue length", "last to enter", "moving average"):
        yield f"error of {name}", *(f"{each.relative(name):.3f}" for each in all_)
    yield "moving average / ours", *(f"{better[name]:.2f}" for name in measured)
    yield "P50 held", *(f"{each.within_p50 / each.count:.1%}" for each in all_)
    yield "P80 held", *(f"{each.within_p80 / each.count:.1%}" for each in all_)
