"""What the dispatcher is made from, and what it answers: snapshots, decisions and replies. Values only."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from engine.core.callphase import Phase, Recovery
from engine.core.changes import Change, HandleTimeKept, SlotCapacitySet
from engine.core.configuration import Configuration, Pace
from engine.core.effects import Effect
from engine.core.records import AgentStatus, Attempt, Callback, InboundCall, Interaction, Suppression, Timer
from engine.core.slots import Slot
from engine.core.terms import AttemptId, ServiceId
from engine.core.values import Value, field


class Accepted(Value):
    """The request stands; `position` is its place in the line, None once it is being served."""

    callback: Callback
    position: int | None


class Refusal(Value):
    """The request changes nothing; `code` is one of the public error codes.

    `opens_at`: when a closed service opens. `slots`: the nearest free ones instead of one that cannot be had.
    `retry_after_seconds`: when the same request may be made again, if that is a matter of time.
    """

    code: str
    detail: str
    opens_at: float | None = None
    slots: tuple[Slot, ...] = ()
    retry_after_seconds: float | None = None


class Done(Value):
    """What was asked for is so now, also if it was before."""


class Recovered(Value):
    """What was done about a live attempt after a look at Asterisk."""

    attempt: AttemptId
    phase: Phase
    did: Recovery


Reply: TypeAlias = Accepted | AgentStatus | Configuration | Done | Interaction | Refusal | Recovered | Suppression


class Decision(Struct, gc=False):
    """What one event brings about, in order."""

    changes: list[Change] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    reply: Reply | None = None


class Snapshot(Value):
    """What the journal holds that is not over: enough to decide on as before.

    `dials` and `requests`: numbers and moments of the last days, oldest first. `pace`: of all calls together.
    """

    configuration: Configuration = field(default_factory=Configuration)
    callbacks: tuple[Callback, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    agents: tuple[AgentStatus, ...] = ()
    timers: tuple[Timer, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    paused: tuple[ServiceId, ...] = ()
    slot_capacities: tuple[SlotCapacitySet, ...] = ()
    handle_times: tuple[HandleTimeKept, ...] = ()
    dials: tuple[tuple[str, float], ...] = ()
    requests: tuple[tuple[str, float], ...] = ()
    pace: Pace = field(default_factory=Pace)
    inbound: tuple[InboundCall, ...] = ()
