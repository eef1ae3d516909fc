"""Full, refusing writes, locked, hung: one engine outlasts all of it. Scenario and judge are those of the bench."""

from __future__ import annotations

from tests.bench.disk import Outcome, engine_on_failing_disk, missed_bars
from tests.live.faults.background import Background, Place


def disk_fails_in_every_way(_place: Place) -> tuple[Outcome, list[str], list[str]]:
    """What came of it, what was said and what could not be tried."""
    said: list[str] = []
    notes: list[str] = []
    # Each fault lasts beyond the engine's patience with its store.
    outcome = engine_on_failing_disk(1.2, 20.0, said.append, notes, store_down_seconds=1.0)
    return outcome, said, notes


STORIES = {disk_fails_in_every_way: 30}


def test_whoever_was_accepted_is_called_whoever_was_refused_is_not_and_conversations_go_on(
    background: Background,
) -> None:
    outcome, said, notes = background.result(disk_fails_in_every_way)
    assert missed_bars(outcome) == [], f"{outcome}\n{said}\n{notes}"
    # Where no disk can be mounted, the lock is the only fault, and it is soon over.
    assert outcome.whole.accepted > (30 if notes else 100)
    assert outcome.whole.refused > (5 if notes else 20)
