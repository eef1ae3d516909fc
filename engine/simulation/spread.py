"""Mean and quantiles of any number of values in a little memory: values are counted in narrow bands, and not kept."""

from __future__ import annotations

from math import ceil, floor, log, sqrt

WIDTH = 1.01
"""Each band ends where the next begins, so much higher: a quantile is right to half a per cent."""
SMALLEST = 0.001
"""What is less counts as nothing."""
_LOG_WIDTH = log(WIDTH)


class Spread:
    """Values from zero up."""

    __slots__ = ("_bands", "_none", "count", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._none = 0
        self._bands: dict[int, int] = {}

    def add(self, value: float) -> None:
        """One value more."""
        self.count += 1
        self.total += value
        if value < SMALLEST:
            self._none += 1
        else:
            band = floor(log(value) / _LOG_WIDTH)
            self._bands[band] = self._bands.get(band, 0) + 1

    def merge(self, other: Spread) -> None:
        """All values of another."""
        self.count += other.count
        self.total += other.total
        self._none += other._none
        for band, count in other._bands.items():
            self._bands[band] = self._bands.get(band, 0) + count

    @property
    def mean(self) -> float | None:
        """None if there is no value."""
        return self.total / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """The least value that this share of all values do not exceed; None if there is no value."""
        if not self.count:
            return None
        rank = max(1, ceil(share * self.count)) - self._none
        if rank <= 0:
            return 0.0
        for band in sorted(self._bands):
            rank -= self._bands[band]
            if rank <= 0:
                break
        return float(WIDTH**band * sqrt(WIDTH))
