"""The figures of a run, from what was counted; each is None where there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.core.terms import VOICE
from engine.simulation.tally import ServiceTally, Tally

ALL = "all"
"""The row of everything together."""

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name in JSON, its name in tables, how it is written there, and where it comes from."""

    name: str
    title: str
    form: str
    of: Callable[[ServiceTally], float | None]


def _called(of: ServiceTally) -> int:
    return of.waits.count + of.slots


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


FIGURES: tuple[Figure, ...] = (
    Figure("asked", "requests", "count", lambda of: of.asked),
    Figure("refused", "refused", "count", lambda of: of.refused.total()),
    Figure("dialled", "called or served", "count", lambda of: _called(of)),
    Figure("completed", "completed", "count", lambda of: of.ends["completed"]),
    Figure("unsuccessful", "unsuccessful", "count", lambda of: of.ends["unsuccessful"]),
    Figure("cancelled", "cancelled", "count", lambda of: of.ends["cancelled"]),
    Figure("expired", "expired", "count", lambda of: of.ends["expired"]),
    Figure("service_level", "service level", "share", lambda of: _share(of.in_time, of.waits.count + of.left_late)),
    Figure("wait_mean", "wait, mean", "seconds", lambda of: of.waits.mean),
    Figure("wait_p50", "wait, half of all", "seconds", lambda of: of.waits.quantile(0.5)),
    Figure("wait_p80", "wait, 80 %", "seconds", lambda of: of.waits.quantile(0.8)),
    Figure("wait_p95", "wait, 95 %", "seconds", lambda of: of.waits.quantile(0.95)),
    Figure("attempts", "attempts", "count", lambda of: of.attempts or None),
    Figure("attempts_each", "attempts for each called", "ratio", lambda of: _share(of.attempts, _called(of)) or None),
    Figure("connected", "attempts that connected", "share", lambda of: _share(_connected(of), of.outcomes.total())),
    Figure("slots_kept", "slots kept", "share", lambda of: _share(of.slots_kept, of.slots)),
    Figure("told_kept", "wait as told (80 %) or less", "share", lambda of: _share(of.told_kept, of.told)),
    Figure("told_error", "told wait, mean error", "seconds", lambda of: of.errors.mean),
    Figure("told_bias", "told wait, too long by", "seconds", lambda of: _share(of.too_long, of.told)),
)
OCCUPANCY = Figure("occupancy", "occupancy of agents", "share", lambda _of: None)
"""Of all agents together, so it stands in the last row only."""


def _connected(of: ServiceTally) -> int:
    return sum(count for outcome, count in of.outcomes.items() if outcome == "connected")


def figures(tally: Tally) -> dict[str, Figures]:
    """For each service and medium, and for all together."""
    total, found = ServiceTally(), {}
    for (service, media), of in sorted(tally.services.items()):
        total.merge(of)
        found[service if media == VOICE else f"{service}, {media}"] = _figures(of)
    occupancy = _share(tally.busy_seconds, tally.staffed_seconds)
    found[ALL] = {**_figures(total), OCCUPANCY.name: occupancy}
    return found


def _figures(of: ServiceTally) -> Figures:
    return {figure.name: figure.of(of) for figure in FIGURES}
