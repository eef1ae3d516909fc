"""How the core makes its values: frozen for the type checker, and quick for the machine.

A decision makes some twenty values, and Python takes ten times as long to make a frozen one. Who would change a value
is told so by the type checker, before anything runs; so at run time nothing watches over it once more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

_Value = TypeVar("_Value")

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import replace as replace
else:

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type[_Value]], type[_Value]]:
        """`dataclasses.dataclass`; a frozen one can be hashed."""
        return dataclasses.dataclass(slots=slots, unsafe_hash=frozen)

    def replace(value: _Value, /, **changes: object) -> _Value:
        """`dataclasses.replace`. Raises KeyError for a field that the value does not have."""
        kind = type(value)
        places, read = _reading(kind)
        *fields, _first_again = read(value)
        for name, changed in changes.items():
            fields[places[name]] = changed
        return kind(*fields)


@cache
def _reading(kind: type[Any]) -> tuple[dict[str, int], Callable[[Any], tuple[Any, ...]]]:
    """Where each field of a value stands, and what reads them all at once; the first twice, so that it is a tuple."""
    names = [each.name for each in dataclasses.fields(kind)]
    return {name: place for place, name in enumerate(names)}, attrgetter(*names, names[0])
