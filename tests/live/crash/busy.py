"""A thread that looks now and then at what there is to do, for as long as it is entered."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class Busy:
    """`_look` is called every so many seconds, and at once when it is roused."""

    def __init__(self, name: str, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._roused = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def stop(self) -> None:
        self._stopping.set()
        self._roused.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _look(self, *, roused: bool) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        while not self._stopping.is_set():
            roused = self._roused.wait(self._every_seconds)
            self._roused.clear()
            if not self._stopping.is_set():
                self._look(roused=roused)
