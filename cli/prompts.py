"""`ringback prompts`: build, check and list voice prompts. A local job: it needs no running engine.

Results go to standard output, progress, warnings and errors to standard error. Exit code 0 ok, 1 refused or not ready,
2 wrong usage.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from engine import prompts
from engine.shipped import ShippedFilesMissingError

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_services = click.argument("services", type=_FILE, metavar="SERVICES.yaml")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_texts = click.option("--texts", type=_FOLDER, help="A folder with your own <language>.yaml texts; they come first.")


@click.group("prompts", short_help="Build and check voice prompts.")
def prompts_group() -> None:
    """Build, check and list the voice prompts of your services.

    SERVICES.yaml is the file you also give to `ringback config apply`; of each service its id, name, company, languages
    and confirmation keys are read.
    """


@prompts_group.command("build", short_help="Speak what is missing or out of date.")
@_services
@click.option("--to", type=_FOLDER, required=True, metavar="DIR", help="The prompts folder; made when missing.")
@click.option("--force", is_flag=True, help="Build every file anew, own recordings included.")
@_texts
@_as_json
def build(services: Path, to: Path, force: bool, texts: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Speak the prompts that are missing, broken or out of date, and make the hold music.

    Own recordings that are in order stay unless you say --force.

    \b
    Examples:
      ringback prompts build services.yaml --to prompts
      ringback prompts build services.yaml --to prompts --texts my-texts --force
    """
    with _one_line_errors():
        spoken = prompts.read_services(services)
        report = prompts.build(
            spoken, to, progress=lambda line: click.echo(line, err=True), only_missing=not force, own_texts=texts
        )
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    click.echo(f"{len(report.built)} files built, {report.kept} kept, in {report.seconds:.1f} s: {to}")


@prompts_group.command("check", short_help="Say which prompts are not ready.")
@_services
@click.option("--dir", "directory", type=_FOLDER, required=True, metavar="DIR", help="The prompts folder.")
@_texts
@_as_json
def check(services: Path, directory: Path, texts: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Say which prompts of the services are missing, broken, silent or out of date; exit code 1 if any.

    \b
    Example:
      ringback prompts check services.yaml --dir prompts
    """
    with _one_line_errors():
        report = prompts.check(prompts.read_services(services), directory, own_texts=texts)
    if as_json:
        click.echo(json.dumps(asdict(report)))
    else:
        for unfit in report.unfit:
            click.echo(f"{unfit.file}: {unfit.reason.replace('_', ' ')}, {unfit.detail}")
        click.echo(f"{report.needed - len(report.unfit)} of {report.needed} prompts are ready")
    if report.unfit:
        click.echo(f"prompts are not ready; run: ringback prompts build {services} --to {directory}", err=True)
        raise SystemExit(1)


@prompts_group.command("list", short_help="Show the prompts in a folder.")
@click.option("--dir", "directory", type=_FOLDER, required=True, metavar="DIR", help="The prompts folder.")
@_as_json
def list_(directory: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show every file of the folder with its length, level and text ("own recording" when it was not built here).

    \b
    Example:
      ringback prompts list --dir prompts
    """
    with _one_line_errors():
        stored = prompts.PromptLibrary(directory).stored()
    if as_json:
        click.echo(json.dumps({"items": [asdict(prompt) for prompt in stored], "next": None}))
        return
    for prompt in stored:
        seconds = "      ?" if prompt.seconds is None else f"{prompt.seconds:5.1f} s"
        level = "" if prompt.level_dbfs is None else f"{prompt.level_dbfs:6.1f} dBFS"
        origin = "hold music or own recording" if prompt.file.startswith("music/") else "own recording"
        click.echo(f"{prompt.file:40} {seconds} {level:>11}  {prompt.problem or prompt.text or origin}")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except (prompts.PromptError, ShippedFilesMissingError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from error
