"""Every way through what a caller is asked, side by side: who rings in where, and which keys they press when.

Callers of one service who must not disturb each other's places all wait in `menu`, where no agent ever comes. What has
to be seen of places, agents and callbacks has a service of its own.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.core.terms import Prompt
from engine.lab import Lab
from engine.lab.callers import ring_in, steps
from engine.lab.engine_process import EngineProcess
from engine.lab.errors import LabError
from engine.lab.rung_in import RungIn
from engine.lab.witness import WitnessCall
from engine.prompts import occasions
from tests.live.calls.audio import RATE, samples
from tests.live.calls.centre import Centre, agent, service
from tests.live.faults.background import Place
from tests.live.faults.listening import prompt_heard_at

NEWS_SECONDS = 10
SLIP_SECONDS = 0.2
"""By so much packets that came late shift what was said one after another."""
DIALLED = {
    name: f"+120255501{digits}"
    for name, digits in {
        "menu": "70",
        "returning": "71",
        "news": "72",
        "slots": "73",
        "closed": "74",
        "full": "75",
        "rona": "76",
        "place": "77",
        "stays": "78",
    }.items()
}
"""The number of each service."""
NOBODYS = "+12025550179"
ASKED = "asked"
"""A service that takes no calls: one callback is asked for, whose number rings in elsewhere."""
RETURNING_AGENTS = (1011, 1012, 1013, 1014)
NEWS_AGENT, RONA_AGENT, PLACE_AGENT, ASKED_AGENT = 1021, 1031, 1041, 1051
RINGS_OUT, REJECTS = 1901, 1902
FIRST_SLOT_HOUR, SLOTS = 9, 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Who rings in where and does what; `number` as in `ring_in`."""

    service: str
    number: str | None
    script: str


def _number(digits: int) -> str:
    return f"+12125550{digits}"


