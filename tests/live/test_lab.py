"""The simulated network: every number and phone acts as its row says, and so does the shipped dialplan."""

import asyncio
import time
import wave
from array import array
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.lab import Lab, RungIn, Side, WitnessCall
from engine.lab.callers import ring_in, steps
from engine.lab.calling import CallReport, call
from tests.live.legs import Legs, endpoint

AREA = "1202555"
PEOPLE = [f"{AREA}010{digit}" for digit in range(10)]
"""Everybody who presses 1 once the announcement has been heard out."""

Seen = dict[str, tuple[CallReport, WitnessCall]]


def number(last_two: str) -> str:
    return f"{AREA}01{last_two}"


async def observed(
    lab: Lab, dialled: str, *, limit_seconds: float, announcements: int = 1
) -> tuple[CallReport, WitnessCall]:
    known = {each.channel for each in lab.witness()}
    report = await call(
        lab.pbx,
        endpoint(dialled),
        announcement=lab.announcement_in_asterisk,
        limit_seconds=limit_seconds,
        announcements=announcements,
    )
    return report, await record_of(lab, dialled, known)


async def record_of(lab: Lab, dialled: str, known: Collection[str] = ()) -> WitnessCall:
    """The finished call to that number, once it is in the record."""
    async with asyncio.timeout(45):
        while True:
            for each in lab.witness():
                if each.number == dialled and each.channel not in known and each.ended_at is not None:
                    return each
            await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that was tried side by side: one call to each number and phone, and the scenes beside them."""

    seen: Seen
    twice: tuple[tuple[CallReport, WitnessCall], ...]
    conversation: "Conversation"
    on_hold: WitnessCall
    heard: "Heard"
    away_customer: WitnessCall
    away_agent: WitnessCall
    away_callers: tuple[RungIn, RungIn]


@dataclass(frozen=True, slots=True)
class Conversation:
    bridged_at: float
    talked_seconds: float
    agent_ended_it: bool
    customer: WitnessCall
    agent: WitnessCall


@dataclass(frozen=True, slots=True)
class Heard:
    """What three numbers sound like: an agent's phone beside the noisy street, and seconds."""

    street: WitnessCall
    speech_before_answer: float
    fax_tone_after_answer: float


@pytest.fixture(scope="module")
async def day(lab: Lab) -> Day:
    # The engine must be away for two of the scenes; another test's engine may be on the common lab.
    with await asyncio.to_thread(Lab.up) as lonely:
        seen, twice, conversation, on_hold, heard, (customer, agent, callers) = await asyncio.gather(
            _one_call_each(lab),
            _two_calls_to_19(lab),
            _conversation(lab),
            _on_hold(lab),
            _heard(lab),
            asyncio.gather(
                _customer_without_engine(lonely), _agent_without_engine(lonely), _callers_without_engine(lonely)
            ),
        )
    return Day(seen, twice, conversation, on_hold, heard, customer, agent, callers)


@pytest.fixture(scope="module")
def seen(day: Day) -> Seen:
    return day.seen


async def _one_call_each(lab: Lab) -> Seen:
    last_two = ("10", "11", "12", "13", "14", "15", "16", "17", "18", *(str(each) for each in range(20, 30)))
    agents = ("1001", "1899", "1901", "1902", "1903", "1904")
    everybody = (*PEOPLE, *(number(each) for each in last_two), *agents)
    patience = {number("11"): 6.0, "1901": 6.0, number("14"): 20.0, "1001": 4.0, "1899": 4.0}
    patience |= {number("13"): 34.0, number("21"): 36.0, number("23"): 27.0, number("28"): 34.0}
    # The person behind the robot has heard nothing yet; a machine that is slow to greet gets a message after its beep.
    twice = {number("21"), number("23")}
    results = await asyncio.gather(
        *(
            observed(lab, dialled, limit_seconds=patience.get(dialled, 30.0), announcements=1 + (dialled in twice))
            for dialled in everybody
        )
    )
    return dict(zip(everybody, results, strict=True))


async def _two_calls_to_19(lab: Lab) -> tuple[tuple[CallReport, WitnessCall], ...]:
    first = await observed(lab, "16465550119", limit_seconds=20)
    return first, await observed(lab, "16465550119", limit_seconds=20)


