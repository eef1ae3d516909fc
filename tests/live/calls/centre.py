"""A call centre for the tests: one engine on the lab, one service for each story, and questions about what happened.

Stories run side by side: each has its own service, skill, agents and numbers, so none can take another's agent.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.client import EngineClient
from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from engine.lab.witness import WitnessCall

Callback = Mapping[str, Any]
NO_CAPS = {"per_number_per_day": 1000, "min_gap_seconds": 0, "attempts_per_number_per_day": 1000}
"""Stories call one number again after seconds, and again for the next story."""


def service(name: str, /, **fields: object) -> dict[str, Any]:
    """A service whose waits are seconds; `fields` replace any of it."""
    return {
        "id": name,
        "name": name.capitalize(),
        "company": "Example",
        "skill_expression": name,
        "caller_id": "+12025550100",
        "ring_timeout_seconds": 5,
        "agent_ring_seconds": 4,
        "wrap_up_seconds": 1,
        "confirmation": {"wait_seconds": 3, "repeats": 1, "later_seconds": 2},
        "attempts": {"max": 2, "interval_seconds": 3, "fault_interval_seconds": 2},
        **fields,
    }


def agent(number: int, skill: str) -> dict[str, Any]:
    """The agent at phone `number`, with one skill."""
    return {"id": f"a{number}", "name": f"Agent {number}", "endpoint": f"PJSIP/agent-{number}", "skills": {skill: 5}}


def rows(database: Path, query: str, *values: object) -> list[sqlite3.Row]:
    """Read an engine's database beside it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10.0)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query, values).fetchall()


def logged_at(entry: Mapping[str, Any]) -> float:
    """When a line of the engine's log was written, in epoch seconds."""
    return datetime.fromisoformat(entry["timestamp"]).timestamp()


@dataclass(slots=True)
class Centre:
    """A running engine on a lab, asked over HTTP as any client asks."""

    lab: Lab
    engine: EngineProcess

    @property
    def client(self) -> EngineClient:
        return EngineClient(self.engine.url, self.engine.admin_key, timeout_seconds=60.0)

    def configure(
        self,
        services: Sequence[dict[str, Any]],
        agents: Sequence[dict[str, Any]],
        calendars: Sequence[dict[str, Any]] = (),
    ) -> None:
        document = {
            "services": list(services),
            "agents": list(agents),
            "calendars": list(calendars),
            "limits": NO_CAPS,
        }
        self.client.post("/config", {"document": document})

    def ready(self, *numbers: int) -> None:
        """Set agents ready, the longest idle first."""
        for number in numbers:
            self.client.put(f"/agents/a{number}/state", {"state": "ready"})

    def request(self, service: str, phone: str) -> str:
        """Ask for a callback; its id."""
        asked = {"service": service, "phone": f"+{phone}", "when": "now", "channel": "api"}
        return str(self.client.post("/callbacks", asked)["id"])

    def callback(self, callback: str) -> Callback:
        found: Callback = self.client.get(f"/callbacks/{callback}")
        return found

    def agent_state(self, number: int) -> tuple[str, str | None]:
        found = next(each for each in self.client.items("/agents") if each["id"] == f"a{number}")
        return found["state"], found["reason"]

    def wait(self, holds: Callable[[], object], what: str, limit_seconds: float = 90.0) -> None:
        """Wait until `holds()` is true; fails with `what` and what the engine said last."""
        deadline = time.monotonic() + limit_seconds
        while not holds():
            if time.monotonic() > deadline:
                told = [each for each in self.engine.log_entries() if each.get("event") != "http.request"]
                last = "\n".join(map(str, told[-15:]))
                raise AssertionError(f"{what}: not within {limit_seconds:.0f} s; the engine said last:\n{last}")
            time.sleep(0.1)

    def until_ended(self, *callbacks: str, limit_seconds: float = 120.0) -> list[Callback]:
        """Wait until these callbacks have ended."""

        def all_ended() -> bool:
            return all(self.callback(callback)["ended_at"] for callback in callbacks)

        self.wait(all_ended, "all callbacks have ended", limit_seconds)
        return [self.callback(callback) for callback in callbacks]

    def until_state(self, callback: str, state: str, limit_seconds: float = 60.0) -> None:
        self.wait(lambda: self.callback(callback)["state"] == state, f"{callback} {state}", limit_seconds)

    def calls_to(self, number: str) -> list[WitnessCall]:
        """What the telephone network saw of a number, once its last call there is over."""
        self.wait(
            lambda: all(call.ended_at for call in self.calls_to_so_far(number)),
            f"the call to …{number[-2:]} is over at the network",
            30,
        )
        return self.calls_to_so_far(number)

    def calls_to_so_far(self, number: str) -> list[WitnessCall]:
        """What the telephone network has seen of a number by now."""
        return [call for call in self.lab.witness() if call.number == number]

    def on_their_one_call(self, numbers: Collection[str]) -> int:
        """How many of these customers were called once and are on that call still, as the telephone network saw it."""
        calls = [call for call in self.lab.witness() if call.number in numbers]
        called = Counter(call.number for call in calls)
        return sum(call.ended_at is None and called[call.number] == 1 for call in calls)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        return rows(self.engine.database, query, *values)
