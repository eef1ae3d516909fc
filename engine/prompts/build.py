"""Builds the prompts that services need from their texts.

Each distinct text is spoken once, several at a time. A file appears whole or not at all, and two builds into one folder
take turns. A build never overwrites somebody's own recording unless it is told to build everything anew.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.prompts import audio, library, music, speech
from engine.prompts.errors import PromptError
from engine.prompts.services import SpokenService
from engine.prompts.texts import TextFiles, Voice, pronunciation_warnings

_LOCK = ".building"
_MUSIC = library.Wanted(library.MUSIC, "", None, None)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: files written, how many were left as they were, names not said as written, and its duration."""

    built: tuple[str, ...]
    kept: int
    warnings: tuple[str, ...]
    seconds: float


def build(
    services: Iterable[SpokenService],
    to: Path,
    *,
    progress: Callable[[str], None],
    only_missing: bool = True,
    own_texts: Path | None = None,
) -> BuildReport:
    """Build what `services` need into the folder `to`, hold music included; `progress` hears a line per file.

    With `only_missing` files that are ready stay. Raises `PromptError` when a text, the synthesiser or the folder is at
    fault; what was finished before that stays and is whole.
    """
    begun = time.monotonic()
    services, texts = tuple(services), TextFiles(own_texts)
    for language in dict.fromkeys(code for service in services for code in service.languages):
        _require_voice_or_recordings(services, language, texts, to, only_missing)
    with _turn(to, progress):
        index = library.read_index(to)
        spoken = list(library.wanted(services, texts))
        due = [want for want in spoken if not only_missing or library.judge(to, want, index)]
        music_due = not only_missing or library.judge(to, _MUSIC, {}) is not None
        built = list(_speak_all(due, to, index, progress))
        if music_due:
            audio.write(to / library.MUSIC, audio.wav_bytes(music.hold_music()))
            progress(f"built {library.MUSIC}")
            built.append(library.MUSIC)
    warnings = tuple(line for service in services for line in pronunciation_warnings(service))
    return BuildReport(tuple(built), len(spoken) + 1 - len(built), warnings, round(time.monotonic() - begun, 2))


def _require_voice_or_recordings(
    services: tuple[SpokenService, ...],
    language: str,
    texts: TextFiles,
    to: Path,
    only_missing: bool,  # noqa: FBT001
) -> None:
    """A language without texts is fine only while all its files are recordings that are ready."""
    if texts.find(language) is not None:
        return
    asked = [want for want in library.wanted(services, texts) if want.language == language]
    if not only_missing or any(library.judge(to, want, {}) for want in asked):
        texts.require(language)


def _speak_all(
    due: list[library.Wanted], to: Path, index: dict[str, library.Entry], progress: Callable[[str], None]
) -> Iterator[str]:
    files: dict[tuple[str, Voice], list[str]] = {}
    for want in due:
        if want.text is not None and want.voice is not None:
            files.setdefault((want.text, want.voice), []).append(want.file)
    programs = {voice: speech.require_synthesiser(voice) for voice in {voice for _, voice in files}}
    done = 0
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="speech") as pool:
        running = {pool.submit(speech.speak_with, programs[voice], text, voice): (text, voice) for text, voice in files}
        try:
            for finished in as_completed(running):
                text, voice = running[finished]
                wav = audio.wav_bytes(finished.result())
                for file in files[text, voice]:
                    audio.write(to / file, wav)
                    index[file] = library.Entry(text, str(voice), library.checksum(wav))
                    done += 1
                    progress(f"built {file} ({done} of {len(due)})")
                    yield file
        finally:
            pool.shutdown(cancel_futures=True)
            _write_index(to, index)


def _write_index(to: Path, index: dict[str, library.Entry]) -> None:
    entries = {file: asdict(entry) for file, entry in sorted(index.items())}
    text = json.dumps({"version": 1, "files": entries}, indent=1, ensure_ascii=False)
    audio.write(to / library.INDEX, text.encode())


@contextmanager
def _turn(to: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other build works in `to`; the turn ends with this process, however it ends."""
    try:
        to.mkdir(parents=True, exist_ok=True)
        lock = (to / _LOCK).open("w")
    except OSError as error:
        raise PromptError(f"cannot write to {to}: {error.strerror}; choose a folder you may write to") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another build works in this folder; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
