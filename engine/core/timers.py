"""The timers that are set, by owner and name. A firing that was cleared or moved meanwhile is recognised as stale."""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.changes import Change, TimerCleared, TimerSet
from engine.core.records import Timer


class Timers:
    """At most one timer for each owner and name."""

    def __init__(self) -> None:
        self._due: dict[str, dict[str, float]] = {}

    def restore(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            self._due.setdefault(timer.owner, {})[timer.name] = timer.due_at

    def set(self, owner: str, name: str, due_at: float) -> list[Change]:
        self._due.setdefault(owner, {})[name] = due_at
        return [TimerSet(Timer(owner, name, due_at))]

    def clear(self, owner: str, name: str) -> list[Change]:
        names = self._due.get(owner)
        if names is None or names.pop(name, None) is None:
            return []
        if not names:
            del self._due[owner]
        return [TimerCleared(owner, name)]

    def clear_all(self, owner: str) -> list[Change]:
        return [TimerCleared(owner, name) for name in sorted(self._due.pop(owner, {}))]

    def due(self, owner: str, name: str, now: float) -> bool:
        """Whether this timer is set and its moment has come."""
        return self._due.get(owner, {}).get(name, float("inf")) <= now

    def due_at(self, owner: str, name: str) -> float | None:
        """When this timer fires; None if it is not set."""
        return self._due.get(owner, {}).get(name)

    def is_set(self, owner: str, name: str) -> bool:
        names = self._due.get(owner)
        return names is not None and name in names

    def is_set_for(self, owner: str, name: str, due_at: float) -> bool:
        return self._due.get(owner, {}).get(name) == due_at

    def pending(self) -> Iterable[Timer]:
        for owner, names in self._due.items():
            for name, due_at in names.items():
                yield Timer(owner, name, due_at)
