"""How commands print: JSON as the engine gave it, tables for people, errors as one line on standard error.

Texts of customers are never taken for markup or terminal commands. Colours appear on a terminal only. Rich is loaded
when a table is printed, not before.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LEFT_BY_JSON = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_WIDE = 10_000

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def plain(text: str) -> str:
    """One line without characters that move a terminal's cursor or turn its writing around."""
    return _CONTROLS.sub(" ", text)


def complain(message: str) -> None:
    """One line on standard error."""
    click.echo(" ".join(plain(message).split()), err=True)


def print_json(value: Any, *, line: bool = False) -> None:  # noqa: ANN401 - JSON is whatever the engine sent
    """Indented JSON; with `line` in one line, for outputs that go on."""
    text = json.dumps(value, ensure_ascii=False, indent=None if line else 2)
    # JSON leaves these as they are, and a terminal may obey them.
    click.echo(_LEFT_BY_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def console() -> Console:
    """Rich's console on standard output. Into a pipe a line is as long as it is: nothing is cut."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain columns; see `shown` for the cells."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(shown(cell)) for cell in row))
    return made


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print the table, or the line `empty` when it has no rows."""
    listed = list(rows)
    if not listed:
        click.echo(empty)
        return
    show(table(columns, listed))


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line; facts that are not known are left out."""
    known = [(name, value) for name, value in facts if value not in (None, "", [], {})]
    wide = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        click.echo(f"{name:<{wide}}  {shown(value)}")


def show(what: RenderableType) -> None:
    """Print with Rich, without blanks at the ends of lines in a pipe."""
    out = console()
    if sys.stdout.isatty():
        out.print(what)
        return
    with out.capture() as captured:
        out.print(what)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def shown(value: object) -> str:
    """A value of the API for people: nothing as a dash, lists with commas, mappings as `name=value`."""
    if value in (None, "", [], {}):
        return "-"
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(shown(each) for each in value)
        case dict():
            return ", ".join(f"{plain(str(name))}={shown(each)}" for name, each in value.items())
        case _:
            return plain(str(value))


def wait_text(wait: object) -> str | None:
    """An expected wait as people say it, such as `3 to 5 min`: one in two is called within the first, four in five
    within the second. None if it is not known.
    """
    if not isinstance(wait, dict):
        return None
    half, most = (round(float(wait[name]) / 60) for name in ("p50_seconds", "p80_seconds"))
    if most == 0:
        return "less than a minute"
    return f"{half} min" if half == most else f"{half} to {most} min"


def moment(text: object) -> str:
    """A time of the API on this machine's clock; what cannot be read is shown as it is."""
    if not isinstance(text, str) or not text:
        return "-"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return plain(text)
    at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone()
    today = datetime.now(UTC).astimezone().date()
    return at.strftime("%H:%M:%S" if at.date() == today else "%Y-%m-%d %H:%M:%S")
