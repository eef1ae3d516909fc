"""How long to wait before the next attempt to reach Asterisk: exponential with full jitter.

Full jitter (a uniform draw between zero and the growing bound; M. Brooker, "Exponential Backoff and Jitter",
2015) keeps several engines from knocking at the same moment when an Asterisk comes back. The first attempt
after a loss is early, because a customer may be waiting in the dialplan's "one moment".
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """Bounds in seconds; `draw` returns a number in [0, 1)."""

    first_seconds: float = 0.25
    ceiling_seconds: float = 10.0
    draw: Callable[[], float] = field(default=random.random, repr=False)

    def delay_seconds(self, failures: int) -> float:
        """The wait after so many failures in a row (1 or more): a draw below a bound that doubles each time."""
        doublings = min(max(failures - 1, 0), 32)  # the ceiling counts long before, and the power must not overflow
        bound = min(self.ceiling_seconds, self.first_seconds * 2.0**doublings)
        return bound * self.draw()
