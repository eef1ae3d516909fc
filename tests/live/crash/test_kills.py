"""Ten kills of an engine under load, with Asterisk, the event socket and the store failing beside: the guarantees hold.

The run begins with the first live test and goes on beside the others; this test comes last and waits for its end.
`RINGBACK_CRASH_SEED` repeats a plan.
"""

import re

from tests.live.conftest import CRASH_KILLS
from tests.live.crash.background import CrashRun


def test_nobody_is_lost_and_nobody_is_called_twice_whenever_the_engine_is_killed(crash_run: CrashRun) -> None:
    told = crash_run.told()
    assert told.code == 0, told.text
    counted = re.search(r"seed \d+: (\d+) kills in \d+ s, live calls at each at least (\d+)", told.text)
    assert counted, told.text
    assert int(counted[1]) >= CRASH_KILLS, told.text
    assert int(counted[2]) >= 5, told.text
