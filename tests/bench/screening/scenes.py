"""The calls of the bench: who answers, what they say, how it sounds on the line.

`outlines` decides what there is, `build` makes one of them, `generate` makes all of them as files, `read` reads one.
Everything is decided by (split, seed, counts) and the synthesisers' versions.

    python -m tests.bench.screening.scenes --listen DIR [--split A] [--count N]
"""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

from tests.bench.screening import asterisk_prompts, machines, noise, persons, robots, sound
from tests.bench.screening.outline import Outline, outlines
from tests.bench.screening.scene import Scene, Truth
from tests.bench.screening.sound import Sound
from tests.bench.screening.talker import Talker

FULL: Mapping[str, Mapping[Truth, int]] = {
    "A": {Truth.PERSON: 600, Truth.MACHINE: 300, Truth.ROBOT: 50, Truth.FAX: 15},
    "B": {Truth.PERSON: 1200, Truth.MACHINE: 600, Truth.ROBOT: 100, Truth.FAX: 30},
}
SEEDS: Mapping[str, int] = {"A": 4711, "B": 90210}
LOUDEST, SOFTEST = -14.0, -30.0
_DEAD_LINES, _BAD_LINES = 0.08, 0.04
_LINE_NOISE_SECONDS = 2.0


def planned(split: str, scale: float = 1.0) -> list[Outline]:
    """The calls of a split as the bench uses them, or this share of each kind."""
    counts = {truth: max(1, round(count * scale)) for truth, count in FULL[split].items()}
    return outlines(split, SEEDS[split], counts)


def build(outline: Outline) -> Scene:
    """One call, with all its sound. Slow unless its speech is in the cache. Raises as `voices.spoken` does."""
    dice = outline.dice()
    dbov = dice.uniform(SOFTEST, LOUDEST)
    hiss, around, voice = _line_noise(dice), None, ""
    if outline.truth is Truth.FAX:
        telling = robots.tell_fax(outline, dbov, dice)
    else:
        talker = Talker(outline.split, outline.language or "en", dbov, dice)
        voice = str(talker.voice)
        match outline.truth:
            case Truth.PERSON:
                telling = persons.tell(outline, talker, dice)
                around = persons.around(outline, dbov, dice)
                voice = "" if outline.kind == "silent" else voice
            case Truth.MACHINE:
                telling = machines.tell(outline, talker, dice)
                voice = asterisk_prompts.VOICE if outline.kind == "asterisk" else voice
            case _:
                other = Talker(outline.split, talker.language, dice.uniform(SOFTEST, LOUDEST), dice)
                voice = f"{voice} {other.voice}"
                telling = robots.tell(outline, talker, other, dice)
    return Scene(
        name=outline.name,
        split=outline.split,
        truth=outline.truth,
        kind=outline.kind,
        language=outline.language,
        voice=voice,
        steps=telling.steps(),
        noise=_heard(hiss, around),
        suppress_silence=outline.suppress_silence,
        loss=round(dice.uniform(0.01, 0.05), 4) if outline.lossy else 0.0,
    )


def _line_noise(dice: Random) -> Sound | None:
    """Most lines hiss a little, a few a lot, and digital ones not at all."""
    kind = dice.random()
    if kind < _DEAD_LINES:
        return None
    loud = dice.uniform(-55, -48) if kind < _DEAD_LINES + _BAD_LINES else dice.uniform(-70, -55)
    return noise.line(loud, _LINE_NOISE_SECONDS, dice)


def _heard(hiss: Sound | None, around: Sound | None) -> bytes:
    if around is None:
        return b"" if hiss is None else sound.to_samples(hiss)
    if hiss is not None:
        around = around + noise.lasting(hiss, sound.seconds(around))
    return sound.to_samples(around)


def generate(folder: Path, planned: list[Outline], workers: int = 2) -> None:
    """Make each call as a file in `folder`, in so many processes."""
    folder.mkdir(parents=True, exist_ok=True)
    # A fork would copy the threads of whoever calls.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for _ in pool.map(partial(_build_into, folder), planned, chunksize=16):
            pass


def _build_into(folder: Path, outline: Outline) -> None:
    write(folder, (build(outline),))


def write(folder: Path, scenes: Iterable[Scene]) -> None:
    """Each call as a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        _file(folder, scene.name).write_bytes(pickle.dumps(scene))


def read(folder: Path, name: str) -> Scene:
    """A call that was written there."""
    scene: Scene = pickle.loads(_file(folder, name).read_bytes())  # noqa: S301 - written above
    return scene


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.scene"


if __name__ == "__main__":
    from tests.bench.screening.wav_files import main

    sys.exit(main(sys.argv[1:]))
