"""What a rig is given to kill, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.live.crash.evidence import Evidence
from tests.live.crash.plan import Plan

Say = Callable[[str], None]


class Subject(Protocol):
    """A program that calls customers back and can be killed."""

    @property
    def admin_key(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def database(self) -> Path: ...
    @property
    def log_file(self) -> Path: ...
    def spawn(self, **environment: str) -> None: ...
    def is_ready(self) -> bool: ...
    def is_running(self) -> bool: ...
    def has_ended_within(self, seconds: float) -> bool: ...
    def wait_until_ended(self) -> int: ...
    def kill(self) -> None: ...


class RigError(Exception):
    """The rig itself came to an end: the engine does not start, or there are no calls to interrupt."""


@dataclass(slots=True)
class Run:
    """What came of a plan. `unreached`: armed points at which the engine did not die. `thin`: kills that do not count.

    `down`: kills while the store was down; `refused`: starts that ended at once because of it.
    `gave_up`: why the rig did not come to the end of the plan, if it did not.
    """

    plan: Plan
    evidence: Evidence
    engine_log: str
    seconds: float
    unreached: list[str] = field(default_factory=list)
    thin: int = 0
    gave_up: str = ""
    down: int = 0
    refused: int = 0
