"""Whether the scenes in which more happens than a call went as they must: a call that came in, a preview, a transfer.

Judged by the engine's record, and by what the network and the agent's screen saw themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from engine.demo.cast import COLLEAGUES_PHONE, GIVER, KIM, UMA, VERA, WILL, Part
from engine.lab.rung_in import RungIn
from engine.lab.witness import WitnessCall

UMAS_KEYS = "11"
"""She asks to be called back; her number is right."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an agent's screen showed, when, and when the agent said yes (epoch seconds)."""

    callback: str
    first_name: str | None
    shown_at: float
    accepted_at: float | None = None

    def accepted(self, at: float) -> Self:
        """The same, after a yes."""
        return replace(self, accepted_at=at)


def call_in_faults(
    came_in: Sequence[Mapping[str, Any]], rung_in: Sequence[RungIn], callbacks: Mapping[Part, Mapping[str, Any]]
) -> list[str]:
    """What differs in Uma's call, in words. `came_in`: the engine's record of calls that came in."""
    if UMA not in callbacks:
        return ["her call left no callback"]
    found = []
    ends = [(call["service"], call["phone"], call["outcome"], call["callback"]) for call in came_in]
    if ends != [(UMA.service, UMA.number, "callback", callbacks[UMA]["id"])]:
        found.append(f"calls that came in: {ends or 'none'}, expected hers alone, and that it ended with her callback")
    if (channel := callbacks[UMA]["channel"]) != "phone":
        found.append(f"her callback was asked for by {channel}, expected phone")
    if len(rung_in) != 1:
        return [*found, f"the network saw {len(rung_in)} callers, expected her alone"]
    [call] = rung_in
    if call.answered_at is None or call.pressed != UMAS_KEYS:
        found.append(f"the network sent keys {call.pressed or 'none'} in her call, expected {UMAS_KEYS}")
    if len(call.heard) != 2 or not call.quiet:
        found.append(f"she heard {len(call.heard)} announcements of 2, and {len(call.quiet)} to the end")
    if call.ended_at is None or call.hung_up_at is not None:
        found.append("her call was not ended by the goodbye")
    return found


def place_faults(
    came_in: Sequence[Mapping[str, Any]],
    callbacks: Mapping[Part, Mapping[str, Any]],
    witness: Iterable[WitnessCall],
) -> list[str]:
    """Whether Uma kept the place of her call: Kim asked after it and before her yes, and was called after her."""
    invited = {call.number: call.invited_at for call in reversed(list(witness))}
    if UMA not in callbacks or KIM not in callbacks or not {UMA.dialled, KIM.dialled} <= set(invited):
        return ["Uma or Kim was never called"]
    joined = [call["joined_at"] for call in came_in if call["callback"] == callbacks[UMA]["id"]]
    found = []
    if not joined or not joined[0] < callbacks[KIM]["created_at"] < callbacks[UMA]["created_at"]:
        found.append("Kim did not ask while Uma was on the phone")
    if invited[KIM.dialled] < invited[UMA.dialled]:
        found.append("Kim was called before Uma, who had kept the place of her call")
    return found


def preview_faults(
    offer: Offer | None, callbacks: Mapping[Part, Mapping[str, Any]], witness: Iterable[WitnessCall]
) -> list[str]:
    """Whether Vera was shown to her agent, and called only after the agent's yes."""
    if offer is None or offer.accepted_at is None:
        return ["her agent was never shown her request" if offer is None else "her agent never said yes"]
    found = []
    if VERA not in callbacks or (offer.callback, offer.first_name) != (callbacks[VERA]["id"], VERA.first_name):
        found.append(f"her agent was shown {offer.first_name or 'nobody'} ({offer.callback})")
    early = [offer.accepted_at - call.invited_at for call in witness if call.number == VERA.dialled]
    found += [f"she was called {seconds:.1f} s before her agent said yes" for seconds in early if seconds > 0]
    return found


def transfer_faults(
    callbacks: Mapping[Part, Mapping[str, Any]], witness: Sequence[WitnessCall], *, wrapped_up: bool
) -> list[str]:
    """Whether a colleague talked to Will in his agent's place. `wrapped_up`: the agent was seen in wrap-up then."""
    if WILL not in callbacks:
        return []  # told already
    found = []
    attempts = [attempt for attempt in callbacks[WILL]["attempts"] if attempt["transferred_at"] is not None]
    if [attempt["agent"] for attempt in attempts] != [GIVER]:
        found.append(f"the engine saw {len(attempts)} transfers, expected one by {GIVER}")
    met = [call.met_at for call in witness if call.number == str(COLLEAGUES_PHONE)]
    customers = [call for call in witness if call.number == WILL.dialled]
    if len(met) != 1 or met[0] is None:
        found.append(f"the network rang the colleague {len(met)} times, who heard him in {len(met) - met.count(None)}")
    elif not any((call.answered_at or met[0]) < met[0] < (call.ended_at or met[0]) for call in customers):
        found.append("the colleague heard somebody while he was not on the phone")
    if not wrapped_up:
        found.append(f"agent {GIVER} was not seen in wrap-up while he went on talking")
    return found
