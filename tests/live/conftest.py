"""One lab for all live tests of a session: real calls on a real Asterisk. Tests tell their calls apart by number.

The demonstration and the crash run have labs of their own; they begin with the first live test and are judged last.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.lab import Lab
from tests.live.crash.background import CrashRun
from tests.live.demo_runs import DemoRuns, Interruption, Moment

_HERE = Path(__file__).resolve().parent
_DEMO = _HERE / "test_demo.py"
_CRASH = _HERE / "crash" / "test_kills.py"
_LAST = (_DEMO, _CRASH)
CRASH_KILLS = 10
INTERRUPTIONS = (
    Interruption(signal.SIGINT, Moment.CUSTOMER_ANSWERED, times=2),
    Interruption(signal.SIGTERM, Moment.CUSTOMER_ANSWERED),
    Interruption(signal.SIGHUP, Moment.ENGINE_STARTS),
)
"""People are impatient, service managers polite, and terminals get closed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder is marked `live`; those who wait for what runs beside come after all others."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.live)
    items.sort(key=lambda item: _LAST.index(item.path) if item.path in _LAST else -1)


@pytest.fixture(scope="session", autouse=True)
def _long_runs_begin_early(request: pytest.FixtureRequest) -> None:
    """Start the crash run and the demonstration beside the first live story, if they were selected."""
    paths = {item.path for item in request.session.items}
    for path, fixture in ((_CRASH, "crash_run"), (_DEMO, "demo_runs")):
        if path in paths:
            request.getfixturevalue(fixture)


@pytest.fixture(scope="session")
def demo_runs() -> Iterator[DemoRuns]:
    """`ringback demo` to its end, and interrupted in several ways."""
    runs = DemoRuns(INTERRUPTIONS)
    yield runs
    runs.close()


@pytest.fixture(scope="session")
def crash_run() -> Iterator[CrashRun]:
    """An engine that is killed under load, ten times."""
    run = CrashRun(os.environ.get("RINGBACK_CRASH_SEED"), CRASH_KILLS)
    yield run
    run.close()


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A running lab that records what every far end hears."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def progress(line: str) -> None:
        # Building the first Asterisk takes a while; a silent test run looks like a dead one.
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\nlab: {line}\n")

    with Lab.up(progress=progress, record_audio=True) as running:
        yield running