async def _conversation(lab: Lab) -> Conversation:
    customer, agent = "13125550125", "1500"
    async with Legs(lab) as legs:
        ids = [await legs.dial(customer), await legs.dial(agent)]
        bridge = await legs.request("POST", "/bridges", {"type": "mixing"})
        await legs.request("POST", f"/bridges/{bridge['id']}/addChannel", {"channel": ids})
        bridged_at = time.time()
        first = await legs.when("ChannelDestroyed")
        talked = time.time() - bridged_at
        await legs.request("DELETE", f"/channels/{ids[0]}", {})
        await legs.when("ChannelDestroyed")
        await legs.request("DELETE", f"/bridges/{bridge['id']}", {})
    return Conversation(
        bridged_at=bridged_at,
        talked_seconds=talked,
        agent_ended_it=first["channel"]["id"] == ids[1],
        customer=await record_of(lab, customer),
        agent=await record_of(lab, agent),
    )


async def _on_hold(lab: Lab) -> WitnessCall:
    async with Legs(lab) as legs:
        agent = await legs.dial("1501")
        await legs.request("POST", f"/channels/{agent}/moh", {"mohClass": "ringback"})
        await asyncio.sleep(25)  # the whole piece
        await legs.request("DELETE", f"/channels/{agent}", {})
        await legs.when("ChannelDestroyed")
    return await record_of(lab, "1501")


async def _heard(lab: Lab) -> Heard:
    return Heard(*await asyncio.gather(_beside_the_street(lab), _speech_before_answer(lab), _fax_tone(lab)))


async def _beside_the_street(lab: Lab) -> WitnessCall:
    """An agent's phone that hears somebody in a noisy street for eight seconds, and talks all the while."""
    async with Legs(lab) as legs:
        ids = [await legs.dial("1503"), await legs.dial("13125550129")]
        bridge = await legs.request("POST", "/bridges", {"type": "mixing"})
        await legs.request("POST", f"/bridges/{bridge['id']}/addChannel", {"channel": ids})
        await asyncio.sleep(8)
        for each in ids:
            await legs.request("DELETE", f"/channels/{each}", {})
            await legs.when("ChannelDestroyed")
        await legs.request("DELETE", f"/bridges/{bridge['id']}", {})
    return await record_of(lab, "1503")


async def _speech_before_answer(lab: Lab) -> float:
    """How many seconds before its answer number 24 begins to speak."""
    async with Legs(lab) as legs:
        await legs.post("13125550124", {"TALK_DETECT(set)": "500,256"})
        event = await legs.when("ChannelTalkingStarted", "StasisStart")
        began_at = time.monotonic()
        if event["type"] != "StasisStart":
            await legs.when("StasisStart")
        return time.monotonic() - began_at


async def _fax_tone(lab: Lab) -> float:
    """How many seconds after its answer number 28 has been heard to be a fax machine, or ended the call."""
    async with Legs(lab) as legs:
        await legs.post("13125550128", {"TONE_DETECT(2100,500)": ""})
        await legs.when("StasisStart")
        answered_at = time.monotonic()
        await legs.when("ChannelToneDetected", "ChannelDestroyed")
        return time.monotonic() - answered_at


async def _customer_without_engine(lab: Lab) -> WitnessCall:
    prompt = _short_prompt(lab)
    body = {
        "endpoint": endpoint("13105550114"),
        "context": "ringback",
        "extension": "customer",
        "priority": 1,
        "variables": {"RB_ONE_MOMENT": prompt, "RB_APOLOGY": prompt},
    }
    async with Legs(lab) as legs:
        await legs.request("POST", "/channels/away.customer", body)
    return await record_of(lab, "13105550114")


async def _agent_without_engine(lab: Lab) -> WitnessCall:
    body = {"endpoint": endpoint("1502"), "context": "ringback", "extension": "agent", "priority": 1}
    async with Legs(lab) as legs:
        await legs.request("POST", "/channels/away.agent.1", body)
    return await record_of(lab, "1502")


