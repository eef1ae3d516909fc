"""What each prompt says: reads the manifest and the text files and fills in names and keys.

Names come from an operator and end in a speech synthesiser, so they pass `speakable`, which lets through only letters,
digits, spaces and a little punctuation. It must never hand on a character that a synthesiser could read as markup.
"""

import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import yaml

from engine import shipped
from engine.core.terms import Prompt, PromptId
from engine.prompts.errors import PromptError
from engine.prompts.services import SpokenService

_NAME_LENGTH = 80
_ANSWERS = ("connect", "later", "cancel", "never")
# Letters that Unicode does not take apart, and signs that have a word; spelled for an English voice.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe", "đ": "d", "Đ": "D", "ð": "d"}
    | {"þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "\u0131": "i", "\u2019": "'"}
    | {"&": " and ", "+": " plus ", "@": " at ", "%": " percent "}
)


class Synthesiser(StrEnum):
    """The programs that can speak for us."""

    FLITE = "flite"
    FESTIVAL = "festival"


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: the program, its voice, how much slower than by nature (1.0), and the Debian packages with both."""

    synthesiser: Synthesiser
    name: str
    stretch: float
    packages: str

    def __str__(self) -> str:
        """As the index of built files records it, such as `flite rms 0.92`."""
        return f"{self.synthesiser} {self.name} {self.stretch:g}"


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's texts, checked against the manifest: only known prompts and placeholders.

    A prompt may be without a text as long as no service needs it.
    """

    path: Path
    voice: Voice
    fallback: Mapping[str, str]
    abbreviations: Mapping[str, str]
    key_names: Mapping[str, str]
    texts: Mapping[PromptId, str]
    answers: Mapping[str, str]

    def text(self, service: SpokenService, prompt: PromptId) -> str | None:
        """What `prompt` says for `service`; None when there is nothing to say (press, with no key configured).

        Raises `PromptError` if its text is missing.
        """
        if prompt is PromptId.PRESS:
            sentences = [
                self.answers[answer].format(key=self.key_names.get(key, key)) for answer, key in service.keys.items()
            ]
            return " ".join(sentences) or None
        names = {
            "company": self._in_full(speakable(service.company)) or self.fallback["company"],
            "service": speakable(service.name) or self.fallback["service"],
        }
        key = service.callback_key or ""
        return self._template(prompt).format(**names, key=self.key_names.get(key, key))

    def shared(self, prompt: Prompt) -> str:
        """What `prompt` says for all services; digits are left to the voice. Raises `PromptError` without a text."""
        return self._template(prompt) if isinstance(prompt, PromptId) else str(prompt)

    def _template(self, prompt: PromptId) -> str:
        if prompt not in self.texts:
            raise PromptError(f"{self.path}: the text of {prompt} is missing; write it")
        return self.texts[prompt]

    def _in_full(self, name: str) -> str:
        """The end of a company's name written out, because a voice stumbles over `Ltd`."""
        *words, last = name.split() or [""]
        return " ".join([*words, self.abbreviations.get(last, last)])


def speakable(name: str) -> str:
    """`name` as the voice can say it: plain ASCII words of at most 80 characters in all; empty when nothing is left."""
    taken_apart = unicodedata.normalize("NFKD", name.translate(_SPELLED))
    unaccented = "".join(letter for letter in taken_apart if not unicodedata.combining(letter))
    plain = re.sub(r"[^A-Za-z0-9.,' -]", " ", unaccented)
    # Only inside a word do these belong to a name; elsewhere they would be read aloud or end the sentence.
    plain = re.sub(r"(?<![A-Za-z0-9])[.,'-]+|[.,'-]+(?![A-Za-z0-9 ])|[.'-]+(?= )|,(?! [A-Za-z0-9])", " ", plain)
    words = plain.split()
    while words and len(" ".join(words)) > _NAME_LENGTH:
        words.pop()
    return " ".join(words).strip(" .,'-") or plain.strip()[:_NAME_LENGTH].strip(" .,'-")


def pronunciation_warnings(service: SpokenService) -> list[str]:
    """One line for each name of `service` that will not be said as written, in ASCII-safe form."""
    lines = []
    for what, name in (("company", service.company), ("name", service.name)):
        said = speakable(name)
        if _letters(name.translate(_SPELLED)) != _letters(said):
            instead = f"is said as {said!r}" if said else "cannot be said by this voice and is replaced"
            lines.append(f"service {service.id}: {what} {name[:60]!a} {instead}; change it or record your own prompt")
    return lines


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


