"""Follows callbacks by asking once a second: a live table on a terminal, else a line for each change.

An engine that is away for a moment, as during an upgrade, does not end the watch; one that stays away does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.client import EngineClient, EngineNotReachableError, segment
from cli.printing import console, moment, print_json, shown, table
from engine.core.terms import CallbackState

if TYPE_CHECKING:
    from rich.console import RenderableType

Row = dict[str, Any]

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""How long the engine may be away before the watch ends with exit code 3."""
OPEN_STATES = [state.value for state in CallbackState if not state.ended]
_MOST_ROWS = 500


def watch_one(engine: EngineClient, callback_id: str, *, lines_of_json: bool) -> None:
    """Until the callback has ended."""
    path = f"/callbacks/{segment(callback_id)}"

    def look() -> list[Row]:
        return [engine.get(path)]

    _follow(look, lines_of_json=lines_of_json, until=lambda rows: rows[0]["state"] not in OPEN_STATES)


def watch_all(engine: EngineClient, *, lines_of_json: bool) -> None:
    """Until Ctrl-C: all that are open, and those that ended while we watched."""
    seen: dict[str, Row] = {}

    def look() -> list[Row]:
        now_open = {
            each["id"]: each for each in engine.items("/callbacks", {"state": ",".join(OPEN_STATES)}, _MOST_ROWS)
        }
        for gone in [each for each in seen if each not in now_open and seen[each]["state"] in OPEN_STATES]:
            seen[gone] = engine.get(f"/callbacks/{segment(gone)}")
        seen.update(now_open)
        return sorted(seen.values(), key=lambda each: str(each["created_at"]), reverse=True)

    _follow(look, lines_of_json=lines_of_json, until=lambda _rows: False)


def _follow(look: Callable[[], list[Row]], *, lines_of_json: bool, until: Callable[[list[Row]], bool]) -> None:
    try:
        if lines_of_json or not sys.stdout.isatty():
            _follow_in_lines(look, lines_of_json=lines_of_json, until=until)
        else:
            _follow_in_table(look, until)
    except KeyboardInterrupt:
        # The ordinary end of a watch.
        return


def _follow_in_lines(look: Callable[[], list[Row]], *, lines_of_json: bool, until: Callable[[list[Row]], bool]) -> None:
    told: dict[str, str] = {}
    for rows, _trouble in _polls(look):
        for row in rows:
            line = _line(row)
            if told.get(row["id"]) == line:
                continue
            told[row["id"]] = line
            if lines_of_json:
                print_json(row, line=True)
            else:
                click.echo(f"{datetime.now(UTC).astimezone():%H:%M:%S}  {line}")
        if until(rows):
            return


def _follow_in_table(look: Callable[[], list[Row]], until: Callable[[list[Row]], bool]) -> None:
    from rich.live import Live

    with Live(console=console(), auto_refresh=False, screen=False) as live:
        for rows, trouble in _polls(look):
            live.update(_picture(rows[: max(live.console.height - 4, 1)], len(rows), trouble), refresh=True)
            if until(rows):
                return


def _polls(look: Callable[[], list[Row]]) -> Iterator[tuple[list[Row], str]]:
    """What each look saw; while the engine is away the last one again, with what the trouble is."""
    rows = look()
    answered_at = time.monotonic()
    trouble = ""
    while True:
        yield rows, trouble
        time.sleep(POLL_SECONDS)
        try:
            rows, trouble = look(), ""
            answered_at = time.monotonic()
        except EngineNotReachableError as error:
            if time.monotonic() - answered_at > PATIENCE_SECONDS:
                raise
            trouble = str(error)


def _picture(rows: list[Row], how_many: int, trouble: str) -> RenderableType:
    from rich.text import Text

    if not rows:
        return Text(trouble or "no open callbacks; Ctrl-C ends the watch")
    columns = ("ID", "SERVICE", "PHONE", "STATE", "PLACE", "AGENT", "ATTEMPTS", "NEXT")
    made = table(columns, (_cells(row) for row in rows))
    hidden = f"and {how_many - len(rows)} more; " if how_many > len(rows) else ""
    made.caption = Text(trouble or f"{hidden}{datetime.now(UTC).astimezone():%H:%M:%S}, Ctrl-C ends the watch")
    made.caption_justify = "left"
    return made


def _cells(row: Row) -> tuple[object, ...]:
    # A customer's key is shown less than a supervisor's.
    state = f"{row['state']} ({row['reason']})" if row.get("reason") else row["state"]
    outcomes = " ".join(each["outcome"] or "live" for each in row.get("attempts") or ())
    next_at = moment(row.get("scheduled_for" if row["state"] == "scheduled" else "next_attempt_at"))
    known = (row.get(name) for name in ("position", "agent"))
    return (row["id"], row["service"], row.get("phone"), state, *known, outcomes, next_at)


def _line(row: Row) -> str:
    """What a person wants to know of a change; the same line again is no change."""
    _, service, phone, state, place, agent, outcomes, next_at = _cells(row)
    told = (
        ("place", place),
        ("agent", agent),
        ("attempts", outcomes),
        ("next", None if next_at == "-" else next_at),
    )
    more = "  ".join(f"{name} {shown(value)}" for name, value in told if value)
    who = "  ".join(shown(each) for each in (row["id"], service, phone, state) if each)
    return f"{who}  {more}".rstrip()
