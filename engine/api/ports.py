"""What the HTTP side needs of the engine behind it. It asks and submits through these and changes nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.agent_news import AgentNews
from engine.core.configuration import Configuration
from engine.core.decision import Reply
from engine.core.dispatcher import Dispatcher
from engine.core.events import Event
from engine.store.records import AccessRecord
from engine.written import Written

Prepare = Callable[[Configuration], Awaitable[list[str]]]
"""Makes ready what a configuration needs, such as prompts; answers the problems left, each saying how to mend."""


@dataclass(frozen=True, slots=True)
class Check:
    """How one outside system stands; `detail` says what to do when it is not ok."""

    ok: bool
    detail: str = ""


class Engine(Protocol):
    """The running engine."""

    @property
    def dispatcher(self) -> Dispatcher:
        """For looking at only: the line, the book, the desks, the live calls."""

    @property
    def accepting(self) -> bool:
        """False while stopping or while the store is down."""

    @property
    def written(self) -> Written:
        """What becomes durable, for who wants to hear of it."""

    @property
    def agent_news(self) -> AgentNews:
        """What changes for agents, and who of them listens."""

    async def submit(self, event: Event) -> Reply | None:
        """Decide on an event; returns once it is durable. Raises StoreError."""

    async def write(self, record: AccessRecord) -> None:
        """Write a record that needs no decision; returns once it is durable. Raises StoreError."""

    def now(self) -> float:
        """The time by which the engine decides, in epoch seconds."""

    def health(self) -> Mapping[str, Check]:
        """Each outside system by name: `store`, and `asterisk:<name>` for each Asterisk."""
