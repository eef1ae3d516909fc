"""Who takes part in the demonstration, and how each part must end.

The last two digits of a number decide what the simulated customer does; the expectation is written here by hand from
that table and never computed from what the engine did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

AREA = "+1202555"


@dataclass(frozen=True, slots=True)
class Part:
    """One customer: what they ask for, what they do, and how it must end.

    `outcomes` are those of the attempts in order; `keys` what the customer's phone sends in all.
    """

    number: str
    service: str
    first_name: str
    does: str
    state: str
    reason: str
    outcomes: tuple[str, ...]
    keys: str = ""

    @property
    def dialled(self) -> str:
        """The number as the network sees it."""
        return self.number.removeprefix("+")


def _part(digits: str, service: str, first_name: str, does: str, ending: str, outcomes: str, keys: str = "") -> Part:
    state, reason = ending.split("/")
    return Part(f"{AREA}{digits}", service, first_name, does, state, reason, tuple(outcomes.split()), keys)


CAST = (
    _part("0100", "sales", "Ada", "answers and presses 1", "completed/talked", "connected", "1"),
    _part("0119", "billing", "Ben", "is busy first, then presses 1", "completed/talked", "busy connected", "1"),
    _part("0110", "sales", "Cleo", "is always busy", "unsuccessful/attempts_exhausted", "busy busy"),
    _part("0111", "billing", "Dan", "lets it ring", "unsuccessful/attempts_exhausted", "no_answer no_answer"),
    _part("0113", "sales", "Eve", "has voicemail", "unsuccessful/attempts_exhausted", "unconfirmed"),
    _part("0112", "billing", "Finn", "rejects the call", "unsuccessful/attempts_exhausted", "rejected"),
    _part("0114", "billing", "Gus", "answers and never presses", "unsuccessful/attempts_exhausted", "unconfirmed"),
    _part("0115", "sales", "Hana", "presses 3: cancel", "cancelled/by_key", "cancelled_by_key", "3"),
    _part("0127", "billing", "Ida", "presses 9: never again", "cancelled/never_again", "never_again", "9"),
    _part("0116", "sales", "Joe", "hangs up on the announcement", "unsuccessful/attempts_exhausted", "hung_up hung_up"),
    _part(
        "0117", "billing", "Kim", "has a number that does not exist", "unsuccessful/invalid_number", "invalid_number"
    ),
    _part(
        "0118",
        "sales",
        "Lou",
        "is behind a network that fails",
        "unsuccessful/attempts_exhausted",
        "network_failure network_failure",
    ),
    _part("0125", "sales", "Mia", "presses 1 over the announcement", "completed/talked", "connected", "1"),
    _part("0103", "billing", "Ned", "answers late and presses 1", "completed/talked", "connected", "1"),
)

RINGS_OUT = "rita"
"""The agent whose phone nobody answers: must end not ready (rona)."""

_SERVICE: dict[str, Any] = {
    "company": "Example Limited",
    "caller_id": "+12025550100",
    "ring_timeout_seconds": 5,
    "agent_ring_seconds": 4,
    "wrap_up_seconds": 2,
    "attempts": {
        "max": 2,
        "interval_seconds": 3,
        "by_outcome": {"unconfirmed": {"max": 1}, "rejected": {"max": 1}},
    },
    "confirmation": {"wait_seconds": 3, "repeats": 1},
}

DOCUMENT: dict[str, Any] = {
    "services": [
        {**_SERVICE, "id": "sales", "name": "Sales", "skill_expression": "sales"},
        {**_SERVICE, "id": "billing", "name": "Billing", "skill_expression": "billing"},
    ],
    "agents": [
        {"id": "amy", "name": "Amy", "endpoint": "PJSIP/agent-1001", "skills": {"sales": 5, "billing": 5}},
        {"id": "bob", "name": "Bob", "endpoint": "PJSIP/agent-1002", "skills": {"billing": 5, "sales": 5}},
        {"id": "cora", "name": "Cora", "endpoint": "PJSIP/agent-1003", "skills": {"sales": 5, "billing": 5}},
        {"id": RINGS_OUT, "name": "Rita", "endpoint": "PJSIP/agent-1901", "skills": {"sales": 5}},
    ],
    "limits": {"min_gap_seconds": 0},
}
"""Intervals are seconds where an operator would write minutes, so that the whole story fits into one."""
