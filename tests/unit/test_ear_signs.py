"""What the ear makes of computed and synthetic audio: where talk begins and ends, what is a beep and what is none."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from itertools import pairwise
from random import Random
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.asterisk.ear.signs import FRAME_SECONDS, LOST_SECONDS, RATE, Heard, Sign, SignFinder
from engine.lab import sounds
from engine.prompts import audio, music
from tests.bench.screening import noise, voices
from tests.bench.screening.sound import to_samples

Sound: TypeAlias = NDArray[np.float64]
"""Samples at 8 kHz, as 16-bit numbers."""
PAUSE = 0.5
FRAME = round(RATE * FRAME_SECONDS)
LOUD = 8000.0
LINE = 20.0
"""What a quiet line has, as RMS amplitude."""


def silence(seconds: float) -> Sound:
    return np.zeros(round(RATE * seconds))


def hiss(seconds: float, rms: float = LINE, seed: int = 1) -> Sound:
    return np.random.default_rng(seed).standard_normal(round(RATE * seconds)) * rms


def tone(*hertz: float, seconds: float = 0.5, peak: float = LOUD) -> Sound:
    """These together, of equal strength, with this peak in all."""
    at = np.arange(round(RATE * seconds)) / RATE
    mixed: Sound = sum((np.sin(2 * np.pi * each * at + index) for index, each in enumerate(hertz)), np.zeros(len(at)))
    scaled: Sound = mixed * (peak / len(hertz))
    return scaled


def vowel(seconds: float, pitch: float = 120.0, peak: float = LOUD) -> Sound:
    """A voice that glides and trembles as voices do, with two formants."""
    at = np.arange(round(RATE * seconds)) / RATE
    phase = 2 * np.pi * pitch * (at + 0.01 * np.sin(2 * np.pi * 1.3 * at) + 0.0006 * np.sin(2 * np.pi * 5.5 * at))
    harmonics = range(1, int(3300 / pitch))
    weights = [1 / (1 + (abs(each * pitch - 700) / 130) ** 2) + 0.5 / (1 + (abs(each * pitch - 1200) / 90) ** 2)
               for each in harmonics]  # fmt: skip
    voiced: Sound = sum((w * np.sin(n * phase) for n, w in zip(harmonics, weights, strict=True)), np.zeros(len(at)))
    scaled: Sound = voiced * (peak / np.abs(voiced).max())
    return scaled


def speech(seconds: float, pitch: float = 120.0, peak: float = LOUD) -> Sound:
    """Four syllables a second of that voice, loud at the beginning and at the end."""
    at = np.arange(round(RATE * seconds)) / RATE
    spoken: Sound = vowel(seconds, pitch, peak) * (0.15 + 0.85 * np.abs(np.cos(4 * np.pi * at)))
    return spoken


def said(text: str, voice: voices.Voice) -> Sound:
    return np.frombuffer(to_samples(voices.spoken(voice, voices.Manner(160, 50), text)), "<i2").astype(np.float64)


def joined(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def with_line(sound: Sound, rms: float = LINE) -> Sound:
    """A second of the line before and after, and the line below."""
    whole = joined(silence(1), sound, silence(1))
    return whole + hiss(len(whole) / RATE, rms)


def frames(sound: Sound) -> list[bytes]:
    samples = np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()
    return [samples[at : at + 2 * FRAME] for at in range(0, len(samples) - 2 * FRAME + 1, 2 * FRAME)]


def signs(sound: Sound, pause: float = PAUSE) -> list[tuple[Heard, float]]:
    """All signs with their times, in seconds of the sound."""
    finder = SignFinder(pause)
    return [
        (heard, round((index + 1) * FRAME_SECONDS, 2))
        for index, frame in enumerate(frames(sound))
        for heard in finder.hear(frame, (index + 1) * FRAME_SECONDS)
    ]


def beeps(sound: Sound) -> list[float]:
    """The lengths of all that were found."""
    return [round(heard.seconds, 2) for heard, _ in signs(sound) if heard.sign is Sign.BEEP]


def talk(sound: Sound, pause: float = PAUSE) -> list[tuple[Sign, float, float]]:
    """Beginnings and ends with their time; an end also with the talk's length."""
    return [
        (heard.sign, at, round(heard.seconds, 2)) for heard, at in signs(sound, pause) if heard.sign is not Sign.BEEP
    ]


