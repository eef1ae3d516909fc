"""`ringback simulate`: what would happen if, decided by the engine itself in virtual time. No engine has to run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cli.document import DocumentFile
from cli.printing import as_json, complain, print_json, show, table
from engine import collector
from engine.errors import DocumentError
from engine.simulation.figures import ALL, FIGURES, OCCUPANCY, Figure
from engine.simulation.meanings import Files
from engine.simulation.setting import Scenario, read
from engine.simulation.study import Estimate, Estimates, Studied, study

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--against", metavar="FILE", type=_FILE, help="A second scenario, met by the same customers.")
@click.option("--seed", type=click.IntRange(min=0), help="Begins the random numbers; by default the scenario's.")
@click.option("--replications", type=click.IntRange(1, 1000), help="How many runs; by default the scenario's.")
@as_json
def simulate(file: Path, against: Path | None, seed: int | None, replications: int | None, as_json: bool) -> None:  # noqa: FBT001
    """Simulate a scenario: how long would customers wait, how busy would agents be?

    The scenario names a services document, says when customers ask and how they and the agents behave. With a second
    configuration, in the scenario or with --against, both meet the same customers, and differences are shown with their
    95 % confidence interval.

    \b
    Examples:
      ringback simulate monday.yaml
      ringback simulate monday.yaml --against two-agents-more.yaml
      ringback simulate monday.yaml --seed 7 --replications 20 --json
    """
    scenario = _read(file)
    if against is not None:
        other = _read(against).first
        scenario = replace(scenario, second=replace(other, name=other.name or against.name))
    scenario = replace(
        scenario,
        seed=scenario.seed if seed is None else seed,
        replications=replications or scenario.replications,
    )
    with _progress() as progress:
        studied = study(scenario, progress)
    if as_json:
        print_json(_as_json(scenario, studied))
    else:
        _print(scenario, studied)


def _read(path: Path) -> Scenario:
    """The scenario of a file; its problems are told with their lines."""
    document = DocumentFile(path)
    try:
        return read(document.content, Files(path.parent, lambda named: DocumentFile(named).content))
    except DocumentError as error:
        for problem in error.problems:
            complain(f"{document.locate(problem.field)}: {problem.message}")
        raise SystemExit(1) from None


@contextmanager
def _progress() -> Iterator[Callable[[float], object] | None]:
    """A bar on standard error, where that is a terminal. What a run makes lives briefly: no garbage is looked for."""
    collector.settle()
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("simulating"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=1.0)
        yield lambda share: bar.update(task, completed=share)


# ---- as JSON -------------------------------------------------------------------------------------------


def _as_json(scenario: Scenario, studied: Studied) -> dict[str, Any]:
    found: dict[str, Any] = {
        "scenario": scenario.first.name,
        "seed": scenario.seed,
        "replications": scenario.replications,
        "events": studied.events,
        "still_open": studied.left,
        "figures": _estimates(studied.first),
    }
    if scenario.second is not None and studied.second is not None and studied.difference is not None:
        found["against"] = scenario.second.name
        found["figures_against"] = _estimates(studied.second)
        found["difference"] = _estimates(studied.difference)
    return found


def _estimates(estimates: Estimates) -> dict[str, dict[str, Any]]:
    return {
        row: {name: None if each is None else _estimate(each) for name, each in figures.items()}
        for row, figures in estimates.items()
    }


def _estimate(each: Estimate) -> dict[str, float | None]:
    half = each.half_width
    return {
        "mean": each.mean,
        "low": None if half is None else each.mean - half,
        "high": None if half is None else each.mean + half,
    }


# ---- for people ----------------------------------------------------------------------------------------


def _print(scenario: Scenario, studied: Studied) -> None:
    services = [row for row in studied.first if row != ALL]
    names = [scenario.first.name, *([scenario.second.name, "difference"] if scenario.second else [])]
    for row in [ALL] if len(services) == 1 else [*services, ALL]:
        title = services[0] if len(services) == 1 else row
        rows = [cells for figure in (*FIGURES, OCCUPANCY) if (cells := _cells(figure, row, studied)) is not None]
        show(table((title, *names), rows))
        click.echo("")
    runs = "1 run" if scenario.replications == 1 else f"{scenario.replications} runs"
    interval = "" if scenario.replications == 1 else "; ± and .. are 95 % confidence intervals"
    click.echo(f"{runs} from seed {scenario.seed}, {studied.events:,} events{interval}")
    if studied.second is not None and scenario.replications > 1:
        click.echo("* the difference is more than chance")
    if studied.left:
        click.echo(f"{studied.left:,} requests were still open at the end")


def _cells(figure: Figure, row: str, studied: Studied) -> tuple[str, ...] | None:
    """One line of the table; None if no run has the figure."""
    first = _at(studied.first, row, figure.name)
    second = _at(studied.second, row, figure.name)
    if first is None and second is None:
        return None
    cells = (figure.title, _told(figure.form, first))
    if studied.second is None:
        return cells
    return (*cells, _told(figure.form, second), _difference(figure.form, _at(studied.difference, row, figure.name)))


def _at(estimates: Estimates | None, row: str, name: str) -> Estimate | None:
    of_row: Mapping[str, Estimate | None] = {} if estimates is None else estimates.get(row, {})
    return of_row.get(name)


def _told(form: str, each: Estimate | None) -> str:
    if each is None:
        return "-"
    return _number(form, each.mean) + (f" ± {_number(form, each.half_width)}" if each.half_width else "")


def _difference(form: str, each: Estimate | None) -> str:
    if each is None:
        return "-"
    mean = _number(form, each.mean, sign="+")
    if each.half_width is None:
        return mean
    low, high = each.mean - each.half_width, each.mean + each.half_width
    return f"{mean} ({_number(form, low, sign='+')} .. {_number(form, high, sign='+')}){' *' if each.differs else ''}"


def _number(form: str, value: float, sign: str = "") -> str:
    match form:
        case "share":
            return f"{100 * value:{sign}.1f} %"
        case "seconds":
            return f"{value:{sign},.1f} s"
        case "ratio":
            return f"{value:{sign}.2f}"
        case _:
            return f"{value:{sign},.0f}" if abs(value - round(value)) < 0.05 else f"{value:{sign},.1f}"
