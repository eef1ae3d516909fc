"""Who wants no call and is asked again presses again, as people do; otherwise a lost key would end in another call."""

import asyncio
import wave
from contextlib import suppress
from pathlib import Path

from engine.lab import Lab
from engine.lab.witness import WitnessCall
from tests.live.faults.background import Background, Place
from tests.live.legs import Legs

ASKED_SECONDS = 0.5
TIMES = 4
KEY_WITHIN_SECONDS = 4.0
PRESSED = {"13235550115": "333", "13235550127": "999", "13235550120": "2", "13235550114": ""}


def people_are_asked_again_and_again(_place: Place) -> dict[str, WitnessCall | None]:
    """Each one's call, as the network saw it."""
    with Lab.up() as lab:
        asyncio.run(_ask_everybody(lab))
        return {number: lab.await_witness(lambda each, to=number: each.number == to) for number in PRESSED}  # type: ignore[misc]


STORIES = {people_are_asked_again_and_again: 22}


def test_a_key_that_nobody_took_is_pressed_again_at_most_twice(background: Background) -> None:
    calls = background.result(people_are_asked_again_and_again)
    assert {number: call and call.pressed for number, call in calls.items()} == PRESSED


async def _ask_everybody(lab: Lab) -> None:
    question = _question(lab)
    await asyncio.gather(*(_ask_again_and_again(lab, number, question) for number in PRESSED))


async def _ask_again_and_again(lab: Lab, number: str, question: str) -> None:
    async with Legs(lab) as legs:
        channel = await legs.dial(number)
        for _ in range(TIMES):
            await legs.request("POST", f"/channels/{channel}/play", {"media": f"sound:{question}"})
            with suppress(TimeoutError):
                async with asyncio.timeout(ASKED_SECONDS + KEY_WITHIN_SECONDS):
                    await legs.when("ChannelDtmfReceived")
        await legs.request("DELETE", f"/channels/{channel}", {})
        await legs.when("ChannelDestroyed")


def _question(lab: Lab) -> str:
    """The beginning of the lab's announcement, as Asterisk names it."""
    long_one = lab.directory / "sounds" / "announcement.wav"
    short_one: Path = long_one.with_name("question.wav")
    with wave.open(str(long_one)) as source, wave.open(str(short_one), "wb") as target:
        target.setparams(source.getparams())
        target.writeframes(source.readframes(round(8000 * ASKED_SECONDS)))
    return lab.announcement_in_asterisk.removesuffix("announcement") + "question"
