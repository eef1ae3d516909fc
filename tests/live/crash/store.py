"""Faults of the engine's store: each lasts its seconds beside whatever the rig does meanwhile, also beyond a kill."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from tests.bench.failing_disk import Fault as Way
from tests.live.crash.plan import Fault

LOOK_SECONDS = 0.05
ASK_SECONDS = 1.0
WRITTEN_SECONDS = 0.5
"""An engine that is ready again has written within so long what it heard while the store was down."""


class FailingStore:
    """Lets the store fail in one of `ways` at a time; a fault that is left when it is closed ends then.

    `is_ready` says whether the engine is; it is asked after a fault. `ask` of a fault is called now and then while it
    lasts. Both are called from a thread.
    """

    def __init__(self, ways: Mapping[Fault, Way], is_ready: Callable[[], bool]) -> None:
        self._ways = ways
        self._is_ready = is_ready
        self._cut_short = threading.Event()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._ended_at = 0.0
        self._down_since: float | None = None

    def begin(self, fault: Fault, seconds: float, ask: Callable[[], None]) -> None:
        """The store fails from now on, for so long. The fault before must be over or is cut short."""
        self.end()
        self._cut_short.clear()
        self._over.clear()
        began_at = time.time()
        self._ways[fault].begin()
        self._down_since = began_at
        self._thread = threading.Thread(target=self._last, args=(self._ways[fault], seconds, ask), name=str(fault))
        self._thread.start()

    def end(self) -> None:
        """End the fault now, if there is one."""
        if self._thread is not None:
            self._cut_short.set()
            self._thread.join()
            self._thread = None

    def is_over_within(self, seconds: float) -> bool:
        """Wait until the fault is over; the engine may need longer."""
        return self._thread is None or self._over.wait(seconds)

    def has_failed_since(self, moment: float) -> bool:
        """Whether it failed at any time after `moment` (epoch seconds)."""
        return self._thread is not None and (not self._over.is_set() or self._ended_at >= moment)

    @property
    def down_since(self) -> float | None:
        """When the store broke (epoch seconds), if the engine has not written since then what it heard."""
        return self._down_since

    def forget(self) -> None:
        """The engine has died, and what it kept in memory. The next one may start on a disk that is full still."""
        self._down_since = None if self._thread is None or self._over.is_set() else time.time()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _last(self, way: Way, seconds: float, ask: Callable[[], None]) -> None:
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0 and not self._cut_short.is_set():
                ask()
                self._cut_short.wait(min(left, ASK_SECONDS))
        finally:
            way.end()
            self._ended_at = time.time()
            self._over.set()
        while self._down_since is not None and not self._is_ready():
            if self._cut_short.wait(LOOK_SECONDS):
                return
        if not self._cut_short.wait(WRITTEN_SECONDS):
            self._down_since = None
