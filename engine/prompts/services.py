"""What the spoken texts need to know of a service, and how to read it from the services document.

Reads only the keys it needs and ignores the rest: the whole document is judged elsewhere. It must never let a service
id or a language through that could leave the prompts folder, because both become folder names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from engine.prompts.errors import PromptError

_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(r"[0-9*#]")
_CALLBACK_KEY = "1"


@dataclass(frozen=True, slots=True)
class Keys:
    """The key on the customer's telephone for each answer: one of 0-9, * and #; None when the service leaves it out."""

    connect: str | None = "1"
    later: str | None = "2"
    cancel: str | None = "3"
    never: str | None = "9"

    def __post_init__(self) -> None:
        """Raise `PromptError` for a key no telephone has, or one key with two meanings."""
        pressed = [key for _, key in self.items()]
        for key in pressed:
            if not _KEY.fullmatch(key):
                raise PromptError(f"key {key!r} is not on a telephone; use one of 0-9, * and #")
        if len(set(pressed)) != len(pressed):
            raise PromptError(f"the keys {', '.join(pressed)} are not all different; give each answer its own key")

    def items(self) -> Iterator[tuple[str, str]]:
        """The configured answers in the order they are offered: `("connect", "1")` and so on."""
        for field in fields(self):
            key: str | None = getattr(self, field.name)
            if key is not None:
                yield field.name, key


@dataclass(frozen=True, slots=True)
class SpokenService:
    """A service as its prompts name it; `languages` has the default first. Raises `PromptError` for unusable ids.

    `callback_key`: what a caller who waits presses to be called back; None: that is not offered.
    """

    id: str
    name: str
    company: str
    languages: tuple[str, ...] = ("en",)
    keys: Keys = Keys()
    takes_calls: bool = False
    callback_key: str | None = None
    records: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be a folder name."""
        if not is_folder_name(self.id):
            raise PromptError(f"service id {self.id[:64]!r} cannot be used; write it with letters, digits, - and _")
        for language in self.languages:
            if not is_folder_name(language):
                raise PromptError(f"service {self.id}: {language!r} is no language; write a code such as en or pt-BR")
        if not self.languages:
            raise PromptError(f"service {self.id}: languages is empty; name at least one, the default first")
        if self.callback_key is not None and not _KEY.fullmatch(self.callback_key):
            raise PromptError(f"service {self.id}: key {self.callback_key!r} is not on a telephone; use 0-9, * or #")


def is_folder_name(name: str) -> bool:
    """Whether a service id or language may become a folder: letters, digits, - and _, at most 64."""
    return _FOLDER_NAME.fullmatch(name) is not None


def read_services(path: Path) -> tuple[SpokenService, ...]:
    """The services of a services document (YAML with the list `services`), in its order. Raises `PromptError`."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PromptError(f"cannot read {path}: {reason}") from error
    except yaml.YAMLError as error:
        raise PromptError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    entries = document.get("services") if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise PromptError(f"{path} has no list 'services'; write at least one service with id, name and company")
    services = tuple(_service(entry, position) for position, entry in enumerate(entries, start=1))
    ids = [service.id for service in services]
    for service_id in ids:
        if ids.count(service_id) > 1:
            raise PromptError(f"{path}: two services have the id {service_id}; ids must differ")
    return services


def _service(entry: object, position: int) -> SpokenService:
    if not isinstance(entry, Mapping):
        raise PromptError(f"service number {position} is not a mapping; write id, name, company")
    service_id = _text(entry, "id", f"service number {position}")
    where = f"service {service_id[:64]}"
    languages = entry.get("languages", ["en"])
    if not isinstance(languages, list) or not all(isinstance(language, str) for language in languages):
        raise PromptError(f'{where}: languages must be a list of codes; quote them, such as ["en", "no"]')
    confirmation = entry.get("confirmation") or {}
    keys = confirmation.get("keys") if isinstance(confirmation, Mapping) else None
    name, company = _text(entry, "name", where), _text(entry, "company", where)
    inbound, recording = entry.get("inbound"), entry.get("recording")
    callback_key = inbound.get("callback_key", _CALLBACK_KEY) if isinstance(inbound, Mapping) else None
    try:
        return SpokenService(
            service_id,
            name,
            company,
            tuple(languages),
            _keys(keys),
            takes_calls=isinstance(inbound, Mapping),
            callback_key=_key(callback_key, "inbound.callback_key"),
            records=isinstance(recording, Mapping) and recording.get("announce") is not False,
        )
    except PromptError as error:
        raise error if str(error).startswith("service") else PromptError(f"{where}: {error}") from error


def _text(entry: Mapping[object, object], field: str, where: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value.strip():
        raise PromptError(f"{where}: {field} is missing or not text; write {field}: and quote it")
    return value


def _keys(given: object) -> Keys:
    if given is None:
        return Keys()
    names = {field.name for field in fields(Keys)}
    if not isinstance(given, Mapping) or not set(given) <= names:
        raise PromptError(f"confirmation.keys may hold only {', '.join(sorted(names))}")
    chosen: dict[str, str | None] = {}
    for name, key in given.items():
        chosen[name] = _key(key, f"confirmation.keys.{name}")
    return Keys(**chosen)


def _key(key: object, where: str) -> str | None:
    # YAML reads an unquoted 1 as a number; anything else that is not text is a slip.
    if key is not None and (isinstance(key, bool) or not isinstance(key, str | int)):
        raise PromptError(f"{where} is {key!r}; write a key in quotes, or null to leave it out")
    return None if key is None else str(key)
