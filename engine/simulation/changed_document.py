"""Small changes to a services document, each by the path of its field: what a planner wants to try.

`services.billing.connect` is the field `connect` of the service whose id is `billing`; entries of lists are found by
their ids. What is missing on the way is made, so `services.billing.attempts.max` may be set where no `attempts` stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from engine.errors import DocumentError, FieldProblem


def changed(document: Mapping[str, Any], changes: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """The document with these changes. Raises DocumentError for a path that leads nowhere; `at` stands before it."""
    made = deepcopy(dict(document))
    for path, value in changes.items():
        try:
            _change(made, path, value)
        except LookupError as error:
            hint = "write such as services.billing.wrap_up_seconds, with ids where there are several"
            problem = FieldProblem(f"{at}changes.{path}", f"there is no {error.args[0]!r} in the document; {hint}")
            raise DocumentError([problem]) from None
    return made


def _change(made: dict[str, Any], path: str, value: object) -> None:
    *way, last = path.split(".")
    node: Any = made
    for part in way:
        if isinstance(node, dict) and node.get(part) is None:
            node[part] = {}
        node = node[_key(node, part)]
    node[_key(node, last)] = deepcopy(value)


def _key(node: Any, part: str) -> str | int:  # noqa: ANN401 - JSON
    """What finds `part` in the node. Raises LookupError."""
    if isinstance(node, dict):
        return part
    for index, entry in enumerate(node if isinstance(node, list) else ()):
        if isinstance(entry, dict) and entry.get("id") == part:
            return index
    raise LookupError(part)