def _dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same each time


# ---- beeps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hertz", [*range(375, 1700, 75), 440, 425, 1333, 1334, 2000 / 3, 1600])
@pytest.mark.parametrize("seconds", [0.16, 0.4, 0.9])
def test_one_steady_tone_of_a_machine_is_a_beep_of_its_length(hertz: float, seconds: float) -> None:
    assert beeps(with_line(tone(hertz, seconds=seconds))) == pytest.approx([seconds], abs=0.021)


@pytest.mark.parametrize("peak", [400, 2000, 32000])
def test_a_beep_may_be_soft_or_loud(peak: float) -> None:
    assert beeps(with_line(tone(1000, peak=peak), 4.0)) == pytest.approx([0.5], abs=0.021)


@pytest.mark.parametrize("pair", [(1000, 1400), (950, 1400), (600, 1200), (800, 1600), (450, 700), (523, 659)])
def test_two_tones_together_are_one_beep(pair: tuple[float, float]) -> None:
    assert beeps(with_line(tone(*pair))) == pytest.approx([0.5], abs=0.021)


def test_two_tones_in_sequence_are_two_beeps() -> None:
    both = joined(tone(700, seconds=0.3), tone(1050, seconds=0.3))
    assert beeps(with_line(both)) == pytest.approx([0.3, 0.3], abs=0.041)


def test_a_beep_in_the_noise_of_a_bad_line_is_found_and_in_loud_noise_it_is_not() -> None:
    thirty_decibels = LOUD / 2**0.5 / 10**1.5
    assert beeps(with_line(tone(1000), thirty_decibels)) == pytest.approx([0.5], abs=0.041)
    assert beeps(with_line(tone(1000), LOUD / 4)) == []


@pytest.mark.parametrize("seconds", [0.04, 0.1, 0.12, 1.34, 2.0, 5.0])
def test_a_tone_that_is_too_short_or_too_long_is_no_beep(seconds: float) -> None:
    assert beeps(with_line(tone(1000, seconds=seconds))) == []


@pytest.mark.parametrize("hertz", [50, 120, 200, 275, *range(1750, 3800, 75), 2100, 2267, 2667, 3000])
def test_a_hum_and_a_high_tone_are_no_beep(hertz: float) -> None:
    """A tone above 1333 Hz looks to a lag of three samples like a lower one."""
    assert beeps(with_line(tone(hertz))) == []


@pytest.mark.parametrize("low", [697, 770, 852, 941])
@pytest.mark.parametrize("high", [1209, 1336, 1477, 1633])
def test_a_key_of_a_telephone_is_no_beep(low: float, high: float) -> None:
    assert beeps(with_line(tone(low, high, seconds=0.4))) == []


@pytest.mark.parametrize(
    ("hertz", "on", "off"),
    [
        ((440, 480), 2.0, 4.0),
        ((400, 450), 0.4, 0.2),
        ((425,), 1.0, 4.0),
        ((440,), 1.5, 3.5),
        ((375, 425), 0.4, 0.2),
        ((480, 620), 0.5, 0.5),
        ((350, 440), 1.0, 0.1),
    ],
    ids=["ringing US", "ringing UK", "ringing Germany", "ringing France", "ringing Australia", "busy US", "dial US"],
)
def test_a_telephone_that_rings_behind_a_switchboard_is_no_beep(
    hertz: tuple[float, ...], on: float, off: float
) -> None:
    assert beeps(with_line(joined(*[tone(*hertz, seconds=on), silence(off)] * 3))) == []


