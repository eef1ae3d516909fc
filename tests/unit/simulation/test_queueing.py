"""The simulation agrees with queueing theory where that has a formula."""

from __future__ import annotations

from functools import partial
from math import factorial

import pytest

from engine.simulation.run import run
from engine.simulation.study import study
from tests.unit.simulation.scenarios import scenario


def erlang_c(load: float, servers: int) -> float:
    """The share that has to wait (Erlang, 1917)."""
    busy = load**servers / factorial(servers) * servers / (servers - load)
    return busy / (sum(load**n / factorial(n) for n in range(servers)) + busy)


@pytest.mark.parametrize(("servers", "load", "hours"), [(1, 0.7, 400.0), (5, 4.2, 150.0)])
def test_a_queue_of_chats_waits_as_long_as_erlang_says(servers: int, load: float, hours: float) -> None:
    handle = 300.0
    of = scenario(
        hours=hours,
        warm_up_hours=10.0,
        replications=5,
        arrivals=[{"service": "billing", "media": "chat", "per_hour": 3600 * load / handle}],
        customers={"talk_seconds": {"exponential": handle}},
        agents={"offer_seconds": 0},
        shifts=[{"count": servers, "skills": {"billing": 1}}],
        changes={"services.billing.queue_cap": 1_000_000},
    )
    studied = study([partial(run, of.first)], of.replications, of.seed)
    wait, occupancy = studied.first["billing, chat"]["wait_mean"], studied.first["all"]["occupancy"]
    expected = erlang_c(load, servers) * handle / (servers - load)
    assert wait is not None
    assert wait.half_width is not None
    assert occupancy is not None
    assert wait.half_width < 0.25 * expected
    assert abs(wait.mean - expected) < 1.5 * wait.half_width
    assert occupancy.mean == pytest.approx(load / servers, rel=0.03)
