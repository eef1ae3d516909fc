"""The store cannot be written for a while, with a call in every phase: nothing is lost, and the engine works on."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from engine.lab.witness import WitnessCall
from tests.live.faults.background import Background, Place
from tests.live.faults.listening import longest_gap_seconds, prompt_heard_at
from tests.live.faults.scene import AGENTS, COLLEAGUE, EVERY_PHASE, LISTENS, Phase, Scene, scene

STORE_DOWN_SECONDS = 3.0
OUTAGE_SECONDS = 14.0
INTERVAL_SECONDS = 5.0
PRESSES = Phase.LAST_WORDS
"""This customer still listens when the store fails, and presses 3 a moment later."""

UNCONFIRMED = frozenset({Phase.RINGING, Phase.ANNOUNCING})
ENDINGS = {
    Phase.MUSIC: ("completed", "talked"),
    Phase.AGENT_RINGS: ("completed", "talked"),
    Phase.WHISPERING: ("completed", "talked"),
    Phase.TALKING: ("completed", "talked"),
    Phase.ENDING: ("completed", "talked"),
    PRESSES: ("cancelled", "by_key"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the intake said."""

    status: int
    content_type: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outage:
    """What was seen while another program held the database, and afterwards."""

    phases: dict[Phase, str]
    locked_at: float
    free_at: float
    back_at: float
    same_process: bool
    refusals: list[Answer]
    readiness: tuple[int, str, bool]
    accepted_after: str
    calls: dict[Phase, list[WitnessCall]]
    apology_at: list[float]
    conversation_gap: float
    outcomes: dict[Phase, list[str | None]]
    endings: dict[Phase, tuple[str, str | None]]
    talk_seconds: float | None
    agent_left: WitnessCall
    blamed: list[tuple[str, str]]


def store_cannot_be_written(place: Place) -> Outage:
    environment = {"RINGBACK_STORE__STORE_DOWN_SECONDS": f"{STORE_DOWN_SECONDS:g}"}
    with scene(place, talk_seconds=24, environment=environment) as at:
        at.set_up(
            agent_ring_seconds=8,
            hold_limit_seconds=60,
            attempts={"max": 3, "interval_seconds": INTERVAL_SECONDS, "fault_interval_seconds": 3},
        )
        at.play(without=frozenset({PRESSES}))
        with closing(sqlite3.connect(at.engine.database, isolation_level=None, timeout=5)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked_at, phases, pid = time.time(), at.seen_phases(), at.engine.pid
            at.press(at.numbers[PRESSES], "3")
            at.until(locked_at + 1)
            at.hang_up(str(AGENTS[Phase.ENDING]))
            refusals = [_asked(at)]
            readiness = at.readiness()
            at.wait(lambda: not at.is_up(at.numbers[Phase.ANNOUNCING]), "who has not confirmed is let go", 30)
            refusals.append(_asked(at))
            at.until(locked_at + OUTAGE_SECONDS)
            other.execute("ROLLBACK")
        free_at = time.time()
        at.wait(lambda: at.readiness()[0] == 200, "the engine writes again", 30)
        back_at = time.time()
        at.ready(AGENTS[Phase.MUSIC], COLLEAGUE)
        accepted = at.request(Phase.RINGING, f"121355501{LISTENS}")
        for phase in UNCONFIRMED:
            at.wait(lambda phase=phase: len(at.calls_to_so_far(at.numbers[phase])) >= 2, f"{phase} is called again", 40)  # type: ignore[misc]
        for phase in (Phase.MUSIC, Phase.AGENT_RINGS, Phase.WHISPERING):
            at.until_phase(phase, "talking")
            at.hang_up(at.numbers[phase])
        at.until_ended(*(at.callbacks[phase] for phase in ENDINGS))
        customer = at.calls_to(at.numbers[Phase.TALKING])[-1]
        announced = at.calls_to_so_far(at.numbers[Phase.ANNOUNCING])[0]
        apology = at.lab.prompts_dir / "en" / Phase.ANNOUNCING / "apology.wav"
        return Outage(
            phases,
            locked_at,
            free_at,
            back_at,
            at.engine.pid == pid and _is_alive(pid),
            refusals,
            (readiness[0], str(readiness[1].get("detail")), readiness[1]["checks"]["store"]["ok"]),
            str(at.callback(accepted)["id"]),
            at.everybody(lambda phase: at.calls_to_so_far(at.numbers[phase])),
            prompt_heard_at(at.lab.recordings(announced), apology),
            longest_gap_seconds(at.lab.recordings(customer), customer, 1000, back_at),
            at.everybody(at.outcomes),
            {phase: (at.state(phase), at.reason(phase)) for phase in ENDINGS},
            at.callback(at.callbacks[Phase.ENDING])["attempts"][-1]["talk_seconds"],
            at.calls_to(str(AGENTS[Phase.ENDING]))[-1],
            [move for move in at.agent_moves(AGENTS[Phase.WHISPERING]) if move[1] == "rona"],
        )


def _asked(at: Scene) -> Answer:
    """How the intake answers now; raises if it takes longer than a customer waits."""
    asked = {"service": Phase.RINGING, "phone": f"+121455501{LISTENS}", "when": "now", "channel": "api"}
    request = Request(  # noqa: S310 - our own engine on loopback
        f"{at.engine.url}/api/v1/callbacks",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {at.engine.admin_key}"},
    )
    try:
        with urlopen(request, timeout=10) as accepted:  # noqa: S310
            return Answer(int(accepted.status), accepted.headers.get_content_type(), json.load(accepted))
    except HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers.get_content_type(), json.load(refused))


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