def test_a_fax_machine_and_a_modem_give_no_beep() -> None:
    assert beeps(with_line(np.array(sounds.fax(), dtype=np.float64))) == []
    # ITU-T V.8: 2100 Hz that is reversed each 0.45 s and trembles 15 times a second.
    reversed_each = joined(*(tone(2100, seconds=0.45) * (1 - index % 2 * 2) for index in range(7)))
    at = np.arange(len(reversed_each)) / RATE
    assert beeps(with_line(reversed_each * (1 + 0.2 * np.sin(2 * np.pi * 15 * at)))) == []


def test_street_and_announcement_of_the_lab_have_no_beep() -> None:
    assert beeps(with_line(np.array(sounds.street(), dtype=np.float64))) == []
    assert beeps(with_line(np.array(sounds.announcement(), dtype=np.float64))) == []


def test_hold_music_has_notes_and_no_beep_of_more_than_an_eye_s_blink() -> None:
    written = audio.decode(audio.wav_bytes(music.hold_music()))
    assert all(length < 0.2 for length in beeps(with_line(np.array(written.get_array_of_samples(), dtype=np.float64))))


@pytest.mark.parametrize("kind", noise.KINDS)
def test_noise_has_no_beep(kind: str) -> None:
    loud = np.frombuffer(to_samples(noise.lasting(noise.background(kind, "A", -24.0, _dice(7)), 20.0)), "<i2")
    assert beeps(with_line(loud.astype(np.float64))) == []


LONG_VOWELS = (
    "Mmm, ooooh, aaaah, eeeee. You have reached Mooney and Moore, who are away all afternoon. Please leave a message."
)


@pytest.mark.parametrize(
    "voice",
    [
        voices.Voice("flite", "slt"),
        voices.Voice("flite", "rms"),
        voices.Voice("espeak-ng", "en-us+f3"),
        voices.Voice("espeak-ng", "en-us+klatt4"),
        voices.Voice("espeak-ng", "en-gb+m5"),
        voices.Voice("espeak-ng", "en-gb+grandma"),
    ],
    ids=str,
)
def test_a_voice_talks_and_never_beeps(voice: voices.Voice) -> None:
    sound = with_line(said(LONG_VOWELS, voice))
    assert beeps(sound) == []
    (first, began, _), *_, (last, ended, _) = talk(joined(sound, hiss(0.5)))
    assert (first, last) == (Sign.TALK_BEGAN, Sign.TALK_ENDED)
    assert 1.0 < began < 1.3
    assert ended == pytest.approx(len(sound) / RATE - 1 + PAUSE, abs=0.3)


@pytest.mark.parametrize("pitch", [85.0, 120.0, 210.0, 330.0])
def test_a_held_vowel_is_talk_and_no_beep(pitch: float) -> None:
    sound = with_line(vowel(1.0, pitch))
    assert beeps(sound) == []
    assert [kind for kind, _, _ in talk(sound)] == [Sign.TALK_BEGAN, Sign.TALK_ENDED]


def test_a_beep_after_a_greeting_is_found_behind_the_voice() -> None:
    greeting = joined(vowel(2.0), silence(0.6), tone(1000, seconds=0.35))
    assert beeps(with_line(greeting)) == pytest.approx([0.35], abs=0.021)
    at_once = joined(vowel(2.0), tone(1000, seconds=0.35))
    assert beeps(with_line(at_once)) == pytest.approx([0.35], abs=0.041)


def test_a_beep_after_which_nothing_is_sent_is_told_by_the_silence() -> None:
    finder, at = SignFinder(PAUSE), 0.0
    heard: list[Heard] = []
    for frame in frames(joined(hiss(0.5), tone(1000, seconds=0.4))):
        at += FRAME_SECONDS
        heard += finder.hear(frame, at)
    assert [each for each in heard if each.sign is Sign.BEEP] == []
    assert [each for each in finder.silence(at + LOST_SECONDS / 2) if each.sign is Sign.BEEP] == []
    assert [round(each.seconds, 2) for each in finder.silence(at + 1.01 * LOST_SECONDS) if each.sign is Sign.BEEP] == [
        0.4
    ]
    assert [each for each in finder.silence(at + 2 * LOST_SECONDS) if each.sign is Sign.BEEP] == []


