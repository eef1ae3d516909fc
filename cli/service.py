"""`ringback service`: look at the services of a running engine, pause and resume them."""

from __future__ import annotations

from typing import Any

import click

from cli.client import EngineClient, RequestRefusedError, segment, with_engine
from cli.printing import as_json, print_facts, print_json, print_table, shown
from engine.errors import RingbackError


@click.group("service", short_help="Look at services, pause and resume them.")
def service_group() -> None:
    """Look at services, pause and resume them. Else they are changed with `ringback config apply`."""


@service_group.command("list", short_help="List services.")
@as_json
@with_engine
def list_(engine: EngineClient, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """List services with their languages and subjects, and which of them are paused.

    \b
    Example:
      ringback service list
    """
    found = list(engine.items("/services"))
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "NAME", "PAUSED", "LANGUAGES", "SUBJECTS"),
        (
            (
                each["id"],
                each["name"],
                each.get("paused"),
                each["languages"],
                [subject["id"] for subject in each["subjects"]],
            )
            for each in found
        ),
        empty="no services; they come with: ringback config apply FILE",
    )


@service_group.command("show", short_help="Show one service.")
@click.argument("service_id", metavar="ID")
@as_json
@with_engine
def show_(engine: EngineClient, service_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Show one service: to an administrator's key as it was applied, to others as customers see it.

    \b
    Example:
      ringback service show billing
    """
    found = next((each for each in _services(engine) if each["id"] == service_id), None)
    if found is None:
        raise RingbackError(f"there is no service {service_id!r}; see: ringback service list")
    if as_json:
        print_json(found)
        return
    print_facts(found.items())


@service_group.command("pause", short_help="Call nobody for a service until it is resumed.")
@click.argument("service_id", metavar="ID")
@as_json
@with_engine
def pause(engine: EngineClient, service_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Call nobody for a service until it is resumed. Requests are taken, and who is on the phone is served.

    \b
    Example:
      ringback service pause billing
    """
    _set_paused(engine, service_id, "paused", as_json=as_json)


@service_group.command("resume", short_help="Call for a service again.")
@click.argument("service_id", metavar="ID")
@as_json
@with_engine
def resume(engine: EngineClient, service_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Call for a service again that was paused.

    \b
    Example:
      ringback service resume billing
    """
    _set_paused(engine, service_id, "resumed", as_json=as_json)


def _set_paused(engine: EngineClient, service_id: str, done: str, *, as_json: bool) -> None:
    answer = engine.put(f"/services/{segment(service_id)}/paused", {"paused": done == "paused"})
    if as_json:
        print_json(answer)
        return
    click.echo(shown(f"{service_id}: {done}"))


def _services(engine: EngineClient) -> list[Any]:
    try:
        applied: list[Any] = engine.get("/config")["document"].get("services", [])
    except RequestRefusedError as error:
        if error.code != "forbidden":
            raise
        return list(engine.items("/services"))
    return applied
