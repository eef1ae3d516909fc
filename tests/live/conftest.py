"""One lab for all live tests of a session: real calls on a real Asterisk. Tests tell their calls apart by number."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.lab import Lab

_HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder is marked `live`."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.live)


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
