"""Typed reading of Asterisk's JSON objects.

Each getter returns the wanted type or raises `Malformed`, which names the field and never quotes its content:
contents hold phone numbers. Nothing outside this package sees `Malformed`; it becomes `UnrecognisedEvent` or
`Unknown`.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

# What json.loads returns; only this module looks inside without knowing the type.
JsonObject: TypeAlias = dict[str, Any]


class Malformed(ValueError):  # noqa: N818 - it never leaves the package; the name reads well where it is raised
    """An answer or event of Asterisk lacks a field or has one of another type."""


def load(raw: str | bytes) -> object:
    """The JSON value of a text; raises Malformed for anything that is not JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON ({type(error).__name__})") from error


def as_object(value: object, what: str) -> JsonObject:
    """The value as a JSON object."""
    if isinstance(value, dict):
        return value
    raise Malformed(f"{what} is not an object")


def as_list(value: object, what: str) -> list[Any]:
    """The value as a JSON array."""
    if isinstance(value, list):
        return value
    raise Malformed(f"{what} is not an array")


def each(read: Callable[[object], T], what: str) -> Callable[[object], tuple[T, ...]]:
    """A reader of an array whose items are read by `read`."""

    def read_all(value: object) -> tuple[T, ...]:
        return tuple(read(item) for item in as_list(value, what))

    return read_all


def text(source: JsonObject, key: str) -> str:
    """A required string."""
    value = source.get(key)
    if isinstance(value, str):
        return value
    raise Malformed(f"{key} is not a string")


def optional_text(source: JsonObject, key: str) -> str:
    """A string, empty where Asterisk leaves it out."""
    return text(source, key) if source.get(key) is not None else ""


def integer(source: JsonObject, key: str) -> int:
    """A required whole number."""
    value = source.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Malformed(f"{key} is not an integer")


def optional_integer(source: JsonObject, key: str) -> int | None:
    """A whole number, or None where Asterisk leaves it out."""
    return integer(source, key) if source.get(key) is not None else None


def flag(source: JsonObject, key: str) -> bool:
    """A boolean; false where Asterisk leaves it out."""
    value = source.get(key, False)
    if isinstance(value, bool):
        return value
    raise Malformed(f"{key} is not a boolean")


def texts(source: JsonObject, key: str) -> tuple[str, ...]:
    """A required array of strings."""
    values = as_list(source.get(key), key)
    if all(isinstance(value, str) for value in values):
        return tuple(values)
    raise Malformed(f"{key} holds something else than strings")


def moment(source: JsonObject, key: str) -> datetime:
    """A required time with its zone; Asterisk writes milliseconds and a numeric offset,
    2026-01-31T09:15:00.123+0000.
    """
    written = text(source, key)
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        raise Malformed(f"{key} is not a time") from error
    if at.tzinfo is None:
        raise Malformed(f"{key} has no time zone")
    return at
