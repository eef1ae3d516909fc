"""A recorded day decided anew: as it was, it comes out as it was; otherwise with the same people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core.decision import Decision, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.effects import DialCustomer
from engine.core.events import (
    AttemptSeen,
    CallbackRequested,
    CallerEntered,
    ConfigurationApplied,
    Event,
    LegSeen,
    NewNumber,
    PresenceRequested,
)
from engine.core.records import Request
from engine.core.terms import AgentId, AttemptId, CallbackId, LegId, Presence, RequestChannel, ServiceId
from engine.document import parse
from engine.errors import RecordError
from engine.recording import Started, replay
from engine.recording.lines import FORMAT, Decided, Heading, digest, to_text
from engine.simulation.drawn_people import VOICEMAIL
from engine.simulation.figures import ALL
from engine.simulation.recorded import recorded
from engine.simulation.rerun import rerun
from engine.simulation.run import Ran, run
from engine.simulation.virtual_engine import VirtualEngine
from tests.unit.simulation.scenarios import DOCUMENT, scenario

CUSTOMERS = {
    "calls": {"busy": 0.1, "no_answer": 0.1, "voicemail": 0.1, "rejected": 0.05},
    "presses": {"later": 0.05, "cancel": 0.05, "never": 0.05, "nothing": 0.05, "hang_up": 0.05},
    "talk_seconds": {"exponential": 120.0},
    "patience_seconds": {"exponential": 1800.0},
    "hold_patience_seconds": {"exponential": 60.0},
}
BUSY_DAY: dict[str, Any] = {
    "hours": 3.0,
    "customers": CUSTOMERS,
    "arrivals": [
        {"service": "billing", "per_hour": 22},
        {"service": "billing", "media": "chat", "per_hour": 6},
    ],
    "agents": {"misses": 0.05, "rejects": 0.1, "wrap_up_seconds": {"uniform": {"from": 5.0, "to": 20.0}}},
}


class Kept:
    """Writes a run down as `serve --record` does, and what was dialled when."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.dials: list[tuple[float, str]] = []

    def observe(self, event: Event, decision: Decision, now: float) -> None:
        self.lines.append(to_text(Decided(now, event, digest(decision))))
        self.dials += [(now, each.attempt) for each in decision.effects if isinstance(each, DialCustomer)]

    def write(self, path: Path, snapshot: Snapshot, text: str) -> Path:
        path.write_bytes(b"".join([to_text(Heading(FORMAT, "0")), to_text(Started(snapshot, text)), *self.lines]))
        return path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept, Ran]:
    """A busy day, its record, and what came of it."""
    setting, kept = scenario(**BUSY_DAY).first, Kept()
    ran = run(setting, 3, observers=[kept.observe])
    path = kept.write(tmp_path_factory.mktemp("day") / "record", Snapshot(setting.configuration), parse(DOCUMENT).text)
    return path, kept, ran


def test_who_was_a_voicemail_is_one_again(day: tuple[Path, Kept, Ran]) -> None:
    calls = recorded(day[0]).calls
    voicemails = [acts for acts in calls.values() if acts.sounds]
    assert 0.02 * len(calls) < len(voicemails) < 0.25 * len(calls)
    for acts in voicemails:
        assert [type(sound) for _, sound in acts.sounds] == [type(sound) for _, sound in VOICEMAIL]
        assert [at for at, _ in acts.sounds] == pytest.approx([at for at, _ in VOICEMAIL])


def test_the_record_of_a_simulated_day_replays(day: tuple[Path, Kept, Ran]) -> None:
    replayed = replay(day[0])
    assert replayed.differences == ()
    assert replayed.events == day[2].events


def test_decided_anew_as_it_was_everybody_is_called_when_they_were(day: tuple[Path, Kept, Ran]) -> None:
    path, kept, ran = day
    again = Kept()
    anew = rerun(recorded(path), None, 300, observers=[again.observe])
    assert [attempt for _, attempt in again.dials] == [attempt for _, attempt in kept.dials]
    assert [at for at, _ in again.dials] == pytest.approx([at for at, _ in kept.dials], abs=1)
    for name in ("asked", "dialled", "completed", "cancelled", "unsuccessful", "attempts"):
        assert anew.figures[ALL][name] == ran.figures[ALL][name], name
    assert anew.figures["billing"]["wait_mean"] == pytest.approx(ran.figures["billing"]["wait_mean"], abs=1)
    assert anew.figures["billing, chat"]["completed"] == ran.figures["billing, chat"]["completed"]


def test_with_more_agents_the_same_customers_wait_less(day: tuple[Path, Kept, Ran]) -> None:
    more = [{"id": f"new{n}", "name": "New", "endpoint": f"PJSIP/new-{n}", "skills": {"billing": 3}} for n in range(3)]
    document = parse({**DOCUMENT, "agents": [*DOCUMENT["agents"], *more]})
    as_it_was = rerun(recorded(day[0]), None, 300).figures["billing"]
    anew = rerun(recorded(day[0]), document.configuration, 300).figures["billing"]
    assert anew["asked"] == as_it_was["asked"]
    assert anew["wait_mean"] is not None
    assert as_it_was["wait_mean"] is not None
    assert anew["wait_mean"] < as_it_was["wait_mean"] / 2


