"""Changed copies of values are what the constructor would make."""

from __future__ import annotations

import pytest

from engine.core.changes import CallbackChanged
from engine.core.records import AgentStatus, Callback, Request
from engine.core.terms import AgentId, CallbackId, CallbackState, Outcome, RequestChannel, ServiceId
from engine.core.values import replace

REQUEST = Request(ServiceId("billing"), "+12025550101", "en", RequestChannel.WEB, context={"page": "prices"})
CALLBACK = Callback(CallbackId("c1"), REQUEST, CallbackState.QUEUED, 1.0, 2.0, "hash", outcomes=(Outcome.BUSY,))


def test_given_a_value_when_fields_are_changed_then_all_others_are_as_before() -> None:
    changed = replace(CALLBACK, state=CallbackState.RESERVED, widened=2)
    made = Callback(
        CallbackId("c1"), REQUEST, CallbackState.RESERVED, 1.0, 2.0, "hash", outcomes=(Outcome.BUSY,), widened=2
    )
    assert changed == made
    assert repr(changed) == repr(made)
    assert CALLBACK.state is CallbackState.QUEUED


def test_given_nothing_to_change_then_the_copy_is_another_value_and_equal() -> None:
    copy = replace(CALLBACK)
    assert copy == CALLBACK
    assert copy is not CALLBACK


def test_given_a_value_when_it_is_changed_then_it_refuses_and_the_type_checker_says_so_before() -> None:
    status = AgentStatus(AgentId("amy"))
    with pytest.raises(AttributeError):
        status.reason = "lunch"  # type: ignore[misc]


def test_given_equal_values_then_they_are_one_member_of_a_set_and_have_no_room_for_other_fields() -> None:
    assert {AgentStatus(AgentId("amy")), AgentStatus(AgentId("amy"))} == {AgentStatus(AgentId("amy"))}
    assert not hasattr(AgentStatus(AgentId("amy")), "__dict__")


def test_given_a_value_of_one_field_then_it_is_changed_too() -> None:
    other = replace(CALLBACK, agent=AgentId("amy"))
    assert replace(CallbackChanged(CALLBACK), callback=other).callback is other


def test_given_a_field_that_there_is_not_then_it_is_an_error() -> None:
    with pytest.raises(TypeError):
        replace(CALLBACK, sate=CallbackState.RESERVED)