# ---- talk --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.3, 0.8, 3.0])
@pytest.mark.parametrize("pause", [0.2, 0.5, 0.8])
def test_talk_is_told_at_its_boundaries(seconds: float, pause: float) -> None:
    (began, began_at, _), (ended, ended_at, length) = talk(with_line(speech(seconds)), pause)
    assert (began, ended) == (Sign.TALK_BEGAN, Sign.TALK_ENDED)
    assert began_at == pytest.approx(1.06, abs=0.021)
    assert ended_at == pytest.approx(1 + seconds + pause, abs=0.041)
    assert length == pytest.approx(seconds, abs=0.041)


def test_a_pause_shorter_than_the_setting_divides_nothing_and_a_longer_one_does() -> None:
    def told(gap: float) -> list[Sign]:
        return [kind for kind, _, _ in talk(with_line(joined(vowel(0.6), silence(gap), vowel(0.6))))]

    assert told(0.4) == [Sign.TALK_BEGAN, Sign.TALK_ENDED]
    assert told(0.6) == [Sign.TALK_BEGAN, Sign.TALK_ENDED] * 2


@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.04])
def test_a_click_is_no_talk(seconds: float) -> None:
    assert talk(with_line(hiss(seconds, 8000))) == []


@given(st.integers(1, 20), st.floats(0.5, 4.0))
def test_beginnings_and_ends_take_turns(seed: int, level: float) -> None:
    dice = np.random.default_rng(seed)
    parts = [part for _ in range(6) for part in (vowel(dice.uniform(0.05, 0.6)) * level, silence(dice.uniform(0, 1.2)))]
    told = [kind for kind, _, _ in talk(with_line(joined(*parts)))]
    assert told[:1] in ([], [Sign.TALK_BEGAN])
    assert all(a is not b for a, b in pairwise(told))


@pytest.mark.parametrize("level", [5.0, 60.0, 300.0, 1000.0])
def test_steady_noise_is_not_talk_and_a_voice_above_it_is(level: float) -> None:
    assert talk(hiss(6, level)) == []
    (_, began_at, _), (_, ended_at, _) = talk(with_line(speech(1.5, peak=level * 12 + 1500), level))
    assert began_at == pytest.approx(1.06, abs=0.061)
    assert ended_at == pytest.approx(2.5 + PAUSE, abs=0.1)


def test_noise_that_becomes_loud_is_taken_for_talk_only_for_some_seconds() -> None:
    louder = joined(hiss(2, 60), hiss(30, 400, seed=2), vowel(1.0, peak=16000), hiss(1, 400, seed=3))
    told = talk(louder)
    assert [kind for kind, _, _ in told] == [Sign.TALK_BEGAN, Sign.TALK_ENDED] * 2
    assert told[1][1] < 12.0
    assert told[2][1] == pytest.approx(32.06, abs=0.061)
    assert told[3][1] == pytest.approx(33 + PAUSE, abs=0.1)


def test_a_line_that_becomes_quiet_lets_a_soft_voice_be_heard_at_once() -> None:
    sound = joined(hiss(3, 800), hiss(0.5, 20), vowel(1.0, peak=1500), hiss(1, 20))
    began, began_at, _ = talk(sound)[0]
    assert began is Sign.TALK_BEGAN
    assert began_at == pytest.approx(3.56, abs=0.061)


def test_a_television_behind_somebody_is_not_them() -> None:
    near, far = speech(1.5, peak=12000), speech(1.5, 180, peak=1200)
    told = talk(with_line(joined(near, far, silence(0.3))))
    assert [kind for kind, _, _ in told] == [Sign.TALK_BEGAN, Sign.TALK_ENDED]
    assert told[1][1] == pytest.approx(2.5 + PAUSE, abs=0.1)


