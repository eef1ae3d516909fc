"""The screening bench's far end against a real PBX: what it says is heard there, and what it does arrives."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.lab import Lab
from engine.lab.calling import CallReport, call
from tests.bench.screening.call_result import CallResult, EndedBy, Figures
from tests.bench.screening.far_end import FarEnd, FarEndError
from tests.bench.screening.scene import Listen, Press, Say, Scene, Step, Truth, Wait
from tests.live.legs import Legs

ANNOUNCEMENT_SECONDS = 9.1
RING_SECONDS = 0.5
PAUSE_SECONDS = 0.7


def tone(seconds: float, amplitude: int = 8000) -> bytes:
    values = (int(amplitude * math.sin(index * 0.35)) for index in range(round(seconds * 8000)))
    return b"".join(struct.pack("<h", each) for each in values)


def scene(
    name: str, steps: Sequence[Step], *, noise: bytes = b"", suppress_silence: bool = False, loss: float = 0.0
) -> Scene:
    return Scene(name, "A", Truth.PERSON, "test", "en", "tone", tuple(steps), noise, suppress_silence, loss)


NUMBERS = {
    "12025550100": scene("presses", [Say(tone(0.6)), Listen(PAUSE_SECONDS, 14.0), Press("1"), Wait(30.0)]),
    "12025550101": scene("suppressed", [Say(tone(1.0) + tone(1.0, 0) + tone(1.0)), Wait(1.0)], suppress_silence=True),
    "12025550102": scene("lossy", [Wait(4.0)], loss=0.2, noise=tone(1.0, 1000)),
    "12025550103": scene("talks", [Wait(1.0), Say(tone(1.0)), Wait(1.5), Say(tone(1.0)), Wait(2.0)]),
    "12025550104": scene("cancelled", [Wait(1.0)]),
}
UNKNOWN = "12025550199"


@dataclass(frozen=True, slots=True)
class Day:
    """Every call, side by side: as the PBX saw it, and as the far end did."""

    seen: dict[str, CallReport]
    talking: list[tuple[str, float]]
    result: dict[str, CallResult]
    figures: Figures


@pytest.fixture(scope="module")
async def day(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Day:
    scenes = {each.name: each for each in NUMBERS.values()}
    numbers = {number: each.name for number, each in NUMBERS.items()}
    far_end = await asyncio.to_thread(
        FarEnd.start, scenes, numbers, tmp_path_factory.mktemp("far-end"), ring_seconds=RING_SECONDS
    )
    with far_end:
        dialled = ["12025550100", "12025550101", "12025550102", UNKNOWN]
        seen, talking, _ = await asyncio.gather(
            asyncio.gather(*(_called(lab, far_end, number) for number in dialled)),
            _talking(lab, far_end, "12025550103"),
            _cancelled(lab, far_end, "12025550104"),
        )
        results = await asyncio.to_thread(far_end.await_results, len(NUMBERS) + 1)
    result = {each.number: each for each in results}
    assert far_end.figures
    return Day(dict(zip(dialled, seen, strict=True)), talking, result, far_end.figures)


async def _called(lab: Lab, far_end: FarEnd, number: str) -> CallReport:
    endpoint = far_end.customer_endpoint.format(number=number)
    return await call(lab.pbx, endpoint, announcement=lab.announcement_in_asterisk, limit_seconds=14)


async def _talking(lab: Lab, far_end: FarEnd, number: str) -> list[tuple[str, float]]:
    """The events of talk detection, with the seconds since the answer."""
    async with Legs(lab) as legs:
        body = {
            "endpoint": far_end.customer_endpoint.format(number=number),
            "app": legs.application,
            "variables": {"TALK_DETECT(set)": "200,256"},
        }
        await legs.request("POST", f"/channels/{legs.application}.talks", body)
        await legs.when("StasisStart")
        answered, told = asyncio.get_running_loop().time(), list[tuple[str, float]]()
        while True:
            kind = (await legs.when("ChannelTalkingStarted", "ChannelTalkingFinished", "ChannelDestroyed"))["type"]
            if kind == "ChannelDestroyed":
                return told
            told.append((kind, asyncio.get_running_loop().time() - answered))


async def _cancelled(lab: Lab, far_end: FarEnd, number: str) -> None:
    async with Legs(lab) as legs:
        channel = f"{legs.application}.cancelled"
        body = {"endpoint": far_end.customer_endpoint.format(number=number), "app": legs.application}
        await legs.request("POST", f"/channels/{channel}", body)
        await asyncio.sleep(RING_SECONDS / 2)
        await legs.request("DELETE", f"/channels/{channel}", {})
        await legs.when("ChannelDestroyed")


def test_it_rings_answers_and_presses_once_the_announcement_is_over(day: Day) -> None:
    seen, result = day.seen["12025550100"], day.result["12025550100"]
    assert seen.ringing_after is not None
    assert seen.answered_after is not None
    assert seen.answered_after - seen.ringing_after == pytest.approx(RING_SECONDS, abs=0.3)
    assert seen.keys == "1"
    assert seen.key_after is not None
    assert seen.key_after - seen.answered_after == pytest.approx(ANNOUNCEMENT_SECONDS + PAUSE_SECONDS, abs=1.0)
    assert result.answered_at is not None
    assert [each.key for each in result.keys] == ["1"]
    assert result.keys[0].at - result.answered_at == pytest.approx(ANNOUNCEMENT_SECONDS + PAUSE_SECONDS, abs=1.0)


def test_the_pbx_hangs_up(day: Day) -> None:
    assert day.seen["12025550100"].ended_by == "pbx"
    result = day.result["12025550100"]
    assert (result.status, result.ended_by, result.scene) == (200, EndedBy.PBX, "presses")


def test_what_was_heard_is_told(day: Day) -> None:
    result = day.result["12025550100"]
    assert result.answered_at is not None
    assert result.first_packet_at is not None
    assert result.first_audio_at is not None
    assert result.answered_at < result.first_packet_at <= result.first_audio_at < result.answered_at + 2.0
    # The lab's announcement: three phrases of 2.7 s with pauses of half a second.
    assert result.audible_seconds == pytest.approx(8.1, abs=0.2)
    assert result.longest_silence == pytest.approx(0.5, abs=0.2)
    assert result.longest_gap < 0.4
    assert result.timeline.count("#") == pytest.approx(405, abs=15)
    assert result.missing == 0


def test_the_far_end_hangs_up_after_the_last_step(day: Day) -> None:
    seen, result = day.seen["12025550101"], day.result["12025550101"]
    assert (seen.ended_by, seen.cause_name) == ("far end", "Normal Clearing")
    assert seen.answered_after is not None
    assert seen.seconds - seen.answered_after == pytest.approx(4.0, abs=0.3)
    assert (result.status, result.ended_by) == (200, EndedBy.FAR_END)


def test_suppressed_silence_is_not_sent(day: Day) -> None:
    result = day.result["12025550101"]
    assert (result.sent, result.lost) == (100, 0)


def test_lost_packets_are_counted(day: Day) -> None:
    result = day.result["12025550102"]
    assert result.sent + result.lost == 200
    assert 10 <= result.lost <= 80


def test_what_is_said_is_heard_by_the_pbx(day: Day) -> None:
    kinds = [kind for kind, _ in day.talking]
    assert kinds == ["ChannelTalkingStarted", "ChannelTalkingFinished"] * 2
    began = [at for kind, at in day.talking if kind == "ChannelTalkingStarted"]
    assert began == [pytest.approx(1.0, abs=0.6), pytest.approx(3.5, abs=0.6)]


def test_an_unknown_number_is_told_from_a_known_one(day: Day) -> None:
    assert day.seen[UNKNOWN].sip_code == 404
    assert (day.result[UNKNOWN].status, day.result[UNKNOWN].scene) == (404, "")


def test_a_call_that_is_given_up_while_it_rings_was_never_answered(day: Day) -> None:
    result = day.result["12025550104"]
    assert (result.status, result.ended_by, result.answered_at) == (487, EndedBy.PBX, None)


def test_the_figures_cover_all_calls(day: Day) -> None:
    answered = [each for each in day.result.values() if each.status == 200]
    assert (day.figures.calls, day.figures.malformed) == (len(day.result), 0)
    assert day.figures.most_at_once == len(answered) == 4
    assert day.figures.sent == sum(each.sent for each in answered)


def test_a_number_without_a_scene_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(FarEndError, match="no scene 'nobody'"):
        FarEnd.start({}, {"12025550100": "nobody"}, tmp_path)
