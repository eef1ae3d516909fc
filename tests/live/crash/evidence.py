"""What a run leaves for the judge: the network's record, the database, what the load was told, what the rig did.

Nothing here comes from what the engine says about itself, except the rows it wrote, which are what is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.lab.witness import WitnessCall
from tests.live.calls.centre import rows


class Answer(StrEnum):
    """What a request was told."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NONE = "none"
    """The connection broke: nobody can know."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the load; `number` as the network writes it, `id` if it was accepted."""

    number: str
    answer: Answer
    id: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class CallbackSeen:
    """A row of callbacks; times are epoch seconds."""

    id: str
    number: str
    state: str
    reason: str | None
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    """A row of attempts; times are epoch seconds."""

    id: str
    callback: str
    dialed_at: float
    answered_at: float | None
    confirmed_at: float | None
    ended_at: float | None
    outcome: str | None

    def lasts_at(self, moment: float) -> bool:
        return self.dialed_at <= moment and (self.ended_at is None or moment <= self.ended_at)


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody heard the telephone: from a death or cut until the engine was ready again.

    A death while the store was down takes with it all that was heard since: the outage begins when the store broke.
    `lag_seconds`: how late events came before it.
    """

    start: float
    end: float
    lag_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Blow:
    """A kill, or another fault that can end a call: when, what, and how many customers were in a call."""

    at: float
    what: str
    live: int
    point: str = ""


@dataclass(frozen=True, slots=True)
class Intervals:
    """The service's intervals in seconds."""

    retry: float
    fault: float
    later: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. `kills` are those of the engine, `faults` the other blows."""

    calls: Sequence[WitnessCall]
    callbacks: Sequence[CallbackSeen]
    attempts: Sequence[AttemptSeen]
    asked: Sequence[Asked]
    intervals: Intervals
    kills: Sequence[Blow] = ()
    faults: Sequence[Blow] = ()
    outages: Sequence[Outage] = ()
    calls_of: Mapping[str, Sequence[WitnessCall]] = field(init=False)
    attempts_of: Mapping[str, Sequence[AttemptSeen]] = field(init=False)

    def __post_init__(self) -> None:
        calls: dict[str, list[WitnessCall]] = {}
        for call in sorted(self.calls, key=lambda call: call.invited_at):
            calls.setdefault(call.number, []).append(call)
        number_of = {callback.id: callback.number for callback in self.callbacks}
        attempts: dict[str, list[AttemptSeen]] = {}
        for attempt in sorted(self.attempts, key=lambda attempt: attempt.dialed_at):
            attempts.setdefault(number_of.get(attempt.callback, "?"), []).append(attempt)
        object.__setattr__(self, "calls_of", calls)
        object.__setattr__(self, "attempts_of", attempts)


def read_database(path: Path) -> tuple[list[CallbackSeen], list[AttemptSeen]]:
    """Callbacks, and the attempts in which the customer was dialled, as they are written."""
    callbacks = rows(path, "select id, ltrim(phone, '+'), state, reason, ended_at from callbacks")
    attempts = rows(
        path,
        "select id, callback, dialed_at, answered_at, confirmed_at, ended_at, outcome from attempts"
        " where dialed_at not null",
    )
    return [CallbackSeen(*row) for row in callbacks], [AttemptSeen(*row) for row in attempts]


def waiting_and_open(path: Path) -> tuple[int, int]:
    """How many callbacks wait for an agent, and how many have not ended."""
    counted = "select count(*) filter (where state = 'queued'), count(*) from callbacks where ended_at is null"
    ((waiting, still_open),) = rows(path, counted)
    return int(waiting), int(still_open)
