"""What an engine does to its customers when its disk keeps failing: full, refusing writes, locked by another, hung.

One engine goes through all faults without a restart, under a stream of requests that are called back at once and while
conversations go on. The same stream then meets a script that says yes first; the same judge looks at both.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from engine.store.upkeep import check
from tests.bench.disk_faults import Suffered, suffer, suffer_all
from tests.bench.disk_judge import Verdict, judge
from tests.bench.failing_disk import FailingDisk, NoDiskError, locked
from tests.bench.numbers import numbers
from tests.bench.report import Report
from tests.bench.stream import Asked, RequestStream
from tests.live.calls.centre import Centre, agent, rows, service

Progress = Callable[[str], None]

PER_SECOND = 20.0
HOLD_SECONDS = 8.0
"""Longer than `store_down_seconds`, so that the engine's own patience ends during a fault."""
LEAST_HOLD_SECONDS = 2.0
WARM_UP_SECONDS = 2.0
CONVERSATIONS = 3
TALK_SECONDS = 235.0
"""Nearly as long as the network lets any call live: longer than all faults together."""
OPEN_BAR_SECONDS = 30.0
CALLS_LIMIT_SECONDS = 120.0

_NOBODYS = tuple(f"{digits:02}" for digits in range(30, 100))
"""Last digits of numbers that the network refuses at once: it notes their INVITE, and the callback is over."""
_TALKERS = range(1101, 1101 + CONVERSATIONS)
_CALLERS = range(1201, 1207)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one server fared: each fault with its verdict, and what holds for the whole run."""

    faults: tuple[tuple[Suffered, Verdict], ...]
    whole: Verdict
    wrong: tuple[str, ...]
    cut: int = 0
    repeated: int = 0


def run(scale: float, progress: Progress) -> Report:
    """The engine, then the rival, through every fault that can be made here."""
    hold = max(LEAST_HOLD_SECONDS, HOLD_SECONDS * min(scale, 4.0))
    notes: list[str] = []
    ours = engine_on_failing_disk(hold, PER_SECOND, progress, notes)
    rival = _rival(ours.faults, progress)
    return _report(ours, rival, notes)


# ---- the engine --------------------------------------------------------------------------------------


def engine_on_failing_disk(
    hold: float, per_second: float, progress: Progress, notes: list[str], *, store_down_seconds: float = 5.0
) -> Outcome:
    """Each fault lasts `hold` seconds beyond its first effect. What could not be tried is said in `notes`."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringback-bench-")))
        disk = _disk(stack, directory, notes)
        database = (disk.path if disk else directory) / "ringback.db"
        faults = disk.faults(database) if disk else (locked(database),)
        lab = stack.enter_context(Lab.up(talk_seconds=TALK_SECONDS, progress=progress))
        engine = EngineProcess(
            lab,
            directory / "engine",
            environment={
                "RINGBACK_STORE__URL": f"sqlite+aiosqlite:///{database}",
                "RINGBACK_STORE__STORE_DOWN_SECONDS": str(store_down_seconds),
            },
        )
        stack.callback(engine.kill)
        centre = Centre(lab, engine.start())
        talkers = _conversations(centre, database)
        url = engine.url
        stream = RequestStream(lambda: url, engine.admin_key, "stream", numbers(*_NOBODYS), per_second)
        with stream:
            time.sleep(WARM_UP_SECONDS)
            suffered = suffer_all(stream, faults, hold, engine.is_running, progress)
        wrong = []
        if not engine.is_running():
            wrong.append(f"the engine ended at the fault {suffered[-1].name!r}: {engine.log_entries()[-1]}")
            url = engine.start().url
        progress("asking again what was not answered, and waiting for the calls")
        repeated = _ask_again(stream, wrong)
        _until_called(database, progress)
        cut = len(talkers) - centre.on_their_one_call(talkers)
        wrong += [f"the database is damaged: {line}" for line in check(database)]
        called = Counter(call.number for call in lab.witness())
        return _outcome(stream.asked, suffered, database, called, wrong, cut, repeated)


