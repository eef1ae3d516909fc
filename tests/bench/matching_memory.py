"""How much memory one waiting callback takes: an engine's growth while the line fills, by the kernel's count.

Run as a module of its own, so that nothing else grows: AGENTS SKILL_SETS WAITING. It prints bytes per callback.
"""

from __future__ import annotations

import gc
import resource
import sys
from itertools import islice
from pathlib import Path

from tests.bench.matching_centre import customers, house
from tests.bench.matching_engine import Engine


def bytes_per_callback(agents: int, skill_sets: int, waiting: int) -> float:
    """The callback, its request, its place in the line and its timer."""
    engine = Engine(house(agents, skill_sets))
    before = _resident()
    for customer in islice(customers(), waiting):
        engine.join(customer)
    return (_resident() - before) / waiting


def _resident() -> int:
    """Bytes of memory this process has now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    print(bytes_per_callback(*map(int, sys.argv[1:])))  # noqa: T201
