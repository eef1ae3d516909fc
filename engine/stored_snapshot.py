"""What the journal holds, as the dispatcher takes it. It reads nothing: the journal has done that."""

from __future__ import annotations

from engine.core.configuration import Configuration, Pace
from engine.core.decision import Snapshot
from engine.document import parse
from engine.store.records import StoredState


def snapshot_of(stored: StoredState, pace: Pace) -> Snapshot:
    """What the journal holds, as the dispatcher takes it; `pace`: of all calls together."""
    configuration = Configuration()
    if stored.document is not None:
        configuration = parse(stored.document, version=stored.version).configuration
    return Snapshot(
        configuration=configuration,
        callbacks=stored.callbacks,
        attempts=stored.attempts,
        inbound=stored.inbound,
        agents=stored.agents,
        timers=stored.timers,
        interactions=stored.interactions,
        suppressions=stored.suppressions,
        paused=stored.paused,
        slot_capacities=stored.slot_capacities,
        handle_times=stored.handle_times,
        dials=stored.dials,
        requests=stored.requests,
        pace=pace,
    )
