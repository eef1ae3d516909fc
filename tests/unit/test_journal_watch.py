"""What operators see of a recovery and of an ended attempt: one log line and one count for each."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.core.callphase import Phase, Recovery
from engine.core.changes import AttemptChanged, CallbackChanged, CallbackMoved, InboundChanged
from engine.core.decision import Recovered
from engine.core.events import AttemptSeen, LegSeen
from engine.core.lifecycle import Because
from engine.core.records import Attempt, Callback, InboundCall, Request
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    CallbackState,
    InboundOutcome,
    LegId,
    Outcome,
    RequestChannel,
    ServiceId,
)
from engine.core.values import replace
from engine.journal_watch import JournalWatch
from engine.metrics import Metrics

ATTEMPT, CALLBACK = AttemptId("c1-1"), CallbackId("c1")


def test_a_recovered_attempt_has_one_line_that_says_what_was_found_and_done() -> None:
    metrics = Metrics()
    watch = JournalWatch(metrics)
    seen = AttemptSeen(ATTEMPT, LegSeen.ENTERED, LegSeen.RINGING)

    with capture_logs() as lines:
        watch.told(seen, Recovered(ATTEMPT, Phase.WAITING, Recovery.AGENT_KEPT))
        watch.told(AttemptSeen(AttemptId("nobody-1"), LegSeen.GONE, LegSeen.GONE), None)

    (line,) = lines
    assert (line["event"], line["attempt"], line["phase"]) == ("attempt.recovered", "c1-1", "waiting")
    assert (line["customer_leg"], line["agent_leg"], line["bridged"]) == ("entered", "ringing", False)
    assert line["did"] == "music again, agent kept"
    assert 'ringback_attempts_recovered_total{did="music again, agent kept"} 1.0' in metrics.text().decode()


@pytest.mark.parametrize(("because", "talked"), [(Because.CALL_ENDED, 20.0), (Because.CALL_ENDED_UNOBSERVED, None)])
def test_an_ended_conversation_is_told_with_its_length_only_if_somebody_saw_its_end(
    because: Because, talked: float | None
) -> None:
    ended = Attempt(ATTEMPT, CALLBACK, 1, None, 0.0, bridged_at=10.0, ended_at=30.0, outcome=Outcome.CONNECTED)
    moved = CallbackMoved(CALLBACK, CallbackState.CONNECTED, CallbackState.COMPLETED, because, 30.0)

    with capture_logs() as lines:
        JournalWatch(Metrics()).written([AttemptChanged(ended), moved])

    assert [line["seconds_talked"] for line in lines] == [talked]


def test_a_held_callback_is_told_and_counted() -> None:
    metrics = Metrics()
    held = CallbackMoved(CALLBACK, CallbackState.CONFIRMED, CallbackState.RETRY_WAIT, Because.HELD_FOR_SUPERVISOR, 30.0)

    with capture_logs() as lines:
        JournalWatch(metrics).written([held])

    assert [(line["event"], line["log_level"], line["callback"]) for line in lines] == [
        ("callback.held", "error", "c1")
    ]
    assert "ringback_callbacks_held_total 1.0" in metrics.text().decode()


def test_faults_are_counted() -> None:
    metrics = Metrics()
    metrics.store_failed("slow")
    metrics.effect_ended("Connect", "unknown")
    figures = metrics.text().decode()
    assert 'ringback_store_failures_total{kind="slow"} 1.0' in figures
    assert 'ringback_effects_total{effect="Connect",result="unknown"} 1.0' in figures


def test_whom_an_attempt_overtook_is_counted_once_when_it_begins() -> None:
    metrics = Metrics()
    watch = JournalWatch(metrics)
    request = Request(ServiceId("billing"), "+12025550113", "en", RequestChannel.WEB)
    reserved = Callback(CALLBACK, request, CallbackState.RESERVED, 1.0, 1.0, "hash", attempts_started=1)
    attempt = Attempt(ATTEMPT, CALLBACK, 1, None, 2.0, overtook=3)
    begins = CallbackMoved(CALLBACK, CallbackState.QUEUED, CallbackState.RESERVED, Because.AGENT_RESERVED, 2.0)
    shown = CallbackMoved(CALLBACK, CallbackState.RESERVED, CallbackState.PREVIEWING, Because.PREVIEW_OFFERED, 2.0)
    dialled = CallbackMoved(CALLBACK, CallbackState.RESERVED, CallbackState.DIALING, Because.DIALLED, 3.0)

    watch.written([CallbackChanged(reserved), begins, CallbackChanged(reserved), shown, AttemptChanged(attempt)])
    assert "ringback_overtakes_total{" not in metrics.text().decode()
    watch.written([CallbackChanged(reserved), begins, AttemptChanged(attempt), AttemptChanged(attempt)])
    # A field of a reserved callback may change before its phone rings.
    watch.written([CallbackChanged(reserved), AttemptChanged(attempt), CallbackChanged(reserved), dialled])

    assert 'ringback_overtakes_total{service="billing"} 3.0' in metrics.text().decode()


def inbound(outcome: InboundOutcome | None, **fields: Any) -> InboundCall:  # noqa: ANN401 - the fields of a call
    """A call to `billing` that came in at 100."""
    known: dict[str, Any] = {
        "service": ServiceId("billing"),
        "phone": "+12025550113",
        "joined_at": 40.0,  # the place of an older request
        "outcome": outcome,
    }
    known |= fields
    return InboundCall(
        id=AttemptId("callpbx-1"), leg=LegId("pbx-1"), dialled="+12025550100", language="en", entered_at=100.0, **known
    )


def test_a_call_that_came_in_and_is_over_has_one_line_and_no_number_in_it() -> None:
    metrics = Metrics()
    watch = JournalWatch(metrics)
    talks = inbound(None, agent=AgentId("amy"), bridging_at=129.0, bridged_at=130.0)
    over = replace(talks, outcome=InboundOutcome.CONNECTED, ended_at=190.5, cause=16)

    with capture_logs() as lines:
        watch.written([InboundChanged(talks)])
        watch.written([InboundChanged(over)])

    (line,) = lines
    assert line == {
        "event": "inbound.ended",
        "log_level": "info",
        "call": "callpbx-1",
        "service": "billing",
        "outcome": "connected",
        "cause": 16,
        "agent": "amy",
        "callback": None,
        "number_known": True,
        "seconds_waited": 30.0,
        "seconds_talked": 60.5,
    }
    text = metrics.text().decode()
    assert 'ringback_inbound_calls_total{outcome="connected",service="billing"} 1.0' in text
    assert 'ringback_inbound_wait_seconds_sum{service="billing"} 30.0' in text


@pytest.mark.parametrize(
    ("call", "waited", "counted"),
    [
        (inbound(InboundOutcome.ABANDONED, ended_at=147.0), 47.0, False),
        (inbound(InboundOutcome.CLOSED, joined_at=None, ended_at=147.0), None, False),
        # They were brought together, and nobody saw more of it.
        (inbound(InboundOutcome.CONNECTED, bridging_at=120.0, ended_at=147.0), 20.0, True),
        # An agent was about to be connected when the caller hung up.
        (inbound(InboundOutcome.ABANDONED, bridging_at=120.0, ended_at=147.0), 47.0, False),
    ],
)
def test_how_long_a_caller_waited_counts_as_far_as_anybody_knows(
    call: InboundCall, waited: float | None, *, counted: bool
) -> None:
    metrics = Metrics()

    with capture_logs() as lines:
        JournalWatch(metrics).written([InboundChanged(call)])

    assert [(line["seconds_waited"], line["seconds_talked"]) for line in lines] == [(waited, None)]
    text = metrics.text().decode()
    assert f'ringback_inbound_calls_total{{outcome="{call.outcome}",service="billing"}} 1.0' in text
    assert ('ringback_inbound_wait_seconds_count{service="billing"} 1.0' in text) == counted


def test_a_call_that_no_service_takes_is_counted_without_one() -> None:
    metrics = Metrics()
    refused = inbound(InboundOutcome.REFUSED, service=ServiceId(""), joined_at=None, ended_at=100.0)
    JournalWatch(metrics).written([InboundChanged(refused)])
    assert 'ringback_inbound_calls_total{outcome="refused",service=""} 1.0' in metrics.text().decode()
