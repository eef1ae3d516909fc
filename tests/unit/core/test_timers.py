"""Timers by owner and name: the last setting counts, a stale firing is recognised."""

from __future__ import annotations

from engine.core.changes import TimerCleared, TimerSet
from engine.core.records import Timer
from engine.core.timers import Timers


def test_given_a_timer_when_its_moment_comes_then_it_is_due_and_not_before() -> None:
    timers = Timers()

    assert timers.set("c1", "life", 10.0) == [TimerSet(Timer("c1", "life", 10.0))]

    assert not timers.due("c1", "life", 9.9)
    assert timers.due("c1", "life", 10.0)
    assert timers.due("c1", "life", 11.0)


def test_given_a_timer_that_was_moved_then_the_old_moment_is_stale() -> None:
    timers = Timers()
    timers.set("c1", "ring", 10.0)
    timers.set("c1", "ring", 20.0)

    assert not timers.due("c1", "ring", 10.0)
    assert list(timers.pending()) == [Timer("c1", "ring", 20.0)]


def test_given_a_timer_that_is_cleared_then_it_is_never_due_and_cleared_once() -> None:
    timers = Timers()
    timers.set("c1", "ring", 10.0)

    assert timers.clear("c1", "ring") == [TimerCleared("c1", "ring")]
    assert timers.clear("c1", "ring") == []
    assert not timers.due("c1", "ring", 99.0)
    assert not timers.is_set("c1", "ring")


def test_given_names_and_owners_nobody_set_then_nothing_is_due() -> None:
    timers = Timers()
    timers.set("c1", "ring", 10.0)

    assert not timers.due("c1", "life", 99.0)
    assert not timers.due("c2", "ring", 99.0)
    assert timers.is_set("c1", "ring")
    assert not timers.is_set("c1", "life")


def test_given_an_owner_that_ends_then_all_of_its_timers_and_no_others_are_cleared() -> None:
    timers = Timers()
    timers.set("c1", "ring", 10.0)
    timers.set("c1", "life", 20.0)
    timers.set("c2", "life", 30.0)

    cleared = timers.clear_all("c1")

    assert set(cleared) == {TimerCleared("c1", "ring"), TimerCleared("c1", "life")}
    assert list(timers.pending()) == [Timer("c2", "life", 30.0)]
    assert timers.clear_all("c1") == []


def test_given_restored_timers_then_they_are_pending_as_before() -> None:
    rows = [Timer("c1", "ring", 10.0), Timer("c1", "life", 20.0), Timer("amy", "wrap_up", 5.0)]
    timers = Timers()

    timers.restore(rows)

    assert set(timers.pending()) == set(rows)
    assert timers.due("amy", "wrap_up", 5.0)
