"""What differs between two services documents, for people and programs who look before they apply.

Documents are compared by what they mean: a default that is written out is no change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from engine.document.models import ServicesDocument

_SECTIONS = ("services", "calendars", "agents", "dispositions", "reasons")


@dataclass(frozen=True, slots=True)
class Difference:
    """One change: `path` is such as `services.billing` or `services.billing.attempts`; values are JSON values."""

    action: Literal["add", "change", "remove"]
    path: str
    before: Any = None
    after: Any = None


def differences(before: ServicesDocument, after: ServicesDocument) -> list[Difference]:
    """What `after` adds, changes and removes, in the order of the document."""
    old, new = (each.model_dump(mode="json", by_alias=True) for each in (before, after))
    found: list[Difference] = []
    for section in _SECTIONS:
        old_by_id, new_by_id = ({each["id"]: each for each in side[section]} for side in (old, new))
        found += [Difference("remove", f"{section}.{id_}") for id_ in old_by_id if id_ not in new_by_id]
        for id_, entry in new_by_id.items():
            if id_ not in old_by_id:
                found.append(Difference("add", f"{section}.{id_}"))
            else:
                found += _fields(f"{section}.{id_}", old_by_id[id_], entry)
    return [*found, *_fields("limits", old["limits"], new["limits"])]


def _fields(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    for name, value in new.items():
        if old[name] != value:
            yield Difference("change", f"{path}.{name}", old[name], value)
