"""The collector waits during a start and looks seldom afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from engine import collector


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()
    gc.enable()


def test_given_a_start_that_is_paused_when_it_settles_then_what_it_made_is_never_looked_at() -> None:
    collector.pause()
    assert not gc.isenabled()
    made = [[n] for n in range(100)]
    collector.settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(made)
    assert gc.get_threshold() == (collector.YOUNG, collector.YOUNG_ROUNDS, collector.MIDDLE_ROUNDS)
