"""Random numbers by name: each customer and each agent has numbers of their own.

So two configurations meet the same people, in whatever order things happen: what one customer does depends on the seed
and the customer alone, never on how many numbers others have drawn before.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


class Numbers(Random):
    """The numbers of one name: SplitMix64 (Steele, Lea and Flood, 2014), begun at a hash of it.

    Python's own generator takes longer to seed than all that one customer draws from it.
    """

    def wind_to(self, name: str) -> None:
        """Begin with the numbers of this name."""
        self._at = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")

    def random(self) -> float:
        """The next one, from 0 to less than 1."""
        self._at = mixed = (self._at + _STEP) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53


class Streams:
    """All random numbers of one run; the same seed and the same name give the same numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._shared = Numbers(0)

    def of(self, *name: str) -> Random:
        """The numbers of this name, from their beginning. Good until the next call: whoever asks draws at once."""
        self._shared.wind_to(f"{self._seed}/{'/'.join(name)}")
        return self._shared

    def own(self, *name: str) -> Random:
        """The same numbers, for as long as they are wanted."""
        numbers = Numbers(0)
        numbers.wind_to(f"{self._seed}/{'/'.join(name)}")
        return numbers
