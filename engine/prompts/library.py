"""The folder of built prompts: what lies in it, what is unfit, and under which name Asterisk plays it.

Beside the files lies `index.json`, which says of each built file what was spoken in which voice and what the sound's
checksum was. A file that the index does not know, or whose checksum differs, is somebody's own recording: it is judged
by its sound alone and never overwritten unasked.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.core.terms import Prompt, PromptId
from engine.prompts import audio, occasions
from engine.prompts.errors import PromptError
from engine.prompts.services import SpokenService, is_folder_name
from engine.prompts.texts import TextFiles, Voice

INDEX = "index.json"
MUSIC = "music/hold.wav"


class Unfit(StrEnum):
    """Why a prompt cannot be used as it is."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    WRONG_FORMAT = "wrong_format"
    SILENT = "silent"
    OUT_OF_DATE = "out_of_date"


@dataclass(frozen=True, slots=True)
class MissingPrompt:
    """A file that is not ready: its path below the folder, why, and more words for a person."""

    file: str
    reason: Unfit
    detail: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found: how many files the services need, and those that are not ready."""

    needed: int
    unfit: tuple[MissingPrompt, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file the services need; `text` and `voice` are None when no text file exists for its language."""

    file: str
    language: str
    text: str | None
    voice: Voice | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index knows of a built file."""

    text: str
    voice: str
    checksum: str


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A file of the folder as `ringback prompts list` shows it; `text` is None for an own recording."""

    file: str
    seconds: float | None
    level_dbfs: float | None
    text: str | None
    problem: str | None


def checksum(content: bytes) -> str:
    """The checksum the index holds: SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_index(directory: Path) -> dict[str, Entry]:
    """The index of `directory`, by file; empty when there is none or it is damaged (files then count as recordings)."""
    try:
        document = json.loads((directory / INDEX).read_text(encoding="utf-8"))
        return {file: Entry(e["text"], e["voice"], e["checksum"]) for file, e in document["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def wanted(services: Iterable[SpokenService], texts: TextFiles) -> Iterator[Wanted]:
    """Every spoken file the services need, in a steady order. The music is not among them."""
    services = tuple(services)
    for service in services:
        for language in service.languages:
            wording = texts.find(language)
            for prompt in occasions.of_service(service):
                file = f"{occasions.file_of(prompt, language, service.id)}.wav"
                if wording is None:
                    yield Wanted(file, language, None, None)
                elif (text := wording.text(service, prompt)) is not None:
                    yield Wanted(file, language, text, wording.voice)
    shared: list[tuple[str, Prompt]] = [
        (language, prompt)
        for service in services
        if service.takes_calls
        for language in service.languages
        for prompt in occasions.of_calls_taken()
    ]
    if services:
        desk = _desk_language(services[0], texts)
        shared += [(desk, prompt) for prompt in occasions.of_desks()]
    for language, said in dict.fromkeys(shared):
        wording, file = texts.find(language), f"{occasions.file_of(said, language, '')}.wav"
        if wording is None:
            yield Wanted(file, language, None, None)
        else:
            yield Wanted(file, language, wording.shared(said), wording.voice)


def _desk_language(first: SpokenService, texts: TextFiles) -> str:
    """Agents hear the first service's default language if there are texts for it: no menu is worth a refusal."""
    wording = texts.find(first.languages[0])
    spoken = wording is not None and PromptId.DESK_READY in wording.texts
    return first.languages[0] if spoken else occasions.SHARED_FALLBACK


