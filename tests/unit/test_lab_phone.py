"""The lab's telephone: what it hears, and SIP requests that come again or are lost."""

from __future__ import annotations

import asyncio
import math
import struct
from typing import cast

import pytest

from engine.lab.phone.audio import AGENT_HERTZ, CUSTOMER_HERTZ, OTHER, VOICES, Audio
from engine.lab.phone.g711 import FRAME_SAMPLES, RATE, encoded
from engine.lab.phone.sip import Request, Response, parse, response
from engine.lab.phone.wire import Wire

PBX = ("127.0.0.1", 5060)
HEADERS = (("From", "<sip:a@x>;tag=a"), ("To", "<sip:b@x>"), ("Call-ID", "c"), ("CSeq", "1 OPTIONS"))


class Sent(asyncio.DatagramTransport):
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.datagrams: list[bytes] = []
        self.twice = asyncio.Event()

    def sendto(self, data: object, addr: object = None) -> None:
        assert addr == PBX
        self.datagrams.append(cast("bytes", data))
        if len(self.datagrams) == 2:
            self.twice.set()


def packet(*tones: int, amplitude: int = 4000) -> bytes:
    sums = (
        sum(round(amplitude * math.sin(2 * math.pi * tone * at / RATE)) for tone in tones)
        for at in range(FRAME_SAMPLES)
    )
    return struct.pack("!BBHII", 0x80, 0, 1, 160, 1) + encoded(sums)


async def heard(*packets: bytes) -> dict[int, float]:
    audio = Audio(AGENT_HERTZ)
    for each in packets:
        audio.datagram_received(each, PBX)
    return audio.heard(0.0)


@pytest.mark.parametrize("tone", VOICES)
async def test_each_voice_is_told_from_the_others(tone: int) -> None:
    assert await heard(packet(tone), packet(tone)) == {tone: 0.04}


async def test_two_voices_at_once_are_both_heard() -> None:
    assert await heard(packet(CUSTOMER_HERTZ, AGENT_HERTZ)) == {CUSTOMER_HERTZ: 0.02, AGENT_HERTZ: 0.02}


async def test_what_is_no_voice_is_heard_as_something_else() -> None:
    assert await heard(packet(700)) == {OTHER: 0.02}


async def test_silence_and_what_is_no_audio_are_not_heard() -> None:
    assert await heard(packet(440, amplitude=50), b"\x80", packet(440)[:20]) == {}


def opened(requests: list[Request]) -> tuple[Wire, Sent]:
    wire, sent = Wire(PBX, requests.append), Sent()
    wire.connected(sent, ("127.0.0.1", 5099))
    return wire, sent


async def test_a_request_that_comes_again_is_answered_again_and_acts_once() -> None:
    requests: list[Request] = []
    wire, sent = opened(requests)
    wire.send("OPTIONS", "sip:b@x", "z9hG4bK1", HEADERS)
    datagram = sent.datagrams.pop()
    wire.datagram_received(datagram, PBX)
    wire.answer(requests[0], "200 OK")
    wire.datagram_received(datagram, PBX)
    assert len(requests) == 1
    assert sent.datagrams[0] == sent.datagrams[1]


async def test_a_request_without_an_answer_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.lab.phone.wire.T1", 0.0)
    wire, sent = opened([])
    asked = asyncio.create_task(wire.ask("OPTIONS", "sip:b@x", HEADERS))
    await sent.twice.wait()
    assert sent.datagrams[0] == sent.datagrams[1]
    request = parse(sent.datagrams[0])
    assert isinstance(request, Request)
    wire.datagram_received(response(request, "200 OK", PBX, tag="t"), PBX)
    answer = await asked
    assert isinstance(answer, Response)
    assert (answer.status, answer.to_tag) == (200, "t")


async def test_what_is_no_sip_message_is_passed_over() -> None:
    requests: list[Request] = []
    wire, sent = opened(requests)
    wire.datagram_received(b"\x00\x01 nonsense", PBX)
    assert (requests, sent.datagrams) == ([], [])
