"""Runs alembic on one database file. It is set up in code, so an installed Ringback needs no file of settings.

Each upgrade is one transaction, also for its table definitions: a process killed in the middle leaves the file as it
was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool


def configured(connection: Connection | None = None) -> Config:
    """Alembic's settings for our migrations, on this connection."""
    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    config.attributes["connection"] = connection
    return config


@contextmanager
def transaction(path: Path) -> Iterator[Connection]:
    """A connection inside one writing transaction, committed at the end."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool, hide_parameters=True)

    # The driver would otherwise begin a transaction only at the first INSERT, after the tables are made.
    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade_file(path: Path) -> None:
    """Run every migration the file lacks. Raises sqlite3.Error."""
    try:
        with transaction(path) as connection:
            command.upgrade(configured(connection), "head")
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise error.orig from None
        raise
