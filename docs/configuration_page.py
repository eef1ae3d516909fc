"""The reference page of settings, made from the settings classes."""

from __future__ import annotations

import json
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from engine.config import Settings, sections_of_settings

_HEAD = """\
# Settings

<!-- Made by `make docs` from engine/config.py; do not edit. -->

`ringback serve` reads `ringback.toml` in the folder where it starts, or the file named with `--config`; without a file
it starts with the defaults below. Each key is also a variable of the environment, `RINGBACK_SECTION__KEY`, such as
`RINGBACK_HTTP__PORT`; a variable goes before the file. Of `[[asterisk]]` there may be several, so the variable also
names the place in the list, from 0: `RINGBACK_ASTERISK__0__ARI_URL`. A key that is not listed here is refused.

Secrets never stand in `ringback.toml`: name a file that holds the secret, or set the variable. They are never printed.

Services, agents, calendars and limits of customers are no settings: they stand in the services document
(`ringback config apply`).
"""
_TYPES = {int: "whole number", float: "number", str: "text", bool: "true or false", SecretStr: "secret"}


def configuration_page() -> str:
    """A table for each section, then the keys that stand alone."""
    parts = [_HEAD]
    for name, section, _ in sections_of_settings():
        title = f"[[{name}]]" if name == "asterisk" else f"[{name}]"
        variable = f"RINGBACK_{name.upper()}__" + ("0__" if name == "asterisk" else "")
        rows = [_row(key, field, f"{variable}{key.upper()}") for key, field in section.model_fields.items()]
        parts.append(_section(title, section.__doc__ or "", rows))
    sections = {name for name, _, _ in sections_of_settings()}
    alone = [
        _row(key, field, f"RINGBACK_{key.upper()}")
        for key, field in Settings.model_fields.items()
        if key not in sections
    ]
    parts.append(_section("Outside of sections", "At the top of the file, before the first section.", alone))
    return "\n".join(parts)


def _section(title: str, about: str, rows: list[str]) -> str:
    table = "| key | kind | default | meaning | variable |\n| --- | --- | --- | --- | --- |\n"
    return f"## {title}\n\n{about.splitlines()[0]}\n\n{table}" + "".join(rows)


def _row(key: str, field: FieldInfo, variable: str) -> str:
    return f"| `{key}` | {_kind(field.annotation)} | {_default(field)} | {field.description} | `{variable}` |\n"


def _kind(annotation: Any) -> str:  # noqa: ANN401  # any type may be annotated
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _kind(next(each for each in get_args(annotation) if each is not NoneType))
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in get_args(annotation))
    if origin is tuple:
        return "list of texts"
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return "path"
    return _TYPES.get(annotation) or _kind(get_args(annotation)[0])


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    if isinstance(value, PurePath):
        value = str(value)
    return f"`{json.dumps(value)}`"
