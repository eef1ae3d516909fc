"""`ringback callback`: request, look at, watch, move and cancel callbacks of a running engine."""

from __future__ import annotations

from typing import Any

import click

from cli.asking import context_of, context_option, idempotency_key_option, key_of
from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, moment, print_facts, print_json, print_table, show, shown, table, wait_text
from cli.watch import OPEN_STATES, watch_all, watch_one
from engine.core.terms import CallbackState

STATES = [state.value for state in CallbackState]
_MOMENTS = ("DIALED", "ANSWERED", "CONFIRMED", "CONNECTED", "ENDED")
_ATTEMPT_COLUMNS = ("N", "OUTCOME", "AGENT", *_MOMENTS, "TALK", "SIP", "WHO ANSWERED")

_when = click.option(
    "--when",
    default="now",
    show_default=True,
    metavar="now|START",
    help='"now" or the start of a slot (ISO 8601 with offset).',
)


@click.group("callback", short_help="Request, list, watch, move and cancel callbacks.")
def callback_group() -> None:
    """Request, list, watch, move and cancel callbacks."""


@callback_group.command("request", short_help="Ask for a callback.")
@click.option("--service", metavar="ID", help="Who calls back; needed unless the page or the subject decides it.")
@click.option("--phone", required=True, metavar="+NUMBER", help="The customer's number with country code.")
@click.option("--subject", metavar="ID", help="What it is about: one of the service's subjects.")
@click.option("--first-name")
@click.option("--last-name")
@click.option("--customer-id", help="How your own systems name the customer.")
@click.option("--language", metavar="CODE", help="The announcement's language, such as en; else the service's first.")
@click.option("--page-url", metavar="URL", help="Where the customer was; it may decide service and subject.")
@click.option("--timezone", metavar="ZONE", help="Where the customer is, such as America/New_York; else by the number.")
@click.option("--skill-expression", metavar="TEXT", help="What the agent needs besides, such as spanish >= 2.")
@context_option
@_when
@idempotency_key_option
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
      ringback callback request --service billing --phone +12025550100 --when 2027-01-15T09:00:00-05:00
    """
    body: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    body["channel"] = "api"
    if context:
        body["context"] = context_of(context)
    _tell_made(engine.post("/callbacks", body, key_of(idempotency_key)), as_json=as_json)


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
        ("ID", "SERVICE", "PHONE", "STATE", "REASON", "PLACE", "WAIT", "SCHEDULED", "ATTEMPTS", "NEXT", "CREATED"),
        (
            (
                each["id"],
                each["service"],
                each["phone"],
                each["state"],
                each["reason"],
                each["position"],
                wait_text(each["wait"]),
                moment(each["scheduled_for"]),
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
    times = ("when", "scheduled_for", "next_attempt_at", "created_at", "ended_at")
    print_facts(
        (name, wait_text(value) if name == "wait" else moment(value) if name in times and value else value)
        for name, value in found.items()
        if name != "attempts"
    )
    if found.get("attempts"):
        click.echo()
        show(table(_ATTEMPT_COLUMNS, (_attempt(each) for each in found["attempts"])))


@callback_group.command("explain", short_help="Say why a callback went as it did, or why it waits.")
@click.argument("callback_id", metavar="ID")
@as_json
@with_engine
def explain(engine: EngineClient, callback_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Say why this agent, why now and why not earlier, step by step, in the time of the service's zone.

    The last lines say what an open callback waits for at this moment.

    \b
    Example:
      ringback callback explain cb5x2m...
    """
    found = engine.get(f"/callbacks/{segment(callback_id)}/explain")
    if as_json:
        print_json(found)
        return
    click.echo(shown(f"{found['id']}: {found['state']} (times in {found['timezone']})"))
    for step in found["steps"]:
        click.echo(f"{shown(step['local'])}  {shown(step['says'])}")


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


@callback_group.command("reschedule", short_help="Move a callback to another time or number.")
@click.argument("callback_id", metavar="ID")
@click.option("--when", metavar="now|START", help='"now" or the start of a slot (ISO 8601 with offset).')
@click.option("--phone", metavar="+NUMBER", help="Another number of the customer.")
@as_json
@with_engine
def reschedule(
    engine: EngineClient,
    callback_id: str,
    when: str | None,
    phone: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Move a callback that is not being called at this moment to another time, another number, or both.

    \b
    Examples:
      ringback callback reschedule cb5x2m... --when 2027-01-15T09:00:00-05:00
      ringback callback reschedule cb5x2m... --when now --phone +12025550100
    """
    wanted = {name: value for name, value in (("when", when), ("phone", phone)) if value is not None}
    if not wanted:
        raise click.UsageError("name --when, --phone or both")
    moved = engine.patch(f"/callbacks/{segment(callback_id)}", wanted)
    if as_json:
        print_json(moved)
        return
    click.echo(shown(_standing(moved)))


@callback_group.command("requeue", short_help="Call a customer again whose callback has ended.")
@click.argument("callback_id", metavar="ID")
@_when
@idempotency_key_option
@as_json
@with_engine
def requeue(
    engine: EngineClient,
    callback_id: str,
    when: str,
    idempotency_key: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make a new callback with the request of one that has ended, and print its id.

    \b
    Examples:
      ringback callback requeue cb5x2m...
      ringback callback requeue cb5x2m... --when 2027-01-15T09:00:00-05:00
    """
    made = engine.post(f"/callbacks/{segment(callback_id)}/requeue", {"when": when}, key_of(idempotency_key))
    _tell_made(made, as_json=as_json)


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


def _tell_made(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    click.echo(shown(_standing(made)))
    click.echo(f"follow it with: ringback callback watch {made['id']}", err=True)


def _standing(callback: dict[str, Any]) -> str:
    """Where an open callback stands, in a line."""
    place = f", place {callback['position']} in the line" if callback.get("position") else ""
    if wait := wait_text(callback.get("wait")):
        place += f", called in {wait}"
    waits = f" for {moment(callback['scheduled_for'])}" if callback["state"] == "scheduled" else place
    return f"{callback['id']}: {callback['state']}{waits}"


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
    who = f"{each['verdict']}, {each['verdict_reason']}".replace("_", " ") if each.get("verdict") else None
    return (each["n"], each["outcome"] or "live", each["agent"], *times, talk, each.get("sip_code"), who)
