"""Whether each part ended as its number says it must: by the engine's record and by the network's own witness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.demo.cast import (
    CAST,
    CONCIERGE_PHONE,
    OLGA,
    PIA,
    QUINN,
    RINGS_OUT,
    ROSA,
    SAM,
    TESS,
    WIDENS_AFTER_SECONDS,
    Part,
)
from engine.lab.witness import Side, WitnessCall

PROMPTNESS_SECONDS = 3.0
"""How soon after the start of their slot the first customer is called; nothing else keeps the adviser busy."""


def faults(part: Part, callback: Mapping[str, Any], witness: Iterable[WitnessCall]) -> list[str]:
    """What differs from the expectation, in words; empty if nothing does."""
    found: list[str] = []
    outcomes = tuple(attempt["outcome"] for attempt in callback["attempts"])
    ending = (callback["state"], callback["reason"])
    if ending != (part.state, part.reason):
        found.append(f"ended {ending[0]} ({ending[1]}), expected {part.state} ({part.reason})")
    if outcomes != part.outcomes:
        found.append(f"attempts {' '.join(map(str, outcomes))}, expected {' '.join(part.outcomes)}")
    calls = [call for call in witness if call.side is Side.CUSTOMER and call.number == part.dialled]
    if len(calls) != len(part.outcomes):
        found.append(f"the network saw {len(calls)} INVITEs, expected {len(part.outcomes)}")
    if len({call.call_id for call in calls}) != len(calls):
        found.append("the network saw one Call-ID twice")
    keys = "".join(call.pressed for call in calls)
    if keys != part.keys:
        found.append(f"the network sent keys {keys or 'none'}, expected {part.keys or 'none'}")
    if any(call.ended_at is None for call in calls):
        found.append("a call is still up at the network")
    talked = any(call.met_at is not None for call in calls)
    if talked != ("connected" in part.outcomes):
        found.append("the customer heard an agent" if talked else "the customer never heard the agent")
    return found


def order_faults(
    callbacks: Mapping[Part, Mapping[str, Any]], witness: Sequence[WitnessCall], opened_at: float
) -> list[str]:
    """Whether who had to wait did, and who had to go first did, by the INVITEs that the network saw.

    `opened_at`: when the advisers opened, in epoch seconds.
    """
    invited = {part: [call.invited_at for call in witness if call.number == part.dialled] for part in CAST}
    if missing := [part.first_name for part in (OLGA, PIA, QUINN, ROSA, SAM, TESS) if not invited[part]]:
        return [f"never called: {', '.join(missing)}"]
    olga, pia, quinn, rosa, sam, tess = (invited[part][0] for part in (OLGA, PIA, QUINN, ROSA, SAM, TESS))
    found = []
    if not opened_at <= olga < opened_at + PROMPTNESS_SECONDS:
        found.append(f"Olga was called {olga - opened_at:+.1f} s from the start of her slot")
    if pia < olga:
        found.append("Pia was called before Olga, who had booked first")
    asked_at = datetime.fromisoformat(callbacks[QUINN]["created_at"]).timestamp()
    if quinn < asked_at + WIDENS_AFTER_SECONDS:
        found.append(f"Quinn was called {quinn - asked_at:.1f} s after asking, before less skill would do")
    if rosa < sam:
        found.append("Rosa was called before Sam, who is a gold customer")
    agents = [call.invited_at for call in witness if call.number == CONCIERGE_PHONE and call.answered_at is not None]
    if not any(at < tess for at in agents):
        found.append("Tess was called before her agent was")
    return found


def agent_faults(agents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Whether the agent whose phone rings out was set not ready, and nobody else."""
    rona = {agent["id"] for agent in agents if agent["reason"] == "rona"}
    if rona == {RINGS_OUT}:
        return []
    return [f"agents set not ready (rona): {', '.join(sorted(rona)) or 'none'}; expected {RINGS_OUT}"]


def by_part(callbacks: Iterable[Mapping[str, Any]]) -> dict[Part, Mapping[str, Any]]:
    """The engine's record of each part that it has one of."""
    by_number = {callback["phone"]: callback for callback in callbacks}
    return {part: by_number[part.number] for part in CAST if part.number in by_number}
