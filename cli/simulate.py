"""`ringback simulate`: what would happen if, decided by the engine itself in virtual time. No engine has to run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from cli.document import DocumentFile
from cli.printing import as_json, complain, print_json, show, table
from engine import collector
from engine.core.configuration import Configuration
from engine.document import parse
from engine.errors import DocumentError
from engine.simulation.figures import ALL, FIGURES, OCCUPANCY, Figure
from engine.simulation.meanings import Files
from engine.simulation.recorded import Recorded, recorded
from engine.simulation.rerun import rerun
from engine.simulation.run import Progress, Ran, run
from engine.simulation.setting import Scenario, read
from engine.simulation.study import Estimate, Estimates, Run, Studied, study

USUAL_LEVEL_SECONDS = 300.0
_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run, and how it is called."""

    names: list[str]
    runs: list[Run]
    replications: int
    seed: int


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--against", metavar="FILE", type=_FILE, help="A second scenario, met by the same customers.")
@click.option(
    "--replay",
    metavar="RECORD",
    type=_FILE,
    help="A day recorded with serve --record; FILE is then a services document under which it is decided anew.",
)
@click.option(
    "--within", type=click.FloatRange(min=0, min_open=True), help="The service level for --replay, in seconds."
)
@click.option("--seed", type=click.IntRange(min=0), help="Begins the random numbers; by default the scenario's.")
@click.option("--replications", type=click.IntRange(1, 1000), help="How many runs; by default the scenario's.")
@as_json
def simulate(
    file: Path | None,
    against: Path | None,
    replay: Path | None,
    within: float | None,
    seed: int | None,
    replications: int | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Simulate a scenario: how long would customers wait, how busy would agents be?

    The scenario names a services document, says when customers ask and how they and the agents behave. With a second
    configuration, in the scenario or with --against, both meet the same customers, and differences are shown with their
    95 % confidence interval.

    \b
    Examples:
      ringback simulate monday.yaml
      ringback simulate monday.yaml --against two-agents-more.yaml
      ringback simulate monday.yaml --seed 7 --replications 20 --json
      ringback simulate --replay tuesday.jsonl services.yaml
    """
    if replay is not None:
        if against is not None:
            raise click.UsageError("--against compares scenarios; with --replay, FILE is the other configuration")
        plan = _rerun(replay, file, within or USUAL_LEVEL_SECONDS)
    elif file is None:
        raise click.UsageError("name a scenario file, or a record with --replay")
    elif within is not None:
        raise click.UsageError("--within is for --replay; a scenario has service_level_seconds")
    else:
        plan = _scenario(file, against)
    plan = replace(plan, seed=plan.seed if seed is None else seed, replications=replications or plan.replications)
    with _progress() as progress:
        studied = study(plan.runs, plan.replications, plan.seed, progress)
    if as_json:
        print_json(_as_json(plan, studied))
    else:
        _print(plan, studied)


def _scenario(file: Path, against: Path | None) -> Plan:
    scenario = _read(file)
    settings = [(setting.name or file.stem, setting) for setting in scenario.settings]
    if against is not None:
        other = _read(against).first
        settings = [settings[0], (other.name or against.stem, other)]
    runs: list[Run] = [partial(run, setting) for _, setting in settings]
    return Plan([name for name, _ in settings], runs, scenario.replications, scenario.seed)


def _read(path: Path) -> Scenario:
    """The scenario of a file; its problems are told with their lines."""
    document = DocumentFile(path)
    with _problems_of(document):
        return read(document.content, Files(path.parent, lambda named: DocumentFile(named).content))


def _rerun(record: Path, file: Path | None, within_seconds: float) -> Plan:
    found = recorded(record)
    names = ["as configured then"]
    runs: list[Run] = [partial(_decided_anew, found, None, within_seconds)]
    if file is not None:
        document = DocumentFile(file)
        with _problems_of(document):
            configuration = parse(document.content).configuration
        names.append(file.name)
        runs.append(partial(_decided_anew, found, configuration, within_seconds))
    return Plan(names, runs, replications=1, seed=1)


def _decided_anew(
    found: Recorded, configuration: Configuration | None, within_seconds: float, seed: int, progress: Progress | None
) -> Ran:
    return rerun(found, configuration, within_seconds, seed, progress)


@contextmanager
def _problems_of(document: DocumentFile) -> Iterator[None]:
    """Each in a line of its own, with the line of the file; then the command ends."""
    try:
        yield
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


def _as_json(plan: Plan, studied: Studied) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": plan.names[0],
        "seed": plan.seed,
        "replications": plan.replications,
        "events": studied.events,
        "still_open": studied.left,
        "figures": _estimates(studied.first),
    }
    if studied.second is not None and studied.difference is not None:
        found["against"] = plan.names[1]
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


def _print(plan: Plan, studied: Studied) -> None:
    services = [row for row in studied.first if row != ALL]
    names = [*plan.names, "difference"] if studied.second is not None else plan.names
    for row in [ALL] if len(services) == 1 else [*services, ALL]:
        title = services[0] if len(services) == 1 else row
        rows = [cells for figure in (*FIGURES, OCCUPANCY) if (cells := _cells(figure, row, studied)) is not None]
        show(table((title, *names), rows))
        click.echo("")
    runs = "1 run" if plan.replications == 1 else f"{plan.replications} runs"
    interval = "" if plan.replications == 1 else "; ± and .. are 95 % confidence intervals"
    click.echo(f"{runs} from seed {plan.seed}, {studied.events:,} events{interval}")
    if studied.second is not None and plan.replications > 1:
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