async def _callers_without_engine(lab: Lab) -> tuple[RungIn, RungIn]:
    """One before the operator has named a sound for them, and one after."""
    first = ring_in(lab, "+12025550199", "+13105550101", steps("listen,hang-up"))
    await asyncio.sleep(3)
    second = ring_in(lab, "+12025550199", "+13105550102", steps("listen,hang-up"))
    refused = await asyncio.to_thread(lab.await_rung_in, first)
    lab.console("dialplan set global RB_AWAY beeperr")
    return refused, await asyncio.to_thread(lab.await_rung_in, second)


def _short_prompt(lab: Lab) -> str:
    """Half a second of the lab's announcement, as Asterisk names it."""
    folder = lab.directory / "sounds"
    with wave.open(str(folder / "announcement.wav")) as long, wave.open(str(folder / "short.wav"), "wb") as short:
        short.setparams(long.getparams())
        short.writeframes(long.readframes(4000))
    return lab.announcement_in_asterisk.replace("announcement", "short")


@pytest.mark.parametrize("dialled", PEOPLE)
def test_a_person_answers_in_one_to_three_seconds_and_presses_1_after_the_announcement(
    seen: Seen, dialled: str
) -> None:
    report, call_seen = seen[dialled]
    assert report.ringing_after is not None
    assert report.answered_after == pytest.approx(1.0 + 0.2 * int(dialled[-1]), abs=0.4)
    assert call_seen.asked_at is not None
    assert call_seen.answered_at is not None
    # Nine seconds of announcement and 1.2 of silence.
    assert 10.0 < call_seen.asked_at - call_seen.answered_at < 11.5
    assert report.keys == call_seen.pressed == "1"


@pytest.mark.parametrize(
    ("dialled", "code", "cause"),
    [
        (number("10"), 486, 17),
        (number("12"), 603, 21),
        (number("17"), 404, 1),
        (number("18"), 503, 34),
        ("1902", 603, 21),
    ],
)
def test_a_refusal_is_that_code_on_the_wire_and_in_the_record(seen: Seen, dialled: str, code: int, cause: int) -> None:
    report, call_seen = seen[dialled]
    assert (report.sip_code, report.cause) == (code, cause)
    assert (call_seen.sip_code, call_seen.answered_at) == (code, None)


@pytest.mark.parametrize("dialled", [number("11"), "1901"])
def test_a_phone_that_rings_out_is_never_answered(seen: Seen, dialled: str) -> None:
    report, call_seen = seen[dialled]
    assert report.ringing_after is not None
    assert report.answered_after is None
    assert call_seen.answered_at is None
    assert call_seen.ended_at is not None
    assert call_seen.ended_at - call_seen.invited_at == pytest.approx(6.0, abs=1.0)


def test_voicemail_greets_records_20_seconds_and_hangs_up(seen: Seen) -> None:
    report, call_seen = seen[number("13")]
    assert report.ended_by == "far end"
    assert report.keys == ""
    assert 27 < report.seconds < 34
    assert call_seen.beep_at is not None
    # The announcement was over before the beep.
    assert call_seen.recorded_seconds == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize(("last_two", "key"), [("15", "3"), ("20", "2"), ("27", "9")])
def test_other_keys_are_pressed_after_the_announcement(seen: Seen, last_two: str, key: str) -> None:
    report, call_seen = seen[number(last_two)]
    assert report.keys == call_seen.pressed == key
    assert call_seen.asked_at is not None


def test_14_listens_and_never_presses(seen: Seen) -> None:
    report, call_seen = seen[number("14")]
    assert call_seen.asked_at is not None
    assert report.keys == call_seen.pressed == ""
    assert report.ended_by == "pbx"


def test_16_hangs_up_two_seconds_into_the_announcement(seen: Seen) -> None:
    report, call_seen = seen[number("16")]
    assert report.ended_by == "far end"
    assert call_seen.heard_at is not None
    assert call_seen.ended_at is not None
    assert call_seen.ended_at - call_seen.heard_at == pytest.approx(2.0, abs=0.4)


