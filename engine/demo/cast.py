"""Who takes part in the demonstration, and how each part must end.

The last two digits of a number decide what the simulated customer does; the expectation is written here by hand from
that table and never computed from what the engine did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

AREA = "+1202555"


ADVICE, REPAIRS, SILVER, GOLD, CONCIERGE = "advice", "repairs", "silver", "gold", "concierge"
"""Services with a story of their own: by appointment, nobody good enough at first, two priorities, agent first."""
RECEPTION, LOANS, HELPDESK = "reception", "loans", "helpdesk"
"""Three more: calls come in; agents see whom they are to call and say yes; an agent gives customers to a colleague."""


class Asks(Enum):
    """How a customer asks: on the web, for now or for the first slot, or by ringing in."""

    NOW = auto()
    FOR_THE_FIRST_SLOT = auto()
    BY_RINGING_IN = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """One customer: what they ask for, what they do, and how it must end.

    `outcomes` are those of the attempts in order; `keys` what the customer's phone sends in all when it is called.
    """

    number: str
    service: str
    first_name: str
    does: str
    state: str
    reason: str
    outcomes: tuple[str, ...]
    keys: str = ""
    asks: Asks = Asks.NOW

    @property
    def dialled(self) -> str:
        """The number as the network sees it."""
        return self.number.removeprefix("+")


def _part(
    digits: str,
    service: str,
    first_name: str,
    does: str,
    ending: str,
    outcomes: str,
    keys: str = "",
    asks: Asks = Asks.NOW,
) -> Part:
    state, reason = ending.split("/")
    return Part(f"{AREA}{digits}", service, first_name, does, state, reason, tuple(outcomes.split()), keys, asks)


SLOT = Asks.FOR_THE_FIRST_SLOT
CAST = (
    _part("0100", "sales", "Ada", "answers and presses 1", "completed/talked", "connected", "1"),
    _part("0119", "billing", "Ben", "is busy first, then presses 1", "completed/talked", "busy connected", "1"),
    _part("0110", "sales", "Cleo", "is always busy", "unsuccessful/attempts_exhausted", "busy busy"),
    _part("0111", "billing", "Dan", "lets it ring", "unsuccessful/attempts_exhausted", "no_answer no_answer"),
    _part("0113", "sales", "Eve", "has voicemail", "unsuccessful/attempts_exhausted", "machine"),
    _part("0112", "billing", "Finn", "rejects the call", "unsuccessful/attempts_exhausted", "rejected"),
    _part("0114", "billing", "Gus", "answers and never presses", "unsuccessful/attempts_exhausted", "unconfirmed"),
    _part("0115", "sales", "Hana", "presses 3: cancel", "cancelled/by_key", "cancelled_by_key", "3"),
    _part("0127", "billing", "Ida", "presses 9: never again", "cancelled/never_again", "never_again", "9"),
    _part("0116", "sales", "Joe", "hangs up on the announcement", "unsuccessful/attempts_exhausted", "hung_up hung_up"),
    _part(
        "0117", RECEPTION, "Kim", "has a number that does not exist", "unsuccessful/invalid_number", "invalid_number"
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
    _part("0101", ADVICE, "Olga", "booked the first slot", "completed/talked", "connected", "1", SLOT),
    _part("0102", ADVICE, "Pia", "booked the same slot after Olga", "completed/talked", "connected", "1", SLOT),
    _part("0104", REPAIRS, "Quinn", "waits until less skill will do", "completed/talked", "connected", "1"),
    _part("0105", SILVER, "Rosa", "asked before Sam", "completed/talked", "connected", "1"),
    _part("0106", GOLD, "Sam", "goes first: a gold customer", "completed/talked", "connected", "1"),
    _part("0107", CONCIERGE, "Tess", "is called once her agent is there", "completed/talked", "connected", "1"),
    _part(
        "0108",
        RECEPTION,
        "Uma",
        "rings in and asks to be called",
        "completed/talked",
        "connected",
        "1",
        Asks.BY_RINGING_IN,
    ),
    _part("0109", LOANS, "Vera", "is called once her agent says yes", "completed/talked", "connected", "1"),
    _part("0126", HELPDESK, "Will", "is transferred to a colleague", "completed/talked", "connected", "1"),
)

KIM = next(part for part in CAST if part.first_name == "Kim")
"""Asks at the reception while Uma is on the phone, and so comes after her."""
OLGA, PIA, QUINN, ROSA, SAM, TESS, UMA, VERA, WILL = CAST[-9:]

RINGS_OUT = "rita"
"""The agent whose phone nobody answers: must end not ready (rona)."""
METALLURGIST = "max"
"""The only agent for silver and gold; comes when both customers wait."""
RECEPTIONIST = "gina"
"""The only agent of the reception; comes when Uma has rung off."""
LENDER = "nora"
"""Logs in and looks at a screen, on which she says yes to Vera."""
GIVER, GIVERS_PHONE, COLLEAGUES_PHONE = "hugo", 1961, 1009
"""Gives Will away without asking first: what the network detects tones with often misses who speaks after another."""
RECEPTION_NUMBER = "+12025550199"
CONCIERGE_PHONE = "1005"
WIDENS_AFTER_SECONDS = 6.0
OPENS_AFTER_SECONDS = 15.0
"""How long after the requests the advisers open."""

_SERVICE: dict[str, Any] = {
    "company": "Example Limited",
    "caller_id": "+12025550100",
    "ring_timeout_seconds": 5,
    "agent_ring_seconds": 4,
    "wrap_up_seconds": 2,
    "attempts": {
        "max": 2,
        "interval_seconds": 3,
        "by_outcome": {"unconfirmed": {"max": 1}, "rejected": {"max": 1}, "machine": {"max": 1}},
    },
    "confirmation": {"wait_seconds": 3, "repeats": 1},
}


def document(opens_at: datetime) -> dict[str, Any]:
    """The demonstration's services; the advisers open for an hour at `opens_at` (UTC).

    Intervals are seconds where an operator would write minutes, so that the whole story fits into one.
    """
    hours = f"{opens_at:%H:%M:%S}-{opens_at + timedelta(hours=1):%H:%M:%S}"
    repairs = {"after_seconds": WIDENS_AFTER_SECONDS, "skill_expression": "repairs >= 1"}
    return {
        "services": [
            _service("sales", "sales"),
            _service("billing", "billing"),
            _service(ADVICE, "advice", calendar="advisers", slots={"minutes": 15, "capacity": 2}),
            _service(REPAIRS, "repairs >= 4", expansion=[repairs]),
            _service(SILVER, "metal"),
            _service(GOLD, "metal", priority={"callback": 10}),
            _service(CONCIERGE, "concierge", connect="agent_first"),
            _service(RECEPTION, "reception", inbound={"numbers": [RECEPTION_NUMBER]}),
            _service(LOANS, "loans", connect="preview"),
            # Long enough to be seen while the colleague still talks to the customer.
            _service(HELPDESK, "helpdesk", wrap_up_seconds=4),
        ],
        "calendars": [{"id": "advisers", "timezone": "UTC", "special_days": {f"{opens_at:%Y-%m-%d}": [hours]}}],
        "agents": [
            _agent("amy", 1001, sales=5, billing=5),
            _agent("bob", 1002, billing=5, sales=5, repairs=2),
            _agent("cora", 1003, sales=5, billing=5),
            _agent("dora", 1004, advice=5),
            _agent("eli", int(CONCIERGE_PHONE), concierge=5),
            _agent(METALLURGIST, 1006, metal=5),
            _agent(RECEPTIONIST, 1007, reception=5),
            {**_agent(LENDER, 1008, loans=5), "username": LENDER},
            _agent(GIVER, GIVERS_PHONE, helpdesk=5),
            _agent(RINGS_OUT, 1901, sales=5),
        ],
        "limits": {"min_gap_seconds": 0},
    }


def _service(service: str, skill: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {**_SERVICE, "id": service, "name": service.capitalize(), "skill_expression": skill, **fields}


def _agent(agent: str, phone: int, **skills: int) -> dict[str, Any]:
    return {"id": agent, "name": agent.capitalize(), "endpoint": f"PJSIP/agent-{phone}", "skills": skills}
