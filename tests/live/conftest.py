"""One lab for all live tests of a session: real calls on a real Asterisk. Tests tell their calls apart by number.

The demonstration and the long stories of faults have labs of their own; they begin with the first live test and are
judged last.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.lab import Lab
from tests.live.demo_runs import DemoRuns, Interruption, Moment
from tests.live.faults.background import Background

_HERE = Path(__file__).resolve().parent
_DEMO = _HERE / "test_demo.py"
_FAULTS = _HERE / "faults"
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
    """0: for nothing, 1: for the long stories, 2: for the demonstration."""
    return 2 if item.path == _DEMO else int(item.path.is_relative_to(_FAULTS))


@pytest.fixture(scope="session", autouse=True)
def _others_wait_for_them(request: pytest.FixtureRequest) -> None:
    """Start what runs beside the first live test, as far as it was selected."""
    if any(item.path == _DEMO for item in request.session.items):
        request.getfixturevalue("demo_runs")
    if any(item.path.is_relative_to(_FAULTS) for item in request.session.items):
        request.getfixturevalue("background")


@pytest.fixture(scope="session")
def background(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """The long stories of the selected tests; each module names its own in `STORIES`."""
    modules = dict.fromkeys(item.module for item in request.session.items if isinstance(item, pytest.Function))
    stories = [story for module in modules for story in getattr(module, "STORIES", ())]
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
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A running lab that records what every far end hears."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def progress(line: str) -> None:
        # Building the first Asterisk takes a while; a silent test run looks like a dead one.
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\nlab: {line}\n")

    with Lab.up(progress=progress, record_audio=True) as running:
        yield running
