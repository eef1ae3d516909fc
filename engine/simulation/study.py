"""Several runs of a scenario with different random numbers, and the difference between two configurations.

Each replication has a seed of its own, and both configurations meet the same people in it, so what chance does to both
cancels out of their difference. Confidence intervals are those of the replications' mean (Student's t, 95 %); for the
difference, of the pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import TypeAlias

from engine.simulation.figures import Figures
from engine.simulation.run import Progress, Ran

# Student's t at 97.5 %, by degrees of freedom from 1; further on the last, which is a little too wide.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_T_FROM = {15: 2.131, 20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980}

Run: TypeAlias = Callable[[int, Progress | None], Ran]
"""Makes one run with a seed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over the replications that have the figure. `half_width`: of its interval; None: from one alone."""

    mean: float
    half_width: float | None
    of: int

    @property
    def differs(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.half_width is not None and abs(self.mean) > self.half_width


Estimates = Mapping[str, Mapping[str, Estimate | None]]
"""By service, and by figure; None: no replication has it."""


@dataclass(frozen=True, slots=True)
class Studied:
    """What a study found. `second` and `difference` (second less first) if there are two configurations."""

    first: Estimates
    second: Estimates | None
    difference: Estimates | None
    events: int
    left: int


def study(runs: Sequence[Run], replications: int, seed: int, progress: Progress | None = None) -> Studied:
    """Make all replications of one run, or of two to be compared; each replication has the next seed.

    `progress` is told which share of all of it is done.
    """
    results: list[list[Ran]] = [[] for _ in runs]
    done, total = 0, replications * len(runs)
    for n in range(replications):
        for run, of in zip(runs, results, strict=True):
            of.append(run(seed + n, _part(progress, done, total)))
            done += 1
    figures = [[each.figures for each in of] for of in results]
    return Studied(
        first=estimates(figures[0]),
        second=None if len(figures) == 1 else estimates(figures[1]),
        difference=None if len(figures) == 1 else differences(figures[0], figures[1]),
        events=sum(each.events for of in results for each in of),
        left=sum(each.left for of in results for each in of),
    )


def _part(progress: Progress | None, done: int, total: int) -> Progress | None:
    return None if progress is None else lambda share: progress((done + share) / total)


def estimates(replications: Sequence[Mapping[str, Figures]]) -> Estimates:
    """The mean of each figure over the replications, with its interval."""
    return {
        row: {name: estimate([_of(each, row, name) for each in replications]) for name in _names(replications, row)}
        for row in _rows(replications)
    }


def differences(first: Sequence[Mapping[str, Figures]], second: Sequence[Mapping[str, Figures]]) -> Estimates:
    """The mean difference of each figure, second less first, over the pairs that both have it."""
    both = [*first, *second]
    return {
        row: {
            name: estimate([_less(_of(b, row, name), _of(a, row, name)) for a, b in zip(first, second, strict=True)])
            for name in _names(both, row)
        }
        for row in _rows(both)
    }


def estimate(values: Sequence[float | None]) -> Estimate | None:
    """The mean of those that are known, and the half width of its 95 % interval."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if len(known) == 1:
        return Estimate(known[0], None, 1)
    return Estimate(fmean(known), _t(len(known) - 1) * stdev(known) / sqrt(len(known)), len(known))


def _t(degrees: int) -> float:
    if degrees <= len(_T):
        return _T[degrees - 1]
    return next((t for above, t in reversed(_T_FROM.items()) if degrees >= above), _T[-1])


def _rows(replications: Sequence[Mapping[str, Figures]]) -> list[str]:
    return list(dict.fromkeys(row for each in replications for row in each))


def _names(replications: Sequence[Mapping[str, Figures]], row: str) -> list[str]:
    return list(dict.fromkeys(name for each in replications for name in each.get(row, {})))


def _of(figures: Mapping[str, Figures], row: str, name: str) -> float | None:
    return figures.get(row, {}).get(name)


def _less(second: float | None, first: float | None) -> float | None:
    return None if first is None or second is None else second - first
