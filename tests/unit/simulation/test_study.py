"""Runs: the figures of a day worked out by hand, common random numbers, intervals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isclose
from pathlib import Path
from random import Random
from statistics import fmean

import pytest

from engine.core.decision import Accepted, Decision, Snapshot
from engine.core.effects import DialCustomer
from engine.core.events import CallbackRequested, Event
from engine.core.wait import Wait
from engine.simulation.arrivals import Arrivals
from engine.simulation.figures import ALL, Figures
from engine.simulation.run import run
from engine.simulation.setting import Scenario, Setting
from engine.simulation.streams import Streams
from engine.simulation.study import Estimate, Studied, differences, estimate, study
from engine.simulation.virtual_engine import VirtualEngine
from tests.unit.simulation.scenarios import scenario

EXACT = {
    "calls": {},
    "answer_seconds": 6.0,
    "press_seconds": 4.0,
    "talk_seconds": 90.0,
}
"""Customers who all do the same."""
ONE_AGENT = [{"agents": ["ben"]}]
BUSY_SECONDS = 6 + 0.05 + 4 + 4 + 0.05 + 2 + 0.02 + 90 + 30
"""Answered, entered, pressed; the agent comes and enters; whisper, bridge, talk, wrap-up."""


def a_day(tmp_path: Path, moments: tuple[float, ...], **fields: object) -> Setting:
    (tmp_path / "came.txt").write_text("".join(f"{each}\n" for each in moments), "utf-8")
    return scenario(
        tmp_path,
        **{
            "hours": 1.0,
            "arrivals": [{"service": "billing", "file": "came.txt"}],
            "customers": EXACT,
            "agents": {"answer_seconds": 4.0},
            "shifts": ONE_AGENT,
            "service_level_seconds": 120,
            **fields,
        },
    ).first


def test_a_day_worked_out_by_hand(tmp_path: Path) -> None:
    ran = run(a_day(tmp_path, (0, 10, 20, 1000)), seed=1)
    figures = ran.figures["billing"]
    second, third = BUSY_SECONDS - 10, 2 * BUSY_SECONDS - 20
    assert {name: figures[name] for name in ("asked", "refused", "dialled", "completed", "attempts")} == {
        "asked": 4,
        "refused": 0,
        "dialled": 4,
        "completed": 4,
        "attempts": 4,
    }
    assert figures["service_level"] == 0.5, "126 s and 252 s are more than 120"
    assert figures["wait_mean"] == pytest.approx((second + third) / 4)
    assert figures["wait_p50"] == 0
    assert figures["wait_p80"] == pytest.approx(third, rel=0.006)
    assert figures["connected"] == 1
    assert ran.figures[ALL]["occupancy"] == pytest.approx(4 * BUSY_SECONDS / 3600, abs=1e-3)
    assert ran.left == 0


def test_who_asked_before_the_warm_up_is_over_is_left_out(tmp_path: Path) -> None:
    ran = run(a_day(tmp_path, (0, 10, 20, 1000), warm_up_hours=0.01), seed=1)
    figures = ran.figures["billing"]
    assert (figures["asked"], figures["dialled"], figures["wait_mean"]) == (1, 1, 0)
    before = min(36.0, BUSY_SECONDS)
    assert ran.figures[ALL]["occupancy"] == pytest.approx((4 * BUSY_SECONDS - before) / (3600 - 36), abs=1e-3)


def test_who_gives_up_has_waited_in_vain(tmp_path: Path) -> None:
    customers = {**EXACT, "patience_seconds": 125.0}
    figures = run(a_day(tmp_path, (0, 10, 20), customers=customers), seed=1).figures["billing"]
    # The second is called after 126 s - and has cancelled after 125; the third is called when the first is over.
    assert (figures["cancelled"], figures["dialled"]) == (1, 2)
    assert figures["service_level"] == pytest.approx(2 / 3)


def test_who_finds_the_line_full_is_refused(tmp_path: Path) -> None:
    setting = a_day(tmp_path, (0, 10, 20, 30), changes={"services.billing.queue_cap": 1})
    figures = run(setting, seed=1).figures["billing"]
    assert (figures["asked"], figures["refused"], figures["completed"]) == (4, 2, 2)


def test_slots_are_kept_or_not(tmp_path: Path) -> None:
    # Both slots of 09:00 are booked; one agent serves them one after the other, and the second in time, too.
    (tmp_path / "came.txt").write_text("1\n2\n3\n", "utf-8")
    setting = scenario(
        tmp_path,
        hours=10.0,
        arrivals=[
            {
                "service": "advice",
                "file": "came.txt",
                "slots": {"share": 1.0, "ahead_seconds": 3600.0},
                "customers": {**EXACT, "talk_seconds": 2000.0},
            }
        ],
        shifts=[{"agents": ["amy"]}],
    ).first
    figures = run(setting, seed=1).figures["advice"]
    # 09:00 twice; for the third 09:30 is nearest. The second of 09:00 comes 34 minutes late.
    assert (figures["asked"], figures["dialled"]) == (3, 3)
    assert figures["slots_kept"] == pytest.approx(1 / 3)
    assert figures["wait_mean"] is None


def test_what_was_told_is_compared_with_what_came() -> None:
    setting = scenario(hours=4, arrivals=[{"service": "billing", "per_hour": 24}]).first
    told: dict[str, Wait | None] = {}
    joined: dict[str, float] = {}
    waited: dict[str, float] = {}

    def observe(event: Event, decision: Decision, now: float) -> None:
        if isinstance(event, CallbackRequested) and isinstance(decision.reply, Accepted):
            told[event.id], joined[event.id] = decision.reply.callback.told, now
        for each in decision.effects:
            if isinstance(each, DialCustomer):
                callback = each.attempt.rpartition("-")[0]
                waited.setdefault(callback, now - joined[callback])

    figures = run(setting, 2, observers=[observe]).figures["billing"]
    pairs = [(wait, waited[each]) for each, wait in told.items() if wait is not None and each in waited]
    assert len(pairs) > 80
    assert figures["told_kept"] == pytest.approx(fmean(wait <= said.p80_seconds for said, wait in pairs))
    assert figures["told_error"] == pytest.approx(fmean(abs(said.p50_seconds - wait) for said, wait in pairs))
    assert figures["told_bias"] == pytest.approx(fmean(said.p50_seconds - wait for said, wait in pairs))


def test_agents_come_and_go_with_their_shifts() -> None:
    shifts = [{"agents": ["ben"], "weekly": {"mon-sun": ["09:00-09:20", "09:40-10:00"]}}]
    arrivals = [{"service": "billing", "gap_seconds": 600.0}]
    setting = scenario(hours=1.9, shifts=shifts, arrivals=arrivals, customers=EXACT).first
    dials: list[float] = []

    def observe(_event: Event, decision: Decision, now: float) -> None:
        dials.extend((now - setting.starts) / 60 for each in decision.effects if isinstance(each, DialCustomer))

    run(setting, 1, observers=[observe])
    # Asked every ten minutes from 08:10 on; there from 09:00 to 09:20, and from 09:40 to 10:00.
    assert all(60 <= at < 80 or 100 <= at < 120 for at in dials)
    assert len(dials) == 11


def studied_of(of: Scenario, progress: Callable[[float], object] | None = None) -> Studied:
    return study([partial(run, setting) for setting in of.settings], of.replications, of.seed, progress)


# ---- common random numbers -----------------------------------------------------------------------------


def test_two_configurations_meet_the_same_customers() -> None:
    both = scenario(
        arrivals=[
            {"service": "billing", "per_hour": 60, "customers": {"patience_seconds": {"exponential": 900}}},
            {"service": "billing", "media": "chat", "per_hour": 30},
        ],
        against={"shifts": [{"agents": ["amy"]}, {"count": 8, "skills": {"billing": 2}}]},
    )
    assert both.second is not None
    asked: list[list[tuple[float, str]]] = []
    for setting in (both.first, both.second):
        engine = VirtualEngine(Snapshot(configuration=setting.configuration), setting.starts)
        seen: list[tuple[float, str]] = []

        def observe(event: Event, _decision: Decision, now: float, seen: list[tuple[float, str]] = seen) -> None:
            if isinstance(event, CallbackRequested):
                seen.append((now, event.request.phone))

        engine.observers.append(observe)
        Arrivals(engine, setting.sources, Streams(3)).begin(setting.ends)
        engine.run_until(setting.ends)
        asked.append(seen)
    assert asked[0] == asked[1]
    assert len(asked[0]) > 50


def test_with_the_same_random_numbers_a_difference_is_known_far_better() -> None:
    more = {"shifts": [{"agents": ["amy", "ben"]}, {"count": 1, "skills": {"billing": 3}}]}
    both = scenario(hours=6, replications=6, arrivals=[{"service": "billing", "per_hour": 25}], against=more)
    studied = studied_of(both)
    assert studied.difference is not None
    assert studied.second is not None
    paired, first, second = (
        each["billing"]["wait_mean"] for each in (studied.difference, studied.first, studied.second)
    )
    assert paired is not None
    assert first is not None
    assert second is not None
    assert paired.mean == pytest.approx(second.mean - first.mean)
    assert paired.mean < 0
    assert paired.differs
    asked = studied.difference["billing"]["asked"]
    assert asked == Estimate(0, 0, 6)


def test_two_equal_configurations_do_not_differ_in_anything() -> None:
    studied = studied_of(scenario(against={"name": "the same"}))
    assert studied.difference is not None
    for row in studied.difference.values():
        assert all(each is None or each.mean == 0 for each in row.values())


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    one, same, other = (run(scenario().first, seed) for seed in (4, 4, 5))
    assert one == same
    assert one.figures != other.figures


# ---- estimates -----------------------------------------------------------------------------------------


def test_an_estimate_has_students_interval() -> None:
    found = estimate([2, 4, None, 9])
    assert found is not None
    assert (found.mean, found.of) == (5, 3)
    assert found.half_width == pytest.approx(4.303 * 3.6056 / 3**0.5, rel=1e-4)
    assert not found.differs
    assert estimate([None, 3]) == Estimate(3, None, 1)
    assert estimate([None]) is None


def test_an_interval_holds_the_truth_nineteen_times_of_twenty() -> None:
    chance = Random(6)
    held = 0
    for _ in range(2000):
        found = estimate([chance.gauss(10, 3) for _ in range(5)])
        assert found is not None
        assert found.half_width is not None
        held += abs(found.mean - 10) <= found.half_width
    assert isclose(held / 2000, 0.95, abs_tol=0.015)


def test_a_difference_is_of_pairs_and_leaves_out_what_one_lacks() -> None:
    first: list[dict[str, Figures]] = [{"a": {"x": 1.0, "y": None}}, {"a": {"x": 2.0, "y": 5.0}}]
    second: list[dict[str, Figures]] = [{"a": {"x": 4.0, "y": 1.0}}, {"a": {"x": 6.0, "y": 4.0}}]
    found = differences(first, second)["a"]
    assert found["x"] == estimate([3, 4])
    assert found["y"] == Estimate(-1, None, 1)


def test_the_progress_of_all_runs_is_told() -> None:
    told: list[float] = []
    studied_of(scenario(replications=2, against={}), told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) == 4 * 200
