"""The far end's media: G.711 by tables, packets under silence suppression and loss, keys, scenes, and what it hears."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from engine.lab.phone import g711
from engine.lab.phone.rtp import KEY_FRAMES, PCMA, PCMU, Stream, bursts, payload_of
from tests.bench.screening.acting import Frames, Library, Performance
from tests.bench.screening.listening import Ear
from tests.bench.screening.scene import Listen, Press, Say, Scene, Step, Truth, Wait

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import audioop

LOUD = g711.encoded([8000, -8000] * 80)
KEY_TYPE = 101


def tone(seconds: float, amplitude: int = 8000) -> bytes:
    values = (int(amplitude * math.sin(index * 0.5)) for index in range(round(seconds * 8000)))
    return b"".join(struct.pack("<h", each) for each in values)


def parts(packet: bytes) -> tuple[int, bool, int, int, int]:
    """Payload type, marker, sequence number, timestamp, SSRC."""
    first, kind, sequence, timestamp, ssrc = struct.unpack("!BBHII", packet[:12])
    assert first == 0x80
    return kind & 0x7F, bool(kind & 0x80), sequence, timestamp, ssrc


def stream(payload_type: int = PCMU, *, loss: float = 0.0) -> Stream:
    return Stream(payload_type, KEY_TYPE, Random(3), bursts(loss, Random("a scene")))  # noqa: S311 - no secret


# ---- G.711 --------------------------------------------------------------------------------------------


def test_every_sample_is_encoded_within_half_a_step_of_its_segment() -> None:
    values = range(-32768, 32768)
    for value, code in zip(values, g711.encoded(values), strict=True):
        segment = ~code >> 4 & 7
        assert abs(g711.ULAW_AMPLITUDES[code] - max(-32635, min(32635, value))) <= 4 << segment


def test_every_code_is_decoded_as_the_standard_says() -> None:
    codes = bytes(range(256))
    assert list(g711.ULAW_AMPLITUDES) == list(struct.unpack("<256h", audioop.ulaw2lin(codes, 2)))
    assert list(g711.ALAW_AMPLITUDES) == list(struct.unpack("<256h", audioop.alaw2lin(codes, 2)))


def test_mixing_adds_and_clips() -> None:
    assert g711.mixed([100, 30000, -30000, -32768], [23, 30000, -30000, -32768]) == g711.encoded(
        [123, 32767, -32768, -32768]
    )


def test_a_frame_is_heard_from_fifty_decibels_below_overload() -> None:
    quiet, heard = g711.encoded([90, -90] * 80), g711.encoded([120, -120] * 80)
    assert not g711.is_audible(quiet)
    assert g711.is_audible(heard)
    assert g711.is_audible(heard.translate(g711.ULAW_TO_ALAW), g711.ALAW_LOUDNESS)
    assert not g711.is_audible(quiet.translate(g711.ULAW_TO_ALAW), g711.ALAW_LOUDNESS)
    assert not g711.is_audible(g711.SILENCE)
    assert not g711.is_audible(b"")


def test_audio_is_filled_up_to_whole_frames() -> None:
    assert len(g711.samples(tone(0.021))) == 2 * g711.FRAME_SAMPLES
    assert len(g711.samples(tone(0.02))) == g711.FRAME_SAMPLES
    with pytest.raises(ValueError, match="item size"):
        g711.samples(b"\0\0\0")


# ---- packets ------------------------------------------------------------------------------------------


def test_packets_follow_each_other() -> None:
    out = stream()
    packets = [parts(out.audio(LOUD)[0]) for _ in range(4)]
    _, _, sequence, timestamp, ssrc = packets[0]
    assert packets == [
        (PCMU, index == 0, sequence + index & 0xFFFF, timestamp + 160 * index & 0xFFFFFFFF, ssrc) for index in range(4)
    ]


def test_over_silence_time_goes_on_numbers_do_not_and_the_next_packet_is_marked() -> None:
    out = stream()
    before = parts(out.audio(LOUD)[0])
    assert [out.nothing() for _ in range(10)] == [()] * 10
    after = parts(out.audio(LOUD)[0])
    assert after[1]
    assert after[2] - before[2] & 0xFFFF == 1
    assert after[3] - before[3] & 0xFFFFFFFF == 11 * 160
    assert not parts(out.audio(LOUD)[0])[1]


def test_a_lost_packet_uses_up_its_number() -> None:
    out = stream(loss=0.2)
    frames = [out.audio(LOUD) for _ in range(2000)]
    first = parts(next(each for each in frames if each)[0])
    start = next(index for index, each in enumerate(frames) if each)
    for index, packets in enumerate(frames):
        for packet in packets:
            _, _, sequence, timestamp, _ = parts(packet)
            assert sequence - first[2] & 0xFFFF == index - start
            assert timestamp - first[3] & 0xFFFFFFFF == 160 * (index - start)
    assert out.lost == frames.count(()) > 0
    assert out.sent + out.lost == 2000


def test_loss_comes_in_bursts_of_its_share_and_is_the_same_again() -> None:
    def drawn() -> list[bool]:
        is_lost = bursts(0.1, Random("a scene"))  # noqa: S311 - no secret
        return [is_lost() for _ in range(60_000)]

    lost = drawn()
    assert lost == drawn()
    begun = sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
    assert sum(lost) / len(lost) == pytest.approx(0.1, abs=0.01)
    assert sum(lost) / begun == pytest.approx(3, abs=0.2)
    assert not any(bursts(0.0, Random(1))() for _ in range(100))  # noqa: S311 - no secret


def test_a_key_is_a_telephone_event_of_150_ms() -> None:
    out = stream()
    audio = parts(out.audio(LOUD)[0])
    frames = [out.key("#", frame) for frame in range(KEY_FRAMES)]
    assert [len(each) for each in frames] == [3, 1, 1, 1, 1, 1, 1, 3]
    packets = [packet for frame in frames for packet in frame]
    assert [parts(each)[2] - audio[2] & 0xFFFF for each in packets] == list(range(1, 13))
    assert {parts(each)[3] - audio[3] & 0xFFFFFFFF for each in packets} == {160}
    assert {parts(each)[0] for each in packets} == {KEY_TYPE}
    assert [parts(each)[1] for each in packets] == [True] * 3 + [False] * 9
    events = [struct.unpack("!BBH", each[12:]) for each in packets]
    assert [held for _, _, held in events] == [160] * 3 + [320, 480, 640, 800, 960, 1120] + [1200] * 3
    assert [volume >> 7 for _, volume, _ in events] == [0] * 9 + [1] * 3
    assert {key for key, _, _ in events} == {11}
    assert parts(out.audio(LOUD)[0])[3] - audio[3] & 0xFFFFFFFF == (1 + KEY_FRAMES) * 160


def test_alaw_is_sent_to_who_asked_for_it() -> None:
    packet = stream(PCMA).audio(LOUD)[0]
    assert parts(packet)[0] == PCMA
    heard = struct.unpack("<160h", audioop.alaw2lin(packet[12:], 2))
    assert [abs(each) for each in heard] == pytest.approx([8000] * 160, rel=0.05)


@pytest.mark.parametrize(
    ("packet", "payload"),
    [
        (b"\x80\x00" + bytes(10) + b"abc", b"abc"),
        (b"\x81\x00" + bytes(10) + b"csrcabc", b"abc"),
        (b"\x90\x00" + bytes(10) + b"\0\0\0\1extnabc", b"abc"),
        (b"\xa0\x00" + bytes(10) + b"abc\0\2", b"abc"),
        (b"\x80\x00" + bytes(9), None),
        (b"\x40\x00" + bytes(10), None),
        (b"\x8f\x00" + bytes(10), None),
        (b"\x90\x00" + bytes(10) + b"\0\0", None),
        (b"\xa0\x00" + bytes(10) + b"\xff", None),
    ],
)
def test_what_a_packet_carries(packet: bytes, payload: bytes | None) -> None:
    assert payload_of(packet) == payload


# ---- scenes -------------------------------------------------------------------------------------------

SCENE = Scene("s", "A", Truth.PERSON, "kind", "en", "voice", ())


def acted(steps: Sequence[Step], heard: Sequence[range] = (), **changed: object) -> tuple[str, list[str]]:
    """One mark per frame (`.` nothing sent, `-` silent, `#` loud, `k` key), and the keys.

    The other side can be heard in the frames of `heard`, and sends silence in all others.
    """
    scene = replace(SCENE, steps=tuple(steps), **changed)  # type: ignore[arg-type]
    ear, keys = Ear(PCMU, 0.0, 8.0), list[str]()
    frames = Performance(scene, Library([scene]), stream(), ear, keys.append).frames()
    marks = ""
    packets = next(frames, None)
    while packets is not None:
        loud = any(len(marks) in each for each in heard)
        ear.hear(arrived(LOUD if loud else g711.SILENCE, len(marks)), len(marks) * 0.02)
        marks += mark(packets)
        packets = following(frames, len(marks) * 0.02)
    return marks, keys


def following(frames: Frames, now: float) -> tuple[bytes, ...] | None:
    try:
        return frames.send(now)
    except StopIteration:
        return None


def mark(packets: tuple[bytes, ...]) -> str:
    if not packets:
        return "."
    if parts(packets[0])[0] == KEY_TYPE:
        return "k"
    return "#" if g711.is_audible(packets[0][12:]) else "-"


def arrived(payload: bytes, sequence: int, payload_type: int = PCMU) -> bytes:
    return struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, 0, 9) + payload


def test_a_scene_goes_step_by_step_and_then_ends() -> None:
    marks, keys = acted([Say(tone(0.1)), Wait(0.06), Press("1"), Say(tone(0.03))])
    assert marks == "#####" + "---" + "k" * KEY_FRAMES + "##"
    assert keys == ["1"]
    assert acted([]) == ("", [])
    assert acted([Wait(0.0), Say(b"")]) == ("", [])


def test_speech_arrives_as_it_was_given() -> None:
    scene = replace(SCENE, steps=(Say(tone(0.04)),))
    frames = Performance(scene, Library([scene]), stream(), Ear(PCMU, 0.0, 8.0), lambda _: None).frames()
    assert b"".join(packet[12:] for packets in frames for packet in packets) == g711.encoded(g711.samples(tone(0.04)))


def test_with_silence_suppression_only_speech_is_sent() -> None:
    speech = tone(0.1) + tone(0.06, amplitude=50) + tone(0.04)
    steps: list[Step] = [Say(speech), Wait(0.04), Listen(0.1, 0.06), Press("5")]
    assert acted(steps)[0] == "#####---##" + "-----" + "k" * KEY_FRAMES
    assert acted(steps, suppress_silence=True)[0] == "#####...##" + "....." + "k" * KEY_FRAMES
    noisy = acted(steps, suppress_silence=True, noise=tone(0.1, amplitude=4000))[0]
    assert noisy == "#####...##" + "....." + "k" * KEY_FRAMES, "noise alone is not sent either"


def test_noise_is_heard_in_silence_and_under_speech_and_never_jumps() -> None:
    noise = tone(0.1, amplitude=3000)
    scene = replace(SCENE, steps=(Wait(0.06), Say(tone(0.08, amplitude=0)), Wait(0.06)), noise=noise)
    frames = Performance(scene, Library([scene]), stream(), Ear(PCMU, 0.0, 8.0), lambda _: None).frames()
    sent = b"".join(packet[12:] for packets in frames for packet in packets)
    assert sent == g711.encoded(g711.samples(noise)) * 2
    assert acted([Say(tone(0.1)), Wait(0.06)], noise=noise)[0] == "########"


def test_listening_ends_when_the_other_side_pauses_and_not_before() -> None:
    listen = [Listen(quiet_seconds=0.2, limit_seconds=4.0)]
    spoken = [range(20, 60), range(65, 100)]
    marks, _ = acted(listen, spoken)
    assert len(marks) == pytest.approx(100 + 10, abs=1), "a pause of 100 ms is not the end"


def test_listening_has_a_limit_if_nobody_speaks_or_nobody_stops() -> None:
    listen = [Listen(quiet_seconds=0.2, limit_seconds=2.0)]
    assert len(acted(listen)[0]) == 100
    assert len(acted(listen, [range(1000)])[0]) == 100
    assert len(acted(listen, [range(20, 22)])[0]) == 100, "a click is no speech"


def test_what_was_heard_before_a_step_does_not_count_for_it() -> None:
    marks, _ = acted([Say(tone(0.4)), Listen(quiet_seconds=0.2, limit_seconds=1.0)], [range(20)])
    assert len(marks) == 20 + 50


# ---- hearing ------------------------------------------------------------------------------------------


def heard(marks: str, *, announcement_seconds: float = 8.0) -> Ear:
    """An ear that heard such a call, answered at 100: a packet at the begin of each frame, or none."""
    ear = Ear(PCMU, 100.0, announcement_seconds)
    for index, each in enumerate(marks):
        if each != ".":
            ear.hear(arrived(LOUD if each == "#" else g711.SILENCE, index), 100.001 + index * 0.02)
    return ear


def test_what_arrives_is_counted_and_drawn() -> None:
    marks = "..--###--#.#"
    ear = heard(marks)
    assert ear.timeline.decode() == marks
    assert (ear.received, ear.audible, ear.missing) == (9, 5, 1)
    assert ear.first_packet_at == pytest.approx(100.041)
    assert ear.first_audio_at == pytest.approx(100.081)


def test_gaps_and_silences_count_within_the_announcement() -> None:
    ear = heard("----####----####...####--")
    ear.end_announcement(100.001 + 25 * 0.02)
    assert ear.longest_gap == pytest.approx(0.08)
    assert ear.longest_silence == pytest.approx(0.08)


def test_what_comes_after_the_announcement_does_not_count() -> None:
    ear = heard("-" * 10 + "#" * 50 + "." * 100 + "#", announcement_seconds=0.5)
    assert ear.longest_gap == pytest.approx(0.02)
    assert ear.longest_silence == pytest.approx(0.0, abs=1e-6)


def test_an_announcement_that_breaks_off_was_silent_to_its_end() -> None:
    ear = heard("#" * 50, announcement_seconds=8.0)
    ear.end_announcement(103.001)
    assert ear.longest_silence == pytest.approx(2.0)
    ear.end_announcement(200.0)
    assert ear.longest_silence == pytest.approx(2.0), "it ends once"


def test_after_a_key_before_any_sound_there_is_no_announcement() -> None:
    ear = heard("---")
    ear.end_announcement(100.06)
    ear.hear(arrived(LOUD, 3), 100.1)
    ear.hear(arrived(LOUD, 4), 105.0)
    assert (ear.longest_gap, ear.longest_silence) == (0.0, 0.0)


def test_numbers_that_wrap_and_packets_that_come_late_are_not_missing() -> None:
    ear = Ear(PCMU, 0.0, 8.0)
    for sequence in (65534, 65535, 1, 0, 2, 5):
        ear.hear(arrived(LOUD, sequence), 0.1)
    assert (ear.received, ear.missing) == (6, 2)


def test_what_is_no_audio_is_not_taken_for_it() -> None:
    ear = Ear(PCMU, 0.0, 8.0)
    ear.hear(b"rubbish", 0.1)
    ear.hear(arrived(bytes(4), 1, KEY_TYPE), 0.1)
    assert (ear.malformed, ear.received, ear.first_packet_at) == (1, 1, None)
    assert not ear.timeline
