"""Calls that come in: the shipped dialplan's side of them, and the people who ring in to a lab.

A small application stands in the engine's place, so that neither is tried with the other's faults.
"""

import asyncio
import wave
from array import array
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

import pytest

from engine.lab import Lab, RungIn, WitnessCall
from engine.lab.callers import hang_up, ring_in, steps
from tests.live.legs import Legs

APPLICATION = "ringback"
"""As the lab's dialplan was rendered."""
DIALLED = "+12025550199"
LEFT = "+12125550105"
"""Is answered and told nothing."""
CROWD = [f"+131055501{each:02}" for each in range(20)]
OUTWARD = ("+12025550100", "0012025550100", "12025550100", "4711", "911")


@dataclass(frozen=True, slots=True)
class Calls:
    """What the callers saw, and what the application was told."""

    crowd: dict[str, RungIn]
    keys_received: dict[str, str]
    arguments: dict[str, list[str]]
    numbers: list[str]
    early: RungIn
    anonymous: RungIn
    unknown: RungIn
    put_down: RungIn
    left_waiting: RungIn
    phone_called_out: list[RungIn]
    called_out: list[WitnessCall]
    phone_called_phone: RungIn
    phone_called_desk: RungIn
    loudest_of_desk: int


@pytest.fixture(scope="module")
async def calls() -> Calls:
    # The engine must be away at first; another test's engine may be on the common lab.
    with await asyncio.to_thread(Lab.up, record_audio=True) as lab:
        outward = [ring_in(lab, each, "agent-1001", steps("hang-up")) for each in OUTWARD]
        to_phone = ring_in(lab, "1002", "agent-1001", steps("talk 1"))
        to_desk = ring_in(lab, "*80", "agent-1003", steps("stay"))
        unknown = ring_in(lab, "nobody", "+12125550101", ())
        early = ring_in(lab, DIALLED, "+12125550102", steps("hang-up"))
        ring_in(lab, DIALLED, "+12125550103", (), patience_seconds=1)
        await asyncio.sleep(1.5)
        switchboard = Switchboard(lab)
        async with switchboard:
            crowd = {
                each: ring_in(lab, DIALLED, each, steps(f"listen 10,press {each[-2:]}*7#,wait 0.5,hang-up"))
                for each in CROWD
            }
            anonymous = ring_in(lab, "s", None, steps("listen 10,hang-up"))
            put_down = ring_in(lab, DIALLED, "+12125550104", ())
            left = ring_in(lab, DIALLED, LEFT, steps("listen 60,hang-up"))
            waiting = (early, anonymous, *crowd.values())
            ended = await asyncio.gather(*(asyncio.to_thread(lab.await_rung_in, each) for each in waiting))
        await switchboard.leave_waiting(LEFT, _beep(lab))
        hang_up(lab, put_down)
        by_id = {each.ring_id: each for each in ended}

        def seen(ring_id: str) -> RungIn:
            return lab.await_rung_in(ring_id)

        desk = seen(to_desk)
        return Calls(
            crowd={number: by_id[ring_id] for number, ring_id in crowd.items()},
            keys_received=dict(switchboard.keys),
            arguments=switchboard.arguments,
            numbers=switchboard.numbers,
            early=by_id[early],
            anonymous=by_id[anonymous],
            unknown=seen(unknown),
            put_down=seen(put_down),
            left_waiting=seen(left),
            phone_called_out=[seen(each) for each in outward],
            called_out=[each for each in lab.witness() if each.caller == "agent-1001"],
            phone_called_phone=seen(to_phone),
            phone_called_desk=desk,
            loudest_of_desk=_loudest(lab, desk),
        )


