"""`ringback callback`: request, look at, watch and cancel callbacks of a running engine."""

from __future__ import annotations

import re
import secrets
from typing import Any

import click

from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, moment, print_facts, print_json, print_table, show, shown, table
from cli.watch import OPEN_STATES, watch_all, watch_one
from engine.core.model import CallbackState

STATES = [state.value for state in CallbackState]
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_ATTEMPT_COLUMNS = ("N", "OUTCOME", "AGENT", "DIALED", "ANSWERED", "CONFIRMED", "CONNECTED", "ENDED", "TALK", "SIP")


@click.group("callback", short_help="Request, list, watch and cancel callbacks.")
def callback_group() -> None:
    """Request, list, watch and cancel callbacks."""


@callback_group.command("request", short_help="Ask for a callback.")
@click.option("--service", metavar="ID", help="Who calls back; needed unless the subject belongs to one service only.")
@click.option("--phone", required=True, metavar="+NUMBER", help="The customer's number with country code.")
@click.option("--subject", metavar="ID", help="What it is about: one of the service's subjects.")
@click.option("--first-name")
@click.option("--last-name")
@click.option("--customer-id", help="How your own systems name the customer.")
@click.option("--language", metavar="CODE", help="The announcement's language, such as en; else the service's first.")
@click.option("--context", "-c", multiple=True, metavar="NAME=VALUE", help="Anything the agent should see; repeatable.")
@click.option("--when", default="now", show_default=True, help='"now" or the start of a slot (ISO 8601 with offset).')
@click.option("--idempotency-key", metavar="TEXT", help="Asked twice with the same text, the engine calls back once.")
@as_json
@with_engine
def request(
    engine: EngineClient,
    /,
    context: tuple[str, ...],
    idempotency_key: str | None,
    as_json: bool,  # noqa: FBT001 - click passes options by name
    **asked: str | None,
) -> None:
    """Ask for a callback and print its id.

    \b
    Examples:
      ringback callback request --service billing --phone +12025550100
      ringback callback request --service billing --phone +12025550100 --first-name Ada -c invoice=4711 --json
    """
    if idempotency_key is not None and not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise click.BadOptionUsage("--idempotency-key", "--idempotency-key takes 1 to 200 visible ASCII characters")
    body: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    body["channel"] = "api"
    if context:
        body["context"] = dict(_named_value(each) for each in context)
    made = engine.post("/callbacks", body, idempotency_key or secrets.token_urlsafe(16))
    if as_json:
        print_json(made)
        return
    waits = f", place {made['position']} in the line" if made.get("position") else ""
    click.echo(f"{made['id']}: {made['state']}{waits}")
    click.echo(f"follow it with: ringback callback watch {made['id']}", err=True)


@callback_group.command("list", short_help="List callbacks, newest first.")
@click.option("--state", multiple=True, metavar="STATE", help=f"Repeatable: {', '.join(STATES)}; or open.")
@click.option("--service", metavar="ID")
@click.option("--phone", metavar="+NUMBER")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
@with_engine
def list_(
    engine: EngineClient,
    state: tuple[str, ...],
    service: str | None,
    phone: str | None,
    limit: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """List callbacks, newest first.

    \b
    Examples:
      ringback callback list --state open --service billing
      ringback callback list --phone +12025550100 --json
    """
    query = {"state": _states(state), "service": service, "phone": phone}
    found = list(engine.items("/callbacks", query, limit))
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "SERVICE", "PHONE", "STATE", "REASON", "PLACE", "ATTEMPTS", "NEXT", "CREATED"),
        (
            (
                each["id"],
                each["service"],
                each["phone"],
                each["state"],
                each["reason"],
                each["position"],
                len(each["attempts"]),
                moment(each["next_attempt_at"]),
                moment(each["created_at"]),
            )
            for each in found
        ),
        empty="no callbacks",
    )


@callback_group.command("show", short_help="Show one callback with its attempts.")
@click.argument("callback_id", metavar="ID")
@as_json
@with_engine
def show_(engine: EngineClient, callback_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Show one callback with its attempts.

    \b
    Example:
      ringback callback show cb5x2m...
    """
    found = engine.get(f"/callbacks/{segment(callback_id)}")
    if as_json:
        print_json(found)
        return
    times = ("scheduled_for", "next_attempt_at", "created_at", "ended_at")
    print_facts(
        (name, moment(value) if name in times and value else value)
        for name, value in found.items()
        if name != "attempts"
    )
    if found.get("attempts"):
        click.echo()
        show(table(_ATTEMPT_COLUMNS, (_attempt(each) for each in found["attempts"])))


@callback_group.command("cancel", short_help="Cancel a callback.")
@click.argument("callback_id", metavar="ID")
@as_json
@with_engine
def cancel(engine: EngineClient, callback_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Cancel a callback that is not being called at this moment.

    \b
    Example:
      ringback callback cancel cb5x2m...
    """
    ended = engine.delete(f"/callbacks/{segment(callback_id)}")
    if as_json:
        print_json(ended)
        return
    click.echo(shown(f"{callback_id}: cancelled"))


@callback_group.command("watch", short_help="Follow one callback, or all that are open.")
@click.argument("callback_id", metavar="[ID]", required=False)
@as_json
@with_engine
def watch(engine: EngineClient, callback_id: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Follow one callback until it ends, or all open ones until Ctrl-C.

    On a terminal a table is kept up to date; otherwise, and with --json, each change is a line of its own.

    \b
    Examples:
      ringback callback watch cb5x2m...
      ringback callback watch
    """
    if callback_id is None:
        watch_all(engine, lines_of_json=as_json)
    else:
        watch_one(engine, callback_id, lines_of_json=as_json)


def _named_value(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise click.BadParameter(f"{text!r} must look like NAME=VALUE", param_hint="'--context'")
    return name.strip(), value


def _states(wanted: tuple[str, ...]) -> str | None:
    named: list[str] = []
    for each in (part for text in wanted for part in text.split(",")):
        if each == "open":
            named += OPEN_STATES
        elif each in STATES:
            named.append(each)
        else:
            raise click.BadParameter(f"{each!r} is none of {', '.join(STATES)} or open", param_hint="'--state'")
    return ",".join(named) or None


def _attempt(each: dict[str, Any]) -> tuple[object, ...]:
    talked = each.get("talk_seconds")
    times = (moment(each.get(f"{name}_at")) for name in ("dialed", "answered", "confirmed", "bridged", "ended"))
    talk = None if talked is None else f"{talked:.0f} s"
    return (each["n"], each["outcome"] or "live", each["agent"], *times, talk, each.get("sip_code"))
