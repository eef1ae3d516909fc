"""`ringback db`: the database, beside a running engine (`check`, `backup`) or while none runs (`upgrade`)."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from engine.config import load
from engine.errors import RingbackError
from engine.store import schema, upkeep
from engine.store.database import path_of
from engine.store.lock import StoreLock

_config = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; without it ringback.toml here, if there is one.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group("db", short_help="Check, copy and upgrade the database.")
def db_group() -> None:
    """Check, copy and upgrade the database that [store] url names."""


@db_group.command(short_help="Bring the database up to this version.")
@_config
@_as_json
def upgrade(config_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Make the database, or bring an older one up to this version. The engine must not run.

    \b
    Example:
      ringback db backup before.db && ringback db upgrade
    """
    try:
        path = path_of(load(config_file).store.url)
        lock = StoreLock.take(path)
        try:
            changed = schema.age_of(path) is not schema.SchemaAge.CURRENT
            schema.upgrade(path)
        finally:
            lock.release()
    except RingbackError as error:
        raise click.ClickException(str(error)) from None
    head = schema.REVISIONS[-1]
    said = f"{path}: {'now' if changed else 'already'} at schema {head}"
    _print(said, {"path": str(path), "schema": head, "changed": changed}, as_json=as_json)


@db_group.command(short_help="Read the whole database and tell what is wrong.")
@_config
@_as_json
def check(config_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Read the whole database and tell what is wrong with it. The engine may run.

    Exit code 1 if anything is wrong.
    """
    try:
        path = path_of(load(config_file).store.url)
        problems = upkeep.check(path)
    except RingbackError as error:
        raise click.ClickException(str(error)) from None
    said = "\n".join(f"{path}: {problem}" for problem in problems) or f"{path}: sound"
    _print(said, {"path": str(path), "problems": problems}, as_json=as_json)
    if problems:
        sys.exit(1)


@db_group.command(short_help="Copy the database to a new file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_config
@_as_json
def backup(file: Path, config_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Copy the database as it is at one moment to FILE, which must not exist. The engine may run.

    To restore: stop the engine, remove the database with its -wal and -shm files, copy FILE in its place.
    """
    try:
        path = path_of(load(config_file).store.url)
        size = upkeep.backup(path, file.absolute())
    except RingbackError as error:
        raise click.ClickException(str(error)) from None
    _print(f"{file}: {size} bytes", {"path": str(file), "bytes": size}, as_json=as_json)


def _print(said: str, facts: Mapping[str, object], *, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else said)
