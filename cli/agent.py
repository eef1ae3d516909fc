"""`ringback agent`: look at agents, set their state and their passwords, on a running engine.

A password is asked for, or read from a file; it never stands in an argument, which everybody on the machine can see.
"""

from __future__ import annotations

from typing import Any

import click

from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, plain, print_facts, print_json, print_table, show, shown, table
from engine.core.terms import Presence
from engine.errors import RingbackError

_MOST_CHARACTERS = 4096
_WORK_COLUMNS = ("ID", "KIND", "MEDIA", "SERVICE", "STAGE", "CALLBACK")


@click.group("agent", short_help="Look at agents, set states and passwords.")
def agent_group() -> None:
    """Look at agents, set their state and their password."""


@agent_group.command("list", short_help="List agents with their state.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=500, show_default=True, help="At most so many.")
@as_json
@with_engine
def list_(engine: EngineClient, limit: int, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """List agents with their state, their skills, and the callback or the call that came in that they work on.

    \b
    Example:
      ringback agent list
    """
    found = list(engine.items("/agents", most=limit))
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "NAME", "STATE", "REASON", "CALL", "ENDPOINT", "PHONE", "SKILLS"),
        (
            (
                each["id"],
                each["name"],
                each["state"],
                each["reason"],
                _call_of(each["work"]),
                each["endpoint"],
                each["phone"],
                each["skills"],
            )
            for each in found
        ),
        empty="no agents; they come with: ringback config apply FILE",
    )


@agent_group.command("show", short_help="Show one agent.")
@click.argument("agent_id", metavar="ID")
@as_json
@with_engine
def show_(engine: EngineClient, agent_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Show one agent, with all that they hold.

    \b
    Example:
      ringback agent show amy
    """
    found = next((each for each in engine.items("/agents") if each["id"] == agent_id), None)
    if found is None:
        raise RingbackError(f"there is no agent {agent_id!r}; see: ringback agent list")
    if as_json:
        print_json(found)
        return
    print_facts((name, value) for name, value in found.items() if name not in ("work", "works"))
    if found["works"]:
        click.echo()
        show(table(_WORK_COLUMNS, ([work[name.lower()] for name in _WORK_COLUMNS] for work in found["works"])))


@agent_group.command("state", short_help="Set an agent's state.")
@click.argument("agent_id", metavar="ID")
@click.argument("state", type=click.Choice([each.value for each in Presence]))
@click.option("--reason", help="Why not ready: admin_work, lunch, meeting, pause, training or one of your own.")
@as_json
@with_engine
def state(engine: EngineClient, agent_id: str, state: str, reason: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Set an agent's state. A conversation that is going on is not touched.

    \b
    Examples:
      ringback agent state amy ready
      ringback agent state amy not_ready --reason lunch
    """
    if reason is not None and state != "not_ready":
        raise click.BadOptionUsage("--reason", "--reason goes with not_ready only")
    body = {"state": state} if reason is None else {"state": state, "reason": reason}
    answer = engine.put(f"/agents/{segment(agent_id)}/state", body)
    if as_json:
        print_json(answer)
        return
    why = f" ({answer['reason']})" if answer["reason"] else ""
    busy = f", {answer['state']} until the work in hand is done" if answer["state"] != answer["presence"] else ""
    click.echo(shown(f"{agent_id}: {answer['presence']}{why}{busy}"))


@agent_group.command("set-password", short_help="Set the password an agent logs in with.")
@click.argument("agent_id", metavar="ID")
@click.option(
    "--password-file",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Read it from this file, - for standard input, instead of asking. The line's end does not count.",
)
@as_json
@with_engine
def set_password(engine: EngineClient, agent_id: str, password_file: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Set the password with which an agent logs in, and end all their sessions.

    It is asked for twice and not shown. An agent logs in by the `username` of the services document.

    \b
    Examples:
      ringback agent set-password amy
      ringback agent set-password amy --password-file amy.password
    """
    path = f"/agents/{segment(agent_id)}/password"
    password = _asked_for(agent_id) if password_file is None else _read(password_file)
    engine.put(path, {"password": password})
    if as_json:
        print_json({"id": agent_id, "password": "set"})
        return
    click.echo(shown(f"{agent_id}: password set; sessions begun before have ended"))


def _call_of(work: dict[str, Any] | None) -> object:
    """The callback; of a call that came in the call itself."""
    return work and (work["callback"] or work["id"])


def _asked_for(agent_id: str) -> str:
    asked: str = click.prompt(f"Password of {plain(agent_id)}", hide_input=True, confirmation_prompt=True, err=True)
    return asked


def _read(path: str) -> str:
    name = "standard input" if path == "-" else path
    try:
        with click.open_file(path, encoding="utf-8") as file:
            password: str = file.read(_MOST_CHARACTERS).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise click.BadOptionUsage("--password-file", f"cannot read {name}: {reason}") from None
    if not password or not password.isprintable():
        raise click.BadOptionUsage("--password-file", f"{name} must hold one line, the password")
    return password
