"""When Python looks for cycles of garbage, as suits a process that holds much for long and makes few cycles.

By default it looks often, and now and then through all that is held: with a hundred thousand who wait that stops
everything for a moment, in the midst of calls.
"""

from __future__ import annotations

import gc

YOUNG = 25_000
"""How many more objects than were freed are made before the young ones are looked through; Python's own is 700."""
YOUNG_ROUNDS, MIDDLE_ROUNDS = 20, 50
"""After so many looks at the young ones those who survived are looked at too, and after so many of these all; all only
if their number has grown by a quarter.
"""


def pause() -> None:
    """A start makes what stays: nothing of it is looked at."""
    gc.disable()


def settle() -> None:
    """The start is over: what it made is never looked at, and what is made from now on seldom."""
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNG_ROUNDS, MIDDLE_ROUNDS)
    gc.enable()
