"""Two engines never both dial: one database has one engine, one Stasis application has one engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.client import EngineNotReachableError, RequestRefusedError
from engine.lab.engine_process import EngineProcess
from engine.lab.errors import LabError
from engine.lab.witness import WitnessCall
from tests.live.calls.centre import Centre, agent, logged_at, service
from tests.live.faults.background import Background, Place
from tests.live.faults.listening import EDGE_SECONDS, longest_gap_seconds
from tests.live.faults.scene import LISTENS, scene

TALK = f"120255501{LISTENS}"
STRANGER = f"120355501{LISTENS}"
BUSY = "10"
AREAS = (206, 207, 208, 209, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234, 239, 240, 248, 251)
PACE_SECONDS = 0.25
TALK_SECONDS = 16.0
NEWS_SECONDS = 0.1
"""The news of the takeover may take this long; the second engine dials later, for it is configured after it."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """One attempt in an engine's database."""

    number: str
    at: float


@dataclass(frozen=True, slots=True)
class TwoEngines:
    """What a second engine did: first on the same database, then on the same application."""

    same_database_code: int
    same_database_lines: list[str]
    first_survived_it: bool
    taken_over_at: float
    first_code: int
    first_ended_after: float
    first_lines: list[str]
    first_connections: int
    by_first: list[Dialled]
    by_second: list[Dialled]
    invites: list[WitnessCall]
    customers_call: WitnessCall
    agents_call: WitnessCall
    conversation_gap: float
    stranger_stayed: bool


def second_engine(place: Place) -> TwoEngines:
    services = [service("talk"), service("flood", attempts={"max": 1})]
    agents = [agent(1011, "talk"), *(agent(number, "flood") for number in range(1101, 1105))]
    with scene(place, talk_seconds=TALK_SECONDS) as at:
        at.configure(services, agents)
        at.ready(1011, 1101, 1102, 1103, 1104)
        at.stranger(STRANGER)
        talking = at.request("talk", TALK)
        at.until_state(talking, "announcing")
        at.press(TALK, "1")
        at.wait(lambda: at.leg(TALK).met_at and at.leg("1011").met_at, "they hear each other", 20)

        same = {"RINGBACK_STORE__URL": f"sqlite+aiosqlite:///{at.engine.database}"}
        refused = EngineProcess(at.lab, _folder(place, "same"), environment=same)
        refused.spawn()
        same_code = refused.wait_until_ended()
        same_lines = [str(entry["text"]) for entry in refused.log_entries() if "text" in entry]
        survived = at.readiness()[0] == 200

        second = EngineProcess(at.lab, _folder(place, "second"))
        centres: list[Centre] = [at]
        with _asked_all_the_time(centres, at.stopping):
            at.wait(lambda: len(_dialled(at)) > 4, "the first engine dials", 20)
            try:
                second.start()
                beside = Centre(at.lab, second)
                lines = [each for each in second.log_entries() if each.get("event") == "ari.stream.connected"]
                taken_over_at = logged_at(lines[0])
                code = at.engine.wait_until_ended()
                ended_after = time.time() - taken_over_at
                beside.configure(services, agents)
                beside.ready(1101, 1102, 1103, 1104)
                centres.append(beside)
                at.wait(lambda: len(_dialled(beside)) > 8, "the second engine dials", 30)
                at.wait(lambda: at.leg("1011").ended_at, "the agent hangs up", TALK_SECONDS + 30)
                stranger_stayed = at.is_up(STRANGER)
                if at.is_up(TALK):  # nobody is left who would end the customer's side
                    at.hang_up(TALK)
            finally:
                second.kill()
        call, agents_call = at.calls_to(TALK)[-1], at.calls_to("1011")[-1]
        assert agents_call.ended_at is not None
        told = [str(entry["text"]) for entry in at.engine.log_entries() if "text" in entry]
        return TwoEngines(
            same_code,
            same_lines,
            survived,
            taken_over_at,
            code,
            ended_after,
            told,
            len(at.logged("ari.stream.connected")),
            _dialled(at),
            _dialled(beside),
            [each for each in at.lab.witness() if each.number.endswith(BUSY) and len(each.number) > 4],
            call,
            agents_call,
            longest_gap_seconds(at.lab.recordings(call), call, 1000, agents_call.ended_at - EDGE_SECONDS),
            stranger_stayed,
        )


def _folder(place: Place, name: str) -> Path:
    folder = place.folder / name
    folder.mkdir()
    return folder


def _dialled(centre: Centre) -> list[Dialled]:
    rows = centre.rows(
        "select phone, dialed_at from attempts where phone like ?",
        f"%{BUSY}",
    )
    return [Dialled(row["phone"].removeprefix("+"), row["dialed_at"]) for row in rows]


@contextmanager
def _asked_all_the_time(centres: list[Centre], stopping: threading.Event) -> Iterator[None]:
    """Every engine gets a request for the same numbers, one after another."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set() and not stopping.is_set():
            for area in AREAS:
                for centre in list(centres):
                    with suppress(RequestRefusedError, EngineNotReachableError, LabError):
                        centre.request("flood", f"1{area}55501{BUSY}")
                if over.wait(PACE_SECONDS):
                    return

    asking = threading.Thread(target=ask, name="asks all the time")
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


STORIES = {second_engine: 35}


@pytest.fixture(scope="module")
def two(background: Background) -> TwoEngines:
    return background.result(second_engine)


def test_a_second_engine_on_the_database_refuses_in_one_line(two: TwoEngines) -> None:
    assert two.same_database_code == 1
    assert len(two.same_database_lines) == 1, two.same_database_lines
    assert "is in use by the process with pid" in two.same_database_lines[0]
    assert two.first_survived_it


def test_an_engine_whose_application_was_taken_over_ends_at_once_with_one_line(two: TwoEngines) -> None:
    assert two.first_code == 1
    assert two.first_ended_after < 5.0
    assert len(two.first_lines) == 1, two.first_lines
    assert "another program uses the Stasis application 'ringback'" in two.first_lines[0]
    assert two.first_connections == 1, "it came back"


def test_after_the_takeover_only_the_second_engine_dials(two: TwoEngines) -> None:
    assert two.by_first
    assert two.by_second
    assert max(each.at for each in two.by_first) < two.taken_over_at + NEWS_SECONDS
    assert min(each.at for each in two.by_second) > two.taken_over_at
    late = [call for call in two.invites if call.invited_at > two.taken_over_at + NEWS_SECONDS]
    assert len(late) == len(two.by_second)


def test_every_call_that_reached_the_network_stands_in_one_database(two: TwoEngines) -> None:
    invited = sorted(call.number for call in two.invites)
    assert invited == sorted(each.number for each in (*two.by_first, *two.by_second))
    assert len({call.call_id for call in two.invites}) == len(two.invites)


def test_the_second_engine_does_not_cut_the_conversation_of_the_first(two: TwoEngines) -> None:
    customer, agents = two.customers_call, two.agents_call
    assert agents.ended_at is not None
    assert agents.met_at is not None
    assert customer.ended_at is not None
    assert agents.ended_at - agents.met_at > TALK_SECONDS - 1, "it was cut"
    assert customer.ended_at >= agents.ended_at - 1, "it was cut"
    assert two.conversation_gap < 0.2


def test_nor_does_it_touch_a_stranger(two: TwoEngines) -> None:
    assert two.stranger_stayed
