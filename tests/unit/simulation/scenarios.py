"""Scenarios for tests, as a file would hold them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.simulation.meanings import Files
from engine.simulation.setting import Scenario, read

DOCUMENT: dict[str, Any] = {
    "services": [
        {
            "id": "billing",
            "name": "Billing",
            "company": "Example",
            "skill_expression": "billing",
            "subjects": [{"id": "invoice", "name": "Invoice"}],
        },
        {
            "id": "advice",
            "name": "Advice",
            "company": "Example",
            "skill_expression": "advice",
            "calendar": "office",
            "slots": {"minutes": 30, "capacity": 2},
        },
    ],
    "calendars": [{"id": "office", "timezone": "UTC", "weekly": {"mon-sun": ["09:00-17:00"]}}],
    "agents": [
        {"id": "amy", "name": "Amy", "endpoint": "PJSIP/agent-1", "skills": {"billing": 5, "advice": 5}},
        {"id": "ben", "name": "Ben", "endpoint": "PJSIP/agent-2", "skills": {"billing": 3}},
    ],
}
"""Two services and two agents."""
SMALL: dict[str, Any] = {
    "document": DOCUMENT,
    "hours": 2,
    "replications": 2,
    "arrivals": [{"service": "billing", "per_hour": 20}],
}


def no_documents(path: Path) -> Mapping[str, Any]:
    raise AssertionError(f"{path} was read")


def scenario(folder: Path = Path(), **fields: Any) -> Scenario:  # noqa: ANN401 - JSON
    """A small scenario with these fields."""
    return read({**SMALL, **fields}, Files(folder, no_documents))
