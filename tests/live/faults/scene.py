"""A centre with people in every phase of a call at the same moment, and hands to act for them.

The telephone network's own console makes somebody press a key or hang up: neither the engine nor the PBX takes part, so
that it works also while one of them is away.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from engine.lab.witness import WitnessCall
from tests.live.cable import CableInThread
from tests.live.calls.centre import Centre, agent, service
from tests.live.faults.background import Place

T = TypeVar("T")
LONG_NAME = "The callback desk of the customer service department of the northern region"
"""It stands in the whisper, which then lasts long enough for a test to act in."""


class Phase(StrEnum):
    """How far a call has come when something fails; each is a service with an agent and a customer of its own."""

    RINGING = "ringing"
    ANNOUNCING = "announcing"
    MUSIC = "music"
    AGENT_RINGS = "agent_rings"
    WHISPERING = "whispering"
    TALKING = "talking"
    ENDING = "ending"
    LAST_WORDS = "last_words"


AGENTS = {
    Phase.RINGING: 1011,
    Phase.ANNOUNCING: 1021,
    Phase.MUSIC: 1031,
    Phase.AGENT_RINGS: 1901,
    Phase.WHISPERING: 1041,
    Phase.TALKING: 1051,
    Phase.ENDING: 1061,
    Phase.LAST_WORDS: 1071,
}
"""1901 never answers; the others answer after a second."""
COLLEAGUE = 1081
"""Can do what 1901 does, and is logged out at first."""
RINGS_FOR_EVER, ANSWERS_LATE, LISTENS = "11", "09", "14"
CUSTOMERS = {
    phase: f"1{area}55501"
    for phase, area in zip(Phase, ("202", "203", "205", "206", "207", "208", "209", "210"), strict=True)
}


@dataclass(slots=True)
class Scene(Centre):
    """A centre whose database, far ends and clock can be asked also while its engine is away."""

    cable: CableInThread
    stopping: threading.Event
    numbers: dict[Phase, str] = field(default_factory=dict)
    callbacks: dict[Phase, str] = field(default_factory=dict)

    def wait(self, holds: Callable[[], object], what: str, limit_seconds: float = 90.0) -> None:
        def holds_or_is_over() -> object:
            if self.stopping.is_set():
                raise RuntimeError("the tests are being ended")
            return holds()

        super(Scene, self).wait(holds_or_is_over, what, limit_seconds)

    def until(self, moment: float) -> None:
        """Let time pass up to `moment` (epoch seconds): how long a fault lasts."""
        self.wait(lambda: time.time() >= moment, "the clock goes on", moment - time.time() + 5)

    # ---- the far ends --------------------------------------------------------------------------------

    def leg(self, number: str) -> WitnessCall:
        """The newest call to a number."""
        calls = self.calls_to_so_far(number)
        assert calls, f"nobody has called {number}"
        return calls[-1]

    def is_up(self, number: str) -> bool:
        """Whether somebody is in a call at this number now."""
        return any(call.answered_at is not None and call.ended_at is None for call in self.calls_to_so_far(number))

    def press(self, number: str, key: str) -> None:
        """The person at this number presses a key, and talks from then on if it was 1."""
        answer = self.lab.console(f"channel redirect {self.leg(number).channel} press,{key},1", side="network")
        assert "successfully" in answer, answer

    def hang_up(self, number: str) -> None:
        """The person at this number hangs up."""
        answer = self.lab.console(f"channel request hangup {self.leg(number).channel}", side="network")
        assert "Requested" in answer, answer

    def stranger(self, number: str) -> None:
        """A call that is not ours comes into our Stasis application, under a name that Asterisk gave it."""
        self.lab.console(f"channel originate PJSIP/{number}@trunk application Stasis ringback")
        self.wait(lambda: self.is_up(number), "the stranger is in a call", 10)

    # ---- the engine's records ------------------------------------------------------------------------

    def attempts(self, phase: Phase) -> list[sqlite3.Row]:
        return self.rows("select * from attempts where callback = ? order by n", self.callbacks[phase])

    def state(self, phase: Phase) -> str:
        found = self.rows("select state from callbacks where id = ?", self.callbacks[phase])
        return str(found[0]["state"])

    def reason(self, phase: Phase) -> str | None:
        reason: str | None = self.rows("select reason from callbacks where id = ?", self.callbacks[phase])[0]["reason"]
        return reason

    def outcomes(self, phase: Phase) -> list[str | None]:
        return [row["outcome"] for row in self.attempts(phase)]

    def because(self, phase: Phase) -> list[str]:
        """What moved a callback, in order."""
        rows = self.rows("select because from callback_moves where callback = ? order by id", self.callbacks[phase])
        return [row["because"] for row in rows]

    def timers(self, phase: Phase) -> set[str]:
        rows = self.rows("select name from timers where owner = ?", self.attempts(phase)[-1]["id"])
        return {row["name"] for row in rows}

    def agent_moves(self, number: int) -> list[tuple[str, str]]:
        """Each state an agent came to, and why."""
        rows = self.rows("select after, because from agent_moves where agent = ? order by id", f"a{number}")
        return [(row["after"], row["because"]) for row in rows]

    def seen_phases(self) -> dict[Phase, str]:
        """How far each call has come, by what is written down."""
        return {phase: self._seen(phase) for phase in self.callbacks}

    def _seen(self, phase: Phase) -> str:
        attempts = self.attempts(phase)
        if not attempts:
            return "not dialled"
        last, timers = attempts[-1], self.timers(phase)
        if last["ended_at"] is not None:
            return f"ended: {last['outcome']}"
        if last["outcome"] is not None:
            return "last words"
        if last["bridged_at"] is not None:
            return "talking"
        if "whisper" in timers:
            return "whispering"
        if last["confirmed_at"] is not None:
            return "agent rings" if "agent_ring" in timers else "music"
        return "announcing" if last["answered_at"] is not None else "ringing"

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of this run of the engine with this event."""
        return [entry for entry in self.engine.log_entries() if entry.get("event") == event]

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """The answer of `/readyz`; 0 if nobody answers."""
        try:
            with urlopen(f"{self.engine.url}/readyz", timeout=10) as answer:  # noqa: S310 - our own engine on loopback
                return int(answer.status), json.load(answer)
        except HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)
        except URLError as error:
            return 0, {"detail": f"nobody answers: {error.reason}"}

    # ---- the scene itself ----------------------------------------------------------------------------

    def set_up(self, **fields: object) -> None:
        """A service with an agent for each phase; `fields` replace fields of every service."""
        named = {"name": LONG_NAME, "confirmation": {"wait_seconds": 10, "repeats": 1}, **fields}
        self.configure(
            [service(phase, **named) for phase in Phase],
            [*(agent(number, phase) for phase, number in AGENTS.items()), agent(COLLEAGUE, Phase.AGENT_RINGS)],
        )

    def play(self, ringing: str = RINGS_FOR_EVER, *, without: frozenset[Phase] = frozenset()) -> None:
        """Bring one call into each phase, all at the same moment. Those `without` are left announcing."""
        self.ready(*AGENTS.values())
        self.numbers = {phase: f"{CUSTOMERS[phase]}{LISTENS}" for phase in Phase}
        self.numbers[Phase.RINGING] = f"{CUSTOMERS[Phase.RINGING]}{ringing}"
        answering = [phase for phase in Phase if phase is not Phase.RINGING]
        for phase in answering:
            self.callbacks[phase] = self.request(phase, self.numbers[phase])
        for phase in answering:
            self.until_phase(phase, "announcing")
        for phase in (Phase.TALKING, Phase.ENDING):
            self.press(self.numbers[phase], "1")
        for phase in (Phase.TALKING, Phase.ENDING):
            self.until_phase(phase, "talking")
            for number in (self.numbers[phase], str(AGENTS[phase])):
                self.wait(lambda number=number: self.leg(number).met_at, "they hear each other", 10)  # type: ignore[misc]
        self.client.put(f"/agents/a{AGENTS[Phase.MUSIC]}/state", {"state": "not_ready", "reason": "lunch"})
        self.press(self.numbers[Phase.MUSIC], "1")
        self.press(self.numbers[Phase.AGENT_RINGS], "1")
        self.wait(lambda: self.calls_to_so_far(str(AGENTS[Phase.AGENT_RINGS])), "the agent's phone rings", 10)
        self.callbacks[Phase.RINGING] = self.request(Phase.RINGING, self.numbers[Phase.RINGING])
        self.wait(lambda: self.calls_to_so_far(self.numbers[Phase.RINGING]), "the customer's phone rings", 10)
        self.press(self.numbers[Phase.WHISPERING], "1")
        self.until_phase(Phase.WHISPERING, "whispering")
        if Phase.LAST_WORDS not in without:
            self.press(self.numbers[Phase.LAST_WORDS], "3")
            self.until_phase(Phase.LAST_WORDS, "last words")

    def everybody(self, what: Callable[[Phase], T]) -> dict[Phase, T]:
        """What is true of each call."""
        return {phase: what(phase) for phase in Phase}

    def until_phase(self, phase: Phase, seen: str) -> None:
        self.wait(lambda: self._seen(phase) == seen, f"{phase} is {seen}", 20)


EVERY_PHASE: Mapping[Phase, str] = {
    Phase.RINGING: "ringing",
    Phase.ANNOUNCING: "announcing",
    Phase.MUSIC: "music",
    Phase.AGENT_RINGS: "agent rings",
    Phase.WHISPERING: "whispering",
    Phase.TALKING: "talking",
    Phase.ENDING: "talking",
    Phase.LAST_WORDS: "last words",
}
"""What `seen_phases` says right after `play`."""


@contextmanager
def scene(
    place: Place,
    *,
    talk_seconds: float = 60.0,
    record_audio: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Scene]:
    """A lab and a running engine of a story's own, with a cable between the engine and Asterisk."""
    with (
        Lab.up(record_audio=record_audio, talk_seconds=talk_seconds) as lab,
        CableInThread(lab.pbx.ari_url) as cable,
    ):
        for side in ("pbx", "network"):
            lab.console("module load res_clioriginate.so", side=side)
        engine = EngineProcess(lab, place.folder, environment=dict(environment or {}), ari_url=cable.ari_url)
        try:
            engine.start()
            yield Scene(lab, engine, cable, place.stopping)
        finally:
            # At once: what the story wants to know of an orderly end it has seen itself.
            engine.kill()
