"""The engine never comes back: every leg, of customers and of agents, ends by itself within its limit."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from engine.lab.witness import WitnessCall
from tests.live.faults.background import Background, Place
from tests.live.faults.scene import AGENTS, EVERY_PHASE, Phase, scene

RING, AGENT_RING, HOLD, WAIT = 4, 8, 8, 8
ENTER, ANNOUNCEMENT, LAST_WORDS, WHISPER, BRIDGE, CONVERSATION = 3, 14, 2, 7, 2, 30
CUSTOMER_LIMIT = RING + ENTER + ANNOUNCEMENT + WAIT + LAST_WORDS + HOLD + AGENT_RING + WHISPER + BRIDGE
AGENT_LIMIT = AGENT_RING + ENTER + WHISPER
ASTERISKS_RING_LIMIT = RING + 5
TOLERANCE_SECONDS = 2.0
SERVICE = {
    "ring_timeout_seconds": RING,
    "agent_ring_seconds": AGENT_RING,
    "hold_limit_seconds": HOLD,
    "confirmation": {"wait_seconds": WAIT, "repeats": 0},
    "screening": {"robot_repeats": 0},  # each repeat would be one more announcement and wait within the limit
    "call_limits": {
        "enter_seconds": ENTER,
        "announcement_seconds": ANNOUNCEMENT,
        "last_words_seconds": LAST_WORDS,
        "whisper_seconds": WHISPER,
        "bridge_seconds": BRIDGE,
        "conversation_seconds": CONVERSATION,
    },
}

CUSTOMERS: dict[Phase, float] = {
    Phase.RINGING: ASTERISKS_RING_LIMIT,
    Phase.ANNOUNCING: CUSTOMER_LIMIT,
    Phase.MUSIC: CUSTOMER_LIMIT,
    Phase.AGENT_RINGS: CUSTOMER_LIMIT,
    Phase.WHISPERING: CUSTOMER_LIMIT,
    Phase.LAST_WORDS: CUSTOMER_LIMIT,
}
"""Seconds from the INVITE within which a leg must end; conversations count from being bridged."""


@dataclass(frozen=True, slots=True)
class NeverBack:
    phases: dict[Phase, str]
    killed_at: float
    bridged_at: dict[Phase, float]
    customers: dict[Phase, WitnessCall]
    agents: dict[Phase, WitnessCall]


def engine_never_comes_back(place: Place) -> NeverBack:
    with scene(place, talk_seconds=200, record_audio=False) as at:
        at.set_up(**SERVICE)
        at.play()
        at.engine.kill()
        killed_at = time.time()
        phases = at.seen_phases()
        bridged = {phase: at.attempts(phase)[-1]["bridged_at"] for phase in (Phase.TALKING, Phase.ENDING)}
        longest = max(*(at.leg(number).invited_at for number in at.numbers.values())) + CUSTOMER_LIMIT

        def all_over() -> bool:
            # Those who are left after the longest limit are what this story looks for.
            return all(call.ended_at for call in at.lab.witness()) or time.time() > longest + 3 * TOLERANCE_SECONDS

        at.wait(all_over, "the limits are over", CUSTOMER_LIMIT + 30)
        agents = {phase: at.leg(str(AGENTS[phase])) for phase in Phase if at.calls_to_so_far(str(AGENTS[phase]))}
        customers = {phase: at.leg(number) for phase, number in at.numbers.items()}
        return NeverBack(phases, killed_at, bridged, customers, agents)


STORIES = {engine_never_comes_back: 66}


@pytest.fixture(scope="module")
def told(background: Background) -> NeverBack:
    return background.result(engine_never_comes_back)


def test_a_call_was_in_every_phase_when_the_engine_died(told: NeverBack) -> None:
    assert told.phases == EVERY_PHASE


@pytest.mark.parametrize("phase", CUSTOMERS)
def test_a_customer_in_any_phase_is_let_go_within_the_limit(told: NeverBack, phase: Phase) -> None:
    call = told.customers[phase]
    assert call.ended_at is not None, "still in the call"
    assert call.ended_at - call.invited_at < CUSTOMERS[phase] + TOLERANCE_SECONDS
    assert call.ended_at > told.killed_at + 1, "it was the limit that ended it, not the kill"


@pytest.mark.parametrize("phase", [Phase.AGENT_RINGS, Phase.WHISPERING])
def test_an_agent_who_is_not_connected_is_let_go_within_the_limit(told: NeverBack, phase: Phase) -> None:
    call = told.agents[phase]
    assert call.ended_at is not None, "still in the call"
    assert call.ended_at - call.invited_at < AGENT_LIMIT + TOLERANCE_SECONDS
    assert call.ended_at > told.killed_at + 1, "it was the limit that ended it, not the kill"


@pytest.mark.parametrize("phase", [Phase.TALKING, Phase.ENDING])
def test_a_conversation_lasts_until_its_own_limit_and_no_longer(told: NeverBack, phase: Phase) -> None:
    for call in (told.customers[phase], told.agents[phase]):
        assert call.ended_at is not None, "still in the call"
        talked = call.ended_at - told.bridged_at[phase]
        assert CONVERSATION - TOLERANCE_SECONDS < talked < CONVERSATION + TOLERANCE_SECONDS
