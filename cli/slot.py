"""`ringback slot`: the slots of a service on a running engine, and capacities of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, complain, print_json, print_table, shown

_WHY = {
    "not_a_slot": "no slot of the service begins then any more",
    "full": "more are booked than the slot may hold, and this is one of the last",
}


@click.group("slot", short_help="Look at slots and set capacities of single ones.")
def slot_group() -> None:
    """Look at the slots of a service, and give single ones a capacity of their own.

    START is the start of a slot as `slot list` shows it: a time with its offset, or in UTC with Z.
    """


@slot_group.command("list", short_help="List slots with their bookings.")
@click.argument("service_id", metavar="SERVICE")
@click.option("--from", "first", metavar="WHEN", help="A day of the service's zone, or a time with offset; else now.")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="Calendar days, the first too.")
@as_json
@with_engine
def list_(
    engine: EngineClient,
    service_id: str,
    first: str | None,
    days: int,
    as_json: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """List the slots of a service, who is booked in them, and bookings that are no longer permitted.

    \b
    Examples:
      ringback slot list billing
      ringback slot list billing --from 2027-01-15 --days 1 --json
    """
    found = engine.get(f"/services/{segment(service_id)}/slots", {"from": first, "days": days})
    if as_json:
        print_json(found)
        return
    zone = found["timezone"]
    print_table(
        ("START", "END", "CAPACITY", "OWN", "BOOKED", "FREE", "CALLBACKS"),
        (
            (
                _in_zone(each["start"], zone),
                _in_zone(each["end"], zone),
                each["capacity"],
                each["own_capacity"] is not None,
                each["booked"],
                each["remaining"],
                each["callbacks"],
            )
            for each in found["slots"]
        ),
        empty="no slots in these days",
    )
    tell_conflicts(found["conflicts"])


@slot_group.command("set-capacity", short_help="Give one slot a capacity of its own.")
@click.argument("service_id", metavar="SERVICE")
@click.argument("start")
@click.argument("capacity", type=click.IntRange(0, 100_000), metavar="N")
@as_json
@with_engine
def set_capacity(engine: EngineClient, service_id: str, start: str, capacity: int, as_json: bool) -> None:  # noqa: FBT001
    """Let the slot that begins at START hold N callbacks; 0 closes it for new bookings. Nobody is moved.

    \b
    Example:
      ringback slot set-capacity billing 2027-01-15T09:00:00-05:00 2
    """
    slot = engine.put(_path(service_id, start), {"capacity": capacity})
    if as_json:
        print_json(slot)
        return
    click.echo(shown(f"{service_id} {start}: capacity {slot['capacity']}, {slot['booked']} booked"))
    if slot["booked"] > slot["capacity"]:
        complain(f"{slot['booked'] - slot['capacity']} too many; see: ringback slot list {service_id} --from {start}")


@slot_group.command("clear", short_help="Give one slot the service's capacity again.")
@click.argument("service_id", metavar="SERVICE")
@click.argument("start")
@as_json
@with_engine
def clear(engine: EngineClient, service_id: str, start: str, as_json: bool) -> None:  # noqa: FBT001
    """Give the slot that begins at START the service's capacity again.

    \b
    Example:
      ringback slot clear billing 2027-01-15T09:00:00-05:00
    """
    engine.delete(_path(service_id, start))
    if as_json:
        print_json({"service": service_id, "start": start, "own_capacity": None})
        return
    click.echo(shown(f"{service_id} {start}: the service's capacity again"))


def tell_conflicts(conflicts: Iterable[Mapping[str, object]]) -> None:
    """A line for each booking that is no longer permitted, and how to mend them."""
    told = False
    for each in conflicts:
        why = _WHY.get(str(each["why"]), str(each["why"]))
        click.echo(shown(f"conflict: {each['callback']} is booked at {each['service']} for {each['start']}: {why}"))
        told = True
    if told:
        complain("nobody was moved; move each with: ringback callback reschedule ID --when START")


def _path(service_id: str, start: str) -> str:
    return f"/services/{segment(service_id)}/slots/{segment(start)}"


def _in_zone(text: str, zone: str | None) -> str:
    """A time of the API by the service's clock, in a form that the engine takes back."""
    try:
        return datetime.fromisoformat(text).astimezone(ZoneInfo(zone or "UTC")).isoformat()
    except (ValueError, ZoneInfoNotFoundError):
        return text