def test_21_has_a_person_who_comes_after_the_answer_and_presses_after_another_announcement(seen: Seen) -> None:
    report, call_seen = seen[number("21")]
    assert report.keys == call_seen.pressed == "1"
    assert call_seen.asked_at is not None
    assert call_seen.person_at is not None
    # "Thank you, please hold" and three seconds of nothing.
    assert call_seen.person_at - call_seen.asked_at == pytest.approx(7.2, abs=0.5)
    # The second announcement began nine seconds after the first, whose end took the robot 1.2 s to believe.
    again_at = call_seen.asked_at - 1.2 + 9.0
    assert call_seen.keys[0].at - again_at == pytest.approx(9.1 + 1.2, abs=0.7)


def test_22_says_nothing_and_presses_four_seconds_after_the_announcement(seen: Seen) -> None:
    report, call_seen = seen[number("22")]
    assert report.keys == "1"
    assert call_seen.answered_at is not None
    # Answer, nine seconds of announcement, four of silence.
    assert call_seen.keys[0].at - call_seen.answered_at == pytest.approx(13.1, abs=0.7)


def test_23_greets_after_four_seconds_of_silence_and_counts_what_it_records(seen: Seen) -> None:
    (report, slow), (_report, usual) = seen[number("23")], seen[number("13")]
    greeted = [
        call_seen.beep_at - call_seen.answered_at
        for call_seen in (slow, usual)
        if call_seen.beep_at is not None and call_seen.answered_at is not None
    ]
    assert greeted[0] - greeted[1] == pytest.approx(4.0, abs=0.3)
    # We hung up in the middle of the second announcement.
    assert report.ended_by == "pbx"
    assert report.answered_after is not None
    said = report.seconds - (report.answered_after + 9.1 + 9.0)
    assert slow.recorded_seconds == pytest.approx(said, abs=0.4)
    assert said > 7


def test_24_is_spoken_for_by_the_network_before_a_person_answers(seen: Seen, day: Day) -> None:
    report, call_seen = seen[number("24")]
    assert report.ringing_after is None
    assert report.answered_after == pytest.approx(3.1, abs=0.4)
    assert report.keys == call_seen.pressed == "1"
    assert day.heard.speech_before_answer == pytest.approx(2.9, abs=0.4)


def test_25_presses_over_the_announcement(seen: Seen) -> None:
    report, call_seen = seen[number("25")]
    assert report.keys == "1"
    assert call_seen.answered_at is not None
    assert call_seen.keys[0].at - call_seen.answered_at == pytest.approx(1.0, abs=0.4)


def test_26_sends_no_rtp_while_silent_and_the_others_do(seen: Seen) -> None:
    _report, quiet = seen[number("26")]
    _report, usual = seen[number("00")]
    assert quiet.pressed == usual.pressed == "1"
    assert quiet.rtp_sent is not None
    assert usual.rtp_sent is not None
    # "Hello" alone is forty packets; ten seconds with silence are five hundred.
    assert quiet.rtp_sent < 60
    assert usual.rtp_sent > 450


def test_28_is_a_fax_machine_for_half_a_minute(seen: Seen, day: Day) -> None:
    report, call_seen = seen[number("28")]
    # Half a second of silence, and half a second of the tone until it is believed.
    assert day.heard.fax_tone_after_answer == pytest.approx(1.2, abs=0.5)
    assert report.ended_by == "far end"
    assert report.keys == call_seen.pressed == ""
    assert report.seconds == pytest.approx(31.0, abs=0.7)


def test_29_presses_after_the_announcement_in_noise_that_never_stops(lab: Lab, seen: Seen, day: Day) -> None:
    report, call_seen = seen[number("29")]
    assert report.keys == call_seen.pressed == "1"
    assert call_seen.asked_at is not None
    assert call_seen.answered_at is not None
    assert call_seen.asked_at - call_seen.answered_at == pytest.approx(10.4, abs=0.6)
    samples = _samples(lab.recordings(day.heard.street))
    loudness = [sum(map(abs, samples[start : start + 800])) / 800 for start in range(0, len(samples) - 800, 800)]
    begun = next(tenth for tenth, mean in enumerate(loudness) if mean > 100)
    hello, street = loudness[begun : begun + 10], loudness[begun + 10 : begun + 75]
    assert max(hello) > 3000
    # Never silent, but for a tenth that a busy machine drops, and never speech again.
    assert len(street) > 60
    assert sorted(street)[2] > 200
    assert max(street) < 1000