SECOND_IN_LINE, ELSEWHERE = "+12035550125", "+12055550125"
"""Customers who press 1 at once when they are called."""
OTHER, OTHER_WITHOUT_POUND, AFTER_WRONG, HALF_CHECKED, OF_NOBODY, REJECTED = (f"2135550{n}" for n in range(130, 136))
"""Numbers that are entered."""
WRONG = "123"
MENU = "wait 1, press 1"
ENTRY = f"{MENU}, wait 1, press 2, wait 1"
"""How a caller comes to be asked whether the number is right, and for another one."""
REJECTS_IT = f"press {REJECTED}#, wait 1.5, press 2, wait 1"
VISIT = "press 1, wait 0.7, press *, wait 0.7"
THREE_WRONG = f"press {WRONG}#, wait 5, press {WRONG}#, wait 2, press {WRONG}#"
CALLERS = {
    # ---- what is asked, and every answer ----
    "other number": Caller("menu", _number(130), f"{ENTRY}, press {OTHER}#, listen 30, press 1, stay"),
    "other number without pound": Caller(
        "menu", _number(131), f"{ENTRY}, press {OTHER_WITHOUT_POUND}, wait 6, press 1, stay"
    ),
    "wrong number, then another": Caller(
        "menu", _number(132), f"{ENTRY}, press {WRONG}#, wait 3, press {AFTER_WRONG}#, wait 2, press 1, stay"
    ),
    "three wrong numbers": Caller("menu", _number(133), f"{ENTRY}, {THREE_WRONG}, wait 6, hang-up"),
    "rejects every number": Caller(
        "menu", _number(136), f"{ENTRY}, {', '.join([REJECTS_IT] * 3)}, press 1, wait 1, press *, wait 1, hang-up"
    ),
    "comes back too often": Caller(
        "menu", _number(137), f"wait 1, {', '.join([VISIT] * 5)}, press 1, wait 1, press 1, wait 1, hang-up"
    ),
    "withheld": Caller("menu", None, f"{MENU}, listen 12, press {OF_NOBODY}#, wait 2, press 1, stay"),
    "star, then kept": Caller("menu", _number(134), f"{MENU}, wait 2, press *, wait 1, press 1, wait 1, press 1, stay"),
    "other keys while waiting": Caller(
        "menu", _number(135), "wait 1, press 5, wait 1, press 2, wait 1, press *#, wait 1, hang-up"
    ),
    # ---- hanging up ----
    "hangs up in the greeting": Caller("menu", _number(140), "wait 0.8, hang-up"),
    "hangs up in the news": Caller("menu", _number(141), "wait 9.5, hang-up"),
    "hangs up while the number is read": Caller("menu", _number(142), f"{MENU}, wait 3, hang-up"),
    "hangs up while entering": Caller("menu", _number(143), f"{ENTRY}, press 212, hang-up"),
    "hangs up at the check": Caller("menu", _number(144), f"{ENTRY}, press {HALF_CHECKED}#, hang-up"),
    "hangs up in the goodbye": Caller("menu", _number(145), f"{MENU}, wait 2, press 1, wait 1.5, hang-up"),
    "by another trunk": Caller("stays", "second-trunk", "wait 2, hang-up"),
    # ---- back to the line, where an agent is free ----
    "silent": Caller("returning", _number(150), f"{MENU}, talk 1"),
    "silent when entering": Caller("returning", None, f"{MENU}, talk 1"),
    "star": Caller("returning", _number(151), f"{MENU}, wait 5, press *, talk 1"),
    "meaningless": Caller("returning", _number(152), f"{MENU}, wait 4, press 5, wait 2, press 0, talk 1"),
    # ---- a place that is kept ----
    "first in line": Caller("news", _number(160), "talk 1"),
    "second in line": Caller("news", SECOND_IN_LINE, "wait 15, press 1, listen 30, press 1, stay"),
    # ---- closed ----
    "takes a slot": Caller("slots", _number(161), "listen 25, press 1, wait 1, press 1, stay"),
    "takes the next slot": Caller("slots", _number(162), "wait 2, press 2, wait 2, press 1, wait 2, press 1, stay"),
    "takes no slot": Caller("slots", _number(163), "wait 2, press 2, wait 1, press 2, wait 1, press 2, stay"),
    "star at a slot": Caller("slots", _number(164), "wait 2, press *, stay"),
    "hangs up at a slot": Caller("slots", _number(165), "wait 2, hang-up"),
    "closed": Caller("closed", _number(166), "stay"),
    # ---- not taken ----
    "fills the line": Caller("full", _number(167), "wait 15, hang-up"),
    "finds it full": Caller("full", _number(168), "stay"),
    "nobody's number": Caller("", _number(169), "stay"),
    # ---- agents and callbacks ----
    "two agents miss": Caller("rona", _number(170), "talk 1"),
    "without callback": Caller("place", _number(171), "talk 1"),
    "with callback": Caller("place", _number(172), "talk 1"),
    "with callback, hangs up": Caller("stays", _number(173), "wait 4, hang-up"),
    "with callback, keeps it": Caller("stays", _number(174), f"{MENU}, wait 1, press 1, stay"),
    "with callback elsewhere": Caller("stays", ELSEWHERE, "wait 12, hang-up"),
}
FIRST = ("first in line", "fills the line", "without callback")
"""They are in the line before the others ring."""
ASKED_BEFORE = ("with callback", "with callback, hangs up", "with callback, keeps it")
"""They have a callback of the same service already."""
AGENTS_COME_WHEN = ("silent", "star", "meaningless", "with callback", "with callback elsewhere")
"""The agents who may serve these come when all of them have been in for as long as it takes to press the first key."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of all of them: by whom it was seen. `folder`: what they heard, and the prompts."""

    calls: dict[str, RungIn]
    rows: dict[str, sqlite3.Row]
    callbacks: dict[str, sqlite3.Row]
    """By number: nobody has two."""
    witness: list[WitnessCall]
    attempts: list[sqlite3.Row]
    agents: dict[int, tuple[str, str | None]]
    agents_came_at: float
    complaints: list[dict[str, Any]]
    folder: Path

    def heard(self, caller: str, *prompts: Prompt) -> dict[Prompt, list[float]]:
        """When each prompt began that was heard to its end, in seconds after the answer."""
        recording = self.folder / f"{caller}.wav"
        place = CALLERS[caller].service
        files = {each: self.folder / "prompts" / f"{occasions.file_of(each, 'en', place)}.wav" for each in prompts}
        # What is short is found twice where it is once.
        return {each: sorted({round(at, 2) for at in prompt_heard_at(recording, file)}) for each, file in files.items()}

    def hears(self, caller: str, *prompts: Prompt) -> list[float]:
        """When each of these began that were said one after another without a pause; empty if they were not."""
        heard = self.heard(caller, *dict.fromkeys(prompts))
        folder, place = self.folder / "prompts", CALLERS[caller].service
        lasting = {each: len(samples(folder / f"{occasions.file_of(each, 'en', place)}.wav")) / RATE for each in heard}
        for first in heard[prompts[0]]:
            times = [first]
            for said, prompt in pairwise(prompts):
                due = times[-1] + lasting[said]
                times += [at for at in heard[prompt] if abs(at - due) < SLIP_SECONDS][:1]
            if len(times) == len(prompts):
                return times
        return []

    def invited(self, number: str) -> list[WitnessCall]:
        """The calls to a customer or an agent, as the network saw them."""
        return [call for call in self.witness if call.number == number.removeprefix("+")]


