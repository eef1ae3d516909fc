"""`ringback inbound`: calls that came in to a running engine: who waits, and what became of the others."""

from __future__ import annotations

import click

from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, moment, print_facts, print_json, print_table, wait_text
from engine.core.terms import InboundOutcome

OUTCOMES = [outcome.value for outcome in InboundOutcome]
_TIMES = ("entered_at", "joined_at", "bridged_at", "transferred_at", "ended_at")


@click.group("inbound", short_help="Look at calls that came in.")
def inbound_group() -> None:
    """Look at calls that came in."""


@inbound_group.command("list", short_help="List calls that came in, newest first.")
@click.option("--service", metavar="ID")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Those that are over and ended so.")
@click.option("--phone", metavar="+NUMBER", help="The caller's number with country code.")
@click.option("--from", "begun_from", metavar="TIME", help="Begun then or later (ISO 8601 with offset).")
@click.option("--to", "begun_to", metavar="TIME", help="Begun before.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
@with_engine
def list_(
    engine: EngineClient,
    service: str | None,
    outcome: str | None,
    phone: str | None,
    begun_from: str | None,
    begun_to: str | None,
    limit: int,
    as_json: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """List calls that came in, newest first: those that wait with their place, all with how long they waited.

    \b
    Examples:
      ringback inbound list --service billing
      ringback inbound list --outcome abandoned --from 2027-01-15T00:00:00-05:00 --json
    """
    query = {"service": service, "outcome": outcome, "phone": phone, "from": begun_from, "to": begun_to}
    found = list(engine.items("/inbound", query, limit))
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "SERVICE", "PHONE", "STATE", "OUTCOME", "PLACE", "WAIT", "WAITED", "AGENT", "TALK", "CALLBACK", "BEGAN"),
        (
            (
                each["id"],
                each["service"],
                each["phone"],
                each["state"],
                each["outcome"],
                each["position"],
                wait_text(each["wait"]),
                _seconds(each["wait_seconds"]),
                each["agent"],
                _seconds(each["talk_seconds"]),
                each["callback"],
                moment(each["entered_at"]),
            )
            for each in found
        ),
        empty="no calls that came in",
    )


@inbound_group.command("show", short_help="Show one call that came in.")
@click.argument("call_id", metavar="ID")
@as_json
@with_engine
def show_(engine: EngineClient, call_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Show one call that came in.

    \b
    Example:
      ringback inbound show callpbx1764188400-57
    """
    found = engine.get(f"/inbound/{segment(call_id)}")
    if as_json:
        print_json(found)
        return
    print_facts(
        (name, wait_text(value) if name == "wait" else moment(value) if name in _TIMES and value else value)
        for name, value in found.items()
    )


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.0f} s"
