"""Twenty callers and twenty callbacks on five agents of mixed skills, one caller a second becoming a callback.

Who was served when is judged by `order`, from the engine's database and the simulated network's own record; that the
judge finds what is wrong is tested beside the unit tests.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise

import pytest

from tests.live.faults.background import Background
from tests.live.inbound.crowd import MANY, REJECTS, SAME_SECONDS, STAYING, Happened, crowd, record_of
from tests.live.inbound.order import Given, Record, kept_waiting, overtaken

STORIES = {crowd: 85}


@pytest.fixture(scope="module")
def happened(background: Background) -> Happened:
    return background.result(crowd)


@pytest.fixture(scope="module")
def record(happened: Happened) -> Record:
    return record_of(happened)


def test_twenty_callers_become_callbacks_one_each_second(happened: Happened) -> None:
    became = sorted(happened.callbacks_kept, key=lambda row: row["created_at"])
    assert MANY * 0.75 <= len(became) <= MANY, "who is given an agent before the first key talks to them"
    per_second = Counter(round(row["created_at"] - became[0]["created_at"]) for row in became)
    assert max(per_second.values()) <= 2
    assert max(later["created_at"] - row["created_at"] for row, later in pairwise(became)) < 6


def test_whoever_becomes_a_callback_keeps_the_place(happened: Happened) -> None:
    for callback in happened.callbacks_kept:
        call = happened.converted[callback["id"]]
        kept = [callback[each] for each in ("joined_at", "priority", "service", "phone")]
        assert kept == [call[each] for each in ("joined_at", "priority", "service", "phone")]
        assert callback["created_at"] > call["joined_at"]


def test_everybody_talks_and_nobody_is_called_twice(happened: Happened) -> None:
    talked = [row for row in happened.calls if row["outcome"] == "connected"]
    assert len(happened.calls) == MANY + STAYING
    assert len(talked) + len(happened.converted) == len(happened.calls)
    assert {(row["state"], row["reason"]) for row in happened.callbacks} == {("completed", "talked")}
    assert len(happened.callbacks) == MANY + len(happened.converted)
    called = Counter(call.number for call in happened.witness if call.side == "customer")
    assert called == Counter(row["phone"].removeprefix("+") for row in happened.callbacks)
    assert all(call.met_at is not None for call in happened.witness if call.side == "customer")
    met = {call.caller for call in happened.rung_in if call.met_at is not None}
    assert met == {row["phone"] for row in talked}
    assert happened.complaints == []


def test_customers_are_called_when_their_turn_was_written_and_at_no_other_time(happened: Happened) -> None:
    phones = {row["id"]: row["phone"].removeprefix("+") for row in happened.callbacks}
    invited = {call.number: call.invited_at for call in happened.witness if call.side == "customer"}
    assert len(happened.attempts) == len(invited)
    for attempt in happened.attempts:
        assert 0 <= invited[phones[attempt["callback"]]] - attempt["dialed_at"] < 1


def test_what_the_journal_says_of_agents_and_of_calls_is_the_same(happened: Happened, record: Record) -> None:
    given = {each.item: each for each in reversed(record.given)}  # the first of each
    last = {each.item: each for each in record.given}
    for attempt in happened.attempts:
        assert abs(given[attempt["callback"]].at - attempt["dialed_at"]) < SAME_SECONDS
        assert last[attempt["callback"]].agent == attempt["agent"]
    for call in happened.calls:
        if call["outcome"] == "connected":
            assert last[call["id"]].agent == call["agent"]


def test_who_is_served_is_the_first_in_the_line_whom_the_agent_serves(record: Record) -> None:
    assert len(record.given) >= 2 * MANY + STAYING
    assert overtaken(record) == []


def test_whom_an_agent_missed_is_served_again_by_another_one(happened: Happened, record: Record) -> None:
    [missed] = [move for move in happened.agent_moves if move["because"] == "rona"]
    times = Counter(each.item for each in record.given)
    [twice] = [item for item in times if times[item] > 1]
    first, again = [each for each in record.given if each.item == twice]
    assert first.agent == missed["agent"] == REJECTS
    assert again.agent != REJECTS
    assert again.at > missed["at"]


def test_no_agent_is_free_while_somebody_waits_whom_they_serve(record: Record) -> None:
    assert kept_waiting(record) == []


def test_the_judge_would_have_found_any_two_who_were_served_in_each_others_place(record: Record) -> None:
    waits = {(wait.item, wait.until): wait for wait in record.waits}
    swaps = [
        _swapped(record, early, late)
        for early, late in combinations(record.given, 2)
        if early.key < late.key
        and waits[late.item, late.at].since < early.at
        and waits[late.item, late.at].service in record.serves[early.agent]
        and waits[early.item, early.at].service in record.serves[early.agent]
    ]
    assert len(swaps) > MANY
    assert all(overtaken(swapped) for swapped in swaps)


def _swapped(record: Record, early: Given, late: Given) -> Record:
    """As if these two had been served in each other's place."""
    others = {
        early: replace(early, item=late.item, key=late.key),
        late: replace(late, item=early.item, key=early.key),
    }
    given = tuple(others.get(each, each) for each in record.given)
    ends = {(early.item, early.at): late.at, (late.item, late.at): early.at}
    waits = tuple(replace(wait, until=ends.get((wait.item, wait.until), wait.until)) for wait in record.waits)
    return replace(record, given=given, waits=waits)
