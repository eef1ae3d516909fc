"""Turns one text into sound with flite or festival, whichever the language's voice belongs to.

The text goes to the program only as a file of plain letters in plain text mode, never on the command line and never
through a shell: festival is an interpreter, and the names in a text come from an operator. Nobody's start-up files are
read. The exit code proves nothing (festival's text2wave ends with 0 for an unknown voice): only the sound counts.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
from pathlib import Path

from engine.prompts import audio
from engine.prompts.audio import AudioSegment
from engine.prompts.errors import PromptError, SynthesiserMissingError, SynthesisError
from engine.prompts.texts import Synthesiser, Voice

TIMEOUT_SECONDS = 30.0
_COMMANDS = {Synthesiser.FLITE: "flite", Synthesiser.FESTIVAL: "text2wave"}


def require_synthesiser(voice: Voice) -> str:
    """The path of the program that has `voice`. Raises `SynthesiserMissingError` naming the packages to install.

    flite silently takes another voice when it does not know the one it is asked for; so it is asked first.
    """
    program = shutil.which(_COMMANDS[voice.synthesiser])
    if program is None:
        raise SynthesiserMissingError(f"no speech synthesiser is installed: apt-get install {voice.packages}")
    if voice.synthesiser is Synthesiser.FLITE:
        try:
            listed = subprocess.run(
                [program, "-lv"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SynthesisError(f"flite cannot be asked for its voices: {error}") from error
        if voice.name.encode() not in listed.stdout.split():
            raise SynthesiserMissingError(f"voice {voice.name} is not installed: apt-get install {voice.packages}")
    return program


def plain(text: str) -> str:
    """`text` in the only characters a synthesiser is given: ASCII letters, digits, spaces and . , ? ! ' -"""
    apart = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^A-Za-z0-9 .,?!'-]", " ", kept).split())


def speak(text: str, voice: Voice, timeout_seconds: float = TIMEOUT_SECONDS) -> AudioSegment:
    """`text` as trimmed, levelled 8 kHz sound. Raises `SynthesiserMissingError` or `SynthesisError`."""
    return speak_with(require_synthesiser(voice), text, voice, timeout_seconds)


def speak_with(program: str, text: str, voice: Voice, timeout_seconds: float = TIMEOUT_SECONDS) -> AudioSegment:
    """As `speak`, with the program that `require_synthesiser` has found: many texts need not ask it again."""
    name = Path(program).name
    with tempfile.TemporaryDirectory(prefix="ringback-speech-") as folder:
        said, spoken = Path(folder, "said.txt"), Path(folder, "spoken.wav")
        said.write_text(plain(text) + "\n", encoding="ascii")
        try:
            done = subprocess.run(
                [program, *_arguments(voice, said, spoken)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_seconds,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "LC_ALL": "C"},
                cwd=folder,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"{name} took longer than {timeout_seconds:g} s; try again when the machine is idle"
            raise SynthesisError(message) from error
        except OSError as error:
            raise SynthesisError(f"{name} cannot be started: {error.strerror}") from error
        complaint = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        if f"voice_{voice.name}" in complaint:
            raise SynthesiserMissingError(f"voice {voice.name} is not installed: apt-get install {voice.packages}")
        if not spoken.is_file():
            raise SynthesisError(f"{name} gave no sound: {complaint or f'exit code {done.returncode}'}")
        return _fit(spoken.read_bytes(), name)


def _arguments(voice: Voice, said: Path, spoken: Path) -> list[str]:
    match voice.synthesiser:
        case Synthesiser.FLITE:
            stretch = f"duration_stretch={voice.stretch:g}"
            return ["-voice", voice.name, "--setf", stretch, "-f", str(said), "-o", str(spoken)]
        case Synthesiser.FESTIVAL:
            prepare = f"(begin (voice_{voice.name}) (Parameter.set 'Duration_Stretch {voice.stretch:g}))"
            return [
                "-mode", "fundamental", "-eval", prepare, "-F", str(audio.RATE), "-o", str(spoken), str(said)
            ]  # fmt: skip


def _fit(wav: bytes, program: str) -> AudioSegment:
    try:
        sound = audio.decode(audio.halve_rate(wav))
    except PromptError as error:
        raise SynthesisError(f"{program} gave an unusable file: {error}") from error
    if reason := audio.silence_reason(sound):
        raise SynthesisError(f"{program} gave nothing to hear: {reason}")
    return audio.levelled(audio.trimmed(sound))
