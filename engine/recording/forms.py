"""How single values are written as JSON: numbers, texts, enums, expressions and configurations.

Reading is strict, and no message repeats a text or a number, for it may be a customer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import Enum, StrEnum
from types import NoneType
from typing import Any, TypeAlias

from engine.core.configuration import Configuration
from engine.core.expressions import Expression
from engine.core.expressions import parse as parse_expression
from engine.document import parse as parse_document
from engine.errors import DocumentError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class CodecError(ValueError):
    """A JSON value that is no value of the type wanted; the message names the class and the field."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the values of one type are written and read. `read` also takes the services document around the value.

    `write` raises TypeError for a value of another type, `read` CodecError.
    """

    write: Callable[[Any], Json]
    read: Callable[[Json, str | None], Any]


PLAIN: Mapping[Any, tuple[str, tuple[type, ...]]] = {
    NoneType: ("null", (NoneType,)),
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (float, int)),  # a whole number where seconds are meant is kept as it is
    str: ("a text", (str,)),
}
"""The types that JSON has too: in words, and what stands for each."""
AS_TEXT: Mapping[Any, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    Expression: (lambda expression: str(expression.text), parse_expression),
    date: (date.isoformat, date.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
}
"""The types that have a text of their own, with what makes the text and what parses it or raises ValueError."""


def plain(hint: Any) -> Form:  # noqa: ANN401 - a key of PLAIN
    """A value that JSON has too."""
    words, allowed = PLAIN[hint]

    def write(value: Any) -> Any:  # noqa: ANN401
        # The members of a StrEnum are strings too; a bool is an int only for Python.
        if not isinstance(value, allowed) or (type(value) is bool and hint is not bool):
            raise TypeError(f"a {type(value).__name__} where {words} should be")
        return value

    def read(written: Json, _near: str | None) -> Any:  # noqa: ANN401
        if type(written) not in allowed:
            raise CodecError(f"{kind_of(written)} where {words} should be")
        return written

    return Form(write, read)


def as_text(hint: Any) -> Form:  # noqa: ANN401 - a key of AS_TEXT
    """A value that goes as its text."""
    write, parse = AS_TEXT[hint]

    def read(written: Json, _near: str | None) -> Any:  # noqa: ANN401
        try:
            return parse(_text(written))
        except ValueError:
            raise CodecError(f"{kind_of(written)} that is no {hint.__name__}") from None

    return Form(write, read)


def member(hint: type[Enum]) -> Form:
    """A member of an enum: the value of a StrEnum, the name of another."""
    members = {each.value if isinstance(each, str) else each.name: each for each in hint}
    names = {each: name for name, each in members.items()}

    def read(written: Json, _near: str | None) -> Enum:
        name = _text(written)
        if name not in members:
            raise CodecError(f"unknown {hint.__name__} {name!r}")
        return members[name]

    return Form(lambda value: names[value], read)


def word_or_number(hint: type[StrEnum]) -> Form:
    """A member of a StrEnum, or a whole number."""
    word, number = member(hint), plain(int)
    return Form(
        lambda value: (word if isinstance(value, hint) else number).write(value),
        lambda written, near: (word if isinstance(written, str) else number).read(written, near),
    )


def literal(allowed: tuple[Any, ...]) -> Form:
    """One of some plain values."""

    def read(written: Json, _near: str | None) -> Json:
        if written not in allowed:
            raise CodecError(f"{kind_of(written)} where one of {allowed} should be")
        return written

    return Form(lambda value: value, read)


def configuration() -> Form:
    """The version; what it means is said by the services document around it."""

    def read(written: Json, near: str | None) -> Configuration:
        if type(written) is not int:
            raise CodecError(f"{kind_of(written)} where the version of a configuration should be")
        if near is None and written == 0:
            return Configuration()  # a new installation
        if near is None:
            raise CodecError("a configuration without its services document")
        try:
            return parse_document(near, version=written).configuration
        except DocumentError as error:
            raise CodecError(f"a services document that cannot be used: {error}") from None

    return Form(lambda value: int(value.version), read)


def kind_of(written: Json) -> str:
    """What a JSON value is, in words, without its content."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", NoneType: "null"}
    return names.get(type(written), "a number")


def _text(written: Json) -> str:
    if not isinstance(written, str):
        raise CodecError(f"{kind_of(written)} where a text should be")
    return written
