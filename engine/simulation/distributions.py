"""How long something takes: distributions of durations, each by what a planner knows of it.

All are of seconds, none is ever negative. `mean` and `variance` are those of the formula, for tests and for estimates
of load.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import exp, log, sqrt
from random import Random
from statistics import fmean, pvariance
from typing import Protocol


class Distribution(Protocol):
    """Something random with a mean and a variance."""

    @property
    def mean(self) -> float: ...

    @property
    def variance(self) -> float: ...

    def draw(self, chance: Random) -> float:
        """One value."""


class Constant:
    """Always the same."""

    def __init__(self, value: float) -> None:
        self.mean = value
        self.variance = 0.0

    def draw(self, chance: Random) -> float:  # noqa: ARG002 - as the others
        return self.mean


class Exponential:
    """Without memory, as gaps between calls mostly are."""

    def __init__(self, mean: float) -> None:
        self.mean = mean
        self.variance = mean * mean
        self._rate = 1 / mean

    def draw(self, chance: Random) -> float:
        return chance.expovariate(self._rate)


class LogNormal:
    """Many short and a few long ones, as conversations mostly are; by their own mean and standard deviation."""

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean = mean
        self.variance = deviation * deviation
        of_log = log(1 + self.variance / (mean * mean))
        self._mu = log(mean) - of_log / 2
        self._sigma = sqrt(of_log)

    @property
    def median(self) -> float:
        return exp(self._mu)

    def draw(self, chance: Random) -> float:
        return chance.lognormvariate(self._mu, self._sigma)


class Gamma:
    """Anything between exponential (the deviation as large as the mean) and nearly constant."""

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean = mean
        self.variance = deviation * deviation
        self._shape = mean * mean / self.variance
        self._scale = self.variance / mean

    def draw(self, chance: Random) -> float:
        return chance.gammavariate(self._shape, self._scale)


class Hyperexponential:
    """Several exponentials by chance: more uneven than one. `shares` are weights and need not add up to one."""

    def __init__(self, means: Sequence[float], shares: Sequence[float]) -> None:
        total = sum(shares)
        self.mean = sum(share * mean for mean, share in zip(means, shares, strict=True)) / total
        second = sum(share * 2 * mean * mean for mean, share in zip(means, shares, strict=True)) / total
        self.variance = second - self.mean * self.mean
        self._rates = [1 / mean for mean in means]
        self._bounds = [bound / total for bound in accumulate(shares)]

    def draw(self, chance: Random) -> float:
        at = chance.random()
        rate = next((rate for rate, bound in zip(self._rates, self._bounds, strict=True) if at < bound), None)
        return chance.expovariate(self._rates[-1] if rate is None else rate)


class Uniform:
    """Anything between two bounds alike."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self.mean = (low + high) / 2
        self.variance = (high - low) ** 2 / 12

    def draw(self, chance: Random) -> float:
        return chance.uniform(self._low, self._high)


class Empirical:
    """One of the values that were measured."""

    def __init__(self, values: Sequence[float]) -> None:
        self._values = tuple(values)
        self.mean = fmean(self._values)
        self.variance = pvariance(self._values)

    def draw(self, chance: Random) -> float:
        return chance.choice(self._values)
