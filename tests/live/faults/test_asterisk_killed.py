"""Asterisk dies with a call in every phase and is started again: right outcomes, and retries when they are due."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.live.calls.centre import logged_at
from tests.live.faults.background import Background, Place
from tests.live.faults.scene import AGENTS, EVERY_PHASE, Phase, scene

SETTLE_SECONDS = 12.0
INTERVAL_SECONDS, FAULT_INTERVAL_SECONDS = 8.0, 3.0

WAITED_FOR_US = frozenset({Phase.MUSIC, Phase.AGENT_RINGS, Phase.WHISPERING})
"""They confirmed: called again after a short pause, before everybody else."""
DISTURBED = frozenset({Phase.RINGING, Phase.ANNOUNCING})
"""Their phone rang, and they may have pressed 3 or 9: called again after the normal interval."""
ENDINGS = {
    Phase.TALKING: ("completed", "ended_unobserved"),
    Phase.ENDING: ("completed", "ended_unobserved"),
    Phase.LAST_WORDS: ("cancelled", "by_key"),
}


@dataclass(frozen=True, slots=True)
class Died:
    """What the engine found after Asterisk came back."""

    phases: dict[Phase, str]
    readiness: tuple[int, str]
    recovered_seconds: float
    outcomes: dict[Phase, str | None]
    endings: dict[Phase, tuple[str, str | None]]
    calls: dict[Phase, int]
    again_after: dict[Phase, float]
    blamed: dict[Phase, list[tuple[str, str]]]


def asterisk_dies(place: Place) -> Died:
    environment = {"RINGBACK_ASTERISK__0__RECOVERY_SETTLE_SECONDS": f"{SETTLE_SECONDS:g}"}
    with scene(place, record_audio=False, environment=environment) as at:
        at.set_up(
            attempts={"max": 3, "interval_seconds": INTERVAL_SECONDS, "fault_interval_seconds": FAULT_INTERVAL_SECONDS},
            agent_ring_seconds=20,
        )
        at.play()
        at.lab.stop_pbx()
        phases = at.seen_phases()
        at.wait(lambda: at.readiness()[0] == 503, "the engine says that Asterisk is away", 10)
        at.wait(lambda: at.logged("asterisk.unreachable"), "the engine tells why", 10)
        readiness = at.readiness()
        at.lab.start_pbx()
        at.wait(lambda: at.readiness()[0] == 200, "the engine has recovered", SETTLE_SECONDS + 30)
        recovered_seconds = logged_at(at.logged("asterisk.ready")[-1]) - logged_at(
            at.logged("ari.stream.connected")[-1]
        )
        at.ready(AGENTS[Phase.MUSIC])
        called_again = WAITED_FOR_US | DISTURBED
        for phase in called_again:
            at.wait(lambda phase=phase: len(at.calls_to_so_far(at.numbers[phase])) == 2, f"{phase} is called again", 40)  # type: ignore[misc]
        calls = {phase: at.calls_to_so_far(at.numbers[phase]) for phase in Phase}
        attempts = at.everybody(at.attempts)
        return Died(
            phases,
            (readiness[0], str(readiness[1].get("detail"))),
            recovered_seconds,
            {phase: rows[0]["outcome"] for phase, rows in attempts.items()},
            {phase: (at.state(phase), at.reason(phase)) for phase in ENDINGS},
            {phase: len(each) for phase, each in calls.items()},
            {phase: calls[phase][1].invited_at - attempts[phase][0]["ended_at"] for phase in called_again},
            {
                phase: [move for move in at.agent_moves(AGENTS[phase]) if move[1] == "rona"]
                for phase in (Phase.AGENT_RINGS, Phase.WHISPERING)
            },
        )


STORIES = {asterisk_dies: 38}


@pytest.fixture(scope="module")
def died(background: Background) -> Died:
    return background.result(asterisk_dies)


def test_a_call_was_in_every_phase_when_asterisk_died(died: Died) -> None:
    assert died.phases == EVERY_PHASE


def test_readiness_says_that_asterisk_is_not_there(died: Died) -> None:
    status, detail = died.readiness
    assert status == 503
    assert "no Asterisk at" in detail


def test_an_asterisk_that_was_started_anew_has_none_of_its_calls_so_nobody_waits_for_them(died: Died) -> None:
    assert died.recovered_seconds < SETTLE_SECONDS / 2


@pytest.mark.parametrize("phase", sorted(WAITED_FOR_US | DISTURBED))
def test_a_call_that_was_not_connected_is_interrupted_and_made_again(died: Died, phase: Phase) -> None:
    assert (died.outcomes[phase], died.calls[phase]) == ("interrupted", 2)


@pytest.mark.parametrize("phase", sorted(WAITED_FOR_US))
def test_who_had_confirmed_is_called_again_after_a_short_pause_before_others(died: Died, phase: Phase) -> None:
    assert died.again_after[phase] >= FAULT_INTERVAL_SECONDS
    assert died.again_after[phase] < INTERVAL_SECONDS


@pytest.mark.parametrize("phase", sorted(DISTURBED))
def test_whose_phone_only_rang_or_who_only_listened_is_called_again_after_the_interval(
    died: Died, phase: Phase
) -> None:
    assert died.again_after[phase] >= INTERVAL_SECONDS


@pytest.mark.parametrize("phase", sorted(ENDINGS))
def test_who_talked_or_pressed_3_is_not_called_again(died: Died, phase: Phase) -> None:
    assert (died.endings[phase], died.calls[phase]) == (ENDINGS[phase], 1)


def test_agents_are_not_blamed(died: Died) -> None:
    assert died.blamed == {Phase.AGENT_RINGS: [], Phase.WHISPERING: []}
