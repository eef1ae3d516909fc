"""`ringback key`: create, list and revoke access keys.

A key's secret is shown once, on standard output alone or in a new file that only its owner may read. `--local` writes
into the store itself, while no engine runs on it: so the first administrator gets in.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import click

from cli.client import EngineClient, segment, with_engine
from cli.printing import as_json, moment, print_json, print_table, shown
from engine.errors import DocumentError
from engine.store.records import KeyKind, KeyRole


@click.group("key", short_help="Create, list and revoke access keys.")
def key_group() -> None:
    """Create, list and revoke access keys."""


@key_group.command("create", short_help="Make a key and show it once.")
@click.option(
    "--role", type=click.Choice([each.value for each in KeyRole]), required=True, help="What its holder may do."
)
@click.option("--name", help="Whose key it is, for the list.")
@click.option(
    "--kind", type=click.Choice([each.value for each in KeyKind]), help="Where it is kept; web and mobile: public."
)
@click.option("--origin", "origins", multiple=True, metavar="https://HOST", help="For kind web; repeatable.")
@click.option("--subject", metavar="ID", help="For role agent: the agent who holds it.")
@click.option(
    "--to", "to_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there."
)
@click.option("--local", is_flag=True, help="Write into the store itself while no engine runs on it.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), help="With --local: settings."
)
@as_json
@with_engine
def create(
    engine: EngineClient,
    role: str,
    name: str | None,
    kind: str | None,
    origins: tuple[str, ...],
    subject: str | None,
    to_file: Path | None,
    local: bool,  # noqa: FBT001 - click passes options by name
    config_file: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make a key and print its secret, which is never shown again.

    \b
    Examples:
      ringback key create --role admin --local --to admin.key
      ringback key create --role public --kind web --origin https://www.example.com --name "web shop"
      ringback key create --role agent --subject amy --to amy.key
    """
    if config_file is not None and not local:
        raise click.BadOptionUsage("--config", "--config goes with --local; a running engine has its own settings")
    if to_file is not None and to_file.exists():
        raise click.BadOptionUsage("--to", f"{to_file} exists already; name a new file")
    wanted = {"role": role, "name": name or role, "kind": kind, "origins": list(origins) or None, "subject": subject}
    body: dict[str, object] = {field: value for field, value in wanted.items() if value is not None}
    made = _create_in_store(body, config_file) if local else engine.post("/keys", body)
    if to_file is not None:
        _write_private(to_file, made.pop("key"))
    if as_json:
        print_json(made)
        return
    if to_file is None:
        click.echo(made["key"])
        click.echo(
            shown(f"{made['id']}, role {made['role']}: the line above is shown only now; keep it safe"), err=True
        )
    else:
        click.echo(shown(f"{made['id']}, role {made['role']}: written to {to_file}; use it with --key-file"), err=True)


@key_group.command("list", short_help="List keys, revoked ones too.")
@as_json
@with_engine
def list_(engine: EngineClient, as_json: bool) -> None:  # noqa: FBT001
    """List keys, revoked ones too; secrets are not kept and not shown.

    \b
    Example:
      ringback key list
    """
    found = list(engine.items("/keys"))
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "NAME", "ROLE", "KIND", "ORIGINS", "AGENT", "CREATED", "REVOKED"),
        (
            (
                each["id"],
                each["name"],
                each["role"],
                each.get("kind"),
                each.get("origins"),
                each.get("subject"),
                moment(each.get("created_at")),
                moment(each.get("revoked_at")),
            )
            for each in found
        ),
        empty="no keys",
    )


@key_group.command("revoke", short_help="Make a key useless at once.")
@click.argument("key_id", metavar="ID")
@as_json
@with_engine
def revoke(engine: EngineClient, key_id: str, as_json: bool) -> None:  # noqa: FBT001
    """Make a key useless at once. ID is its id from `ringback key list`, never the secret.

    \b
    Example:
      ringback key revoke keyb2c4...
    """
    if key_id.startswith("rbk_"):
        raise click.UsageError("name the key by its id, not by its secret; see: ringback key list")
    engine.delete(f"/keys/{segment(key_id)}")
    if as_json:
        print_json(next(each for each in engine.items("/keys") if each["id"] == key_id))
        return
    click.echo(shown(f"{key_id}: revoked"))


def _create_in_store(body: dict[str, object], config_file: Path | None) -> dict[str, Any]:
    # The store's libraries are loaded only here: they take longer than all the rest of a command.
    from pydantic import ValidationError

    from engine.api.bodies import moment as as_moment
    from engine.api.credentials import new_key
    from engine.api.keys import KeyMade, KeyWanted
    from engine.config import load
    from engine.fields import problems
    from engine.store.journal import Journal
    from engine.store.records import KeyKept

    settings = load(config_file)
    try:
        wanted = KeyWanted.model_validate(body)
    except ValidationError as error:
        raise DocumentError(problems(KeyWanted, error)) from None
    secret, key = new_key(
        wanted.name,
        wanted.role,
        now=time.time(),
        kind=wanted.effective_kind,
        origins=wanted.origins,
        subject=wanted.subject,
    )

    async def write() -> None:
        async with await Journal.open(settings.store.url) as journal:
            await journal.commit([KeyKept(key)])

    asyncio.run(write())
    made = KeyMade(
        id=key.id,
        name=key.name,
        role=key.role,
        kind=key.kind,
        origins=key.origins,
        subject=key.subject,
        created_at=as_moment(key.created_at),
        revoked_at=None,
        key=secret,
    )
    return made.model_dump(mode="json")


def _write_private(path: Path, secret: str) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(secret + "\n")
    except OSError as error:
        # The key exists already: its secret must not be lost.
        click.echo(secret)
        raise click.ClickException(f"cannot write {path}: {error.strerror}; the key is on standard output") from None
