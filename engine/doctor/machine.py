"""Checks of this machine: Python, settings, store, name service, prompts and music. They may block."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from engine.config import PromptSettings, Settings
from engine.doctor.finding import Finding, bad, failed, good
from engine.document import parse
from engine.errors import StoreError
from engine.prompts.library import MUSIC, PromptLibrary
from engine.store.database import path_of, read_only_uri, told
from engine.store.schema import SchemaAge, age_of
from engine.store.statements import CONFIGURATION
from engine.voices import spoken

MIN_PYTHON = (3, 11)
MAX_LOOKUP_SECONDS = 0.05
"""Asterisk looks its own name up for each call; at 0.3 s it makes three calls a second."""
MIN_FREE_BYTES = 200 * 1024 * 1024
_LOOKUPS = 3


def python(version: Sequence[int] = sys.version_info[:3]) -> list[Finding]:
    """Whether this Python is new enough."""
    seen, needed = ".".join(map(str, version)), ".".join(map(str, MIN_PYTHON))
    if tuple(version[:2]) >= MIN_PYTHON:
        return [good("python", seen)]
    return [bad("python", f"{seen} is too old", f"install Python {needed} or newer and Ringback with it")]


def settings_read(settings: Settings, config_file: Path | None) -> list[Finding]:
    """That the settings can be read; a caller who has none says so itself."""
    here = Path("ringback.toml")
    source = str(config_file) if config_file else str(here) if here.exists() else "no file, built-in defaults"
    names = ", ".join(each.name for each in settings.asterisk)
    return [good("settings", f"{source}; Asterisk: {names}")]


def store(url: str) -> list[Finding]:
    """Whether the store can be opened and written, has our schema and room."""
    try:
        path = path_of(url)
        age = age_of(path)
    except StoreError as error:
        return [failed("store", error)]
    folder = path.parent
    if not folder.is_dir():
        return [bad("store", f"there is no folder {folder}", f"mkdir -p {folder}, or set [store] url")]
    for each in (folder, path):
        if each.exists() and not os.access(each, os.W_OK):
            return [bad("store", f"{each} is not writable for this user", f"make {each} writable, or set [store] url")]
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        room = f"{folder} has {free // 1024**2} MiB free"
        return [bad("store", room, f"free disk space: at least {MIN_FREE_BYTES // 1024**2} MiB")]
    match age:
        case SchemaAge.CURRENT:
            return [good("store", f"{path}, schema current")]
        case SchemaAge.EMPTY:
            return [good("store", f"{path} does not exist yet; the first start makes it")]
        case SchemaAge.OLDER:
            mend = "make a backup (ringback db backup FILE), then run: ringback db upgrade"
            return [bad("store", f"{path} has an older schema", mend)]
        case SchemaAge.NEWER:
            return [bad("store", f"{path} was written by a newer Ringback", "install the newer Ringback")]
        case SchemaAge.FOREIGN:
            return [bad("store", f"{path} is another program's database", "use another [store] url")]


def own_name(
    hostname: Callable[[], str] = socket.gethostname,
    look_up: Callable[[str], object] = lambda name: socket.getaddrinfo(name, None),
) -> list[Finding]:
    """Whether this host's own name resolves, and how fast. It matters on the machine where Asterisk runs."""
    name = hostname()
    mend = f"write `127.0.1.1 {name}` into /etc/hosts of the machine (or root directory) where Asterisk runs"
    taken = []
    for _ in range(_LOOKUPS):
        began = time.perf_counter()
        try:
            look_up(name)
        except OSError as error:
            seconds = time.perf_counter() - began
            return [bad("name lookup", f"{name} does not resolve ({error.strerror}, {_ms(seconds)})", mend)]
        taken.append(time.perf_counter() - began)
    median = statistics.median(taken)
    if median > MAX_LOOKUP_SECONDS:
        return [bad("name lookup", f"{name} takes {_ms(median)}; Asterisk asks for each call", mend)]
    return [good("name lookup", f"{name} in {_ms(median)}")]


def prompts(settings: Settings) -> list[Finding]:
    """Whether the prompts of the services in the store, and the hold music, are ready."""
    name, folder = "prompts", settings.prompts.dir
    document = _document(settings.store.url)
    services = () if document is None else spoken(parse(document).configuration)
    missing = PromptLibrary(folder).missing(services)
    music = [each for each in missing if each.file == MUSIC]
    words = [each for each in missing if each.file != MUSIC]
    if not services:
        voiced = good(name, "no services in the store yet; they come with: ringback config apply FILE")
    elif words:
        first = ", ".join(f"{each.file} ({each.reason.replace('_', ' ')})" for each in words[:2])
        more = f" and {len(words) - 2} more" if len(words) > 2 else ""
        voiced = bad(name, f"not ready in {folder}: {first}{more}", _build(settings.prompts))
    else:
        voiced = good(
            name,
            f"ready in {folder} for {', '.join(each.id for each in services[:5])}{' ...' if len(services) > 5 else ''}",
        )
    if not services and music:
        return [voiced]  # it is built together with the first prompts
    if music:
        seen = f"{folder / MUSIC} {music[0].reason.replace('_', ' ')}"
        return [voiced, bad("hold music", seen, _build(settings.prompts))]
    return [voiced, good("hold music", str(folder / MUSIC))]


def _build(settings: PromptSettings) -> str:
    return f"ringback prompts build SERVICES.yaml --to {settings.dir}"


def _document(url: str) -> str | None:
    """The document in force as the store keeps it; None when there is none. The engine may be running."""
    path = path_of(url)
    if age_of(path) is not SchemaAge.CURRENT:
        return None
    with told(path), closing(sqlite3.connect(read_only_uri(path), uri=True, timeout=2.0)) as connection:
        found = connection.execute(CONFIGURATION).fetchone()
    return None if found is None else str(found[1])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
