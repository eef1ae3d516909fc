"""What a recording says: for how long a tone was missing, and when a prompt was heard."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

from tests.live.calls.audio import RATE, WINDOW, samples, share_of_tone

STEP = RATE // 50
"""Loudness is compared in steps of 20 ms."""


def longest_gap_seconds(path: Path, hertz: float, start_seconds: float, end_seconds: float) -> float:
    """The longest time without this tone between two moments of the recording, and at its end if it is shorter."""
    wanted = int((end_seconds - start_seconds) * RATE)
    recorded = samples(path)[int(start_seconds * RATE) :][:wanted]
    longest = run = 0
    for start in range(0, len(recorded) - WINDOW, WINDOW):
        run = 0 if share_of_tone(recorded[start : start + WINDOW], hertz) > 0.5 else run + WINDOW
        longest = max(longest, run)
    return max(longest, run + wanted - len(recorded)) / RATE


def prompt_heard_at(path: Path, prompt: Path, *, at_least: float = 0.85) -> list[float]:
    """When this prompt begins in the recording, in seconds: where the loudness follows the prompt's own."""
    heard, said = samples(path), _loudness(samples(prompt))
    found: list[float] = []
    for shift in (0, STEP // 2):
        steps = _loudness(heard[shift:])
        found += [
            (start * STEP + shift) / RATE
            for start in range(len(steps) - len(said) + 1)
            if _correlation(steps[start : start + len(said)], said) >= at_least
        ]
    found.sort()
    half = len(said) * STEP / RATE / 2
    return [at for place, at in enumerate(found) if place == 0 or at - found[place - 1] > half]


def _loudness(values: array[int]) -> list[float]:
    return [
        math.sqrt(sum(value * value for value in values[start : start + STEP]) / STEP)
        for start in range(0, len(values) - STEP + 1, STEP)
    ]


def _correlation(one: list[float], other: list[float]) -> float:
    """Pearson's; 0 where there is no sound."""
    mean_one, mean_other = sum(one) / len(one), sum(other) / len(other)
    if mean_one < 50:
        return 0.0
    both = sum((a - mean_one) * (b - mean_other) for a, b in zip(one, other, strict=True))
    spread = math.sqrt(sum((a - mean_one) ** 2 for a in one) * sum((b - mean_other) ** 2 for b in other))
    return both / spread if spread else 0.0
