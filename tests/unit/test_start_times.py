"""The parts of a start: they add up to the process's age, each counts once, and the log has one line of them."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from engine import start_times
from engine.start_times import StartTimes


def test_a_process_knows_its_age_to_a_few_hundredths() -> None:
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    asked = "from engine.start_times import process_born; print(process_born())"
    born = float(subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout)
    assert began - 0.02 <= born <= began + 0.5, f"born {born - began:.3f} s after we began"


def test_the_parts_of_a_start_add_up_and_are_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((101.0, 101.5, 103.0, 103.25, 109.0))
    monkeypatch.setattr(start_times, "process_born", lambda: 100.0)
    monkeypatch.setattr(start_times, "_now", lambda: next(moments))
    start = StartTimes()
    start.reached("imports")
    start.reached("store")
    start.reached("connecting")
    start.reached("connecting")  # the socket was lost and came back before the start was over
    with capture_logs() as logs:
        first = dict(start.ready())
        start.reached("building")
        again = start.ready()
    assert first == again == {"imports": 1.0, "store": 0.5, "connecting": 1.5, "looks": 0.25}
    assert [(each["event"], each["seconds"], each["store_seconds"]) for each in logs] == [("engine.ready", 3.25, 0.5)]
