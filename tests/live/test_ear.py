"""Ears on real calls: what they hear, when they close, and that nothing of them is left.

The lab is this module's own: its PBX must have no channel but those of these tests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from engine.asterisk.ear import EarSettings, ears
from engine.core.effects import HoldWithMusic, Listen, Listening
from engine.core.events import (
    BeepHeard,
    EarClosed,
    EarOpened,
    LegEntered,
    TalkFinished,
    TalkStarted,
    TelephonyLost,
    TelephonyReady,
)
from engine.core.records import Attempt
from engine.core.values import replace
from engine.lab import Lab
from tests.live.cable import Cable
from tests.live.channels import channels
from tests.live.desk import VOICE, Desk, dial, direct, new_attempt, phone

PAUSE = 0.5
HELLO, VOICEMAIL, LISTENS, SENDS_NO_SILENCE = "00", "13", "14", "26"
BEEP_SECONDS = 0.42


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    with Lab.up() as lab:
        yield lab


async def until(holds: Callable[[], bool], what: str, limit_seconds: float = 5.0) -> None:
    deadline = time.monotonic() + limit_seconds
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def listened_to(desk: Desk, attempt: Attempt, to: str) -> None:
    """Dial, and ask for an ear when they have answered."""
    leg = attempt.customer_leg
    await desk.node.perform(replace(dial(attempt, to), listening=Listening(256, PAUSE, amd=False)))
    await desk.told_of(LegEntered(leg))
    await desk.node.perform(Listen(attempt.id, leg, PAUSE))


def told(desk: Desk, attempt: Attempt) -> list[object]:
    """What was told of this leg's audio, in order."""
    kinds = (EarOpened, EarClosed, TalkStarted, TalkFinished, BeepHeard)
    return [each for each in desk.told if isinstance(each, kinds) and each.leg == attempt.customer_leg]


async def test_ears_hear_talk_beep_and_a_silence_without_packets_and_close_when_a_customer_has_confirmed(
    own_lab: Lab,
) -> None:
    machine, person, quiet, confirms = (new_attempt() for _ in range(4))
    cable = Cable(direct(own_lab))
    async with cable.laid() as port, Desk(own_lab, port, machine, person, quiet, confirms).ready() as desk:

        async def hears_the_machine() -> None:
            await listened_to(desk, machine, phone(501, VOICEMAIL))
            await desk.told_of(TalkStarted(machine.customer_leg))
            # The event socket is lost while ears are open; they have lines of their own.
            desk.told.remove(TelephonyReady())
            cable.cut_events()
            await desk.told_of(TelephonyLost())
            await desk.told_of(TelephonyReady())
            await desk.until(lambda: any(isinstance(each, BeepHeard) for each in desk.told), 15)

        async def hears_the_person() -> None:
            await listened_to(desk, person, phone(501, HELLO))
            await desk.until(lambda: any(isinstance(each, TalkFinished) for each in told(desk, person)))

        async def hears_the_silence() -> None:
            await listened_to(desk, quiet, phone(501, SENDS_NO_SILENCE))
            await desk.until(lambda: any(isinstance(each, TalkFinished) for each in told(desk, quiet)))

        async def closes() -> None:
            leg = confirms.customer_leg
            await listened_to(desk, confirms, phone(501, LISTENS))
            await desk.told_of(EarOpened(leg))
            await desk.node.perform(HoldWithMusic(confirms.id, leg, (), VOICE))
            await asyncio.sleep(0.5)
            assert await desk.is_up(leg)
            assert not await desk.is_up(f"{leg}.ear")

        await asyncio.gather(hears_the_machine(), hears_the_person(), hears_the_silence(), closes())
        (beep,) = (each for each in told(desk, machine) if isinstance(each, BeepHeard))
        assert beep.seconds == pytest.approx(BEEP_SECONDS, abs=0.05)
        for attempt in (machine, person, quiet):
            first, second, *rest = told(desk, attempt)
            assert (first, second) == (EarOpened(attempt.customer_leg), TalkStarted(attempt.customer_leg))
            assert EarOpened(attempt.customer_leg) not in rest
        for attempt in (person, quiet):
            (finished,) = (each for each in told(desk, attempt) if isinstance(each, TalkFinished))
            assert 0.2 < finished.seconds < 1.0
        assert [each for each in told(desk, confirms) if isinstance(each, EarClosed)] == []
        await desk.tidy(*(each.customer_leg for each in (machine, person, quiet, confirms)))
        await until(lambda: channels(own_lab) == 0, "no channel is left")


async def test_with_one_ear_on_an_address_of_version_6_the_second_call_has_asterisk_s_talk_detection(
    own_lab: Lab,
) -> None:
    first, second = new_attempt(), new_attempt()
    async with Desk(own_lab, direct(own_lab), first, second, ear=EarSettings("::1", limit=1)).ready() as desk:
        await asyncio.gather(*(listened_to(desk, each, phone(502, LISTENS)) for each in (first, second)))
        legs = (first.customer_leg, second.customer_leg)
        await desk.until(lambda: {each.leg for each in desk.told if isinstance(each, TalkFinished)} == set(legs))
        (opened,) = (each for each in desk.told if isinstance(each, EarOpened))
        assert desk.figures.registry.get_sample_value("ringback_ears_total", {"result": "none_left"}) == 1
        other = legs[1 - legs.index(opened.leg)]
        assert desk.node.ears.received_seconds(opened.leg) is not None
        assert desk.node.ears.received_seconds(other) is None
        await desk.tidy(*legs)
        await until(lambda: channels(own_lab) == 0, "no channel is left")


async def test_an_asterisk_without_the_context_goes_on_with_talk_detection_and_it_is_said_once(
    own_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears, "CONTEXT", "no-such-context")
    monkeypatch.setattr(ears, "_CONNECTS_SECONDS", 0.3)
    calls = [new_attempt() for _ in range(5)]
    with capture_logs() as logs:
        async with Desk(own_lab, direct(own_lab), *calls).ready() as desk:
            await asyncio.gather(*(listened_to(desk, each, phone(503, LISTENS)) for each in calls))
            legs = {each.customer_leg for each in calls}
            await desk.until(lambda: {each.leg for each in desk.told if isinstance(each, TalkFinished)} == legs)
            registry = desk.figures.registry
            await until(
                lambda: registry.get_sample_value("ringback_ears_total", {"result": "not_connected"}) == len(calls),
                "all are counted",
            )
            assert channels(own_lab, "Snoop/") == 0
            await desk.tidy(*legs)
            await until(lambda: channels(own_lab) == 0, "no channel is left")
    assert not [each for each in desk.told if isinstance(each, EarOpened | EarClosed)]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["ear.not_connected"]


async def test_an_ear_that_a_killed_engine_had_only_asked_for_is_hung_up_by_the_next_one(own_lab: Lab) -> None:
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as killed:
        await killed.answered(attempt, phone(504, LISTENS))
        await killed.node.client.channels.snoop(leg, f"{leg}.ear", "ringback")
        await until(lambda: channels(own_lab, "Snoop/") == 1, "it waits to be sent on")
    async with Desk(own_lab, direct(own_lab), attempt).ready() as after:
        await until(lambda: channels(own_lab, "Snoop/") == 0, "nobody sends it on")
        await after.node.perform(Listen(attempt.id, leg, PAUSE))
        await after.told_of(EarOpened(leg))
        await after.tidy(leg)
        await until(lambda: channels(own_lab) == 0, "no channel is left")
