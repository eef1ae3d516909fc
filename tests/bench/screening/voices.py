"""Synthetic voices: which there are in which split, and a text spoken by one of them.

Speech is kept in Ringback's cache, because making it is what takes time. No voice is in both splits.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tempfile
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import numpy as np

from engine.lab.private_root import cache_dir
from tests.bench.screening.sound import Sound, from_samples, levelled, telephone_band, to_samples, trimmed

_FORMAT = "1"  # to be raised when speech kept in the cache is no longer what would be made
_KEPT_DBOV = -26.0
_NORMAL_RATE = 170
_FLITE_SHARE = 0.5  # of the English voices; the others are espeak-ng's

_FLITE: Mapping[str, tuple[str, ...]] = {"A": ("slt", "kal16"), "B": ("rms", "awb")}
_SPEAKERS: Mapping[str, tuple[str, ...]] = {
    "A": (
        "f1", "f3", "f5", "m1", "m3", "m5", "m7", "klatt", "klatt2", "klatt3", "klatt4", "Alex", "Alicia", "Annie",
        "Denis", "Hugo", "Lee", "Mario", "adam", "anika", "belinda", "ed", "grandma", "iven", "iven2", "iven3", "linda",
        "max", "miguel", "paul", "quincy", "robert", "shelby", "travis", "zac",
    ),
    "B": (
        "f2", "f4", "m2", "m4", "m6", "m8", "Andrea", "Andy", "Diogo", "Gene", "Henrique", "Jacky", "Marco", "Michael",
        "Mike", "antonio", "aunty", "benjamin", "boris", "david", "edward", "grandpa", "john", "marcelo", "michel",
        "pablo", "pedro", "rob", "sandro", "steph", "steph2", "steph3", "victor",
    ),
}  # fmt: skip
"""Variants of espeak-ng: other throats and larynxes for the pronunciation of any language. Those of one family
(klatt, iven, steph) are in one split. espeak-ng does not complain of one it does not have."""
_ACCENTS: Mapping[str, tuple[str, ...]] = {
    "en": ("en-us", "en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-us-nyc", "en-029"),
    "es": ("es", "es-419"),
    "fr": ("fr-fr", "fr-fr", "fr-be", "fr-ch"),
    "pt": ("pt-br", "pt"),
}


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: a `program` and what it calls the voice, such as `espeak-ng` and `de+m2`."""

    program: str
    name: str

    def __str__(self) -> str:
        return f"{self.program}:{self.name}"

    @property
    def speaker(self) -> str:
        """Without the accent, which speakers share."""
        return f"{self.program}:{self.name.rpartition('+')[2]}"


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is said: words a minute, pitch from 0 to 99 (50: the voice's own), pause between words in 10 ms."""

    rate: int
    pitch: int
    gap: int = 0


def pool(split: str, language: str) -> list[Voice]:
    """The voices of this split that speak the language."""
    accents = dict.fromkeys(_ACCENTS.get(language, (language,)))
    spoken = [Voice("espeak-ng", f"{accent}+{speaker}") for accent in accents for speaker in _SPEAKERS[split]]
    return spoken + [Voice("flite", name) for name in _FLITE[split] if language == "en"]


def drawn(split: str, language: str, dice: Random) -> Voice:
    """A voice by chance."""
    if language == "en" and dice.random() < _FLITE_SHARE:
        return Voice("flite", dice.choice(_FLITE[split]))
    accent = dice.choice(_ACCENTS.get(language, (language,)))
    return Voice("espeak-ng", f"{accent}+{dice.choice(_SPEAKERS[split])}")


def spoken(voice: Voice, manner: Manner, text: str, folder: Path | None = None) -> Sound:
    """`text` at -26 dBov in the telephone's band, without silence around it; kept in `folder`.

    Raises `OSError` or `subprocess.SubprocessError` if the program is missing or fails.
    """
    key = repr((_FORMAT, _version(voice.program), str(voice), manner.rate, manner.pitch, manner.gap, text))
    kept = (folder or cache_dir() / "screening-voices") / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.s16"
    if not kept.is_file():
        speak = _espeak if voice.program == "espeak-ng" else _flite
        sound = levelled(trimmed(speak(voice.name, manner, text)), _KEPT_DBOV)
        kept.parent.mkdir(parents=True, exist_ok=True)
        written = kept.with_suffix(f".{os.getpid()}")
        written.write_bytes(to_samples(sound))
        written.replace(kept)
    return from_samples(kept.read_bytes())


@cache
def _version(program: str) -> str:
    # flite ends with 1 after it has said its version.
    told = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    return told.stdout.decode(errors="replace").partition("Data at")[0].strip()


def _espeak(name: str, manner: Manner, text: str) -> Sound:
    numbers = ["-s", str(manner.rate), "-p", str(manner.pitch), "-g", str(manner.gap)]
    made = _run(["espeak-ng", "-v", name, *numbers, "-b", "1", "--stdin", "--stdout"], text.encode())
    return telephone_band(*_decoded(made))


def _flite(name: str, manner: Manner, text: str) -> Sound:
    with tempfile.TemporaryDirectory(prefix="ringback-voice-") as made:
        path = Path(made, "said.wav")
        stretch = f"duration_stretch={_NORMAL_RATE / manner.rate:.3f}"
        _run(["flite", "-voice", name, "--setf", stretch, "-t", text, "-o", str(path)])
        sound, rate = _decoded(path.read_bytes())
    # Not all of its voices take a pitch; a tape that runs faster or slower does it for all, within 8 %.
    faster = round(rate * (1 + (manner.pitch - 50) / 600) / 200) * 200
    return telephone_band(sound, faster)


def _run(command: list[str], said: bytes = b"") -> bytes:
    return subprocess.run(command, input=said, capture_output=True, timeout=30, check=True).stdout


def _decoded(wav: bytes) -> tuple[Sound, int]:
    with wave.open(io.BytesIO(wav)) as reader:
        # A program that writes to a pipe cannot go back to write the length.
        samples = reader.readframes(len(wav) // 2)
        return np.frombuffer(samples, "<i2").astype(np.float64) / 32768, reader.getframerate()
