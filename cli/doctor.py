"""`ringback doctor`: checks this installation and says how to mend it.

It needs no running engine and changes nothing; what it finds comes from `engine.doctor`.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import click

from cli.printing import as_json, console, print_json, shown
from engine.doctor import Finding, examine


@click.command("doctor", short_help="Check this installation and say how to mend it.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; without it ringback.toml here, if there is one.",
)
@as_json
def doctor(config_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Check Python, settings, store, prompts, name service and each Asterisk; exit code 1 if anything is wrong.

    \b
    Examples:
      ringback doctor
      ringback doctor --config /etc/ringback/ringback.toml --json
    """
    findings = asyncio.run(examine(config_file))
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        _print(findings)
    wrong = sum(not each.ok for each in findings)
    if wrong:
        count = "one thing needs" if wrong == 1 else f"{wrong} things need"
        click.echo(f"{count} mending; how stands beside each", err=True)
        raise SystemExit(1)


def _print(findings: list[Finding]) -> None:
    from rich.text import Text

    out = console()
    wide = max(len(each.name) for each in findings)
    fine, faulty = ("✓ ", "✗ ") if out.encoding.startswith("utf") else ("+ ", "! ")
    for each in findings:
        mark = (fine, "green") if each.ok else (faulty, "bold red")
        out.print(Text.assemble(mark, (f"{shown(each.name):<{wide}}  ", "bold"), shown(each.detail)), soft_wrap=True)
        if each.mend:
            out.print(Text(f"  {'':<{wide}}  mend: {shown(each.mend)}"), soft_wrap=True)
