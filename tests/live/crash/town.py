"""The call centre of a run: services of every way to connect, slots that begin every few seconds, and their agents."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from tests.live.calls.centre import NO_CAPS, Centre, agent, service
from tests.live.crash.evidence import Intervals

PLAIN, FIRST, PREVIEW, CHAT, SLOT, INWARD = "crash", "first", "preview", "chat", "slot", "inward"
"""Reserve mode, the agent first, a preview first, work from outside, the skill for those who have booked, and who is
rung up."""
DIALLED = "+12025550199"
"""What they dial."""
LIFE_SECONDS = 45.0
INTERVALS = Intervals(retry=6.0, fault=2.0, later=4.0, exclusion=5.0)
PHONES = (*range(1001, 1012), 1901, 1903, 1904)
"""Some ring out, hang up at once or drop the call."""
FIRST_PHONES = (1021, 1022, 1023, 1901, 1904)
SCREENS = (1031, 1032, 1033, 1034)
SLOT_PHONES = (1041, 1042, 1043, 1044)
"""Some are free at the start of most slots, so that one that begins too early would be noticed."""
DONE = "done"
INWARD_PHONES = (1051, 1052, 1901)
"""Few, so that those who ring in have to wait."""
SLOT_SECONDS = 900.0
SLOT_CAPACITY = 2
OPEN_SECONDS = 12 * 3600.0
_EVERY_DAY = "mon-sun"


@dataclass(frozen=True, slots=True)
class SlotService:
    """A service whose slots, of a quarter of an hour, begin at `first` (epoch seconds)."""

    id: str
    first: float

    def start_after(self, moment: float) -> float:
        """When its first slot after `moment` begins."""
        return self.first + max(0, math.floor((moment - self.first) / SLOT_SECONDS) + 1) * SLOT_SECONDS


def slot_services(apart_seconds: float, for_seconds: float) -> tuple[SlotService, ...]:
    """Services whose slots follow each other, so far apart and for so long from now; no slot is shorter than that."""
    begins = math.ceil(time.time()) + apart_seconds
    wanted = math.ceil(min(for_seconds, SLOT_SECONDS) / apart_seconds)
    return tuple(SlotService(f"slot{n}", begins + n * apart_seconds) for n in range(wanted))


def configure(centre: Centre, slots: tuple[SlotService, ...]) -> dict[str, str]:
    """Everything an administrator does before the first call; the keys of the agents who work at a screen."""
    document: dict[str, Any] = {
        "services": [
            _service(PLAIN),
            _service(FIRST, connect="agent_first"),
            # Long enough to be answered and classified by somebody who looks a few times a second.
            _service(PREVIEW, connect="preview", preview_seconds=2.5, wrap_up_seconds=2.0),
            _service(CHAT, skill_expression=PREVIEW, agent_ring_seconds=2.5),
            _service(INWARD, inbound={"numbers": [DIALLED]}, recording={}),
            *(_service(each.id, skill_expression=SLOT, calendar=each.id, slots=_SLOTS) for each in slots),
        ],
        "calendars": [_calendar(each) for each in slots],
        "agents": [
            *(agent(phone, PLAIN) for phone in PHONES),
            *(_agent(phone, FIRST) for phone in FIRST_PHONES),
            *(_agent(phone, SLOT) for phone in SLOT_PHONES),
            *(_agent(phone, INWARD) for phone in INWARD_PHONES),
            *(_agent(phone, PREVIEW, capacity_rule="voice <= 1 and chat <= 1") for phone in SCREENS),
        ],
        "dispositions": [{"id": DONE, "name": "Done"}],
        "limits": NO_CAPS,
    }
    centre.client.post("/config", {"document": document})
    for each in document["agents"]:
        centre.client.put(f"/agents/{each['id']}/state", {"state": "ready"})
    return {
        name: str(centre.client.post("/keys", {"name": name, "role": "agent", "subject": name})["key"])
        for name in (_name(phone, PREVIEW) for phone in SCREENS)
    }


_SLOTS = {"minutes": 15, "capacity": SLOT_CAPACITY, "days_ahead": 1}


def _service(name: str, /, **fields: object) -> dict[str, Any]:
    """All its waits are seconds."""
    ours = {
        "agent_ring_seconds": 3,
        "wrap_up_seconds": 0.5,
        "rona_return_seconds": 3,
        "hold_limit_seconds": 20,
        "life_seconds": LIFE_SECONDS,
        "reject_exclusion_seconds": INTERVALS.exclusion,
        "confirmation": {"wait_seconds": 3, "repeats": 1, "later_seconds": INTERVALS.later},
        "attempts": {"max": 3, "interval_seconds": INTERVALS.retry, "fault_interval_seconds": INTERVALS.fault},
    }
    return service(name, **(ours | fields))


def _calendar(slots: SlotService) -> dict[str, Any]:
    ends = slots.first + OPEN_SECONDS
    return {"id": slots.id, "timezone": "UTC", "weekly": {_EVERY_DAY: [f"{_clock(slots.first)}-{_clock(ends)}"]}}


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(moment))


def _agent(phone: int, skill: str, **fields: object) -> dict[str, Any]:
    return {**agent(phone, skill), "id": _name(phone, skill), **fields}


def _name(phone: int, skill: str) -> str:
    return f"a{phone}-{skill}"
