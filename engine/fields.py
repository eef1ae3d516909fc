"""Turns pydantic's complaints into field problems: a path as people write it, and how to mend it.

Used for request bodies, the services document and the settings, so that a misspelt name is answered in the same way
everywhere. Values are never repeated: they may be phone numbers or secrets.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError

from engine.errors import FieldProblem

MOST_PROBLEMS = 100
"""Told at once: looking for the nearest of many names keeps everything else waiting."""
_PLAIN = {
    "missing": "is missing",
    "string_type": "must be text (in quotes)",
    "dict_type": "must be an object with named fields",
    "model_type": "must be an object with named fields",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
}


def problems(model: type[BaseModel], error: ValidationError) -> tuple[FieldProblem, ...]:
    """The complaints of `error`, which came from validating against `model`, in pydantic's order."""
    found = []
    for each in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]:
        loc = [part for part in each["loc"] if part != "[key]"]
        if each["type"] == "extra_forbidden":
            hint = nearest(str(loc[-1]), names_of(_model_at(model, loc[:-1])))
            found.append(FieldProblem(path(loc), f"unknown field; {hint}", unknown=True))
        else:
            message = _PLAIN.get(each["type"], each["msg"].removeprefix("Value error, "))
            found.append(FieldProblem(path(loc), message))
    return tuple(found)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the known one that is nearest, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"


def names_of(model: type[BaseModel]) -> list[str]:
    """The names of a model's fields as a document writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def path(loc: Sequence[int | str]) -> str:
    """`("services", 0, "caller_id")` as `services[0].caller_id`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _model_at(model: type[BaseModel], loc: Sequence[int | str]) -> type[BaseModel]:
    for part in loc:
        for name, field in model.model_fields.items():
            if (field.alias or name) == part:
                model = _model_in(field.annotation) or model
                break
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        if found := _model_in(inner):
            return found
    return None
