"""`ringback config`: the services document of a running engine: apply, export, compare.

Nothing is judged here: the engine checks the document as a whole, and its complaints are shown with the file's lines.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import click

from cli.client import EngineClient, RequestRefusedError, with_engine
from cli.document import DocumentFile, to_yaml
from cli.printing import as_json, complain, plain, print_json, shown
from cli.slot import tell_conflicts

_FILE = click.Path(path_type=Path, dir_okay=False)
APPLY_TIMEOUT_SECONDS = 300.0
"""Applying may speak new prompts first."""


@click.group("config", short_help="Apply, export and compare the services document.")
def config_group() -> None:
    """Services, agents, calendars and limits as one YAML file.

    \b
    A small document:
      services:
        - {id: billing, name: Billing, company: Example Ltd, skill_expression: billing}
      agents:
        - {id: amy, name: Amy, endpoint: PJSIP/agent-1001, skills: {billing: 5}}
    """


@config_group.command("apply", short_help="Put a document into effect.")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Only check it and say what would change.")
@as_json
@with_engine
def apply(engine: EngineClient, file: Path, dry_run: bool, as_json: bool) -> None:  # noqa: FBT001
    """Check the document and put it into effect as a whole, or not at all.

    \b
    Examples:
      ringback config apply services.yaml --dry-run
      ringback config apply services.yaml
    """
    document = DocumentFile(file)
    patient = EngineClient(engine.url, engine.key, APPLY_TIMEOUT_SECONDS)
    try:
        answer = patient.post("/config", {"document": document.content, "dry_run": dry_run})
    except RequestRefusedError as error:
        if not error.problems:
            raise
        for problem in error.problems:
            complain(f"{document.locate(problem.field)}: {problem.message}")
        raise SystemExit(1) from None
    for warning in answer.get("warnings") or ():
        field, separator, message = str(warning).partition(": ")
        complain(f"warning: {document.locate(field)}: {message}" if separator else f"warning: {warning}")
    if as_json:
        print_json(answer)
        return
    for change in answer["changes"]:
        click.echo(_change(change))
    count = len(answer["changes"])
    changed = "no changes" if count == 0 else "1 change" if count == 1 else f"{count} changes"
    click.echo(
        f"{changed}, version {answer['version']} is in force"
        if answer["applied"]
        else f"{changed}; nothing was applied, version {answer['version']} stays in force"
    )
    tell_conflicts(answer["conflicts"])


@config_group.command("export", short_help="Print the document in force.")
@as_json
@with_engine
def export(engine: EngineClient, as_json: bool) -> None:  # noqa: FBT001
    """Print the document in force as YAML; `config apply` takes it back.

    \b
    Example:
      ringback config export > services.yaml
    """
    answer = engine.get("/config")
    if as_json:
        print_json(answer)
        return
    click.echo(to_yaml(answer["document"]), nl=False)


@config_group.command("diff", short_help="Compare a file with the document in force.")
@click.argument("file", type=_FILE)
@click.option("--exit-code", is_flag=True, help="Exit code 1 if they differ.")
@as_json
@with_engine
def diff(engine: EngineClient, file: Path, exit_code: bool, as_json: bool) -> None:  # noqa: FBT001
    """Show what FILE says otherwise than the document in force; comments and order of fields do not count.

    Bookings of slots that FILE does not permit any more are shown too.

    \b
    Example:
      ringback config diff services.yaml
    """
    document = DocumentFile(file).content
    theirs, ours = _lines(engine.get("/config")["document"]), _lines(document)
    found = list(difflib.unified_diff(theirs, ours, "in force", str(file), lineterm=""))
    conflicts = _conflicts(engine, document)
    if as_json:
        print_json({"differs": bool(found), "diff": found, "conflicts": conflicts})
    else:
        for line in found:
            click.echo(plain(line))
        if not found:
            click.echo("no difference")
        tell_conflicts(conflicts or ())
    if found and exit_code:
        raise SystemExit(1)


def _conflicts(engine: EngineClient, document: Mapping[str, object]) -> list[Mapping[str, object]] | None:
    """The bookings that the document does not permit; None, and a line that says so, if it cannot be applied at all."""
    try:
        found: list[Mapping[str, object]] = engine.post("/config", {"document": document, "dry_run": True})["conflicts"]
    except RequestRefusedError as error:
        complain(f"this document would be refused; see: ringback config apply FILE --dry-run ({error})")
        return None
    return found


def _lines(document: object) -> list[str]:
    """One line for each value, fields in steady order."""
    return to_yaml(_sorted(document)).splitlines()


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda each: (each[0] not in ("id", "name"), str(each[0])))
        return {str(name): _sorted(inner) for name, inner in ordered}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _change(change: Mapping[str, object]) -> str:
    sign = {"add": "+", "remove": "-"}.get(str(change["action"]), "~")
    line = f"{sign} {shown(change['path'])}"
    return line if sign != "~" else f"{line}: {shown(change['before'])} -> {shown(change['after'])}"
