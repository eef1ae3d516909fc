"""Whatever the centre and its people are like: everybody who asked is refused, ends once, or is still open."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from engine.core.changes import CallbackChanged
from engine.core.decision import Decision
from engine.core.events import Event
from engine.simulation.run import run
from tests.unit.simulation.scenarios import scenario

CALLS = ("busy", "no_answer", "rejected", "invalid", "network_failure", "voicemail")
PRESSES = ("later", "cancel", "never", "nothing", "hang_up")
MODES = ("reserve", "agent_first", "preview")


def any_centre(seed: int) -> dict[str, Any]:
    """A small centre by chance, over a night in which the clock changes."""
    chance = Random(seed)
    ahead = {"uniform": {"from": 60, "to": 90000}}
    return {
        "starts": "2026-03-28T08:00",
        "timezone": "Europe/Berlin",
        "hours": chance.choice((1, 3, 9)),
        "replications": 1,
        "customers": {
            "calls": {name: round(chance.random() * 0.15, 3) for name in CALLS},
            "presses": {name: round(chance.random() * 0.15, 3) for name in PRESSES},
            "patience_seconds": {"exponential": chance.choice((60, 1000, 9000))},
            "hold_patience_seconds": {"exponential": chance.choice((5, 60))},
        },
        "arrivals": [
            {"service": "billing", "per_hour": chance.choice((5, 30, 80))},
            {"service": "advice", "per_hour": 6, "slots": {"share": 0.7, "ahead_seconds": ahead}},
            {"service": "billing", "media": "chat", "per_hour": 10},
        ],
        "agents": {"misses": chance.choice((0, 0.3, 1.0)), "rejects": chance.choice((0, 0.3, 1.0))},
        "shifts": [
            {"agents": ["amy", "ben"], "weekly": {"mon-sun": ["08:30-12:00", "13:00-17:30"]}},
            {"count": 3, "skills": {"billing": 2, "advice": 1}},
        ],
        "changes": {
            "services.billing.connect": chance.choice(MODES),
            "services.advice.connect": chance.choice(MODES),
            "services.billing.rona_return_seconds": chance.choice((None, 30)),
            "services.billing.pacing.max_dials": chance.choice((None, 2)),
            "services.billing.pacing.calls_per_second": chance.choice((None, 0.1)),
            "services.billing.calling_window": chance.choice((None, {"from": "09:00", "to": "11:00"})),
        },
    }


@pytest.mark.parametrize("seed", range(12))
def test_everybody_who_asks_is_refused_or_ends_once_or_is_still_open(seed: int) -> None:
    ends: Counter[str] = Counter()

    def observe(_event: Event, decision: Decision, _now: float) -> None:
        ends.update(
            change.callback.id
            for change in decision.changes
            if isinstance(change, CallbackChanged) and change.callback.state.ended
        )

    ran = run(scenario(**any_centre(seed)).first, seed, observers=[observe])
    figures = ran.figures["all"]
    known = {name: figures[name] or 0 for name in ("asked", "refused", "dialled", "attempts", "occupancy")}
    ended = sum(figures[name] or 0 for name in ("completed", "unsuccessful", "cancelled", "expired"))
    assert known["asked"] == known["refused"] + ended + ran.left
    assert all(times == 1 for times in ends.values())
    assert 0 < known["dialled"] <= known["asked"] - known["refused"]
    assert 0 <= known["occupancy"] <= 1
