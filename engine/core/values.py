"""Changed copies of the core's values, as `dataclasses.replace` makes them, in less than half its time.

Records are wide and a decision copies several, so copying was the greatest part of what a decision cost. A copy is made
field by field, without the constructor: our values are frozen dataclasses with slots, and none has a `__post_init__`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

_Value = TypeVar("_Value")

if TYPE_CHECKING:
    from dataclasses import replace as replace  # the type checker knows its fields and their types
else:

    def replace(value: _Value, /, **changes: object) -> _Value:
        """The value with these fields changed. Raises AttributeError for a field that it does not have."""
        names, read = _reading(type(value))
        changed = object.__new__(type(value))
        put = object.__setattr__.__get__(changed)
        for name, held in zip(names, read(value), strict=False):
            put(name, held)
        for name, new in changes.items():
            put(name, new)
        return changed


@cache
def _reading(kind: type[Any]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of a value's fields, and what reads them all at once; it reads one twice, so that it gives a tuple."""
    names = tuple(each.name for each in fields(kind))
    return names, attrgetter(*names, names[0])
