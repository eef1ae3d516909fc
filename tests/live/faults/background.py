"""Long stories run beside the other live tests; whoever asks for a story waits for what it found out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")
AT_ONCE = 5
"""Stories mostly wait; more of them at once would slow down the tests beside them on a small machine."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one story happens: a folder of its own, and whether the tests are being ended."""

    folder: Path
    stopping: threading.Event


Story = Callable[[Place], Any]


class Background:
    """Every story once, a few at the same time. `folder` makes the folder of a story from its name."""

    def __init__(self, stories: Iterable[Story], folder: Callable[[str], Path]) -> None:
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="story")
        self._running: dict[Story, Future[Any]] = {
            story: self._pool.submit(story, Place(folder(story.__name__), self._stopping)) for story in stories
        }

    def result(self, story: Callable[[Place], T]) -> T:
        """What the story found out. Raises what went wrong in it."""
        return cast("T", self._running[story].result())

    def close(self) -> None:
        """End what still runs, as after Ctrl-C in the tests."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
