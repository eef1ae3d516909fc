"""One engine for all stories of this folder; a story that stops engines brings its own lab."""

from collections.abc import Iterator

import pytest

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.centre import Centre, agent, service

SERVICES = [
    service(
        "numbers",
        attempts={
            "max": 2,
            "interval_seconds": 3,
            "by_outcome": {outcome: {"max": 1} for outcome in ("unconfirmed", "no_answer", "hung_up")},
        },
    ),
    service("solo"),
    service("rona"),
    service("rejecting", attempts={"max": 1}),
    service("leaving"),
    service("nobody", hold_limit_seconds=6, attempts={"max": 2, "interval_seconds": 4, "fault_interval_seconds": 2}),
    service("withdrawn"),
]
AGENTS = [
    *(agent(number, "numbers") for number in range(1101, 1113)),
    agent(1121, "solo"),
    agent(1901, "rona"),
    agent(1131, "rona"),
    agent(1902, "rejecting"),
    agent(1141, "rejecting"),
    agent(1903, "leaving"),
    agent(1151, "leaving"),
    agent(1161, "nobody"),
    agent(1171, "withdrawn"),
]


@pytest.fixture(scope="session")
def centre(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """The engine, configured; every agent is logged out."""
    with EngineProcess(lab, tmp_path_factory.mktemp("engine")) as engine:
        running = Centre(lab, engine)
        running.configure(SERVICES, AGENTS)
        yield running
