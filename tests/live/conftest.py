"""One lab for all live tests of a session: real calls on a real Asterisk. Tests tell their calls apart by number.

The demonstration, the crash run and the long stories of faults have labs of their own; they begin with the first live
test and are judged last.
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
from tests.live.faults.background import Background

_HERE = Path(__file__).resolve().parent
_DEMO = _HERE / "test_demo.py"
_CRASH = _HERE / "crash" / "test_kills.py"
_FAULTS = _HERE / "faults"
_INBOUND = _HERE / "inbound"
_SCREENING = _HERE / "test_screening_bench.py"
CRASH_KILLS = 10
INTERRUPTIONS = (
    Interruption(signal.SIGINT, Moment.CUSTOMER_ANSWERED, times=2),
    Interruption(signal.SIGTERM, Moment.CUSTOMER_ANSWERED),
    Interruption(signal.SIGHUP, Moment.ENGINE_STARTS),
)
"""People are impatient, service managers polite, and terminals get closed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder is marked `live`; those who wait for what runs beside them come after all others."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.live)
    items.sort(key=_waits)


def _waits(item: pytest.Item) -> int:
    """0: for nothing, 1: for the long stories, 2: for the demonstration, 3: for the crash run."""
    if item.path.is_relative_to(_FAULTS) or item.path.is_relative_to(_INBOUND):
        return 1
    return {_SCREENING: 1, _DEMO: 2, _CRASH: 3}.get(item.path, 0)


@pytest.fixture(scope="session", autouse=True)
def _others_wait_for_them(request: pytest.FixtureRequest) -> None:
    """Start what runs beside the first live test, as far as it was selected."""
    waits = {_waits(item) for item in request.session.items}
    for waited_for, fixture in ((3, "crash_run"), (2, "demo_runs"), (1, "background")):
        if waited_for in waits:
            request.getfixturevalue(fixture)


@pytest.fixture(scope="session")
def background(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """The long stories of the selected tests; each module names its own in `STORIES`, with the seconds it takes."""
    modules = dict.fromkeys(item.module for item in request.session.items if isinstance(item, pytest.Function))
    seconds = {story: takes for module in modules for story, takes in getattr(module, "STORIES", {}).items()}
    stories = sorted(seconds, key=seconds.__getitem__, reverse=True)
    running = Background(stories, tmp_path_factory.mktemp)
    yield running
    running.close()


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
