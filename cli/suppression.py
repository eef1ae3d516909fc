"""`ringback suppression`: numbers that are never called, on a running engine."""

from __future__ import annotations

import click

from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, moment, print_json, print_table, shown


@click.group("suppression", short_help="Look after numbers that are never called.")
def suppression_group() -> None:
    """Look after numbers that are never called. Customers add their own with the key for "never again"."""


@suppression_group.command("add", short_help="Never call a number again.")
@click.argument("phone", metavar="+NUMBER")
@click.option("--note", metavar="TEXT", help="Why, for the list.")
@as_json
@with_engine
def add(engine: EngineClient, phone: str, note: str | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Never call a number again. Whoever waits with it is not called any more; a call that is up goes on.

    \b
    Example:
      ringback suppression add +12025550123 --note "asked by letter"
    """
    made = engine.post("/suppressions", {"phone": phone} if note is None else {"phone": phone, "note": note})
    if as_json:
        print_json(made)
        return
    click.echo(shown(f"{made['phone']}: never called"))


@suppression_group.command("list", short_help="List numbers that are never called.")
@click.option("--limit", type=click.IntRange(1, 10_000_000), default=500, show_default=True, help="At most so many.")
@as_json
@with_engine
def list_(engine: EngineClient, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """List numbers that are never called, in their order, with why and since when.

    \b
    Example:
      ringback suppression list
    """
    found = list(engine.items("/suppressions", most=limit))
    if as_json:
        print_json(found)
        return
    print_table(
        ("PHONE", "BECAUSE", "SINCE", "NOTE"),
        ((each["phone"], each["because"], moment(each["at"]), each["note"]) for each in found),
        empty="no number is suppressed",
    )


@suppression_group.command("remove", short_help="Allow calls to a number again.")
@click.argument("phone", metavar="+NUMBER")
@as_json
@with_engine
def remove(engine: EngineClient, phone: str, as_json: bool) -> None:  # noqa: FBT001
    """Allow calls to a number again. Ask its owner first if they pressed the key for "never again".

    \b
    Example:
      ringback suppression remove +12025550123
    """
    engine.delete(f"/suppressions/{segment(phone)}")
    if as_json:
        print_json({"phone": phone, "suppressed": False})
        return
    click.echo(shown(f"{phone}: may be called"))
