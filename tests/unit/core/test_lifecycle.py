"""The table of a callback's moves: complete, closed, and always with a way to an end."""

from __future__ import annotations

import itertools

import pytest

from engine.core.lifecycle import REASONS, TABLE, Because, IllegalMoveError, after, can
from engine.core.terms import CallbackState

STATES: list[CallbackState | None] = [None, *CallbackState]
ENDS = {state for state in CallbackState if state.ended}
LATER_FEATURES = {
    CallbackState.AWAITING_CUSTOMER,
}


def reachable(start: CallbackState | None) -> set[CallbackState]:
    found: set[CallbackState] = set()
    to_visit: list[CallbackState | None] = [start]
    while to_visit:
        here = to_visit.pop()
        for (state, _because), target in TABLE.items():
            if state is here and target not in found:
                found.add(target)
                to_visit.append(target)
    return found


@pytest.mark.parametrize(("state", "because"), list(itertools.product(STATES, Because)))
def test_given_any_state_and_cause_then_it_is_in_the_table_or_raises(
    state: CallbackState | None, because: Because
) -> None:
    if (state, because) in TABLE:
        assert after(state, because) is TABLE[state, because]
    else:
        with pytest.raises(IllegalMoveError, match=because):
            after(state, because)
    if state is not None:
        assert can(state, because) == ((state, because) in TABLE)


def test_given_the_ends_then_they_are_the_four_of_the_closed_list_and_never_left() -> None:
    assert {state.value for state in ENDS} == {"completed", "unsuccessful", "cancelled", "expired"}
    assert not [pair for pair in TABLE if pair[0] in ENDS]


@pytest.mark.parametrize("state", sorted(reachable(None) - ENDS))
def test_given_a_state_that_is_no_end_then_an_end_can_be_reached(state: CallbackState) -> None:
    assert reachable(state) & ENDS


def test_given_the_states_that_cannot_be_reached_then_they_are_those_of_later_features() -> None:
    assert set(CallbackState) - reachable(None) == LATER_FEATURES


def test_given_a_cause_then_it_moves_something() -> None:
    assert {because for _state, because in TABLE} == set(Because)


def test_given_a_cause_that_leads_to_an_end_then_it_has_a_reason_unless_whoever_cancels_gives_it() -> None:
    ending = {because for (_state, because), target in TABLE.items() if target.ended}
    assert set(REASONS) == ending - {Because.CANCELLED}


def test_given_a_cause_then_it_either_always_ends_or_never() -> None:
    for because in Because:
        targets = {target.ended for (_state, cause), target in TABLE.items() if cause is because}
        assert len(targets) == 1, because


def test_given_an_attempt_then_it_begins_only_in_the_line_and_the_line_is_joined_only_between_calls() -> None:
    into_reserved = {state for (state, _because), target in TABLE.items() if target is CallbackState.RESERVED}
    into_the_line = {state for (state, _because), target in TABLE.items() if target is CallbackState.QUEUED}
    assert into_reserved == {CallbackState.QUEUED, CallbackState.PREVIEWING}
    not_called = {CallbackState.PREVIEWING, CallbackState.RINGING_AGENT}
    assert into_the_line == {None, CallbackState.SCHEDULED, CallbackState.RETRY_WAIT, *not_called}
