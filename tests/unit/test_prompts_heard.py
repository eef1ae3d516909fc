"""When a prompt counts as heard in a recording of the live tests, on sound in the rhythm of speech."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.live.calls.audio import RATE
from tests.live.faults.listening import Signal, prompt_heard_at

PACKET = RATE // 50
HeardAt = Callable[..., list[float]]


def silence(seconds: float) -> Signal:
    return np.zeros(round(seconds * RATE))


def speech(seed: int, seconds: float) -> Signal:
    """Noise that swells five times a second, each time to another loudness."""
    chance = np.random.default_rng(seed)
    times = np.arange(round(seconds * RATE)) / RATE
    loudness = np.repeat(chance.uniform(0.1, 1.0, len(times) // PACKET + 1), PACKET)[: len(times)]
    return chance.normal(0, 4000, len(times)) * loudness * (1.1 + np.sin(2 * np.pi * 5 * times))


SAID = speech(seed=1, seconds=2.1)
PROMPT = np.concatenate((SAID, silence(0.12)))


@pytest.fixture
def heard_at(tmp_path: Path) -> HeardAt:
    def within(*sounds: Signal) -> list[float]:
        return prompt_heard_at(written(tmp_path / "heard.wav", *sounds), written(tmp_path / "prompt.wav", PROMPT))

    return within


def written(path: Path, *sounds: Signal) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.concatenate(sounds), -32768, 32767).astype("<i2").tobytes())
    return path


def without(sound: Signal, at_seconds: float, packets: int) -> Signal:
    at = round(at_seconds * RATE)
    return np.concatenate((sound[:at], sound[at + packets * PACKET :]))


def test_a_prompt_is_heard_where_it_begins_each_time_it_is_said(heard_at: HeardAt) -> None:
    assert heard_at(silence(1.0), PROMPT, silence(2.0), PROMPT, silence(1.0)) == [1.0, 5.22]


def test_a_recording_that_ends_in_the_silence_at_the_prompts_end_has_all_of_it(heard_at: HeardAt) -> None:
    assert heard_at(silence(2.0), SAID, silence(0.02)) == [2.0]
    assert heard_at(silence(2.0), SAID) == [2.0]


@pytest.mark.parametrize("at_seconds", [0.1, 0.5, 1.04, 1.98])
def test_packets_that_a_recorder_leaves_out_or_that_come_late_do_not_hide_a_prompt(
    heard_at: HeardAt, at_seconds: float
) -> None:
    assert len(heard_at(silence(1.0), without(SAID, at_seconds, packets=2))) == 1
    at = round(at_seconds * RATE)
    assert len(heard_at(silence(1.0), SAID[:at], silence(0.06), SAID[at:], silence(1.0))) == 1


@pytest.mark.parametrize("said_seconds", [0.5, 1.5, 1.9])
def test_a_prompt_that_is_cut_short_is_not_heard(heard_at: HeardAt, said_seconds: float) -> None:
    begun = SAID[: round(said_seconds * RATE)]
    assert heard_at(silence(1.0), begun) == []
    assert heard_at(silence(1.0), begun, silence(3.0)) == []
    assert heard_at(silence(1.0), begun, speech(seed=2, seconds=3.0)) == []


def test_neither_another_prompt_nor_silence_is_taken_for_it(heard_at: HeardAt) -> None:
    assert heard_at(speech(seed=3, seconds=6.0)) == []
    assert heard_at(silence(6.0)) == []
    assert heard_at(silence(0.5)) == []
