"""Ears leave nothing behind: neither many that open and close, nor those of an engine that is killed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.centre import Centre, agent, service
from tests.live.channels import channels
from tests.live.crash.plan import AREAS
from tests.live.faults.background import Background, Place

MANY, FEW = 40, 4
LISTENS, HANGS_UP = "14", "16"
KEPT_CONNECTIONS = 12
"""Connections to Asterisk's ARI are kept for some seconds; those of ears are not."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Of forty calls within some seconds, and of an engine that was killed while it listened to four."""

    outcomes: set[str]
    opened: float
    files_more: int
    channels_after_many: int
    channels_after_kill: int
    ears_after_kill: int
    channels_at_the_end: int
    stopped_with: int
    complaints: list[str]


def many_ears_and_a_kill(place: Place) -> Ears:
    with Lab.up() as lab, EngineProcess(lab, place.folder) as engine:
        centre = Centre(lab, engine)
        agents = range(1001, 1001 + MANY)
        once = {"attempts": {"max": 1}, "confirmation": {"wait_seconds": 60, "repeats": 0}}
        centre.configure([service("ears", **once)], [agent(number, "ears") for number in agents])
        centre.ready(*agents)
        files = _open_files(engine)
        asked = [centre.request("ears", f"1{area}55501{HANGS_UP}") for area in AREAS[:MANY]]
        ended = centre.until_ended(*asked, limit_seconds=60)
        opened = _figure(engine, 'ringback_ears_total{result="opened"}')
        centre.wait(lambda: channels(lab) == 0, "no channel is left", 10)
        centre.wait(lambda: _open_files(engine) <= files + KEPT_CONNECTIONS, "no file is left open", 10)
        files_more, after_many = _open_files(engine) - files, channels(lab)

        for area in AREAS[MANY : MANY + FEW]:
            centre.request("ears", f"1{area}55501{LISTENS}")
        centre.wait(lambda: channels(lab, "Snoop/") == FEW, "all are listened to", 20)
        engine.kill()
        centre.wait(lambda: channels(lab, "Snoop/") == 0, "ears end with their engine", 5)
        after_kill = channels(lab)
        engine.start()
        centre.wait(lambda: channels(lab, "Snoop/") == FEW, "the next engine listens to them again", 20)
        again = channels(lab, "Snoop/")
        lab.console("channel request hangup all", side="network")
        centre.wait(lambda: channels(lab) == 0, "no channel is left", 10)
        stopped_with = engine.terminate()
        complaints = [line["event"] for line in engine.log_entries() if line.get("level") in ("warning", "error")]
        return Ears(
            {each["attempts"][-1]["outcome"] for each in ended},
            opened,
            files_more,
            after_many,
            after_kill,
            again,
            channels(lab),
            stopped_with,
            complaints,
        )


def _figure(engine: EngineProcess, name: str) -> float:
    asked = Request(f"{engine.url}/metrics", headers={"Authorization": f"Bearer {engine.admin_key}"})  # noqa: S310
    with urlopen(asked, timeout=5) as answer:  # noqa: S310 - our own engine on loopback
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def _open_files(engine: EngineProcess) -> int:
    return len(list(Path(f"/proc/{engine.pid}/fd").iterdir()))


STORIES = {many_ears_and_a_kill: 25}


@pytest.fixture
def found(background: Background) -> Ears:
    return background.result(many_ears_and_a_kill)


def test_each_of_many_calls_is_listened_to_and_none_leaves_a_channel_or_a_file(found: Ears) -> None:
    assert found.outcomes == {"hung_up"}
    assert found.opened == MANY
    assert found.channels_after_many == 0
    assert found.files_more <= KEPT_CONNECTIONS


def test_the_ears_of_a_killed_engine_end_and_their_calls_stay_for_the_next_one(found: Ears) -> None:
    assert found.channels_after_kill == FEW
    assert found.ears_after_kill == FEW
    assert found.channels_at_the_end == 0
    assert found.stopped_with == 0
    assert found.complaints == []