class TextFiles:
    """The text files of all languages: an operator's own folder first, then the shipped one."""

    def __init__(self, own: Path | None = None) -> None:
        """`own` may hold `<language>.yaml` files that replace or add to the shipped ones."""
        self._folders = [folder for folder in (own, shipped.prompts_dir()) if folder is not None]
        self._own = own
        self._may_use = _read_manifest(shipped.prompts_dir() / "manifest.yaml")
        self._read: dict[str, Wording | None] = {}

    def find(self, language: str) -> Wording | None:
        """The texts of `language`; None when no file holds them. Raises `PromptError` for a faulty file.

        What an operator's own file leaves out is taken from the shipped one of the same language.
        """
        if language not in self._read:
            files = (folder / f"{language}.yaml" for folder in self._folders)
            read = [_read_wording(path, self._may_use) for path in files if path.is_file()]
            texts = {prompt: text for wording in reversed(read) for prompt, text in wording.texts.items()}
            self._read[language] = replace(read[0], texts=texts) if read else None
        return self._read[language]

    def require(self, language: str) -> Wording:
        """As `find`, but raises `PromptError` naming the file to write."""
        wording = self.find(language)
        if wording is None:
            target = f"{self._own}/{language}.yaml" if self._own else f"{language}.yaml in a folder given with --texts"
            raise PromptError(
                f"there are no texts for language {language}; write {target}, in the shape of prompts/en.yaml"
            )
        return wording


def _load(path: Path) -> Mapping[str, object]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PromptError(f"cannot read {path}: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise PromptError(f"{path} is not a mapping; see prompts/en.yaml for its shape")
    return document


def _mapping(parent: Mapping[str, object], field: str, path: Path) -> Mapping[str, object]:
    value = parent.get(field)
    if not isinstance(value, dict):
        raise PromptError(f"{path}: {field} is missing or not a mapping; see prompts/en.yaml for its shape")
    return value


def _read_manifest(path: Path) -> Mapping[PromptId, frozenset[str]]:
    prompts = _mapping(_load(path), "prompts", path)
    if set(prompts) != {prompt.value for prompt in PromptId}:
        raise PromptError(f"{path} lists other prompts than this version of Ringback plays; install Ringback again")
    allowed = {}
    for prompt in PromptId:
        names = _mapping(prompts, prompt.value, path).get("may_use")
        allowed[prompt] = frozenset(names if isinstance(names, list) else ())
    return allowed


def _read_wording(path: Path, may_use: Mapping[PromptId, frozenset[str]]) -> Wording:
    document = _load(path)
    voice, texts = _voice(_mapping(document, "voice", path), path), _mapping(document, "texts", path)
    for unknown in set(texts) - {prompt.value for prompt in PromptId}:
        raise PromptError(f"{path}: there is no prompt {unknown!r}; remove it")
    fallback = _mapping(document, "fallback", path)
    said = {field: speakable(str(fallback.get(field) or "")) for field in ("company", "service")}
    if not all(said.values()):
        raise PromptError(f"{path}: fallback needs company and service, said in place of a name the voice cannot say")
    press = _mapping(texts, PromptId.PRESS.value, path)
    return Wording(
        path,
        voice,
        said,
        {str(short): speakable(str(long)) for short, long in _mapping(document, "abbreviations", path).items()},
        {str(key): speakable(str(word)) for key, word in _mapping(document, "keys", path).items()},
        {
            p: _template(texts, p.value, may_use[p], path)
            for p in PromptId
            if p.value in texts and p is not PromptId.PRESS
        },
        {answer: _template(press, answer, may_use[PromptId.PRESS], path) for answer in _ANSWERS},
    )


def _voice(given: Mapping[str, object], path: Path) -> Voice:
    name, program = str(given.get("name")), str(given.get("synthesiser"))
    if program not in Synthesiser.__members__.values():
        raise PromptError(f"{path}: voice.synthesiser must be one of {', '.join(Synthesiser)}")
    # The name becomes an argument, for festival even a piece of its program: nothing but a plain name may pass.
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise PromptError(f"{path}: voice.name must be the name of a voice, such as rms; small letters, digits and _")
    packages = str(given.get("packages") or program)
    stretch = given.get("stretch", 1.0)
    if isinstance(stretch, bool) or not isinstance(stretch, int | float) or not 0.5 <= stretch <= 2:
        raise PromptError(f"{path}: voice.stretch must be a number from 0.5 (fast) to 2 (slow)")
    return Voice(Synthesiser(program), name, float(stretch), packages)


def _template(texts: Mapping[str, object], field: str, allowed: frozenset[str], path: Path) -> str:
    text = texts.get(field)
    if not isinstance(text, str) or not text.strip():
        raise PromptError(f"{path}: the text of {field} is missing; write it")
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise PromptError(f"{path}: the text of {field} has unmatched braces; write names as {{company}}") from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in allowed or form or conversion):
            known = ", ".join(f"{{{word}}}" for word in sorted(allowed))
            raise PromptError(f"{path}: {field} uses {{{name}}}, which is not known; it may use {known}")
    return " ".join(text.split())