def _disk(stack: ExitStack, directory: Path, notes: list[str]) -> FailingDisk | None:
    (directory / "engine").mkdir()
    try:
        return stack.enter_context(FailingDisk.mounted(directory))
    except NoDiskError as error:
        notes.append(f"ONLY THE LOCKED DATABASE WAS TRIED: {error}")
        return None


def _conversations(centre: Centre, database: Path) -> list[str]:
    """Bring conversations up that outlast the faults; the customers' numbers."""
    once = {"max": 1, "interval_seconds": 2, "fault_interval_seconds": 2}
    centre.configure(
        [service("talking"), service("stream", attempts=once, wrap_up_seconds=0, queue_cap=100_000)],
        [*(agent(each, "talking") for each in _TALKERS), *(agent(each, "stream") for each in _CALLERS)],
    )
    centre.ready(*_TALKERS, *_CALLERS)
    talkers = list(islice(numbers("25"), CONVERSATIONS))
    for number in talkers:
        centre.request("talking", number)
    connected = "SELECT count(*) FROM callbacks WHERE state = 'connected'"
    centre.wait(lambda: rows(database, connected)[0][0] == CONVERSATIONS, f"{CONVERSATIONS} conversations", 60)
    return talkers


def _ask_again(stream: RequestStream, wrong: list[str]) -> int:
    """Repeat with the same keys what was not answered, and a few that were accepted; how many."""
    accepted = [each for each in stream.asked if each.accepted][-5:]
    unanswered = [each for each in stream.asked if each.status is None]
    again = [(each, stream.again(each)) for each in (*accepted, *unanswered)]
    wrong += [
        f"a request that was answered {first.status} was answered {second.status} when it was asked again with its key"
        for first, second in again
        if not second.accepted or (first.accepted and first.callback != second.callback)
    ]
    return len(again)


def _until_called(database: Path, progress: Progress) -> None:
    """Wait until every callback of the stream is over."""
    deadline = time.monotonic() + CALLS_LIMIT_SECONDS
    waiting = "SELECT count(*) FROM callbacks WHERE service = 'stream' AND ended_at IS NULL"
    while (left := rows(database, waiting)[0][0]) and time.monotonic() < deadline:
        progress(f"{left} are still to be called")
        time.sleep(0.5)


# ---- the rival ---------------------------------------------------------------------------------------


