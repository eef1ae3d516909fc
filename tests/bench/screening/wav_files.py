"""Scenes for a person's ears: WAV files, and a table of what there is."""

from __future__ import annotations

import argparse
import wave
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.screening import noise, scenes, sound
from tests.bench.screening.outline import Outline
from tests.bench.screening.scene import RATE, Listen, Press, Say, Scene, Wait
from tests.bench.screening.sound import Sound
from tests.bench.screening.texts import SPLITS

LISTENS_SECONDS = 2.0
"""How long our announcement is in such a file."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.screening.scenes", description=__doc__)
    parser.add_argument("--listen", type=Path, required=True, metavar="DIR", help="where the WAV files go")
    parser.add_argument("--split", choices=SPLITS, default="A")
    parser.add_argument("--count", type=int, default=60, help="about so many calls (default: %(default)s)")
    asked = parser.parse_args(arguments)
    all_calls = sum(scenes.FULL[asked.split].values())
    chosen = scenes.planned(asked.split, asked.count / all_calls)
    asked.listen.mkdir(parents=True, exist_ok=True)
    spoken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for outline in chosen:
        scene = scenes.build(outline)
        write_wav(asked.listen / f"{described(outline)}.wav", rendered(scene))
        spoken[outline.truth, outline.kind].append(said_seconds(scene))
    table = Table("truth", "kind", "calls", "seconds said", "shortest", "longest")
    for (truth, kind), lengths in sorted(spoken.items()):
        figures = f"{len(lengths)}", f"{sum(lengths):.1f}", f"{min(lengths):.1f}", f"{max(lengths):.1f}"
        table.add_row(truth, kind, *figures)
    Console().print(table)
    return 0


def described(outline: Outline) -> str:
    """A file name that says what is in it."""
    said = (outline.name, outline.kind, outline.language, outline.ending, outline.noise)
    return "_".join(part for part in said if part)


def said_seconds(scene: Scene) -> float:
    return sum(len(step.audio) / 2 / RATE for step in scene.steps if isinstance(step, Say))


def rendered(scene: Scene) -> Sound:
    """The whole call as the caller hears it, were the caller silent; a key is a moment of silence."""
    parts: list[Sound] = []
    for step in scene.steps:
        match step:
            case Say(audio):
                parts.append(sound.from_samples(audio))
            case Wait(seconds):
                parts.append(sound.silence(seconds))
            case Listen():
                parts.append(sound.silence(LISTENS_SECONDS))
            case Press():
                parts.append(sound.silence(0.1))
    whole = sound.joined(*parts)
    if scene.noise:
        whole = whole + noise.lasting(sound.from_samples(scene.noise), sound.seconds(whole))[: len(whole)]
    return whole


def write_wav(path: Path, heard: Sound) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.to_samples(heard))