def test_a_document_applied_in_the_record_counts_only_as_it_was(tmp_path: Path) -> None:
    agent_first = parse({**DOCUMENT, "services": [{**DOCUMENT["services"][0], "connect": "agent_first"}]})
    kept = Kept()
    setting = scenario().first
    request = Request(ServiceId("billing"), "+12025550100", "en", RequestChannel.WEB)
    events: list[tuple[float, Event]] = [
        (10.0, ConfigurationApplied(agent_first.configuration, agent_first.text)),
        (20.0, PresenceRequested(AgentId("ben"), Presence.READY)),
        (30.0, CallbackRequested(CallbackId("c1"), request, "")),
    ]
    engine = VirtualEngine(Snapshot(), 0.0)
    engine.observers.append(kept.observe)
    for at, event in events:
        engine.tell_at(at, event)
    engine.run_until(40)
    path = tmp_path / "record"
    kept.lines.insert(0, to_text(Started(Snapshot(), None)))
    path.write_bytes(b"".join([to_text(Heading(FORMAT, "0")), *kept.lines]))
    found = recorded(path)
    for configuration, dialled_at in ((None, 34.0), (setting.configuration, 30.0)):
        again = Kept()
        rerun(found, configuration, 300, observers=[again.observe])
        assert again.dials[0][0] == pytest.approx(dialled_at, abs=0.1)


def test_who_waited_when_the_recording_began_waits_again(tmp_path: Path) -> None:
    """Somebody waits, somebody talks; the agent who talks is free in the beginning of what is decided anew."""
    configuration = scenario().first.configuration
    engine = VirtualEngine(Snapshot(configuration), 0.0)
    engine.tell(PresenceRequested(AgentId("ben"), Presence.READY))
    for n in (1, 2):
        request = Request(ServiceId("billing"), f"+1202555010{n}", "en", RequestChannel.WEB)
        engine.tell(CallbackRequested(CallbackId(f"c{n}"), request, ""))
    dispatcher = engine.dispatcher
    snapshot = Snapshot(
        configuration,
        callbacks=tuple(dispatcher.book),
        attempts=tuple(flow.attempt for flow in dispatcher.live()),
        agents=tuple(dispatcher.desks.statuses()),
        timers=tuple(dispatcher.timers.pending()),
    )
    kept, again = Kept(), Kept()
    later = VirtualEngine(snapshot, 100.0)
    later.observers.append(kept.observe)
    later.tell(PresenceRequested(AgentId("amy"), Presence.NOT_READY))
    path = kept.write(tmp_path / "record", snapshot, parse(DOCUMENT).text)
    rerun(recorded(path), None, 300, observers=[again.observe])
    assert again.dials == [(100.0, "c2-1")]


def test_calls_that_came_in_are_left_out_and_whoever_waited_is_called(tmp_path: Path) -> None:
    """A caller waits when the recording begins, and so does a callback of the same number; another one rings in."""
    entry = {**DOCUMENT["services"][0], "inbound": {"numbers": ["100"]}}
    document = parse({**DOCUMENT, "services": [entry]})
    engine = VirtualEngine(Snapshot(document.configuration), 0.0)
    number = NewNumber("+12025550101")
    request = Request(ServiceId("billing"), number.phone, "en", RequestChannel.WEB)
    engine.dispatcher.handle(CallbackRequested(CallbackId("c1"), request, ""), 0.0)
    engine.dispatcher.handle(CallerEntered(AttemptId("callpbx-1"), LegId("pbx.1"), "100", number), 0.0)
    snapshot = Snapshot(
        document.configuration,
        callbacks=tuple(engine.dispatcher.book),
        agents=tuple(engine.dispatcher.desks.statuses()),
        timers=tuple(engine.dispatcher.timers.pending()),
        inbound=tuple(flow.inbound for flow in engine.dispatcher.callers()),
    )
    kept, again, told = Kept(), Kept(), Dispatcher(snapshot)
    for event in (
        CallerEntered(AttemptId("callpbx-2"), LegId("pbx.2"), "100", None),
        PresenceRequested(AgentId("ben"), Presence.READY),
        AttemptSeen(AttemptId("callpbx-1"), LegSeen.GONE, LegSeen.GONE),
    ):
        kept.observe(event, told.handle(event, 100.0), 100.0)
    path = kept.write(tmp_path / "record", snapshot, document.text)
    assert replay(path).differences == ()
    rerun(recorded(path), None, 300, observers=[again.observe])
    assert [attempt for _, attempt in again.dials] == ["c1-1"]


def test_a_record_without_events_says_so(tmp_path: Path) -> None:
    path = Kept().write(tmp_path / "record", Snapshot(), parse(DOCUMENT).text)
    with pytest.raises(RecordError, match="holds no event; record a while with serve --record"):
        recorded(path)
