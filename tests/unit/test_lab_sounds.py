"""The sounds that the lab computes are what its dialplan says they are."""

import math
import re
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

import engine.lab
from engine.lab import sounds

RATE = 8000


def mean(samples: Sequence[int]) -> float:
    return sum(map(abs, samples)) / len(samples)


def share(samples: Sequence[int], hertz: float) -> float:
    """How much of the power is this tone, 0 to 1."""
    angle = 2 * math.pi * hertz / RATE
    real = sum(value * math.cos(angle * index) for index, value in enumerate(samples))
    imaginary = sum(value * math.sin(angle * index) for index, value in enumerate(samples))
    return 2 * (real**2 + imaginary**2) / (len(samples) * sum(value**2 for value in samples))


def part(samples: Sequence[int], start: float, end: float) -> Sequence[int]:
    return samples[int(start * RATE) : int(end * RATE)]


def test_every_sound_of_its_own_that_the_dialplan_names_is_written(tmp_path: Path) -> None:
    dialplan = Path(engine.lab.__file__).parent / "frame" / "network" / "extensions.conf"
    named = set(re.findall(r"\$\{SOUNDS\}/([\w-]+)", dialplan.read_text("utf-8")))

    sounds.write_all(tmp_path)

    assert {"street", "fax"} < named
    assert named | {"announcement"} == {path.stem for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        with wave.open(str(path)) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)


def test_the_street_is_as_loud_as_promised_and_never_silent() -> None:
    street = sounds.street()

    assert mean(street) == pytest.approx(500, abs=5)
    tenths = [mean(street[start : start + 800]) for start in range(0, len(street), 800)]
    assert min(tenths) > 200
    assert max(tenths) < 1000  # a car is no speech


def test_the_street_is_the_same_each_time() -> None:
    assert sounds.street() == sounds.street()


def test_the_street_goes_on_at_its_beginning_without_a_click() -> None:
    street = sounds.street()

    steps = [abs(after - before) for before, after in pairwise(street)]
    assert abs(street[0] - street[-1]) <= max(steps)


def test_the_street_rumbles_and_does_not_hiss() -> None:
    street = sounds.street()
    smooth = [sum(street[start : start + 4]) / 4 for start in range(0, len(street) - 4, 4)]

    # Averages of half a millisecond would keep little of a hiss: a quarter of its power.
    assert sum(value**2 for value in smooth) / len(smooth) > 0.7 * sum(value**2 for value in street) / len(street)


def test_a_fax_machine_answers_with_2100_hertz_for_three_seconds() -> None:
    fax = sounds.fax()

    assert len(fax) == 30 * RATE
    assert set(part(fax, 0, 0.5)) == {0}
    assert share(part(fax, 0.5, 3.5), 2100) > 0.99
    assert set(part(fax, 3.5, 3.57)) == {0}


def test_a_fax_machine_goes_on_in_bursts_that_are_not_its_answering_tone() -> None:
    fax = sounds.fax()

    for burst in range(5):
        start = 3.575 + 4.5 * burst
        sound = part(fax, start, start + 1.5)
        assert mean(sound) > 1000
        assert share(sound, 2100) < 0.01
        crossings = sum(before < 0 <= after for before, after in pairwise(sound))
        assert crossings / 1.5 == pytest.approx((6 * 1650 + 2 * 1850) / 8, abs=10)  # a flag has six ones, two zeros
        assert set(part(fax, start + 1.5, start + 4.5)) == {0}
