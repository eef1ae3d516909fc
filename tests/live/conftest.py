"""One lab for the live tests that tell their calls apart by number; whatever takes long runs beside them.

The demonstration, the crash run, the engine of `calls` and the stories have labs of their own. They begin with the
first live test and are judged last, after the tests without calls. How to write a story stands in faults/background.py.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from enum import IntEnum, auto
from pathlib import Path
from typing import Any

import pytest

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.cast import AGENTS, SERVICES
from tests.live.calls.centre import Centre
from tests.live.crash.background import CrashRun
from tests.live.demo_runs import DemoRuns, Interruption, Moment
from tests.live.faults.background import Background, Beside

_HERE = Path(__file__).resolve().parent
_DEMO = _HERE / "test_demo.py"
_CRASH = _HERE / "crash" / "test_kills.py"
CRASH_KILLS = 10
INTERRUPTIONS = (
    Interruption(signal.SIGINT, Moment.CUSTOMER_ANSWERED, times=2),
    Interruption(signal.SIGTERM, Moment.CUSTOMER_ANSWERED),
    Interruption(signal.SIGHUP, Moment.ENGINE_STARTS),
)
"""People are impatient, service managers polite, and terminals get closed."""


class Turn(IntEnum):
    """Live tests that wait for nobody come first, so that what runs beside them begins at once."""

    LIVE = auto()
    WITHOUT_CALLS = auto()
    STORIES = auto()
    DEMO = auto()
    CRASH = auto()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder is marked `live`; those who wait for what runs beside them come after all others."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.live)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> Turn:
    if not item.path.is_relative_to(_HERE):
        return Turn.WITHOUT_CALLS
    if _stories_of(item, "STORIES") or _stories_of(item, "CENTRE_STORIES"):
        return Turn.STORIES
    return {_DEMO: Turn.DEMO, _CRASH: Turn.CRASH}.get(item.path, Turn.LIVE)


def _stories_of(item: pytest.Item, kind: str) -> dict[Callable[..., Any], float]:
    """The stories that the item's module names, with the seconds each takes."""
    module = item.module if isinstance(item, pytest.Function) else None
    return getattr(module, kind, {})


def _selected(request: pytest.FixtureRequest, kind: str) -> list[Callable[..., Any]]:
    """The stories of the selected tests, the longest first."""
    seconds = {story: takes for item in request.session.items for story, takes in _stories_of(item, kind).items()}
    return sorted(seconds, key=seconds.__getitem__, reverse=True)


@pytest.fixture(scope="session", autouse=True)
def _others_wait_for_them(request: pytest.FixtureRequest) -> None:
    """Start what runs beside the first live test, as far as it was selected."""
    turns = {_turn(item) for item in request.session.items}
    if _selected(request, "CENTRE_STORIES"):
        # First, because it says what it does: making the first Asterisk takes minutes.
        request.getfixturevalue("centre_stories")
    for turn, fixture in ((Turn.CRASH, "crash_run"), (Turn.DEMO, "demo_runs"), (Turn.STORIES, "background")):
        if turn in turns:
            request.getfixturevalue(fixture)


@pytest.fixture(scope="session")
def background(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """The long stories of the selected tests."""
    running = Background(_selected(request, "STORIES"), tmp_path_factory.mktemp)
    yield running
    running.close()


@pytest.fixture(scope="session")
def centre_stories(request: pytest.FixtureRequest, centre: Centre) -> Iterator[Beside[Centre]]:
    """The stories on the one engine of `calls`, all at the same time."""
    stories = _selected(request, "CENTRE_STORIES")
    running = Beside(stories, lambda _story: centre, at_once=max(1, len(stories)))
    yield running
    running.close()


@pytest.fixture(scope="session")
def centre(progress: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """The engine of `calls`, configured, on a lab of its own; every agent is logged out."""
    with (
        Lab.up(progress=progress, record_audio=True) as lab,
        EngineProcess(lab, tmp_path_factory.mktemp("engine")) as engine,
    ):
        running = Centre(lab, engine)
        running.configure(SERVICES, AGENTS)
        yield running


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
def progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tells how a lab comes up: building the first Asterisk takes a while; a silent test run looks like a dead one."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\nlab: {line}\n")

    return tell


@pytest.fixture(scope="session")
def lab(progress: Callable[[str], None]) -> Iterator[Lab]:
    """A running lab that records what every far end hears."""
    with Lab.up(progress=progress, record_audio=True) as running:
        yield running
