"""One lab for all live tests of a session: real calls on a real Asterisk. Tests tell their calls apart by number.

The demonstration has labs of its own; its runs begin with the first live test and are judged last.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.lab import Lab
from tests.live.demo_runs import DemoRuns, Interruption, Moment

_HERE = Path(__file__).resolve().parent
_DEMO = _HERE / "test_demo.py"
INTERRUPTIONS = (
    Interruption(signal.SIGINT, Moment.CUSTOMER_ANSWERED, times=2),
    Interruption(signal.SIGTERM, Moment.CUSTOMER_ANSWERED),
    Interruption(signal.SIGHUP, Moment.ENGINE_STARTS),
)
"""People are impatient, service managers polite, and terminals get closed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder is marked `live`; those who wait for the demonstration come after all others."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.live)
    items.sort(key=lambda item: item.path == _DEMO)


@pytest.fixture(scope="session", autouse=True)
def _demo_begins_early(request: pytest.FixtureRequest) -> None:
    """Start the demonstration beside the first live story, if it was selected."""
    if any(item.path == _DEMO for item in request.session.items):
        request.getfixturevalue("demo_runs")


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