class Switchboard:
    """Answers everybody, says something short and notes the keys."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._legs = Legs(lab)
        self._legs.application = APPLICATION
        self._channels: dict[str, str] = {}
        self.keys: dict[str, str] = defaultdict(str)
        self.arguments: dict[str, list[str]] = {}
        self.numbers: list[str] = []

    async def __aenter__(self) -> None:
        await self._legs.__aenter__()
        self._task = asyncio.create_task(self._serve(), name="switchboard")

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await self._legs.__aexit__(*error)

    async def leave_waiting(self, number: str, sound: str) -> None:
        """Send that caller, who was answered, to the door once more, now that nobody is behind it."""
        async with Legs(self._lab) as other:
            channel = f"/channels/{self._channels[number]}"
            await other.request("POST", f"{channel}/variable", {"variable": "RB_ONE_MOMENT", "value": sound})
            door = {"context": "ringback-inbound-call", "extension": "s", "label": "try"}
            await other.request("POST", f"{channel}/continue", door)

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as answering:
            while True:
                event = await self._legs.when("StasisStart", "ChannelDtmfReceived")
                number = event["channel"]["caller"]["number"]
                if event["type"] == "ChannelDtmfReceived":
                    self.keys[number] += event["digit"]
                    continue
                self.numbers.append(number)
                self.arguments[number] = event["args"]
                self._channels[number] = event["channel"]["id"]
                answering.create_task(self._answer(number))

    async def _answer(self, number: str) -> None:
        channel = f"/channels/{self._channels[number]}"
        with suppress(AssertionError):  # refused, for they have hung up meanwhile; the others are answered all the same
            await self._legs.request("POST", f"{channel}/answer", {})
            if number != LEFT:
                await self._legs.request("POST", f"{channel}/play", {"media": f"sound:{_beep(self._lab)}"})


def _beep(lab: Lab) -> str:
    """A second of the lab's announcement, as its PBX names it."""
    folder = lab.directory / "sounds"
    if not (folder / "second.wav").exists():
        with wave.open(str(folder / "announcement.wav")) as long, wave.open(str(folder / "second.wav"), "wb") as short:
            short.setparams(long.getparams())
            short.writeframes(long.readframes(8000))
    return lab.announcement_in_asterisk.replace("announcement", "second")


def _loudest(lab: Lab, call: RungIn) -> int:
    with wave.open(str(lab.recordings(call))) as recording:
        return max(array("h", recording.readframes(recording.getnframes())), default=0)


def test_twenty_callers_at_once_are_known_by_number_and_none_of_their_keys_is_lost(calls: Calls) -> None:
    for number, seen in calls.crowd.items():
        assert calls.arguments[number] == ["inbound", DIALLED]
        assert calls.keys_received[number] == seen.pressed == f"{number[-2:]}*7#"
        assert seen.caller == number


def test_a_caller_does_each_step_after_the_one_before_and_all_is_written_down(calls: Calls) -> None:
    for seen in calls.crowd.values():
        (heard,), (quiet,) = seen.heard, seen.quiet
        assert seen.answered_at is not None
        assert seen.hung_up_at is not None
        assert seen.ended_at is not None
        moments = [seen.started_at, seen.answered_at, heard, quiet, *(press.at for press in seen.keys), seen.hung_up_at]
        assert moments == sorted(moments)
        # A second of sound and 1.2 of nothing.
        assert quiet - heard == pytest.approx(2.2, abs=0.6)
        assert (seen.cause, seen.sip_code) == (16, None)


def test_a_caller_who_comes_while_the_engine_is_away_is_not_answered_before_it_is_back(calls: Calls) -> None:
    assert calls.early.answered_at is not None
    # It was away for 1.5 seconds and is looked for each second.
    assert calls.early.answered_at - calls.early.started_at == pytest.approx(2.0, abs=0.6)
    assert calls.arguments["+12125550102"] == ["inbound", DIALLED]


def test_a_caller_who_loses_patience_gives_up_unanswered(calls: Calls) -> None:
    assert "+12125550103" not in calls.numbers


def test_a_withheld_number_reaches_the_engine_as_none(calls: Calls) -> None:
    assert calls.anonymous.caller == ""
    assert calls.arguments[""] == ["inbound", "s"]
    assert calls.anonymous.heard


def test_an_answered_caller_whose_engine_went_away_hears_one_moment(calls: Calls) -> None:
    assert len(calls.left_waiting.heard) == 1


def test_a_caller_can_be_made_to_hang_up_at_any_time(calls: Calls) -> None:
    assert calls.put_down.answered_at is not None
    assert calls.put_down.hung_up_at is None


def test_what_is_no_number_is_refused(calls: Calls) -> None:
    assert (calls.unknown.sip_code, calls.unknown.answered_at) == (404, None)


def test_an_agents_phone_reaches_nothing_outside(calls: Calls) -> None:
    assert [seen.answered_at for seen in calls.phone_called_out] == [None] * len(OUTWARD)
    # "Unknown", or "too short": four digits could have followed.
    assert {seen.sip_code for seen in calls.phone_called_out} <= {404, 484}
    assert [call.number for call in calls.called_out] == ["1002"]


def test_an_agents_phone_reaches_another_agents(calls: Calls) -> None:
    assert calls.phone_called_phone.met_at is not None
    assert calls.phone_called_phone.hung_up_at == pytest.approx(calls.phone_called_phone.met_at + 1.0, abs=0.4)


def test_the_agents_menu_says_with_a_beep_that_the_engine_is_away(calls: Calls) -> None:
    assert calls.phone_called_desk.answered_at is not None
    assert calls.phone_called_desk.hung_up_at is None
    assert calls.loudest_of_desk > 1000
