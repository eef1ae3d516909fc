"""`ringback demo` as a user runs it: it tells the truth as JSON, and leaves nothing behind, however it ends.

The runs begin with the first live test (see conftest) and go on beside the others; these tests come last and wait.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import CallbackChanged
from engine.core.decision import Decision
from engine.core.events import Event
from engine.core.terms import CallbackState, Outcome, Reason, RequestChannel
from engine.demo.cast import CAST, Asks
from engine.recording import replay
from engine.simulation.recorded import recorded
from engine.simulation.rerun import rerun
from tests.live.conftest import INTERRUPTIONS
from tests.live.demo_runs import DemoRuns, Ended, Interruption

# fmt: off
CALLBACK_FIELDS = [
    "id", "parent_id", "service", "subject", "phone", "customer_id", "first_name", "last_name", "language", "context",
    "page_url", "state", "reason", "channel", "when", "priority", "position", "wait", "scheduled_for",
    "next_attempt_at", "agent", "disposition", "outcome_code", "notes", "created_at", "ended_at", "attempts",
]
ATTEMPT_FIELDS = [
    "n", "outcome", "cause", "sip_code", "verdict", "verdict_reason", "verdict_seconds", "agent", "dialed_at",
    "answered_at", "confirmed_at", "bridged_at", "transferred_at", "ended_at", "talk_seconds",
]
# fmt: on
ASKS = {part.number: part.asks for part in CAST}


@pytest.fixture(scope="session")
def whole(demo_runs: DemoRuns) -> Ended:
    return demo_runs.whole()


def callbacks_of(run: Ended) -> list[dict[str, Any]]:
    callbacks: list[dict[str, Any]] = json.loads(run.output)["callbacks"]
    return callbacks


def left_behind(run: Ended) -> dict[str, object]:
    return {
        "processes": run.processes_left,
        "process group": run.group_left,
        "ports": run.ports_left,
        "folders": run.folders_left,
    }


NOTHING = {"processes": [], "process group": False, "ports": [], "folders": []}


def test_every_callback_of_the_demo_ends_as_its_number_says(whole: Ended) -> None:
    assert whole.code == 0, whole.errors
    told = json.loads(whole.output)
    assert set(told) == {"callbacks", "ok"}
    assert told["ok"] is True
    endings = [(each["phone"], each["state"], each["reason"]) for each in told["callbacks"]]
    assert endings == [(part.number, part.state, part.reason) for part in CAST]


def test_the_demo_gives_callbacks_as_the_interface_does(whole: Ended) -> None:
    for callback in callbacks_of(whole):
        assert list(callback) == CALLBACK_FIELDS
        assert CallbackState(callback["state"]).ended
        assert Reason(callback["reason"])
        rang_in = ASKS[callback["phone"]] is Asks.BY_RINGING_IN
        assert RequestChannel(callback["channel"]) is (RequestChannel.PHONE if rang_in else RequestChannel.WEB)
        assert is_utc(callback["created_at"])
        assert is_utc(callback["ended_at"])
        assert [attempt["n"] for attempt in callback["attempts"]] == [*range(1, len(callback["attempts"]) + 1)]
        for attempt in callback["attempts"]:
            assert list(attempt) == ATTEMPT_FIELDS
            assert Outcome(attempt["outcome"])
            assert is_utc(attempt["dialed_at"])
            assert is_utc(attempt["ended_at"])


def test_an_attempt_that_connected_has_all_its_times_in_order(whole: Ended) -> None:
    attempts = [attempt for callback in callbacks_of(whole) for attempt in callback["attempts"]]
    connected = [attempt for attempt in attempts if attempt["outcome"] == "connected"]
    assert connected
    for attempt in connected:
        times = [attempt[f"{name}_at"] for name in ("dialed", "answered", "confirmed", "bridged", "ended")]
        assert None not in times
        assert times == sorted(times)
        assert attempt["talk_seconds"] > 0
    assert all(attempt["talk_seconds"] is None for attempt in attempts if attempt["bridged_at"] is None)


@pytest.fixture(scope="session")
def record(whole: Ended, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "record"
    path.write_bytes(whole.record)
    return path


def test_the_record_of_the_demo_replays_with_the_same_decisions(record: Path) -> None:
    replayed = replay(record)
    assert replayed.events > 300
    assert replayed.differences == ()


def test_in_virtual_time_the_recorded_demo_ends_as_it_did_for_all_who_did_not_ring_in(record: Path) -> None:
    ends: dict[str, tuple[str, str | None]] = {}

    def observe(_event: Event, decision: Decision, _now: float) -> None:
        for change in decision.changes:
            if isinstance(change, CallbackChanged) and change.callback.state.ended:
                callback = change.callback
                ends[callback.request.phone] = callback.state.value, callback.reason and callback.reason.value

    rerun(recorded(record), None, within_seconds=10, observers=[observe])
    # Calls that came in are left out of what is decided anew, so are the callbacks promised in them.
    decided = [part for part in CAST if part.asks is not Asks.BY_RINGING_IN]
    assert len(decided) == len(CAST) - 1
    assert ends == {part.number: (part.state, part.reason) for part in decided}


def test_the_demo_leaves_nothing_behind(whole: Ended) -> None:
    assert left_behind(whole) == NOTHING


@pytest.mark.parametrize("interruption", INTERRUPTIONS, ids=lambda each: f"{each.number.name} {each.at.name}")
def test_a_demo_that_is_interrupted_says_so_in_one_line_and_leaves_nothing_behind(
    demo_runs: DemoRuns, interruption: Interruption
) -> None:
    run = demo_runs.interrupted(interruption)
    assert run.code == 130, run.errors
    assert run.output == ""
    assert run.processes_seen >= 4, "the demo, its engine and two Asterisks ran when the signal came"
    lines = run.errors.splitlines()
    assert all(line.startswith("demo: ") for line in lines), run.errors
    assert lines[-1] == "demo: interrupted; nothing is left running"
    assert left_behind(run) == NOTHING


def is_utc(text: str) -> bool:
    return text.endswith("Z") and datetime.fromisoformat(text).utcoffset() is not None
