"""What customers were told about their wait, as far as this version of the engine tells them."""

from __future__ import annotations

from typing import Protocol, cast

from engine.core.records import Callback


class Told(Protocol):
    """How long a wait was said to be: half of all, and four of five, are no longer."""

    @property
    def p50_seconds(self) -> float: ...

    @property
    def p80_seconds(self) -> float: ...


def told_of(callback: Callback) -> Told | None:
    """What was told when the request was accepted; None if nothing was, or the engine tells nobody."""
    return cast("Told | None", getattr(callback, "told", None))
