"""What people see of `ringback demo`: the calls while they go on, and how each ended.

It only shows; what it shows is the engine's record, and what was judged already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.client import EngineClient
from cli.printing import console, table
from engine.demo.cast import CAST, RINGS_OUT, UMA, VERA, WILL, Part
from engine.demo.verdict import by_part
from engine.lab.witness import WitnessCall

if TYPE_CHECKING:
    from rich.console import RenderableType


def live_view(client: EngineClient, callbacks: Sequence[Mapping[str, Any]], ended: int) -> RenderableType:
    """What goes on now, for a terminal."""
    from rich.console import Group
    from rich.text import Text

    parts = by_part(callbacks)
    came_in = {call["phone"]: call for call in client.items("/inbound")}
    rows = [
        (part.first_name, part.does, part.service, *_now(parts.get(part), came_in.get(part.number))) for part in CAST
    ]
    states = ", ".join(f"{agent['name']}: {agent['state']}" for agent in client.items("/agents"))
    return Group(
        table(("customer", "who", "service", "state", "attempts so far"), rows),
        Text(f"\nagents  {states}\n{ended} of {len(CAST)} have ended"),
    )


def _now(callback: Mapping[str, Any] | None, call: Mapping[str, Any] | None) -> tuple[str, str]:
    if callback is None:
        return "requested" if call is None else f"on the phone: {call['state']}", ""
    return str(callback["state"]), _outcomes(callback)


def _outcomes(callback: Mapping[str, Any]) -> str:
    return ", ".join(str(attempt["outcome"] or "…") for attempt in callback["attempts"])


def show_ending(
    callbacks: Sequence[Mapping[str, Any]], problems: Mapping[str, Sequence[str]], calls: Sequence[WitnessCall]
) -> None:
    """How each ended, what went otherwise than it must (`problems`, by phone number), and what that shows in words."""
    parts = by_part(callbacks)
    out = console()
    out.print(
        table(
            ("", "customer", "who", "ended", "reason", "attempts", "agent", "talked"),
            [_ending(part, parts.get(part), problems[part.number]) for part in CAST],
        )
    )
    for number, found in problems.items():
        for problem in found:
            click.echo(f"✗ {number}: {problem}")
    states = [str(callback["state"]) for callback in callbacks]
    totals = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    rona = "rang out and was set not ready (rona)" if not problems["agents"] else "did not end as expected"
    click.echo(f"\n{len(callbacks)} callbacks: {totals}")
    click.echo(
        f"the telephone network saw {len(calls)} INVITEs, {sum(c.answered_at is not None for c in calls)} answered"
    )
    click.echo(f"agent {RINGS_OUT} {rona}")
    if not problems["order"]:
        click.echo(
            "Olga and Pia were called when their slot began, Quinn once less skill would do, Sam before Rosa, Tess"
        )
        click.echo("once her agent was on the phone")
    if not any(problems[part] for part in ("order", UMA.number, VERA.number, WILL.number)):
        click.echo(
            "Uma rang in, kept her place by key and was called before Kim, who asked while she was on the phone;"
        )
        click.echo(
            "Vera was called once her agent had said yes on the screen; Will talked on with a colleague to whom he"
        )
        click.echo("was transferred, while his first agent wrapped up")


def _ending(part: Part, callback: Mapping[str, Any] | None, found: Sequence[str]) -> tuple[object, ...]:
    mark = "✗" if found else "✓"
    if callback is None:
        return (mark, part.first_name, part.does, "never accepted", "", "", "", "")
    talked = [attempt["talk_seconds"] for attempt in callback["attempts"] if attempt["talk_seconds"] is not None]
    return (
        mark,
        part.first_name,
        part.does,
        callback["state"],
        callback["reason"],
        _outcomes(callback),
        callback["agent"],
        f"{talked[-1]:.0f} s" if talked else None,
    )