def test_19_is_busy_once_and_then_a_person(day: Day) -> None:
    (first, first_seen), (second, second_seen) = day.twice
    assert (first.sip_code, first_seen.sip_code) == (486, 486)
    assert second.keys == second_seen.pressed == "1"


@pytest.mark.parametrize("dialled", ["1001", "1899"])
def test_an_agent_answers_after_one_second_and_waits_for_the_customer(seen: Seen, dialled: str) -> None:
    report, call_seen = seen[dialled]
    assert report.answered_after == pytest.approx(1.0, abs=0.4)
    assert call_seen.side is Side.AGENT
    assert report.ended_by == "pbx"


def test_1903_hangs_up_at_once_and_1904_after_two_seconds(seen: Seen) -> None:
    for dialled, seconds in (("1903", 0.0), ("1904", 2.0)):
        report, call_seen = seen[dialled]
        assert report.ended_by == "far end"
        assert call_seen.answered_at is not None
        assert call_seen.ended_at is not None
        assert call_seen.ended_at - call_seen.answered_at == pytest.approx(seconds, abs=0.5)


def test_each_call_has_its_own_sip_call_id(seen: Seen) -> None:
    assert len({call_seen.call_id for _report, call_seen in seen.values()}) == len(seen)


def test_the_recording_holds_what_the_far_end_heard(lab: Lab, seen: Seen) -> None:
    _report, call_seen = seen[number("00")]
    samples = _samples(lab.recordings(call_seen))
    loud = [max(samples[start : start + 800], default=0) > 1000 for start in range(0, len(samples), 800)]
    # The announcement: nine seconds in tenths, its two pauses of half a second excepted.
    assert 75 < sum(loud) < 95
    assert any(loud[:10])


def test_customer_and_agent_hear_each_other_and_the_agent_ends_after_talking(lab: Lab, day: Day) -> None:
    scene = day.conversation
    # The customer talks once the key is pressed; a tone is believed after 0.4 seconds.
    talking_at = max(scene.bridged_at, scene.customer.keys[0].at)
    for call_seen in (scene.customer, scene.agent):
        assert call_seen.met_at is not None
        assert call_seen.met_at - talking_at == pytest.approx(0.6, abs=0.5)
    assert scene.agent_ended_it
    assert scene.talked_seconds == pytest.approx(lab.state.talk_seconds + 1.0, abs=1.0)


def test_hold_music_is_heard_and_not_taken_for_the_other_side(lab: Lab, day: Day) -> None:
    assert day.on_hold.met_at is None
    assert max(_samples(lab.recordings(day.on_hold))) > 300


def test_a_customer_who_answers_while_the_engine_is_away_is_asked_to_wait_and_released(day: Day) -> None:
    call_seen = day.away_customer
    assert call_seen.answered_at is not None
    assert call_seen.heard_at is not None
    assert call_seen.ended_at is not None
    # Twenty seconds of trying, counted in whole ones, and a short apology.
    assert 19 < call_seen.ended_at - call_seen.answered_at < 24


def test_an_agents_phone_is_released_while_the_engine_is_away(day: Day) -> None:
    call_seen = day.away_agent
    assert call_seen.answered_at is not None
    assert call_seen.ended_at is not None
    assert call_seen.ended_at - call_seen.answered_at == pytest.approx(9.5, abs=1.0)


def test_a_caller_hears_ringing_while_the_engine_is_away_and_is_refused_after_twenty_seconds(day: Day) -> None:
    refused, _told = day.away_callers
    assert (refused.answered_at, refused.sip_code) == (None, 503)
    assert refused.ended_at is not None
    assert refused.ended_at - refused.started_at == pytest.approx(20.0, abs=1.0)


def test_a_caller_hears_that_the_engine_is_away_if_the_operator_has_words_for_it(day: Day) -> None:
    _refused, told = day.away_callers
    assert told.answered_at is not None
    assert told.answered_at - told.started_at == pytest.approx(20.0, abs=1.0)
    assert told.heard


def _samples(path: Path) -> "array[int]":
    with wave.open(str(path)) as recording:
        assert (recording.getframerate(), recording.getnchannels()) == (8000, 1)
        return array("h", recording.readframes(recording.getnframes()))