STORIES = {store_cannot_be_written: 60}


@pytest.fixture(scope="module")
def outage(background: Background) -> Outage:
    return background.result(store_cannot_be_written)


def test_a_call_was_in_every_phase_when_the_store_failed(outage: Outage) -> None:
    assert outage.phases == {**EVERY_PHASE, PRESSES: "announcing"}


def test_intake_is_refused_in_clear_words_while_nothing_can_be_written(outage: Outage) -> None:
    assert [answer.status for answer in outage.refusals] == [503, 503], outage.refusals
    for answer in outage.refusals:
        assert answer.content_type == "application/problem+json"
        assert answer.body["code"] == "not-ready"


def test_readiness_names_the_store(outage: Outage) -> None:
    status, detail, store_ok = outage.readiness
    assert (status, store_ok) == (503, False), detail


def test_who_listens_hears_the_apology_and_is_let_go(outage: Outage) -> None:
    call = outage.calls[Phase.ANNOUNCING][0]
    assert call.ended_at is not None
    assert STORE_DOWN_SECONDS < call.ended_at - outage.locked_at < OUTAGE_SECONDS
    assert len(outage.apology_at) == 1, outage.apology_at


def test_a_phone_that_rings_stops_ringing(outage: Outage) -> None:
    call = outage.calls[Phase.RINGING][0]
    assert call.ended_at is not None
    assert call.ended_at < outage.free_at


@pytest.mark.parametrize("phase", [Phase.MUSIC, Phase.AGENT_RINGS, Phase.WHISPERING])
def test_who_has_confirmed_is_kept(outage: Outage, phase: Phase) -> None:
    calls = outage.calls[phase]
    assert len(calls) == 1
    assert calls[0].ended_at is None or calls[0].ended_at > outage.back_at


def test_a_conversation_goes_on_without_a_gap(outage: Outage) -> None:
    assert outage.conversation_gap < 0.2


def test_the_engine_works_again_without_a_restart(outage: Outage) -> None:
    assert outage.same_process
    assert outage.accepted_after
    assert outage.back_at - outage.free_at < 10


@pytest.mark.parametrize("phase", sorted(ENDINGS))
def test_what_happened_meanwhile_is_written_down_afterwards(outage: Outage, phase: Phase) -> None:
    assert (outage.endings[phase], len(outage.calls[phase])) == (ENDINGS[phase], 1), outage.outcomes[phase]


def test_the_talk_time_of_a_conversation_that_ended_meanwhile_is_right(outage: Outage) -> None:
    call = outage.agent_left
    assert call.met_at is not None
    assert call.ended_at is not None
    assert outage.talk_seconds == pytest.approx(call.ended_at - call.met_at, abs=1.5)


@pytest.mark.parametrize("phase", sorted(UNCONFIRMED))
def test_who_was_let_go_is_called_again(outage: Outage, phase: Phase) -> None:
    assert outage.outcomes[phase][0] == "interrupted"
    first, second = outage.calls[phase][:2]
    assert first.ended_at is not None
    assert second.invited_at - first.ended_at >= INTERVAL_SECONDS


def test_no_agent_is_blamed(outage: Outage) -> None:
    assert outage.blamed == []