def test_digital_silence_is_silence_and_the_voice_after_it_is_heard() -> None:
    sound = joined(silence(5), vowel(1.0), silence(5))
    told = talk(sound)
    assert [kind for kind, _, _ in told] == [Sign.TALK_BEGAN, Sign.TALK_ENDED]
    assert [at for _, at, _ in told] == pytest.approx([5.06, 6 + PAUSE], abs=0.041)


def test_who_talks_from_the_first_frame_on_is_heard_within_a_syllable() -> None:
    voice = said("Hello, this is Tom, who is it that calls so late?", voices.Voice("flite", "rms"))
    assert talk(voice)[0][1] < 0.5


def test_a_network_that_sends_nothing_in_silence_ends_the_talk_by_the_clock() -> None:
    finder, at = SignFinder(PAUSE), 0.0
    told: list[Heard] = []
    for frame in frames(joined(hiss(0.2), speech(1.0))):
        at += FRAME_SECONDS
        told += finder.hear(frame, at)
    talks_at_the_end = finder.talks
    assert list(finder.silence(at + PAUSE - 0.01)) == []
    (ended,) = finder.silence(at + PAUSE + 0.01)
    assert ended.sign is Sign.TALK_ENDED
    assert ended.seconds == pytest.approx(1.0, abs=0.041)
    assert (talks_at_the_end, finder.talks) == (True, False)
    assert list(finder.silence(at + 10)) == []
    # The first frames of the next sentence come without any silence before them.
    again = [
        heard.sign
        for index, frame in enumerate(frames(vowel(0.2)))
        for heard in finder.hear(frame, at + 3 + index / 50)
    ]
    assert again == [Sign.TALK_BEGAN]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
def test_lost_frames_divide_no_talk(share: float) -> None:
    finder, dice = SignFinder(PAUSE), _dice(3)
    told: list[Sign] = []
    for index, frame in enumerate(frames(with_line(joined(speech(3.0), silence(1))))):
        at = (index + 1) * FRAME_SECONDS
        lost = dice.random() < share
        told += [heard.sign for heard in (finder.silence(at) if lost else finder.hear(frame, at))]
    assert told == [Sign.TALK_BEGAN, Sign.TALK_ENDED]


def test_frames_that_come_late_and_all_at_once_are_heard_as_the_talk_they_are() -> None:
    finder, told = SignFinder(PAUSE), []
    sound = frames(with_line(vowel(1.0)))
    for at in range(0, len(sound), 10):
        for frame in sound[at : at + 10]:
            told += [heard.sign for heard in finder.hear(frame, (at + 10) * FRAME_SECONDS)]
    assert told == [Sign.TALK_BEGAN, Sign.TALK_ENDED]


# ---- anything at all ---------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(("zero", "one", "edges", "max", "min", "square", "any")), max_size=30), st.randoms())
def test_no_frame_can_make_it_fail(kinds: list[str], dice: Random) -> None:
    finder = SignFinder(PAUSE)
    for index, kind in enumerate(kinds * 3):
        list(finder.hear(_odd_frames()[kind] if kind != "any" else dice.randbytes(2 * FRAME), index / 50))
        list(finder.silence(index / 50))


@cache
def _odd_frames() -> dict[str, bytes]:
    edges = np.zeros(FRAME, "<i2")
    edges[[0, -1]] = 32767
    one = np.zeros(FRAME, "<i2")
    one[FRAME // 2] = -32768
    return {
        "zero": bytes(2 * FRAME),
        "one": one.tobytes(),
        "edges": edges.tobytes(),
        "max": np.full(FRAME, 32767, "<i2").tobytes(),
        "min": np.full(FRAME, -32768, "<i2").tobytes(),
        "square": np.where(np.arange(FRAME) % 8 < 4, 32767, -32768).astype("<i2").tobytes(),
    }


def test_the_import_is_quiet_also_where_warnings_are_errors() -> None:
    """Python 3.11 and 3.12 warn of audioop, whose place another package takes from 3.13 on."""
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", "import engine.asterisk.ear.signs"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
