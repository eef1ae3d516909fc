"""`python -m tests.live.crash --seed N --kills N`: one run, told on standard output; exit code 1 if a guarantee broke.

It brings up a lab of its own and leaves nothing running, also after Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.live.crash import telling
from tests.live.crash.judge import judge
from tests.live.crash.plan import ALL_POINTS, make_plan
from tests.live.crash.run import RigError
from tests.live.crash.scene import run_engine


def main() -> int:
    """Run a plan and judge it."""
    options = argparse.ArgumentParser(prog="python -m tests.live.crash", description=main.__doc__)
    options.add_argument("--seed", type=int, default=None, help="left out: any")
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--keep", type=Path, default=None, help="write the engine's log here")
    given = options.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    signal.signal(signal.SIGTERM, _stop)
    plan = make_plan(seed, given.kills, ALL_POINTS)
    _say(f"repeat with: python -m tests.live.crash --seed {seed} --kills {given.kills}")
    try:
        run = run_engine(plan, _say)
    except RigError as error:
        _say(f"the engine did not come to its end: {error}")
        return 2
    if given.keep is not None:
        given.keep.write_text(run.engine_log, "utf-8")
    verdict = judge(run.evidence)
    for line in (*telling.summary(run, verdict), *telling.violations(run, verdict)):
        _say(line)
    for point in run.unreached:
        _say(f"not reached: {point}")
    if run.gave_up:
        _say(f"the rig gave up: {run.gave_up}")
        return 2
    _say("all guarantees held" if verdict.holds else "a guarantee was broken")
    return 0 if verdict.holds else 1


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(130)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
