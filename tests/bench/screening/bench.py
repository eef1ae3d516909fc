"""Person or machine: every scene of a split, by real calls to the engine, with our screening and then with AMD().

Split B is the one to report on; SPLIT=A in the environment plays the one that thresholds were set on. KEEP=DIR keeps
there what was measured, and every call that was misjudged as a WAV file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import msgspec

from engine.core.terms import ScreeningMode
from engine.errors import RingbackError
from tests.bench.load import Load
from tests.bench.report import Report
from tests.bench.screening import scenes, stage, table
from tests.bench.screening.call_result import Figures
from tests.bench.screening.judging import Judged, told
from tests.bench.screening.stage import MODES
from tests.bench.screening.texts import SPLITS
from tests.bench.screening.wav_files import described, rendered, write_wav

ANSWERS_PER_SECOND = 5.0
SPLIT, KEEP = "SPLIT", "KEEP"
JUDGED_FROM = 1.0
"""Below this scale there are too few persons for the bar of the interval: not one of a hundred may be wrong."""
_COLUMNS = {ScreeningMode.CONCURRENT: "beside the announcement", ScreeningMode.ASTERISK: "Asterisk's AMD() before it"}
_PREFIXES = {ScreeningMode.CONCURRENT: "", ScreeningMode.ASTERISK: "amd_"}

Progress = Callable[[str], None]


class NoSuchSplitError(RingbackError):
    """SPLIT is none of the two."""


def run(scale: float, progress: Progress) -> Report:
    """`scale` 1 is the whole split, 1,930 calls of B in each mode."""
    split = os.environ.get(SPLIT) or "B"
    if split not in SPLITS:
        raise NoSuchSplitError(f"SPLIT must be one of {', '.join(SPLITS)}; it is {split!r}")
    kept = os.environ.get(KEEP)
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as made:
        directory = Path(made)
        folder = directory / "scenes"
        planned = scenes.planned(split, scale)
        Random("order").shuffle(planned)  # noqa: S311 - no secret
        progress(f"{len(planned)} scenes of split {split} are made")
        scenes.generate(folder, planned)
        with stage.up(planned, folder, directory, progress) as up:
            loads = {mode: up.play(mode, ANSWERS_PER_SECOND, progress) for mode in MODES}
            progress("what the engine found is read")
            up.end()
            judged = {mode: Judged(up.calls(mode), up.announcement) for mode in MODES}
            acted = up.far_end.stop()
        for mode in MODES:
            for call in judged[mode].misjudged:
                progress(f"misjudged, {mode}: {told(call)}")
        if kept:
            keep(Path(kept), judged, folder, directory / stage.RECORD)
    return report(split, scale, judged, loads, acted, up.events)


def keep(to: Path, judged: Mapping[ScreeningMode, Judged], folder: Path, record: Path) -> None:
    """The engine's record, all calls as JSON lines, and the misjudged ones in words and as sound."""
    to.mkdir(parents=True, exist_ok=True)
    (to / record.name).write_bytes(record.read_bytes())
    for mode, calls in judged.items():
        (to / f"{mode}.jsonl").write_bytes(b"".join(msgspec.json.encode(call) + b"\n" for call in calls.calls))
        (to / f"{mode}.txt").write_text("".join(f"{told(call)}\n" for call in calls.misjudged), "utf-8")
        heard = to / mode
        heard.mkdir(exist_ok=True)
        for call in calls.misjudged:
            path = heard / f"{described(call.outline)}.wav"
            write_wav(path, rendered(scenes.read(folder, call.outline.name)))


def report(
    split: str,
    scale: float,
    judged: Mapping[ScreeningMode, Judged],
    loads: Mapping[ScreeningMode, Load],
    acted: Figures,
    events: int,
) -> Report:
    """The table, the bars and the figures."""
    ours, all_modes = judged[ScreeningMode.CONCURRENT], [judged[mode] for mode in MODES]
    judge_bounds = scale >= JUDGED_FROM
    announcement = ours.announcement
    own_pause, silent = 1000 * announcement.longest_pause, 1000 * announcement.begins
    notes = [
        f"The announcement lasts {announcement.seconds:.1f} s; its own longest pause, {own_pause:.0f} ms, is no gap.",
        f"It is silent for its first {silent:.0f} ms, which are in the time to our first sound.",
        f"The engine decided on {events / len(MODES) / len(ours.calls):.0f} events for each call.",
        *(f"{_COLUMNS[mode]}: {loads[mode]}." for mode in MODES),
        f"Far end: {acted.cpu_seconds / acted.seconds:.2f} CPUs, {acted.most_at_once} calls at most; packets late by",
        f"{acted.late_median:.1f} ms (median), {acted.late_99:.1f} ms (p99), {acted.late_most:.0f} ms (most).",
    ]
    if not judge_bounds:
        notes.append("The bar of the 95 % interval is not judged: at this scale no result could keep it.")
    return Report(
        title=f"Person or machine: {len(ours.calls):,} calls of split {split}, {ANSWERS_PER_SECOND:.0f} a second",
        columns=("", *(_COLUMNS[mode] for mode in MODES)),
        rows=tuple(table.rows(all_modes)),
        figures={key: value for mode in MODES for key, value in table.figures(judged[mode], _PREFIXES[mode]).items()}
        | {"cpus_busy": loads[ScreeningMode.CONCURRENT].machine, "far_end_late_p99_ms": acted.late_99},
        missed=tuple(table.missed(ours, judge_bounds=judge_bounds)),
        notes=tuple(notes),
    )