def _rival(as_ours: Sequence[tuple[Suffered, Verdict]], progress: Progress) -> Outcome:
    """The same faults, each for as long as the engine had it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringback-bench-")))
        disk = _disk(stack, directory, [])
        database = (disk.path if disk else directory) / "ringback.db"
        faults = disk.faults(database) if disk else (locked(database),)
        script = str(Path(__file__).with_name("disk_rival.py"))
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, script, str(database)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        suffered = []
        with RequestStream(lambda: url, "", "stream", numbers(*_NOBODYS), PER_SECOND) as stream:
            time.sleep(WARM_UP_SECONDS)
            for fault, (ours, _) in zip(faults, as_ours, strict=False):
                progress(f"the rival's disk: {fault.name}")
                suffered.append(
                    suffer(stream, fault, 0.0, lambda: process.poll() is None, for_seconds=ours.lasted_seconds)
                )
        return _outcome(stream.asked, suffered, database, None, [], 0, 0)


# ---- what is judged and said -------------------------------------------------------------------------


def _outcome(
    asked: Sequence[Asked],
    suffered: Sequence[Suffered],
    database: Path,
    called: Counter[str] | None,
    wrong: Sequence[str],
    cut: int,
    repeated: int,
) -> Outcome:
    attempts = None
    if called is not None:
        written = rows(database, "SELECT phone FROM attempts")
        attempts = Counter(str(phone).lstrip("+") for (phone,) in written)
    stored = {
        (str(callback), str(phone).lstrip("+")) for callback, phone in rows(database, "SELECT id, phone FROM callbacks")
    }
    return Outcome(
        faults=tuple(
            (each, judge([one for one in asked if each.began_at <= one.sent_at < each.until], stored, called, attempts))
            for each in suffered
        ),
        whole=judge(asked, stored, called, attempts),
        wrong=tuple(wrong),
        cut=cut,
        repeated=repeated,
    )


def missed_bars(ours: Outcome) -> list[str]:
    """The rules the engine broke, in words."""
    missed = [*ours.wrong, *(f"{rule}: {times}" for rule, times in ours.whole.broken.items())]
    if ours.cut:
        missed.append(f"{ours.cut} of {CONVERSATIONS} conversations were cut")
    for fault, _ in ours.faults:
        beyond = fault.closed_beyond_seconds
        if fault.closed_at is None and beyond is not None:
            missed.append(f"{fault.name}: no request met this fault, so it shows nothing")
        elif beyond is None or beyond > OPEN_BAR_SECONDS:
            missed.append(f"{fault.name}: the intake did not open again within {OPEN_BAR_SECONDS:.0f} s")
    return missed


def _report(ours: Outcome, rival: Outcome, notes: Sequence[str]) -> Report:
    beyond = {
        f"closed_beyond_seconds_{fault.name.replace(' ', '_')}": _or_nan(fault.closed_beyond_seconds)
        for fault, _ in ours.faults
    }
    table = [
        *(_row("ours", fault.name, verdict, fault) for fault, verdict in ours.faults),
        _row("ours", "whole run", ours.whole),
        *(_row("rival", fault.name, verdict, fault) for fault, verdict in rival.faults),
        _row("rival", "whole run", rival.whole),
    ]
    return Report(
        title=f"A failing disk under {PER_SECOND:.0f} requests a second, without a restart",
        columns=(
            *("who", "the disk", "fault s", "sent", "201", "503", "no answer", "other"),
            *("201 and lost", "503 and kept or called", "called twice", "slowest answer s", "closed beyond s"),
        ),
        rows=tuple(table),
        figures={
            "sent": ours.whole.sent,
            "accepted": ours.whole.accepted,
            "refused": ours.whole.refused,
            "unanswered": ours.whole.unanswered,
            "lost": ours.whole.lost,
            "refused_and_kept_or_called": ours.whole.kept_or_called,
            "called_twice": ours.whole.twice,
            "conversations_cut": ours.cut,
            "slowest_answer_seconds": ours.whole.slowest_seconds,
            **beyond,
            "rival_accepted": rival.whole.accepted,
            "rival_lost": rival.whole.lost,
            "faults": len(ours.faults),
        },
        missed=tuple(missed_bars(ours)),
        notes=(
            f"{CONVERSATIONS - ours.cut} of {CONVERSATIONS} conversations went on through all of it.",
            f"{ours.repeated} requests were asked again with their idempotency keys afterwards.",
            "closed beyond s: from the end of the fault to the first request that was accepted.",
            "Rival: aiohttp and sqlite3, says 201 before it writes, does not wait for the disk; it calls nobody.",
            *notes,
        ),
    )


def _row(who: str, name: str, verdict: Verdict, fault: Suffered | None = None) -> tuple[str, ...]:
    beyond = "" if fault is None else "never" if fault.open_at is None else f"{fault.closed_beyond_seconds:.2f}"
    counts = (verdict.sent, verdict.accepted, verdict.refused, verdict.unanswered, verdict.otherwise)
    wrong = (verdict.lost, verdict.kept_or_called, verdict.twice)
    lasted = "" if fault is None else f"{fault.lasted_seconds:.1f}"
    return (who, name, lasted, *map(str, counts), *map(str, wrong), f"{verdict.slowest_seconds:.1f}", beyond)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
