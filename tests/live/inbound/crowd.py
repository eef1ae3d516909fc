"""Twenty who ring in and become callbacks, one each second, twenty who asked for one, and some who wait on the phone.

Five agents serve three services, each others of them; one more comes in between and takes no call. What happened is put
together for `order` from the engine's database and from the simulated network's own record, which must agree.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from engine.lab import Lab
from engine.lab.callers import ring_in, steps
from engine.lab.engine_process import EngineProcess
from engine.lab.rung_in import RungIn
from engine.lab.witness import WitnessCall
from tests.live.calls.centre import Centre, service
from tests.live.crash.plan import AREAS
from tests.live.faults.background import Place
from tests.live.inbound.order import Free, Given, Record, Wait, key

MANY, STAYING = 20, 6
PRIORITIES = {
    "gold": {"callback": 5, "inbound": 6},
    "silver": {"callback": 3, "inbound": 3},
    "plain": {"callback": 0, "inbound": 4},
}
SERVICES = tuple(PRIORITIES)
DIALLED = {name: f"+1202555017{n}" for n, name in enumerate(SERVICES)}
SERVES = {
    "a1001": frozenset({"gold"}),
    "a1002": frozenset({"gold", "silver"}),
    "a1003": frozenset({"silver", "plain"}),
    "a1004": frozenset({"plain"}),
    "a1005": frozenset(SERVICES),
}
REJECTS = "a1902"
"""An agent for everybody, whose phone rejects the one call they are given."""
PRESSES_AT_ONCE = "25"
"""The last digits of customers who press 1 as soon as they hear somebody."""
AGENTS_COME_AT, REJECTING_COMES_AT = 3, 9
"""Seconds."""
CONVERTS = "press 1, wait 1.5, press 1, talk 1"
STAYS = "talk 1"
SAME_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Happened:
    """What was written down, by whom."""

    calls: list[sqlite3.Row]
    callbacks: list[sqlite3.Row]
    attempts: list[sqlite3.Row]
    agent_moves: list[sqlite3.Row]
    rung_in: list[RungIn]
    witness: list[WitnessCall]
    complaints: list[dict[str, Any]]

    @property
    def converted(self) -> dict[str, sqlite3.Row]:
        """The calls that became callbacks, by the callback."""
        return {call["callback"]: call for call in self.calls if call["callback"] is not None}

    @property
    def callbacks_kept(self) -> list[sqlite3.Row]:
        """What they became."""
        return [row for row in self.callbacks if row["channel"] == "phone"]


def crowd(place: Place) -> Happened:
    with Lab.up(talk_seconds=1) as lab, EngineProcess(lab, place.folder) as engine:
        centre = Centre(lab, engine)
        _set_up(centre)
        numbers = iter(f"1{area}55501{PRESSES_AT_ONCE}" for area in AREAS)
        asked = [centre.request(SERVICES[n % 3], next(numbers)) for n in range(MANY)]
        began_at, rings = time.time(), []
        for second in range(MANY):
            centre.wait(lambda due=began_at + second: time.time() >= due, "the clock goes on", 10)  # type: ignore[misc]
            if second == AGENTS_COME_AT:
                centre.ready(*(int(agent[1:]) for agent in SERVES))
            if second == REJECTING_COMES_AT:
                centre.ready(int(REJECTS[1:]))
            rings.append(_ring(lab, second, next(numbers), CONVERTS))
            if second * STAYING % MANY < STAYING:
                rings.append(_ring(lab, second + 1, next(numbers), STAYS))
        for ring in rings:
            lab.await_rung_in(ring, seconds=120)
        kept = [row["id"] for row in centre.rows("select id from callbacks where channel = 'phone'")]
        centre.until_ended(*asked, *kept)
        centre.wait(lambda: all(call.ended_at for call in lab.witness()), "every call is over", 20)
        return Happened(
            calls=centre.rows("select * from inbound_calls"),
            callbacks=centre.rows("select * from callbacks"),
            attempts=centre.rows("select * from attempts"),
            agent_moves=centre.rows("select * from agent_moves order by id"),
            rung_in=lab.rung_in(),
            witness=lab.witness(),
            complaints=[line for line in engine.log_entries() if line.get("level") in ("warning", "error")],
        )


def _set_up(centre: Centre) -> None:
    services = [
        service(
            name,
            priority=priority,
            inbound={"numbers": [DIALLED[name]]},
            wrap_up_seconds=0.5,
            attempts={"max": 1},
        )
        for name, priority in PRIORITIES.items()
    ]
    everybody = {**SERVES, REJECTS: frozenset(SERVICES)}
    agents = [
        {"id": agent, "name": agent, "endpoint": f"PJSIP/agent-{agent[1:]}", "skills": dict.fromkeys(sorted(serves), 5)}
        for agent, serves in everybody.items()
    ]
    centre.configure(services, agents)


def _ring(lab: Lab, n: int, number: str, script: str) -> str:
    return ring_in(lab, DIALLED[SERVICES[n % 3]], f"+{number}", steps(script))


# ---- what is judged ------------------------------------------------------------------------------------------


def record_of(happened: Happened) -> Record:
    """Raises AssertionError where the engine's database and the network's record do not fit together."""
    given = _given(happened)
    times = defaultdict(list)
    for each in given:
        times[each.item].append(each)
    missed = {move["agent"]: move["at"] for move in happened.agent_moves if move["because"] == "rona"}
    waits = [
        wait
        for item, since, service in _entries(happened)
        for wait in _waits_of(item, since, service, times[item], missed, happened)
    ]
    everybody = {**SERVES, REJECTS: frozenset(SERVICES)}
    return Record(everybody, tuple(waits), tuple(given), tuple(_free(happened.agent_moves)))


def _entries(happened: Happened) -> list[tuple[str, float, str]]:
    """Everybody who waited, since when they could be served, and for what."""
    on_the_phone_until = {callback: call["ended_at"] for callback, call in happened.converted.items()}
    callbacks = [
        (row["id"], max(row["created_at"], on_the_phone_until.get(row["id"], 0.0)), row["service"])
        for row in happened.callbacks
    ]
    return callbacks + [(row["id"], row["joined_at"], row["service"]) for row in happened.calls]


def _waits_of(
    item: str, since: float, service: str, given: Sequence[Given], missed: Mapping[str, float], happened: Happened
) -> list[Wait]:
    """Until they were given an agent, and again from the moment at which that agent had missed the call."""
    if not given:  # a call that became a callback: until the caller pressed the first key
        [call] = [row for row in happened.calls if row["id"] == item]
        [caller] = [each for each in happened.rung_in if each.caller == call["phone"]]
        return [Wait(item, service, _key(item, happened), since, caller.keys[0].at)]
    first = Wait(item, service, given[0].key, since, given[0].at)
    again = [Wait(item, service, after.key, missed[before.agent], after.at) for before, after in pairwise(given)]
    return [first, *again]


def _given(happened: Happened) -> list[Given]:
    """Who was given whom: the agent's moves say when, the number shown at the ringing phone says whom."""
    found = []
    for agent in (*SERVES, REJECTS):
        moves = [move for move in happened.agent_moves if move["agent"] == agent]
        reserved, ringing = (
            [move["at"] for move in moves if move["after"] == after] for after in ("reserved", "ringing")
        )
        rung = [call for call in happened.witness if call.number == agent[1:]]
        assert len(reserved) == len(ringing) == len(rung), f"{agent} was reserved, rung and called differently often"
        for at, rings_at, call in zip(reserved, ringing, rung, strict=True):
            assert 0 <= call.invited_at - rings_at < 1, f"{agent}'s phone rang {call.invited_at - rings_at:.1f} s late"
            item = _item_of(call.caller, happened)
            found.append(Given(agent, item, (0, 0, 0.0, 0.0, item), at))
    found.sort(key=lambda each: each.at)
    seen: set[str] = set()
    keyed = []
    for each in found:
        again = each.item in seen
        seen.add(each.item)
        keyed.append(Given(each.agent, each.item, _key(each.item, happened, again=again), each.at))
    return keyed


def _item_of(shown: str, happened: Happened) -> str:
    """Whom an agent was called for: everybody's number is served once, as a call or as a callback."""
    number = f"+{shown.removeprefix('+')}"
    callbacks = [row["id"] for row in happened.callbacks if row["phone"] == number]
    calls = [row["id"] for row in happened.calls if row["phone"] == number and row["outcome"] == "connected"]
    [item] = callbacks + calls
    return str(item)


def _key(item: str, happened: Happened, *, again: bool = False) -> tuple[int, int, float, float, str]:
    for row in happened.callbacks:
        if row["id"] == item:
            return key(row["joined_at"], row["priority"], row["asked_at"], item, on_the_phone=again)
    [row] = [row for row in happened.calls if row["id"] == item]
    return key(row["joined_at"], row["priority"], row["joined_at"], item)


def _free(moves: Sequence[sqlite3.Row]) -> list[Free]:
    found = []
    for agent in {move["agent"] for move in moves}:
        own = [move for move in moves if move["agent"] == agent]
        ends = [move["at"] for move in own[1:]] + [math.inf]
        found += [Free(agent, move["at"], end) for move, end in zip(own, ends, strict=True) if move["after"] == "ready"]
    return found
