"""Core values to JSON values and back, by their type hints alone: a new event or field needs no code here.

A struct becomes an object of its fields, without those at their default; where several types are possible, the value
stands under the name of its own: `{"LegRinging": {"leg": "c1-1.customer"}}`. Expressions go as their text. A
Configuration goes as its version: what it means is said by the services document, the text under `document` nearest
around it. A type that nothing is known of raises TypeError, in writing as in reading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from engine.core.configuration import Configuration
from engine.core.values import Value
from engine.recording import forms
from engine.recording.forms import CodecError, Form, Json, kind_of


def to_json(hint: object, value: object) -> Json:
    """`value`, which is of the type `hint`. Raises TypeError."""
    return form_of(hint).write(value)


def from_json(hint: object, written: Json) -> Any:  # noqa: ANN401 - of the type `hint`, which mypy cannot follow
    """The value that was written. Raises CodecError."""
    return form_of(hint).read(written, None)


@cache
def form_of(hint: Any) -> Form:  # noqa: ANN401 - any type hint
    """The form of a type hint. Raises TypeError if nothing is known of such a type."""
    if isinstance(hint, NewType):
        return form_of(hint.__supertype__)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(inner)
    if origin is Literal:
        return forms.literal(inner)
    if origin in (list, tuple, frozenset, set):
        return _several(origin, inner)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(*inner)
    if hint is Configuration:
        return forms.configuration()
    if hint in forms.AS_TEXT:
        return forms.as_text(hint)
    if hint in forms.PLAIN:
        return forms.plain(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return forms.member(hint)
    if isinstance(hint, type) and issubclass(hint, Struct):
        # Its fields are looked at when the first value comes, so that a class may hold values of itself.
        return Form(lambda value: _write_fields(hint, value), lambda written, near: _read_fields(hint, written, near))
    raise TypeError(f"nothing is known of how to record a {hint}")


# ---- several values ------------------------------------------------------------------------------------


def _several(kind: Any, inner: tuple[Any, ...]) -> Form:  # noqa: ANN401
    if kind is tuple and inner[-1:] != (...,):
        return _row(inner)
    each = form_of(inner[0])
    unordered = kind in (set, frozenset)

    def write(values: Any) -> Json:  # noqa: ANN401
        written = [each.write(value) for value in values]
        return sorted(written, key=json.dumps) if unordered else written

    return Form(write, lambda written, near: kind(each.read(item, near) for item in _items(written)))


def _row(inner: tuple[Any, ...]) -> Form:
    """A tuple with a type for each place."""
    places = [form_of(each) for each in inner]

    def read(written: Json, near: str | None) -> tuple[Any, ...]:
        items = _items(written)
        if len(items) != len(places):
            raise CodecError(f"a list of {len(items)} where {len(places)} should be")
        return tuple(form.read(item, near) for form, item in zip(places, items, strict=True))

    return Form(lambda row: [form.write(value) for form, value in zip(places, row, strict=True)], read)


def _mapping(key: Any, value: Any) -> Form:  # noqa: ANN401
    """An object if keys are written as text, else pairs; in the order it had."""
    keys, values, pair = form_of(key), form_of(value), _row((key, value))

    def write(mapping: Mapping[Any, Any]) -> Json:
        pairs = [(keys.write(each), values.write(mapping[each])) for each in mapping]
        if all(isinstance(each, str) for each, _ in pairs):
            return {str(each): written for each, written in pairs}
        return [[each, written] for each, written in pairs]

    def read(written: Json, near: str | None) -> Mapping[Any, Any]:
        if isinstance(written, dict):
            return {keys.read(each, near): values.read(item, near) for each, item in written.items()}
        return dict(pair.read(each, near) for each in _items(written))

    return Form(write, read)


def _items(written: Json) -> list[Json]:
    if not isinstance(written, list):
        raise CodecError(f"{kind_of(written)} where a list should be")
    return written


# ---- one of several types ------------------------------------------------------------------------------


def _one_of(inner: tuple[Any, ...]) -> Form:
    others = tuple(each for each in inner if each is not NoneType)
    if len(others) == 1:
        form = form_of(others[0])
    elif (word := _word_beside_number(others)) is not None:
        form = forms.word_or_number(word)
    else:
        form = _tagged(others)
    if len(others) == len(inner):
        return form
    return Form(
        lambda value: None if value is None else form.write(value),
        lambda written, near: None if written is None else form.read(written, near),
    )


def _word_beside_number(inner: tuple[Any, ...]) -> Any | None:  # noqa: ANN401
    """The type of words, if `inner` is one and whole numbers: JSON tells those apart by itself."""
    words = [each for each in inner if isinstance(each, type) and issubclass(each, StrEnum)]
    return words[0] if len(inner) == len(words) + 1 == 2 and int in inner else None


def _tagged(inner: tuple[Any, ...]) -> Form:
    """Each value under the name of its type."""
    by_name = {each.__name__: form_of(each) for each in inner}
    names: dict[type, str] = {_class_of(each): each.__name__ for each in inner}
    if not len(by_name) == len(names) == len(inner):
        raise TypeError(f"the types {inner} cannot be told apart")

    def write(value: Any) -> Json:  # noqa: ANN401
        name = names.get(type(value)) or next((names[each] for each in names if isinstance(value, each)), None)
        if name is None:
            raise TypeError(f"a {type(value).__name__} where one of {', '.join(by_name)} should be")
        return {name: by_name[name].write(value)}

    def read(written: Json, near: str | None) -> Any:  # noqa: ANN401
        if not isinstance(written, dict) or len(written) != 1:
            raise CodecError(f"{kind_of(written)} where a class with its fields should be")
        ((name, content),) = written.items()
        if name not in by_name:
            raise CodecError(f"unknown class {name!r}")
        return by_name[name].read(content, near)

    return Form(write, read)


def _class_of(hint: Any) -> type:  # noqa: ANN401
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    found: type = get_origin(hint) or hint
    return found


# ---- structs -------------------------------------------------------------------------------------------


class _Member(Value):
    """A field; `default` is NODEFAULT if it always has to be written."""

    name: str
    form: Form
    default: object


@cache
def _members(cls: Any) -> Mapping[str, _Member]:  # noqa: ANN401
    hints = get_type_hints(cls)
    return {each.name: _Member(each.name, form_of(hints[each.name]), _default(each)) for each in fields(cls)}


def _default(of: FieldInfo) -> object:
    return of.default if of.default_factory is NODEFAULT else of.default_factory()


def _write_fields(cls: Any, value: object) -> Json:  # noqa: ANN401
    members = _members(cls)
    if type(value) is not cls:
        raise TypeError(f"a {type(value).__name__} where a {cls.__name__} should be")
    written: dict[str, Json] = {}
    for member in members.values():
        held = getattr(value, member.name)
        if not _same(held, member.default):
            written[member.name] = member.form.write(held)
    return written


def _same(held: object, default: object) -> bool:
    """Equal is not enough: 10 and 10.0 are equal, and are written differently."""
    return held is default or (type(held) is type(default) and repr(held) == repr(default))


def _read_fields(cls: Any, written: Json, near: str | None) -> Any:  # noqa: ANN401
    members = _members(cls)
    if not isinstance(written, dict):
        raise CodecError(f"{kind_of(written)} where the fields of a {cls.__name__} should be")
    if unknown := sorted(written.keys() - members.keys()):
        raise CodecError(f"unknown field {unknown[0]!r} of {cls.__name__}")
    document = written.get("document")
    near = document if isinstance(document, str) else near
    held: dict[str, Any] = {}
    for member in members.values():
        if member.name in written:
            try:
                held[member.name] = member.form.read(written[member.name], near)
            except CodecError as error:
                raise CodecError(f"{cls.__name__}.{member.name}: {error}") from None
        elif member.default is NODEFAULT:
            raise CodecError(f"{cls.__name__} without its field {member.name!r}")
    try:
        return cls(**held)
    except ValueError:
        raise CodecError(f"fields that make no {cls.__name__}") from None
