"""What the dispatcher is made from, and what it answers: snapshots, decisions and replies. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from engine.core.callphase import Phase, Recovery
from engine.core.changes import Change
from engine.core.effects import Effect
from engine.core.model import AgentStatus, Attempt, AttemptId, Callback, Configuration, Timer


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request stands; `position` is its place in the line, None once it is being served."""

    callback: Callback
    position: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request changes nothing; `code` is one of the public error codes."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done about a live attempt after a look at Asterisk."""

    attempt: AttemptId
    phase: Phase
    did: Recovery


Reply: TypeAlias = Accepted | AgentStatus | Configuration | Refusal | Recovered


@dataclass(slots=True)
class Decision:
    """What one event brings about, in order."""

    changes: list[Change] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the journal holds that is not over: enough to decide on as before."""

    configuration: Configuration = field(default_factory=Configuration)
    callbacks: tuple[Callback, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    agents: tuple[AgentStatus, ...] = ()
    timers: tuple[Timer, ...] = ()
