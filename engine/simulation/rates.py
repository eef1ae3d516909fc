"""When people come: at a rate that may change with the time of day, or with gaps of any distribution.

Rates are per hour, times of day those on the wall of one zone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import cos, pi
from random import Random
from typing import Protocol
from zoneinfo import ZoneInfo

from engine.simulation.distributions import Distribution

HOUR = 3600.0
DAY = 86400.0


class Rate(Protocol):
    """How many come in an hour, and never more than `highest`."""

    @property
    def highest(self) -> float: ...

    def at(self, second_of_day: float) -> float: ...


class ConstantRate:
    """The same at any time."""

    def __init__(self, per_hour: float) -> None:
        self.highest = per_hour

    def at(self, second_of_day: float) -> float:  # noqa: ARG002 - as the others
        return self.highest


class RateByTime:
    """`{second of the day: per hour}`: each holds until the next, the last one over midnight to the first."""

    def __init__(self, per_hour: Mapping[int, float]) -> None:
        self._starts = sorted(per_hour)
        self._rates = [per_hour[start] for start in self._starts]
        self.highest = max(self._rates)

    def at(self, second_of_day: float) -> float:
        return self._rates[bisect_right(self._starts, second_of_day) - 1]


class Wave:
    """`mean` on the average of a day, up and down by `swing` of it (0 to 1); highest at `peak`, a second of the day."""

    def __init__(self, mean: float, swing: float, peak: float, period_seconds: float = DAY) -> None:
        self._mean, self._swing, self._peak, self._period = mean, swing, peak, period_seconds
        self.highest = mean * (1 + swing)

    def at(self, second_of_day: float) -> float:
        return self._mean * (1 + self._swing * cos(2 * pi * (second_of_day - self._peak) / self._period))


class Process(Protocol):
    """Moments at which somebody comes."""

    def moments(self, start: float, end: float, chance: Random) -> Iterator[float]:
        """Those in [start, end), in order."""


class AtARate:
    """Independent people at a rate (a Poisson process): those of the highest rate, thinned out."""

    def __init__(self, rate: Rate, timezone: str) -> None:
        self._rate = rate
        self._zone = ZoneInfo(timezone)

    def moments(self, start: float, end: float, chance: Random) -> Iterator[float]:
        highest = self._rate.highest
        if highest <= 0:
            return
        at, constant = start, isinstance(self._rate, ConstantRate)
        while (at := at + chance.expovariate(highest / HOUR)) < end:
            if constant or chance.random() * highest < self._rate.at(self._second_of_day(at)):
                yield at

    def _second_of_day(self, at: float) -> float:
        local = datetime.fromtimestamp(at, self._zone)
        return local.hour * 3600 + local.minute * 60 + local.second


class WithGaps:
    """Gaps of a distribution, one after another."""

    def __init__(self, gap: Distribution) -> None:
        self._gap = gap

    def moments(self, start: float, end: float, chance: Random) -> Iterator[float]:
        at = start
        while (at := at + self._gap.draw(chance)) < end:
            yield at


class AtMoments:
    """As it was: known moments in epoch seconds."""

    def __init__(self, moments: tuple[float, ...]) -> None:
        self._moments = tuple(sorted(moments))

    def moments(self, start: float, end: float, chance: Random) -> Iterator[float]:  # noqa: ARG002 - as the others
        return (at for at in self._moments if start <= at < end)