class PromptLibrary:
    """Answers whether prompts are ready and how Asterisk names them. It reads the folder and never writes to it."""

    def __init__(
        self, directory: Path, as_asterisk_sees_it: str | None = None, *, own_texts: Path | None = None
    ) -> None:
        """`as_asterisk_sees_it` is the same folder's absolute path on Asterisk's machine, when that differs."""
        self._directory = directory
        self._seen_as = (as_asterisk_sees_it or str(directory.resolve())).rstrip("/")
        self._own_texts = own_texts

    def missing(self, services: Iterable[SpokenService]) -> list[MissingPrompt]:
        """The files the services need, hold music included, not ready. Raises `PromptError` on faulty texts."""
        return list(check(services, self._directory, own_texts=self._own_texts).unfit)

    def media(self, service_id: str, language: str, prompt: str | int, *, default_language: str | None = None) -> str:
        """`sound:/path/without/extension` as Asterisk sees it.

        Tries `language`, then its base (`pt` of `pt-BR`), then `default_language`; English comes last for what is not
        of a service, and that needs no `service_id`. `language` may come from a customer: one that is no language falls
        through. When none has the file, the last one tried is named, so that the failed playback tells of it. Raises
        `PromptError` for an unknown prompt or a service id that is no folder name.
        """
        named = _prompt(prompt)
        shared = occasions.is_shared(named)
        if not shared and not is_folder_name(service_id):
            raise PromptError(f"service id {service_id[:64]!r} cannot be used; write it with letters, digits, - and _")
        tried = [language, language.split("-")[0], default_language, occasions.SHARED_FALLBACK if shared else None]
        languages = [code for code in tried if code is not None and is_folder_name(code)]
        if not languages:
            raise PromptError(f"{language[:64]!r} is no language and no default language was given")
        files = [occasions.file_of(named, code, service_id) for code in languages]
        found = next((file for file in files if (self._directory / f"{file}.wav").is_file()), files[-1])
        return f"sound:{self._seen_as}/{found}"

    def music_directory(self) -> str:
        """The folder of the hold music as Asterisk sees it, for a music-on-hold class."""
        return f"{self._seen_as}/music"

    def stored(self) -> list[StoredPrompt]:
        """Every WAV file of the folder. Raises `PromptError` when the folder is not there."""
        if not self._directory.is_dir():
            raise PromptError(f"there is no folder {self._directory}; run: ringback prompts build")
        index = read_index(self._directory)
        paths = sorted(path for path in self._directory.rglob("*.wav") if not path.name.startswith("."))
        return [_stored(path, path.relative_to(self._directory).as_posix(), index) for path in paths]


def _prompt(named: str | int) -> Prompt:
    if isinstance(named, int):
        if named not in occasions.NUMBERS:
            raise PromptError(f"{named} cannot be said; numbers reach from 0 to {occasions.NUMBERS[-1]}")
        return named
    if named not in PromptId.__members__.values():
        raise PromptError(f"there is no prompt {named[:64]!r}; they are {', '.join(PromptId)}")
    return PromptId(named)


def check(services: Iterable[SpokenService], directory: Path, *, own_texts: Path | None = None) -> CheckReport:
    """Compare what `services` need with what lies in `directory`; changes nothing."""
    texts, index = TextFiles(own_texts), read_index(directory)
    spoken = list(wanted(services, texts))
    found = [problem for want in spoken if (problem := judge(directory, want, index))]
    if music := judge(directory, Wanted(MUSIC, "", None, None), {}):
        found.append(music)
    return CheckReport(len(spoken) + 1, tuple(found))


def judge(directory: Path, want: Wanted, index: dict[str, Entry]) -> MissingPrompt | None:
    """What is wrong with one file, or None."""
    try:
        content = (directory / want.file).read_bytes()
    except FileNotFoundError:
        untold = want.language and want.text is None
        detail = f"and there are no texts for language {want.language}" if untold else "never built"
        return MissingPrompt(want.file, Unfit.MISSING, detail)
    except OSError as error:
        return MissingPrompt(want.file, Unfit.UNREADABLE, error.strerror or "cannot be read")
    try:
        sound = audio.decode(content)
    except PromptError as error:
        return MissingPrompt(want.file, Unfit.WRONG_FORMAT, str(error))
    if reason := audio.silence_reason(sound):
        return MissingPrompt(want.file, Unfit.SILENT, reason)
    entry = index.get(want.file)
    if entry is None or want.voice is None or entry.checksum != checksum(content):
        return None
    if (entry.text, entry.voice) != (want.text, str(want.voice)):
        return MissingPrompt(want.file, Unfit.OUT_OF_DATE, "the text, a name, a key or the voice has changed since")
    return None


def _stored(path: Path, file: str, index: dict[str, Entry]) -> StoredPrompt:
    try:
        content = path.read_bytes()
        sound = audio.decode(content)
    except (OSError, PromptError) as error:
        return StoredPrompt(file, None, None, None, str(error))
    entry = index.get(file)
    text = entry.text if entry is not None and entry.checksum == checksum(content) else None
    level = None if sound.rms == 0 else round(sound.dBFS, 1)
    return StoredPrompt(file, round(len(sound) / 1000, 2), level, text, audio.silence_reason(sound))
