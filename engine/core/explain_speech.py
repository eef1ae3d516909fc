"""What all sentences of an explanation share: names of people and services, times of day, durations, lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import floor
from zoneinfo import ZoneInfo

from engine.core.configuration import Configuration, Service
from engine.core.explain_rules import zone_of
from engine.core.terms import AgentId, ServiceId

NAMED_AT_MOST = 4
"""So many agents are told by name; of more than that only the numbers."""

_STANDS = {
    "logged_out": "logged out",
    "not_ready": "not ready",
    "ready": "free",
    "free": "free",
    "no_room": "holding as much other work as allowed",
    "phone_busy": "at a phone that is in use",
    "phone_unregistered": "at a phone that is not registered",
    "reserved": "kept for another customer",
    "previewing": "looking at another request",
    "ringing": "being rung for another customer",
    "talking": "on a call",
    "held": "on a call",
    "wrap_up": "in wrap-up",
}
"""How an agent stands, after "is" or "was"."""


class Speech:
    """Speaks of one service's people in the time of its zone. `service`: the callback's, if it is still there."""

    def __init__(self, configuration: Configuration, service: ServiceId) -> None:
        self._configuration = configuration
        self.service: Service | None = configuration.services.get(service)
        self.zone = zone_of(configuration, self.service)

    def agent(self, agent: AgentId | None) -> str:
        """The agent's name; the id of one who is there no more."""
        if agent is None:
            return "an agent"
        found = self._configuration.agents.get(agent)
        return found.name if found is not None else agent

    def of(self, service: ServiceId) -> str:
        """The service's name; the id of one that is there no more."""
        found = self._configuration.services.get(service)
        return found.name if found is not None else service

    def clock(self, at: float, near: float) -> str:
        """The time of day, with the date if that is another one than at `near`; seconds only if there are any."""
        there, then = (datetime.fromtimestamp(floor(each), ZoneInfo(self.zone)) for each in (at, near))
        text = there.strftime("%H:%M:%S" if there.second else "%H:%M")
        if there.date() == then.date():
            return text
        day = f"{there:%a} {there.day} {there:%b}"
        return f"{day}, {text}" if there.year == then.year else f"{day} {there.year}, {text}"

    def stamp(self, at: float) -> str:
        """A moment in full, as it stands before each sentence."""
        return datetime.fromtimestamp(floor(at), ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M:%S")

    def standing(self, agents: Mapping[AgentId, str]) -> str:
        """How agents stand, by name or, if they are many, in numbers: `Amy is on a call, Ben is logged out`."""
        return self._told(agents, "is", "are")

    def stood(self, agents: Mapping[AgentId, str]) -> str:
        """The same of the past."""
        return self._told(agents, "was", "were")

    def _told(self, agents: Mapping[AgentId, str], one: str, many: str) -> str:
        if len(agents) <= NAMED_AT_MOST:
            return ", ".join(f"{self.agent(each)} {one} {_STANDS.get(stand, stand)}" for each, stand in agents.items())
        counts: dict[str, int] = {}
        for stand in agents.values():
            text = _STANDS.get(stand, stand)
            counts[text] = counts.get(text, 0) + 1
        ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        return ", ".join(f"{count} {one if count == 1 else many} {text}" for text, count in ranked)


def lasting(seconds: float) -> str:
    """A duration as people say it."""
    for most, length, unit in ((120, 1, "second"), (7200, 60, "minute"), (172800, 3600, "hour")):
        if seconds < most:
            return counted(round(seconds / length), unit)
    return counted(round(seconds / 86400), "day")


def counted(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    found = list(parts)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
