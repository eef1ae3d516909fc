"""What a record of events consists of: one JSON object a line, and the digest by which decisions are compared.

The first line is a Heading. A Started follows wherever a dispatcher was made, and then a Decided for each event that it
was told. The whole decision is not kept: who replays the event makes it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias, get_type_hints

from engine.core.decision import Decision, Snapshot
from engine.core.events import Event
from engine.core.values import Value
from engine.errors import RecordError
from engine.recording.codec import from_json, to_json
from engine.recording.forms import CodecError

FORMAT = 1
"""Counts up when an older version cannot read what is written any more."""
DIGEST_BYTES = 6
_JSON = json.JSONEncoder(separators=(",", ":"))
_PARTS = get_type_hints(Decision)

Digest: TypeAlias = Mapping[str, str]
"""For each part of a decision that is not empty, how many values it has and a hash of them: `{"changes": "2:5e0f…"}`.

An event that the dispatcher could not be told has `{"raised": "ValueError"}` instead.
"""


class Heading(Value):
    """The first line; `ringback` is the version that wrote the file."""

    format: int
    ringback: str


class Started(Value):
    """A dispatcher was made from this snapshot; `document` is the text of its configuration, None before the first."""

    snapshot: Snapshot
    document: str | None


class Decided(Value):
    """The dispatcher was told an event at `now`, in epoch seconds, and this came of it."""

    now: float
    event: Event
    decision: Digest


Line: TypeAlias = Heading | Started | Decided


def digest(decision: Decision) -> Digest:
    """What of a decision is compared; depends on nothing but its values, so it is the same in every process."""
    found: dict[str, str] = {}
    for part, hint in _PARTS.items():
        held = getattr(decision, part)
        if held is None or held == []:
            continue
        written = _JSON.encode(to_json(hint, held))
        count = len(held) if isinstance(held, list) else 1
        found[part] = f"{count}:{blake2b(written.encode(), digest_size=DIGEST_BYTES).hexdigest()}"
    return found


def to_text(line: Line) -> bytes:
    """The line as it stands in the file, with its end. Raises TypeError for a value nothing is known of."""
    written = to_json(Line, line)
    # Whole, a text is made in one go that no other thread can interrupt: too long where it is large.
    text = "".join(_JSON.iterencode(written)) if isinstance(line, Started) else _JSON.encode(written)
    return text.encode() + b"\n"


def read_lines(path: Path) -> Iterator[tuple[int, Started | Decided]]:
    """The lines after the heading, each with its number in the file, as they are read.

    A last line without its end is left out: the process was killed while it wrote it. Raises RecordError.
    """
    try:
        with path.open("rb") as file:
            yield from _lines_of(path, enumerate(file, 1))
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}; name a file made by serve --record") from None


def _lines_of(path: Path, texts: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, Started | Decided]]:
    heading: Heading | None = None
    for number, text in texts:
        if not text.endswith(b"\n"):
            break
        try:
            line = _parsed(text)
        except CodecError as error:
            written_by = f" (written by Ringback {heading.ringback})" if heading else ""
            raise RecordError(f"{path}, line {number}: {error}{written_by}; it cannot be replayed") from None
        if isinstance(line, Heading):
            if heading is not None:
                raise RecordError(f"{path}, line {number}: a second heading; a record is one file of one start")
            heading = line
        elif heading is None:
            break
        else:
            yield number, line
    if heading is None:
        raise RecordError(f"{path} does not begin as a record does; name a file made by serve --record")


def _parsed(text: bytes) -> Line:
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        raise CodecError("not JSON") from None
    line: Line = from_json(Line, written)
    if isinstance(line, Heading) and line.format != FORMAT:
        raise CodecError(f"format {line.format}, but this version of Ringback reads format {FORMAT}")
    return line
