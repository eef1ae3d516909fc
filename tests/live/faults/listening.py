"""What a recording says: for how long a tone was missing, and when a prompt was heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.lab.rung_in import RungIn
from engine.lab.witness import WitnessCall
from tests.live.calls.audio import AUDIBLE, RATE, WINDOW, samples, share_of_tone

EDGE_SECONDS = 0.3
"""So close to the beginning or the end of a conversation a gap does not count."""
STEP, PIECE = RATE // 50, RATE // 5
"""Samples: a packet of 20 ms, and the pieces in which a prompt is looked for."""
SLIP = 6
"""Steps: how far from its place a piece of the prompt may be."""
ALIKE, END_ALIKE = 0.85, 0.5
"""Correlations from which on a prompt was heard: the mean of its pieces, and the last one."""

Signal = NDArray[np.float64]


def longest_gap_seconds(recording: Path, call: WitnessCall | RungIn, hertz: float, until: float) -> float:
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
    """When this prompt begins in the recording, in seconds: where its samples are, piece by piece, to its last sound.

    On a busy machine a packet comes late, or the far end's recorder leaves some out, so each piece may come a little
    early or late. The silence at the prompt's end need not be there: the last packets of a call are often not recorded.
    """
    heard, said = _signal(path), _until_silence(_signal(prompt))
    if len(heard) < len(said):
        return []
    starts = [*range(0, len(said) - PIECE, PIECE), len(said) - PIECE]
    likeness = _likeness(
        heard, {at: said[at : at + PIECE] for at in starts if _loudness(said[at : at + PIECE]) > AUDIBLE}
    )
    places = range(0, len(heard) - len(said) + 1 + SLIP * STEP, STEP)
    found: list[int] = []
    best = {place: [_near(each, place + start)[1] for start, each in likeness.items()] for place in places}
    for place in sorted(places, key=lambda place: sum(best[place]), reverse=True):
        alike = sum(best[place]) / len(likeness) >= ALIKE and best[place][-1] >= END_ALIKE
        if alike and all(abs(place - other) > len(said) // 2 for other in found):
            found.append(place)
    first, whole = next(iter(likeness.items()))
    return [(_near(whole, place + first)[0] - first) / RATE for place in sorted(found)]


def _signal(path: Path) -> Signal:
    return np.array(samples(path), dtype=np.float64)


def _until_silence(signal: Signal) -> Signal:
    """Without the silence at the end."""
    steps = range(0, len(signal) - STEP + 1, STEP)
    return signal[: max(start for start in steps if _loudness(signal[start : start + STEP]) > AUDIBLE) + STEP]


def _loudness(signal: Signal) -> float:
    return float(np.sqrt(np.mean(signal**2)))


def _likeness(heard: Signal, pieces: dict[int, Signal]) -> dict[int, Signal]:
    """How like each piece the recording is from each sample on: 1 for the same, 0 where there is no sound."""
    energy = np.concatenate(([0.0], np.cumsum(heard**2)))
    energy = energy[PIECE:] - energy[:-PIECE]
    floor = PIECE * (AUDIBLE / 2) ** 2
    loudness = np.sqrt(np.maximum(energy, floor))
    size = 1 << (len(heard) + PIECE).bit_length()
    spectrum = np.fft.rfft(heard, size)
    found = {}
    for at, piece in pieces.items():
        products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: len(energy)]
        found[at] = np.where(energy > floor, products / (loudness * np.linalg.norm(piece)), 0.0)
    return found


def _near(likeness: Signal, at: int) -> tuple[int, float]:
    """Where it is greatest near this sample, and how great."""
    start = max(0, at - SLIP * STEP)
    near = likeness[start : at + SLIP * STEP + 1]
    if not len(near):
        return at, 0.0
    greatest = int(near.argmax())
    return start + greatest, float(near[greatest])
