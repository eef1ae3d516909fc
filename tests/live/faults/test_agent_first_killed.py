"""The agent first, and the engine is killed: who came to the phone is kept, who did not costs the customer nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from tests.live.calls.centre import Callback, agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.scene import LISTENS, scene

COMES, WAITS, GOES = 1011, 1021, 1031
ABSENCE_SECONDS = 2.0
"""Shorter than the dialplan keeps an agent who answers."""
NUMBERS = {number: f"1{area}55501{LISTENS}" for number, area in ((COMES, 202), (WAITS, 203), (GOES, 205))}
SERVICES = {COMES: "comes", WAITS: "waits", GOES: "goes"}


@dataclass(frozen=True, slots=True)
class Killed:
    """The three callbacks, ended, and how often each phone was called; by the agent's number."""

    ended: dict[int, Callback]
    calls_to_agents: dict[int, int]
    calls_to_customers: dict[int, int]
    dialled_before_the_kill: set[int]
    did: dict[int, str]
    moves: dict[int, list[tuple[str, str]]]


def agents_are_rung_first_through_a_kill(place: Place) -> Killed:
    with scene(place, talk_seconds=3, record_audio=False) as at:
        fields = {"connect": "agent_first", "agent_ring_seconds": 15, "ring_timeout_seconds": 15}
        at.configure(
            [service(name, **fields) for name in SERVICES.values()],
            [agent(number, name) for number, name in SERVICES.items()],
        )
        at.ready(COMES, WAITS, GOES)
        callbacks = {WAITS: at.request("waits", NUMBERS[WAITS])}
        at.wait(lambda: at.calls_to_so_far(NUMBERS[WAITS]), "the customer's phone rings", 10)
        for number in (COMES, GOES):
            callbacks[number] = at.request(SERVICES[number], NUMBERS[number])
        for number in (COMES, GOES):
            at.wait(lambda number=number: at.calls_to_so_far(str(number)), "the agent's phone rings", 10)  # type: ignore[misc]
        at.engine.kill()
        killed_at = time.time()
        dialled = {number for number in callbacks if at.calls_to_so_far(NUMBERS[number])}
        at.hang_up(str(GOES))
        at.until(killed_at + ABSENCE_SECONDS)
        at.engine.start()
        did = {
            number: str(line["did"])
            for line in at.logged("attempt.recovered")
            for number, callback in callbacks.items()
            if line["attempt"] == f"{callback}-1"
        }
        for number, callback in callbacks.items():
            at.until_state(callback, "announcing")
            at.press(NUMBERS[number], "1")
        ended = dict(zip(callbacks, at.until_ended(*callbacks.values()), strict=True))
        return Killed(
            ended,
            {number: len(at.calls_to(str(number))) for number in callbacks},
            {number: len(at.calls_to(NUMBERS[number])) for number in callbacks},
            dialled,
            did,
            {number: at.agent_moves(number) for number in callbacks},
        )


STORIES = {agents_are_rung_first_through_a_kill: 35}


@pytest.fixture(scope="module")
def killed(background: Background) -> Killed:
    return background.result(agents_are_rung_first_through_a_kill)


def test_everybody_is_called_once_and_talks(killed: Killed) -> None:
    assert {number: each["reason"] for number, each in killed.ended.items()} == dict.fromkeys(SERVICES, "talked")
    assert killed.calls_to_customers == dict.fromkeys(SERVICES, 1)
    assert killed.dialled_before_the_kill == {WAITS}


def test_an_agent_who_answers_while_the_engine_is_away_is_kept_and_the_customer_dialled_then(killed: Killed) -> None:
    assert killed.did[COMES] in ("left alone", "music again, agent kept")
    assert killed.calls_to_agents[COMES] == 1
    assert [attempt["outcome"] for attempt in killed.ended[COMES]["attempts"]] == ["connected"]


def test_an_agent_who_waits_for_the_customer_is_kept(killed: Killed) -> None:
    assert killed.did[WAITS] in ("left alone", "announced again")
    assert killed.calls_to_agents[WAITS] == 1
    assert [attempt["outcome"] for attempt in killed.ended[WAITS]["attempts"]] == ["connected"]


def test_an_agent_who_is_gone_is_not_blamed_and_the_customer_keeps_their_place(killed: Killed) -> None:
    assert killed.did[GOES] == "back in line"
    assert killed.calls_to_agents[GOES] == 2, "they are rung again"
    attempts = killed.ended[GOES]["attempts"]
    assert [(each["outcome"], each["dialed_at"] is None) for each in attempts] == [
        ("no_agent", True),
        ("connected", False),
    ]
    assert "rona" not in {because for _after, because in killed.moves[GOES]}
