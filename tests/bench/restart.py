"""How fast an engine that was killed is back at its calls: 500 open callbacks and 50 live calls, killed and exec'ed.

The calls are real: 50 customers on the lab's telephone network hear the announcement, wait with music or talk to an
agent. The engine reaches Asterisk through a relay of the tests. Its time counts from just before the fork and exec of
`ringback serve` until the relay sees its first request that does something to a call (not a look, not a subscription).
"""

from __future__ import annotations

import compileall
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.bench.load import cpu_seconds_of
from tests.bench.numbers import numbers
from tests.bench.report import Report
from tests.live.cable import CableInThread
from tests.live.calls.centre import Centre, agent, logged_at, service

OPEN = 500
LIVE = 50
RUNS = 5
BAR_SECONDS = 2.0
TALK_SECONDS = 235.0
"""Nearly as long as the network lets any call live: all runs happen during one conversation."""
LEAST_LEFT_SECONDS = 30.0
"""Runs end while every call has at least this much of its time left."""
PARTS = ("imports", "store", "building", "connecting", "looks")
"""As the engine says them in its line `engine.ready`."""

_KINDS = ("announcing", "waiting", "talking")
_DIGITS = {"announcing": "14", "waiting": "22", "talking": "25"}
"""Who never presses a key; who presses 1 late; who presses 1 at once."""
_FIRST_AGENT = 1101
_QUEUED_DIGITS = ("01", "02", "03")
_EFFECT = re.compile(r"(?:POST|DELETE) /ari/(?:channels|bridges)(?:/|$)")
"""What does something to a call; looks and subscriptions do not."""


@dataclass(frozen=True, slots=True)
class Run:
    """One kill and its start, in seconds since just before the exec. `cpu`: what the process used until its effect."""

    first_effect: float
    cpu: float
    ready: float
    parts: dict[str, float]
    rival: float
    rival_imports: float
    rival_cpu: float


class _Effects:
    """When requests that do something to a call passed to Asterisk, whoever sent them; in epoch seconds."""

    def __init__(self) -> None:
        self._moments: SimpleQueue[float] = SimpleQueue()

    def note(self, at: float, request: str) -> None:
        if _EFFECT.match(request):
            self._moments.put(at)

    def first_since(self, began: float, limit_seconds: float) -> float | None:
        """The first after `began`; None if none comes in time."""
        deadline = time.monotonic() + limit_seconds
        with suppress(Empty):
            while True:
                at = self._moments.get(timeout=max(0.0, deadline - time.monotonic()))
                if at >= began:
                    return at
        return None


def run(scale: float, progress: Callable[[str], None]) -> Report:
    """Several kills of one engine with all its calls up."""
    live, queued = max(3, round(LIVE * scale)), max(0, round((OPEN - LIVE) * scale))
    wanted = max(2, round(RUNS * min(scale, 1.0)))
    # As an installation has it: pip compiles what it installs, but not a checkout, and the environment may forbid it.
    for package in ("engine", "cli"):
        compileall.compile_dir(Path(__file__).resolve().parents[2] / package, quiet=1)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringback-bench-")))
        lab = stack.enter_context(Lab.up(talk_seconds=TALK_SECONDS, progress=progress))
        effects = _Effects()
        cable = stack.enter_context(CableInThread(lab.pbx.ari_url, effects.note))
        engine = EngineProcess(lab, directory, ari_url=cable.ari_url)
        stack.callback(engine.kill)
        engine.start()
        centre = Centre(lab, engine)
        progress(f"{queued} requests wait, {live} customers are called")
        began = time.monotonic()
        customers = _fill(centre, live, queued)
        runs: list[Run] = []
        while len(runs) < wanted and time.monotonic() - began < TALK_SECONDS - LEAST_LEFT_SECONDS:
            progress(f"kill {len(runs) + 1} of {wanted}")
            runs.append(_kill_and_start(centre, cable.ari_url, effects))
        survived = sum(centre.on_their_one_call(numbers_) for numbers_ in customers.values())
        still = {kind: _still_as(centre, kind, numbers_) for kind, numbers_ in customers.items()}
    return _report(runs, live, queued, survived, sum(still.values()))


# ---- filling the house ---------------------------------------------------------------------------------


def _fill(centre: Centre, live: int, queued: int) -> dict[str, list[str]]:
    """Bring `live` calls up, a third of each kind, and let `queued` requests wait; the customers' numbers by kind."""
    sizes = [live // 3 + (place < live % 3) for place in range(3)]
    shares = dict(zip(_KINDS, sizes, strict=True))
    agents = {
        kind: range(_FIRST_AGENT + 100 * n, _FIRST_AGENT + 100 * n + size)
        for n, (kind, size) in enumerate(shares.items())
    }
    centre.configure(
        [
            service(
                kind,
                ring_timeout_seconds=20,
                hold_limit_seconds=600,
                confirmation={"wait_seconds": 120, "repeats": 5, "later_seconds": 60},
            )
            for kind in (*_KINDS, "queued")
        ],
        [agent(number, kind) for kind, numbers_ in agents.items() for number in numbers_],
    )
    customers = {kind: list(islice(numbers(_DIGITS[kind]), size)) for kind, size in shares.items()}
    for kind in _KINDS:
        centre.ready(*agents[kind])
    asked = [(kind, number) for kind in _KINDS for number in customers[kind]]
    waiting = [("queued", number) for number in islice(numbers(*_QUEUED_DIGITS), queued)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: centre.request(*each), asked))
        _until(centre, "waiting", "announcing", len(customers["waiting"]))
        # Who confirms now finds no agent and waits with music.
        for number in agents["waiting"]:
            centre.client.put(f"/agents/a{number}/state", {"state": "not_ready", "reason": "lunch"})
        list(pool.map(lambda each: centre.request(*each), waiting))
    _until(centre, "announcing", "announcing", len(customers["announcing"]))
    _until(centre, "waiting", "confirmed", len(customers["waiting"]))
    _until(centre, "talking", "connected", len(customers["talking"]))
    return customers


