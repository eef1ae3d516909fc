"""`ringback interaction`: work from outside, such as chats, that agents are given beside calls by a running engine."""

from __future__ import annotations

import click

from cli.asking import context_of, context_option, idempotency_key_option, key_of
from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, moment, print_json, print_table, shown
from engine.core.terms import InteractionState

STATES = [state.value for state in InteractionState]


@click.group("interaction", short_help="Announce, list and end other work than calls.")
def interaction_group() -> None:
    """Announce, list and end other work than calls: chats, e-mails, tasks of outside systems."""


@interaction_group.command("add", short_help="Announce work for an agent.")
@click.option("--media", required=True, metavar="NAME", help="What it is, such as chat or email.")
@click.option("--service", required=True, metavar="ID", help="Whose work it is; its skill expression counts.")
@click.option("--priority", type=click.IntRange(-1000, 1000), help="Higher goes first; else the service's.")
@context_option
@idempotency_key_option
@as_json
@with_engine
def add(
    engine: EngineClient,
    media: str,
    service: str,
    priority: int | None,
    context: tuple[str, ...],
    idempotency_key: str | None,
    as_json: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """Announce work for an agent and print its id.

    \b
    Example:
      ringback interaction add --media chat --service billing -c chat=4711
    """
    body: dict[str, object] = {"media": media, "service": service}
    if priority is not None:
        body["priority"] = priority
    if context:
        body["context"] = context_of(context)
    made = engine.post("/interactions", body, key_of(idempotency_key))
    if as_json:
        print_json(made)
        return
    place = f", place {made['position']} in the line" if made["position"] else ""
    click.echo(shown(f"{made['id']}: {made['state']}{place}"))


@interaction_group.command("list", short_help="List work from outside, newest first.")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Repeatable.")
@click.option("--service", metavar="ID")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
@with_engine
def list_(
    engine: EngineClient,
    state: tuple[str, ...],
    service: str | None,
    limit: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """List work from outside, newest first, also what has ended.

    \b
    Example:
      ringback interaction list --state queued --state offered
    """
    found = list(engine.items("/interactions", {"state": ",".join(state) or None, "service": service}, limit))
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "MEDIA", "SERVICE", "STATE", "PLACE", "AGENT", "CREATED", "ACCEPTED", "ENDED", "CONTEXT"),
        (
            (
                each["id"],
                each["media"],
                each["service"],
                each["state"],
                each["position"],
                each["agent"],
                moment(each["created_at"]),
                moment(each["accepted_at"]),
                moment(each["ended_at"]),
                each["context"],
            )
            for each in found
        ),
        empty="no work from outside",
    )


@interaction_group.command("complete", short_help="Say that work is done.")
@click.argument("interaction_id", metavar="ID")
@as_json
@with_engine
def complete(engine: EngineClient, interaction_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Say that work is done; an agent who has it is free of it.

    \b
    Example:
      ringback interaction complete in5x2m...
    """
    ended = engine.post(f"/interactions/{segment(interaction_id)}/complete", {})
    if as_json:
        print_json(ended)
        return
    click.echo(shown(f"{interaction_id}: completed"))


@interaction_group.command("cancel", short_help="Say that work is not wanted any more.")
@click.argument("interaction_id", metavar="ID")
@as_json
@with_engine
def cancel(engine: EngineClient, interaction_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Say that work is not wanted any more; an agent who has it is free of it.

    \b
    Example:
      ringback interaction cancel in5x2m...
    """
    ended = engine.delete(f"/interactions/{segment(interaction_id)}")
    if as_json:
        print_json(ended)
        return
    click.echo(shown(f"{interaction_id}: cancelled"))
