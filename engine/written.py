"""Tells whoever asked what has become durable: each written group, and that the store was down and is read anew.

It is told right after a commit and before anything else is decided, so the dispatcher stands exactly as written then.
Whoever listens must be quick and must not fail: the engine waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.store.records import Entry

Hear = Callable[[Sequence[Entry]], None]


class Written:
    """One for each engine."""

    def __init__(self) -> None:
        self._hear: list[Hear] = []
        self._hear_restored: list[Callable[[], None]] = []

    def listen(self, hear: Hear, restored: Callable[[], None] = lambda: None) -> None:
        """From now on tell `hear` of each group, in order, and `restored` after an outage of the store."""
        self._hear.append(hear)
        self._hear_restored.append(restored)

    def tell(self, changes: Sequence[Entry]) -> None:
        """A group of changes is durable."""
        for hear in self._hear:
            hear(changes)

    def tell_restored(self) -> None:
        """The store was down; the dispatcher is another one, made from what is stored."""
        for restored in self._hear_restored:
            restored()
