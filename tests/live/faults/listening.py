"""What a recording says: for how long a tone was missing, and when a prompt was heard."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

from engine.lab.witness import WitnessCall
from tests.live.calls.audio import RATE, WINDOW, samples, share_of_tone

STEP = RATE // 50
"""Loudness is compared in steps of 20 ms."""
EDGE_SECONDS = 0.3
"""So close to the beginning or the end of a conversation a gap does not count."""
PIECE, SLIP = 60, 6
"""Steps: a piece of the prompt, and how far from its place it may be."""
CANDIDATE, ALIKE = 0.4, 0.85
"""Correlations: from which on a place is looked at closely, and from which on the prompt was heard there."""


def longest_gap_seconds(recording: Path, call: WitnessCall, hertz: float, until: float) -> float:
    """The longest time without this tone in a conversation, from its beginning until a moment (epoch seconds).

    If the recording ends before, what is missing of it counts.
    """
    assert call.answered_at is not None
    assert call.met_at is not None
    start = call.met_at + EDGE_SECONDS - call.answered_at
    wanted = int((until - call.answered_at - start) * RATE)
    recorded = samples(recording)[int(start * RATE) :][:wanted]
    longest = run = 0
    for start in range(0, len(recorded) - WINDOW, WINDOW):
        run = 0 if share_of_tone(recorded[start : start + WINDOW], hertz) > 0.5 else run + WINDOW
        longest = max(longest, run)
    return max(longest, run + wanted - len(recorded)) / RATE


def prompt_heard_at(path: Path, prompt: Path) -> list[float]:
    """When this prompt begins in the recording, in seconds: where the loudness follows the prompt's own.

    A busy machine sends a packet late now and then, so each piece of the prompt may come a little early or late.
    """
    heard, said = _loudness(samples(path)), _loudness(samples(prompt))
    likely = [
        (_likeness(heard, said, start), start)
        for start in range(len(heard) - len(said) + 1)
        if _correlation(heard[start : start + len(said)], said) >= CANDIDATE
    ]
    found: list[int] = []
    for likeness, start in sorted(likely, reverse=True):
        if likeness >= ALIKE and all(abs(start - other) > len(said) // 2 for other in found):
            found.append(start)
    return [start * STEP / RATE for start in sorted(found)]


def _likeness(heard: list[float], said: list[float], start: int) -> float:
    """The mean over the pieces of the prompt, each where it fits best."""
    starts = range(0, max(1, len(said) - PIECE + 1), PIECE)
    fits = [
        max(
            _correlation(heard[at : at + len(piece)], piece)
            for at in range(max(0, start + first - SLIP), start + first + SLIP + 1)
            if at + len(piece) <= len(heard)
        )
        for first in starts
        for piece in [said[first : first + PIECE]]
    ]
    return sum(fits) / len(fits)


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
