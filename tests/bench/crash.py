"""Kills: the engine at every named point and at random instants under load, with every fault; a rival beside it.

The rules are those of tests/live/crash/judge.py, for both. That the rival breaks them shows that they can be broken.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.report import Report
from tests.live.crash import telling
from tests.live.crash.evidence import Answer
from tests.live.crash.judge import RULES, Verdict, judge
from tests.live.crash.plan import ALL_POINTS, Fault, make_plan
from tests.live.crash.run import Run
from tests.live.crash.scene import run_engine, run_rival

KILLS = 100
RIVAL_SHARE = 10
LEAST_RIVAL_KILLS = 3
SEED = "RINGBACK_CRASH_SEED"
_RIVAL = Path(__file__).with_name("act_then_write.py")


def run(scale: float, progress: Callable[[str], None]) -> Report:
    """`scale` 1 is a hundred kills; from 0.6 on every point must be hit."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))
    kills = max(LEAST_RIVAL_KILLS, round(KILLS * scale))
    progress(f"seed {seed}; {SEED}={seed} repeats the plan")
    plan = make_plan(seed, kills, ALL_POINTS)
    ours = run_engine(plan, progress)
    rival_kills = max(LEAST_RIVAL_KILLS, kills // RIVAL_SHARE)
    rival = run_rival(make_plan(seed, rival_kills, (), {Fault.NONE}), progress, _RIVAL)
    verdict, rivals = judge(ours.evidence), judge(rival.evidence)
    for line in (*telling.summary(ours, verdict), *telling.violations(ours, verdict)):
        progress(line)
    hit = {blow.point for blow in ours.evidence.kills}
    must_hit = ALL_POINTS if {*ALL_POINTS} <= {step.point for step in plan.steps} else ()
    missed = [
        *([f"the rig gave up: {ours.gave_up}"] if ours.gave_up else []),
        *(line for found in verdict.violations.values() for line in found),
        *(f"point {point} was never hit" for point in must_hit if point not in hit),
    ]
    return Report(
        title=f"Kills under load, seed {seed}: what the telephone network saw afterwards",
        columns=("", "engine", "acts, then writes"),
        rows=tuple(_rows(ours, verdict, rival, rivals)),
        figures=_figures(seed, ours, verdict, rivals, len(hit - {""})),
        missed=tuple(missed),
        notes=tuple(_notes(ours, rivals)),
    )


def _rows(ours: Run, verdict: Verdict, rival: Run, rivals: Verdict) -> list[tuple[str, str, str]]:
    def row(what: str, of: Callable[[Run, Verdict], object]) -> tuple[str, str, str]:
        return what, str(of(ours, verdict)), str(of(rival, rivals))

    def live(run: Run, _verdict: Verdict) -> str:
        found = [blow.live for blow in run.evidence.kills]
        return f"{min(found)}, {median(found):.0f}"

    return [
        row("kills", lambda run, _: len(run.evidence.kills)),
        row("live calls at a kill: least, median", live),
        row("requests accepted", lambda run, _: sum(each.answer is Answer.ACCEPTED for each in run.evidence.asked)),
        row("INVITEs to customers", lambda run, _: len(run.evidence.calls)),
        row("keys pressed in an outage", lambda _, verdict: verdict.keys_lost),
        *(
            row(f"{rule}: {_meaning(rule)}", lambda _, verdict, rule=rule: len(verdict.violations[rule]))  # type: ignore[misc]
            for rule in RULES
        ),
    ]


def _meaning(rule: str) -> str:
    return (RULES[rule].__doc__ or "").splitlines()[0].partition(": ")[2].rstrip(".")


def _figures(seed: int, ours: Run, verdict: Verdict, rivals: Verdict, points: int) -> dict[str, float]:
    live = [blow.live for blow in ours.evidence.kills]
    return {
        "seed": seed,
        "kills": len(live),
        "points": points,
        "live_least": min(live),
        "live_median": median(live),
        "faults": len(ours.evidence.faults),
        "accepted": sum(each.answer is Answer.ACCEPTED for each in ours.evidence.asked),
        "invites": len(ours.evidence.calls),
        "interrupted": verdict.outcomes.get("interrupted", 0),
        "keys_lost": verdict.keys_lost,
        "seconds": round(ours.seconds),
        **{f"violations_{rule.replace('-', '_')}": len(found) for rule, found in verdict.violations.items()},
        "violations": sum(map(len, verdict.violations.values())),
        "rival_violations": sum(map(len, rivals.violations.values())),
    }


def _notes(ours: Run, rivals: Verdict) -> list[str]:
    notes = [f"the rival: {line}" for found in rivals.violations.values() for line in found[:1]]
    return [*notes, *(f"not reached in time, killed instead: {point}" for point in ours.unreached)]
