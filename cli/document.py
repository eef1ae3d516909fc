"""Reads a services document for sending, and finds the line of each of its fields for messages.

YAML is read with PyYAML's safe loader, made stricter where YAML surprises: a key that stands twice is refused and a
date stays the text that was written. Nothing is judged here that the engine judges.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from engine.errors import RingbackError

MAX_BYTES = 1024 * 1024
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_TEXT = "tag:yaml.org,2002:str"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class DocumentFileError(RingbackError):
    """The file cannot be read as a document; the message names file and line."""


class _Loader(yaml.SafeLoader):
    """Dates stay text, because JSON has none."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ANN401 - PyYAML's own types
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        return _TEXT if tag == _TIMESTAMP else tag


class DocumentFile:
    """A document as JSON values in `content`, and where each field stands."""

    def __init__(self, path: Path) -> None:
        """Raises DocumentFileError."""
        self.path = path
        try:
            raw = path.read_bytes()
            text = raw.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise DocumentFileError(f"cannot read {path}: {reason}") from None
        if len(raw) > MAX_BYTES:
            raise DocumentFileError(f"{path} has more than 1 MiB; the engine takes no larger document")
        try:
            loader = _Loader(text)
            try:
                self._root = loader.get_single_node()
                self._refuse_repetitions(self._root, set())
                content = loader.construct_document(self._root) if self._root is not None else None
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
            raise DocumentFileError(f"{where}: not valid YAML: {error.problem or error.context}") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise DocumentFileError(f"{path}: not valid YAML: {error}") from None
        if not isinstance(content, dict):
            raise DocumentFileError(f"{path}: must hold a mapping with services, agents, calendars or limits")
        try:
            json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            what = "such as .nan, a set, binary data or a part of itself"
            raise DocumentFileError(f"{path}: holds what no document can, {what}") from None
        self.content: dict[str, Any] = content

    def locate(self, field: str) -> str:
        """`services.yaml:12: services[0].caller_id`; the nearest enclosing line for a field that is missing."""
        if field in ("", "document"):
            return str(self.path)
        node, line = self._root, None
        for found in _PART.finditer(field):
            inner = _inner(node, found[1], found[2])
            if inner is None:
                break
            key, node = inner
            line = key.start_mark.line + 1
        return f"{self.path}:{line}: {field}" if line else f"{self.path}: {field}"

    def _refuse_repetitions(self, node: yaml.Node | None, passed: set[int]) -> None:
        # An anchored part may be reached many times, and in a circle.
        if node is None or id(node) in passed:
            return
        passed.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for each in node.value:
                self._refuse_repetitions(each, passed)
        if not isinstance(node, yaml.MappingNode):
            return
        keys: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys and key.value != "<<":
                    first = keys[key.value]
                    raise DocumentFileError(
                        f"{self.path}:{line}: {key.value!r} stands twice, first in line {first}; write it once"
                    )
                keys[key.value] = line
            self._refuse_repetitions(value, passed)


def to_yaml(content: object) -> str:
    """JSON values as YAML, in their order."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)


def _inner(node: yaml.Node | None, index: str | None, name: str | None) -> tuple[yaml.Node, yaml.Node] | None:
    if index is not None and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        item = node.value[int(index)]
        return item, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None