def everybody_rings_in(place: Place) -> Told:
    with Lab.up(record_audio=True, talk_seconds=2) as lab, EngineProcess(lab, place.folder) as engine:
        centre = Centre(lab, engine)
        _set_up(centre)
        for name in ASKED_BEFORE:
            centre.request(CALLERS[name].service, str(CALLERS[name].number).removeprefix("+"))
        elsewhere = centre.request(ASKED, ELSEWHERE.removeprefix("+"))
        rings = {name: _ring(lab, name) for name in FIRST}
        centre.wait(lambda: len(centre.rows("select id from inbound_calls")) == len(FIRST), "the first are in", 10)
        rings |= {name: _ring(lab, name) for name in CALLERS if name not in FIRST}
        centre.wait(lambda: all(_has_pressed(lab, rings[name]) for name in AGENTS_COME_WHEN), "they are in", 20)
        centre.ready(*RETURNING_AGENTS, RINGS_OUT, REJECTS, PLACE_AGENT, ASKED_AGENT)
        agents_came_at = time.time()
        centre.wait(lambda: centre.agent_state(REJECTS)[1], "the first two agents have missed the call", 30)
        centre.ready(RONA_AGENT)
        lab.await_rung_in(rings["second in line"], seconds=90)
        centre.ready(NEWS_AGENT)
        calls = {name: lab.await_rung_in(ring, seconds=120) for name, ring in rings.items()}
        centre.wait(lambda: _kept(centre, SECOND_IN_LINE)["ended_at"], "who kept the place has been called", 40)
        centre.until_ended(elsewhere)
        rows = centre.rows("select * from inbound_calls order by entered_at")
        centre.wait(lambda: all(call.ended_at for call in lab.witness()), "every call is over", 20)
        _copy(lab, calls, place.folder / "heard")
        return Told(
            calls=calls,
            rows={name: _row(rows, caller) for name, caller in CALLERS.items()},
            callbacks=_by_number(centre.rows("select * from callbacks")),
            witness=lab.witness(),
            attempts=centre.rows("select * from attempts"),
            agents={number: centre.agent_state(number) for number in (RINGS_OUT, REJECTS)},
            agents_came_at=agents_came_at,
            complaints=[line for line in engine.log_entries() if _complains(line)],
            folder=place.folder / "heard",
        )


def _set_up(centre: Centre) -> None:
    open_on = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    hours = f"{FIRST_SLOT_HOUR:02}:00-{FIRST_SLOT_HOUR + SLOTS:02}:00"
    calendars: list[dict[str, Any]] = [
        {"id": "in-two-days", "timezone": "UTC", "special_days": {open_on: [hours]}},
        {"id": "never", "timezone": "UTC"},
    ]
    others: dict[str, dict[str, Any]] = {
        "slots": {"calendar": "in-two-days", "slots": {"minutes": 60}},
        "closed": {"calendar": "never"},
        "full": {"queue_cap": 1},
    }
    taking = [
        service(name, inbound={"numbers": [number], "news_seconds": NEWS_SECONDS}, **others.get(name, {}))
        for name, number in DIALLED.items()
    ]
    agents = [
        *(agent(number, "returning") for number in RETURNING_AGENTS),
        agent(NEWS_AGENT, "news"),
        *(agent(number, "rona") for number in (RINGS_OUT, REJECTS, RONA_AGENT)),
        agent(PLACE_AGENT, "place"),
        agent(ASKED_AGENT, ASKED),
    ]
    centre.configure([*taking, service(ASKED)], agents, calendars)


def _ring(lab: Lab, name: str) -> str:
    caller = CALLERS[name]
    return ring_in(lab, DIALLED.get(caller.service, NOBODYS), caller.number, steps(caller.script))


def _has_pressed(lab: Lab, ring: str) -> bool:
    """Whether a caller is in, and in the menu if their script leads there."""
    call = next((call for call in lab.rung_in() if call.ring_id == ring), None)
    return call is not None and call.answered_at is not None and time.time() > call.answered_at + 2.5


def _complains(line: Mapping[str, Any]) -> bool:
    """Not that somebody hung up just when something was to be played to them."""
    gone = line.get("event") == "effect.not_done" and str(line.get("why")).startswith("404 ")
    return line.get("level") in ("warning", "error") and not gone


def _row(rows: Sequence[sqlite3.Row], caller: Caller) -> sqlite3.Row:
    dialled = DIALLED.get(caller.service, NOBODYS)
    phone = None if caller.number == "second-trunk" else caller.number
    [row] = [row for row in rows if row["phone"] == phone and row["dialled"] == dialled]
    return row


def _by_number(callbacks: Sequence[sqlite3.Row]) -> dict[str, sqlite3.Row]:
    found = {row["phone"]: row for row in callbacks}
    assert len(found) == len(callbacks), "somebody has two callbacks"
    return found


def _kept(centre: Centre, number: str) -> sqlite3.Row:
    [row] = centre.rows("select * from callbacks where phone = ?", number)
    return row


def _copy(lab: Lab, calls: dict[str, RungIn], folder: Path) -> None:
    """What they heard and what there was to be heard, beyond the life of the lab."""
    shutil.copytree(lab.prompts_dir, folder / "prompts")
    for name, call in calls.items():
        try:
            shutil.copy(lab.recordings(call), folder / f"{name}.wav")
        except LabError:
            continue  # not answered
