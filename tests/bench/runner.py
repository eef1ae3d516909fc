"""Runs benches by name: progress on standard error, tables and RESULT lines on standard output, one exit code."""

from __future__ import annotations

import importlib
import math
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import FrameType
from typing import NoReturn, Protocol, TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from engine.errors import RingbackError
from tests.bench.report import Report

BENCHES: Mapping[str, str] = {
    "crash": "tests.bench.crash",
    "restart": "tests.bench.restart",
    "disk": "tests.bench.disk",
    "matching": "tests.bench.matching",
    "wait": "tests.bench.wait",
    "simulation": "tests.bench.simulation",
    "screening": "tests.bench.screening.bench",
}
"""Each bench's name and its module."""

KEPT = 0
MISSED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
NARROWEST = 120
"""Columns of a table where no terminal says how wide it is."""

Progress = Callable[[str], None]


class Bench(Protocol):
    """A bench's module."""

    def run(self, scale: float, progress: Progress) -> Report:
        """Measure; `scale` 1 is the full size. It leaves nothing running, also when it is interrupted."""


def main(names: Sequence[str], scale: str, benches: Mapping[str, str] = BENCHES) -> int:
    """Run the benches of these names, or all; the exit code: 0 bars kept, 1 missed or not run, 2 usage, 130 stopped."""
    unknown = [name for name in names if name not in benches]
    if unknown:
        return _wrong(f"there is no bench {unknown[0]!r}; there are: {', '.join(benches)}")
    try:
        size = float(scale or "1")
    except ValueError:
        size = math.nan
    if not 0 < size <= 100:
        return _wrong(f"SCALE must be a number above 0 and at most 100, such as 0.1; it is {scale!r}")
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        return max([_run(name, benches[name], size) for name in names or benches])
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted\n")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(name: str, module: str, scale: float) -> int:
    began = time.monotonic()
    errors = Console(stderr=True, highlight=False)
    with errors.status(f"bench {name}: begins") as status:
        said = ""

        def progress(line: str) -> None:
            nonlocal said
            status.update(f"bench {name}: {line}")
            if line != said and not errors.is_terminal:
                sys.stderr.write(f"bench {name} {time.monotonic() - began:5.0f} s: {line}\n")
            said = line

        try:
            bench: Bench = importlib.import_module(module)
            report = bench.run(scale, progress)
        except RingbackError as error:
            sys.stderr.write(f"bench {name}: not run: {error}\n")
            return MISSED
        except Exception:  # noqa: BLE001 - a defect of one bench is shown, and the others are still measured
            errors.print_exception()
            return MISSED
    show(name, report, sys.stdout)
    return MISSED if report.missed else KEPT


def show(name: str, report: Report, to: TextIO) -> None:
    """The table, its notes, the missed bars, and last the RESULT line."""
    console = Console(file=to, highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(file=to, highlight=False, markup=False, width=NARROWEST)
    table = Table(title=report.title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in report.columns:
        table.add_column(column, overflow="fold")
    for row in report.rows:
        table.add_row(*row)
    console.print(table)
    for note in report.notes:
        console.print(f"  {note}")
    for missed in report.missed:
        console.print(f"  MISSED: {missed}")
    figures = " ".join(f"{key}={plain(value)}" for key, value in report.figures.items())
    to.write(f"RESULT {name} {figures}".rstrip() + "\n")
    to.flush()


def plain(value: float) -> str:
    """A number without exponent, to six digits."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else str(value)
    return format(Decimal(f"{value:.6g}"), "f") if value != int(value) else str(int(value))


def _wrong(message: str) -> int:
    sys.stderr.write(f"bench: {message}\n")
    return WRONG_USAGE


def _as_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
