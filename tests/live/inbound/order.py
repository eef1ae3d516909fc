"""Judges who was served when, by the rule of the line, from a record of who waited, who was free and who got whom.

It knows nothing of how the engine decides; the rule is written here a second time, in the plainest form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

AT_ONCE_SECONDS = 1.0
"""No longer than this may somebody wait while an agent who could serve them is free."""
Key = tuple[int, int, float, float, str]


def key(joined_at: float, priority: int, asked_at: float, item: str, *, on_the_phone: bool = False) -> Key:
    """Sorts before others who is served first: confirmed customers on the phone, then priority and time of joining."""
    return (0 if on_the_phone else 1), -priority, joined_at, asked_at, item


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody could have been given an agent for certain, from `since` until `until` (epoch seconds)."""

    item: str
    service: str
    key: Key
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Given:
    """An agent was given somebody, who stood in the line at `key`."""

    agent: str
    item: str
    key: Key
    at: float


@dataclass(frozen=True, slots=True)
class Free:
    """An agent was ready and held nothing."""

    agent: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is judged. `serves`: the services of each agent."""

    serves: Mapping[str, frozenset[str]]
    waits: tuple[Wait, ...]
    given: tuple[Given, ...]
    free: tuple[Free, ...]


def overtaken(record: Record) -> list[str]:
    """Each time an agent was given somebody although another one, whom they serve too, stood before."""
    return [
        f"{given.agent} was given {given.item} at {given.at:.3f}, but {wait.item} stood before"
        for given in record.given
        for wait in record.waits
        if wait.service in record.serves[given.agent] and wait.since < given.at < wait.until and wait.key < given.key
    ]


def kept_waiting(record: Record) -> list[str]:
    """Each time somebody waited longer than a moment while an agent who serves them was free."""
    return [
        f"{wait.item} waited {until - since:.1f} s from {since:.3f} on while {free.agent} was free"
        for free, wait, since, until in _beside(record)
        if until - since > AT_ONCE_SECONDS
    ]


def longest_beside(record: Record) -> float:
    """The longest time for which somebody waited beside a free agent, in seconds."""
    return max((until - since for _free, _wait, since, until in _beside(record)), default=0.0)


def _beside(record: Record) -> Iterator[tuple[Free, Wait, float, float]]:
    for free in record.free:
        for wait in record.waits:
            since, until = max(free.since, wait.since), min(free.until, wait.until)
            if since < until and wait.service in record.serves[free.agent]:
                yield free, wait, since, until
