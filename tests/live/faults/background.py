"""Stories run beside the other live tests; whoever asks for a story waits for what it found out.

A test that mostly waits is written as a story: a function that makes calls and answers what was seen, as a value. The
module names its stories, and its tests ask for what they found out and judge it:

    def agent_leaves(place: Place) -> Seen:
        with Lab.up() as lab, EngineProcess(lab, place.folder) as engine: ...

    STORIES = {agent_leaves: 40}  # with the seconds it takes: the longest begin first

    def test_the_customer_is_kept(background: Background) -> None:
        assert background.result(agent_leaves).outcome == "connected"

That is all: the conftest of the live tests starts the stories of the selected tests with the first live test, and puts
tests that ask for them behind those that do not. What went wrong in a story fails each test that asks for it. A story
that needs no lab of its own, only services, agents and numbers, joins the engine of `calls`: it takes the `Centre`,
stands in `CENTRE_STORIES`, and its tests ask `centre_stories`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
P = TypeVar("P")
AT_ONCE = 4
"""Labs of stories at a time: they mostly wait, but more would slow down what runs beside them on a small machine, and
there are ports for thirteen labs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one story happens: a folder of its own, and whether the tests are being ended."""

    folder: Path
    stopping: threading.Event


class Beside(Generic[P]):
    """Every story once, `at_once` at the same time. `place` says where each happens."""

    def __init__(
        self, stories: Iterable[Callable[[P], Any]], place: Callable[[Callable[[P], Any]], P], at_once: int
    ) -> None:
        self._pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="story")
        self._running: dict[Callable[[P], Any], Future[Any]] = {
            story: self._pool.submit(story, place(story)) for story in stories
        }

    def result(self, story: Callable[[P], T]) -> T:
        """What the story found out. Raises what went wrong in it."""
        return cast("T", self._running[story].result())

    def close(self) -> None:
        """Wait for those that run; those that have not begun never do."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Background(Beside[Place]):
    """Stories with labs of their own. `folder` makes the folder of a story from its name."""

    def __init__(self, stories: Iterable[Callable[[Place], Any]], folder: Callable[[str], Path]) -> None:
        self._stopping = threading.Event()
        super().__init__(stories, lambda story: Place(folder(story.__name__), self._stopping), AT_ONCE)

    def close(self) -> None:
        """End what still runs, as after Ctrl-C in the tests."""
        self._stopping.set()
        super().close()
