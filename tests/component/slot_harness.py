"""A service with business hours and slots behind the real HTTP side, by a clock that the test sets."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.component.api_harness import DOCUMENT, Api, running_api

MORNING = "2027-01-13T10:00:00-05:00"
"""A Wednesday in New York; the office is open from 9 to 17 on weekdays."""
EVENING = "2027-01-13T20:00:00-05:00"
TEN_NEXT_DAY, HALF_PAST_TEN = "2027-01-14T10:00:00-05:00", "2027-01-14T10:30:00-05:00"
TEN_NEXT_DAY_UTC, HALF_PAST_TEN_UTC = "2027-01-14T15:00:00.000Z", "2027-01-14T15:30:00.000Z"


def seconds(text: str) -> float:
    """ISO 8601 with offset as seconds since the epoch."""
    at = datetime.fromisoformat(text)
    assert at.tzinfo is not None, text
    return at.timestamp()


@dataclass
class Clock:
    """Stands still until it is set."""

    at: float = seconds(MORNING)

    def __call__(self) -> float:
        return self.at

    def set(self, text: str) -> None:
        self.at = seconds(text)


def slotted_document() -> dict[str, Any]:
    """The harness's document, with hours and slots for `billing`, and `round_the_clock` that is always open."""
    document = deepcopy(DOCUMENT)
    document["calendars"] = [
        {"id": "office", "timezone": "America/New_York", "weekly": {"mon-fri": ["09:00-17:00"]}},
        {"id": "always", "timezone": "America/New_York", "weekly": {"mon-sun": ["00:00-24:00"]}},
    ]
    billing = document["services"][0]
    billing["calendar"] = "office"
    billing["slots"] = {"minutes": 30, "capacity": 2, "days_ahead": 7}
    document["services"].append(
        {
            "id": "round_the_clock",
            "name": "Round the clock",
            "company": "Example Ltd",
            "skill_expression": "billing",
            "caller_id": "+12025550100",
            "calendar": "always",
            "slots": {"minutes": 60, "capacity": 1, "days_ahead": 365},
        }
    )
    return document


@asynccontextmanager
async def slotted_api(
    folder: Path, clock: Clock, document: dict[str, Any] | None = None, requests_per_minute: int = 1000
) -> AsyncIterator[Api]:
    """An API by this clock, with the slotted document in force unless another one is given."""
    in_force = document or slotted_document()
    async with running_api(folder, document=in_force, clock=clock, requests_per_minute=requests_per_minute) as api:
        yield api


def stored(folder: Path) -> list[str]:
    """All that the database holds, as text."""
    with closing(sqlite3.connect(folder / "ringback.db")) as database:
        return list(database.iterdump())


def starts(slots: list[dict[str, Any]]) -> list[str]:
    return [each["start"] for each in slots]