def _until(centre: Centre, kind: str, state: str, count: int) -> None:
    centre.wait(lambda: _count(centre, kind, state) == count, f"{count} of service {kind} {state}", 60)


def _count(centre: Centre, kind: str, state: str) -> int:
    found = centre.rows("SELECT count(*) FROM callbacks WHERE service = ? AND state = ?", kind, state)
    return int(found[0][0])


# ---- one run -----------------------------------------------------------------------------------------


def _kill_and_start(centre: Centre, ari_url: str, effects: _Effects) -> Run:
    centre.engine.kill()
    rival_began, rival_cpu = time.time(), _cpu_of_the_ended()
    steps = _rival(centre, ari_url)
    rival_cpu = _cpu_of_the_ended() - rival_cpu
    rival = effects.first_since(rival_began, 1.0)
    assert rival is not None, f"the rival asked nothing of Asterisk: {steps}"

    began = time.time()
    centre.engine.spawn()
    first = effects.first_since(began, 30.0)
    assert first is not None, f"no effect within 30 s of the start: {centre.engine.log_entries()[-3:]}"
    cpu = cpu_seconds_of(centre.engine.pid)
    centre.engine.wait_until_ready()
    said = {str(entry["event"]): entry for entry in centre.engine.log_entries() if "event" in entry}
    ready = logged_at(said["asterisk.ready"])
    return Run(
        first_effect=first - began,
        cpu=cpu,
        ready=ready - began,
        parts={part: float(said["engine.ready"][f"{part}_seconds"]) for part in PARTS},
        rival=rival - rival_began,
        rival_imports=steps["imported"] - rival_began,
        rival_cpu=rival_cpu,
    )


def _cpu_of_the_ended() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rival(centre: Centre, ari_url: str) -> dict[str, float]:
    script = Path(__file__).with_name("restart_rival.py")
    pbx = centre.lab.pbx
    arguments = [str(centre.engine.database), ari_url, pbx.ari_user, pbx.ari_password]
    ended = subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    steps: dict[str, float] = json.loads(ended.stdout)
    return steps


# ---- who is still there ------------------------------------------------------------------------------


def _still_as(centre: Centre, kind: str, numbers_: Sequence[str]) -> int:
    """How many of them the engine knows to be where they were."""
    state = {"announcing": "announcing", "waiting": "confirmed", "talking": "connected"}[kind]
    return min(_count(centre, kind, state), len(numbers_))


# ---- what it says ------------------------------------------------------------------------------------


def _report(runs: Sequence[Run], live: int, queued: int, survived: int, known: int) -> Report:
    first = [each.first_effect for each in runs]
    rows = [
        ("exec to first effect", *_spread(first), *_spread([each.rival for each in runs])),
        ("  CPU of it", *_spread([each.cpu for each in runs]), *_spread([each.rival_cpu for each in runs])),
        ("of it interpreter and imports", *_part(runs, "imports"), *_spread([each.rival_imports for each in runs])),
        ("  store: open, load", *_part(runs, "store"), "", ""),
        ("  building: document, prompts, HTTP", *_part(runs, "building"), "", ""),
        ("  connecting the event socket", *_part(runs, "connecting"), "", ""),
        ("  looks at Asterisk", *_part(runs, "looks"), "", ""),
        ("exec to ready for new calls", *_spread([each.ready for each in runs]), "", ""),
    ]
    missed = []
    if max(first) >= BAR_SECONDS:
        missed.append(f"the first effect came {max(first):.2f} s after exec at the slowest; the bar is {BAR_SECONDS} s")
    if min(survived, known) < live:
        missed.append(f"of {live} calls {survived} are still up at the network, {known} in the engine; the bar is all")
    figures = {
        "first_effect_seconds_worst": max(first),
        "first_effect_seconds_median": median(first),
        "cpu_seconds_median": median(each.cpu for each in runs),
        "ready_seconds_median": median(each.ready for each in runs),
        **{f"{part}_seconds_median": median(each.parts[part] for each in runs) for part in PARTS},
        "rival_first_effect_seconds_median": median(each.rival for each in runs),
        "rival_imports_seconds_median": median(each.rival_imports for each in runs),
        "rival_cpu_seconds_median": median(each.rival_cpu for each in runs),
        "open": live + queued,
        "live": live,
        "survived": min(survived, known),
        "runs": len(runs),
    }
    return Report(
        title=f"Restart after kill -9: {live + queued} open callbacks, {live} of them live calls, {len(runs)} runs",
        columns=("seconds", "ours, median", "ours, worst", "rival, median", "rival, worst"),
        rows=tuple(rows),
        figures=figures,
        missed=tuple(missed),
        notes=(
            f"Still on their one call by the network's record: {survived} of {live}; by the engine's: {known}.",
            "First effect: the first request that does something to a call, seen by a relay before Asterisk.",
            "Time counts from just before fork and exec; the parts are the engine's own (`engine.ready`).",
            "Rival: a script that imports aiohttp and sqlite3, reads the same rows, lists the channels and",
            "gives music to one who waits.",
            f"The machine: {os.cpu_count()} CPUs; load in the last minute, with our own: {os.getloadavg()[0]:.1f}.",
        ),
    )


def _part(runs: Sequence[Run], part: str) -> tuple[str, str]:
    return _spread([each.parts[part] for each in runs])


def _spread(values: Sequence[float]) -> tuple[str, str]:
    return f"{median(values):.3f}", f"{max(values):.3f}"
