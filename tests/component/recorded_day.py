"""A day of callbacks with a start in the middle, told to a dispatcher through a recorder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.decision import Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Connect
from engine.core.events import (
    ConfigurationApplied,
    Event,
    IdempotencyKey,
    LegSeen,
    ResultKind,
    TimerFired,
)
from engine.core.records import Callback, Request, Timer
from engine.core.terms import CallbackId, CallbackState, Presence, RequestChannel, ServiceId
from engine.document import parse
from engine.recording import Recorder
from tests.unit.core.callers import rings_in
from tests.unit.core.world import World

NAMES = ("amy", "ben", "cleo", "dan", "eve", "flo")


def document(*services: str) -> dict[str, Any]:
    """Services of these names, and agents who serve all of them and differ in nothing."""
    return {
        "services": [
            {
                "id": name,
                "name": name.capitalize(),
                "company": "Example",
                "skill_expression": f"{name} or everything",
                "attempts": {"max": 2, "interval_seconds": 60},
                "rona_return_seconds": 30,
                "inbound": {"numbers": [f"100{n}"], "news_seconds": 20},
            }
            for n, name in enumerate(services)
        ],
        "agents": [
            {
                "id": name,
                "name": name.capitalize(),
                "endpoint": f"PJSIP/agent-{n}",
                "skills": dict.fromkeys(services, 3),
            }
            for n, name in enumerate(NAMES, 1001)
        ],
    }


DOCUMENT = parse(document("billing", "sales"))
"""In force from the beginning."""
LATER = parse(document("billing", "sales", "support"))
"""Applied in the middle of the day."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one dispatcher is made from and told, each event with its time."""

    snapshot: Snapshot
    text: str
    told: tuple[tuple[Event, float], ...]


def a_day() -> tuple[Run, ...]:
    """Callbacks of all sorts, a start in the middle of some, and their end."""
    world = World((), ())
    world.tell(ConfigurationApplied(DOCUMENT.configuration, DOCUMENT.text))
    world.restart()  # from here on all of the configuration stands in the document
    _morning(world)
    morning = _run_of(world, DOCUMENT.text)
    world.restart()
    _afternoon(world)
    return morning, _run_of(world, LATER.text)


def _morning(world: World) -> None:
    for name in NAMES:
        world.agent(name).ready()
    customers = [world.customer("billing" if n % 2 else "sales") for n in range(10)]
    world.ask("sales", "+12025559999", IdempotencyKey("key", "body", '{"token": "t"}'))
    world.ask("sales", "+12025559999")  # refused
    for customer in customers[:6]:
        customer.confirms()
    world.agent("amy").answers()
    world.agent("ben").picks_up()
    world.pass_time(16)  # the others miss their calls, and some hear music
    customers[0].hangs_up()
    customers[9].cancels()
    world.tell(ConfigurationApplied(LATER.configuration, LATER.text))
    world.customer("support")
    world.agent("cleo").becomes(Presence.NOT_READY, "lunch")
    world.lose_telephony()
    world.pass_time(60)
    world.regain_telephony()
    world.results[Connect] = ResultKind.UNKNOWN
    world.pass_time(100)
    for name in NAMES:
        world.agent(name).ready()
    late = [world.customer() for _ in range(4)]
    late[0].answers()
    late[1].confirms()
    _callers(world)


def _callers(world: World) -> None:
    """They are rung for, wait, are called back instead, give up, or are being asked when the engine starts."""
    callers = [rings_in(world, phone, dialled="1000") for phone in ("", None, *[""] * 7)]
    world.pass_time(10)
    waits = [caller for caller in callers if caller.call.agent is None]
    waits[0].presses("1")
    waits[0].hears_it_out()
    waits[0].presses("1" if waits[0].call.phone else "2025558765#1")
    waits[1].presses("1255")
    waits[2].hangs_up()
    rings_in(world, dialled="nobody's")


def _afternoon(world: World) -> None:
    calls = [each.id for each in world.started_from.attempts] + [each.id for each in world.started_from.inbound]
    for n, call in enumerate(calls):
        world.recover(call, list(LegSeen)[n % len(LegSeen)])
    world.regain_telephony()
    for name in NAMES:
        world.agent(name).ready()
    world.pass_time(400)
    world.stop()
    world.pass_time(60)


def a_defect() -> Run:
    """A callback of a service that the configuration does not have, which no journal should say: telling it raises."""
    request = Request(ServiceId("gone"), "+12025550100", "en", RequestChannel.WEB)
    lost = Callback(CallbackId("c1"), request, CallbackState.RETRY_WAIT, 1.0, 1.0, "hash")
    timer = Timer(lost.id, "widen", 2.0)
    snapshot = Snapshot(DOCUMENT.configuration, callbacks=(lost,), timers=(timer,))
    return Run(snapshot, DOCUMENT.text, ((TimerFired(timer.owner, timer.name), 3.0),))


def _run_of(world: World, text: str) -> Run:
    return Run(world.started_from, text, tuple((event, now) for event, now, _ in world.told))


def recorded(path: Path, runs: tuple[Run, ...]) -> int:
    """Make a record of these runs; how many events it has."""
    recorder = Recorder(path, keep_free_bytes=0)
    for run in runs:
        recorder.begin(run.snapshot, run.text)
        dispatcher = Dispatcher(run.snapshot)
        for event, now in run.told:
            recorder.decide(dispatcher, event, now)
    recorder.close()
    return sum(len(run.told) for run in runs)
