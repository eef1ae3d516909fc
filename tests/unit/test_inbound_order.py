"""The judge of who was served when: it is content with a line that was kept, and finds each way of breaking it."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.live.inbound.order import Free, Given, Record, Wait, kept_waiting, key, longest_beside, overtaken

SERVES = {"all": frozenset({"gold", "plain"}), "gold": frozenset({"gold"})}
EARLY = key(100.0, 0, 100.0, "early")
LATE = key(101.0, 0, 101.0, "late")
URGENT = key(102.0, 5, 102.0, "urgent")
KEPT = Record(
    serves=SERVES,
    waits=(
        Wait("early", "plain", EARLY, since=100.0, until=110.0),
        Wait("late", "plain", LATE, since=101.0, until=115.0),
        Wait("urgent", "gold", URGENT, since=112.0, until=113.0),
    ),
    given=(
        Given("all", "early", EARLY, at=110.0),
        Given("gold", "urgent", URGENT, at=113.0),
        Given("all", "late", LATE, at=115.0),
    ),
    free=(Free("gold", since=100.0, until=112.5), Free("all", since=110.0, until=110.0)),
)


def served(record: Record, *given: Given, **until: float) -> Record:
    """The same waits, which ended then, but others were served."""
    waits = tuple(replace(wait, until=until.get(wait.item, wait.until)) for wait in record.waits)
    return replace(record, given=given, waits=waits)


def test_given_a_line_that_was_kept_then_nothing_is_found() -> None:
    assert overtaken(KEPT) == []
    assert kept_waiting(KEPT) == []


def test_given_one_who_came_later_was_served_first_then_it_is_found() -> None:
    swapped = served(KEPT, Given("all", "late", LATE, at=110.0), Given("all", "early", EARLY, at=115.0), early=115.0)
    assert overtaken(swapped) == ["all was given late at 110.000, but early stood before"]


def test_given_a_lower_priority_was_served_before_a_higher_one_then_it_is_found() -> None:
    passed = served(KEPT, Given("all", "late", LATE, at=112.7))
    assert overtaken(passed) == ["all was given late at 112.700, but urgent stood before"]


def test_given_a_confirmed_customer_on_the_phone_was_left_waiting_then_it_is_found() -> None:
    on_the_phone = key(109.0, -3, 109.0, "held", on_the_phone=True)
    record = replace(KEPT, waits=(*KEPT.waits, Wait("held", "gold", on_the_phone, since=112.0, until=120.0)))
    assert [each.rpartition(", but ")[2] for each in overtaken(record)] == ["held stood before"] * 2


def test_given_an_agent_passed_over_one_whom_they_do_not_serve_then_nothing_is_found() -> None:
    assert overtaken(served(KEPT, Given("gold", "urgent", URGENT, at=113.0), early=200.0, late=200.0)) == []
    lower = replace(KEPT, waits=(Wait("plain", "plain", key(1.0, 9, 1.0, "plain"), since=1.0, until=200.0),))
    assert overtaken(replace(lower, given=(Given("gold", "urgent", URGENT, at=113.0),))) == []


def test_given_one_stood_aside_when_another_was_served_then_nothing_is_found() -> None:
    late = Given("all", "late", LATE, at=115.0)
    assert overtaken(served(KEPT, late, early=114.9)) == []
    assert overtaken(served(KEPT, late, early=115.1)) != []


def test_given_an_agent_was_free_for_longer_than_a_second_beside_one_they_serve_then_it_is_found() -> None:
    idle = replace(KEPT, free=(Free("all", since=105.0, until=106.5),))
    assert len(kept_waiting(idle)) == 2
    assert kept_waiting(replace(KEPT, free=(Free("all", since=105.0, until=105.9),))) == []
    assert kept_waiting(replace(KEPT, free=(Free("gold", since=100.0, until=112.9),))) == []
    for_ever = replace(KEPT, free=(Free("all", since=114.0, until=math.inf),))
    assert longest_beside(for_ever) == 1.0
    assert longest_beside(replace(for_ever, waits=())) == 0.0
