"""What an engine, or a rival, wrote in its database, read beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from tests.live.calls.centre import rows
from tests.live.crash.evidence import AttemptSeen, CallbackSeen, InboundSeen, InteractionSeen


@dataclass(frozen=True, slots=True)
class Rows:
    """What is written in the database."""

    callbacks: Sequence[CallbackSeen]
    attempts: Sequence[AttemptSeen]
    interactions: Sequence[InteractionSeen]
    inbound: Sequence[InboundSeen]
    suppressed: Set[str]
    classified: Set[str]


def read_database(path: Path) -> Rows:
    """All of it; of attempts those in which the customer was dialled. A rival has fewer tables and columns."""
    attempts = rows(
        path,
        "select id, callback, dialed_at, answered_at, confirmed_at, ended_at, outcome from attempts"
        " where dialed_at not null",
    )
    return Rows(
        [_callback(row) for row in rows(path, "select ltrim(phone, '+') as number, * from callbacks")],
        [AttemptSeen(*row) for row in attempts],
        [
            InteractionSeen(**_known(InteractionSeen, row))
            for row in _rows_if_any(path, "interactions", "select context ->> 'mark' as mark, * from interactions")
        ],
        [
            InboundSeen(**_known(InboundSeen, row))
            for row in _rows_if_any(path, "inbound_calls", "select ltrim(phone, '+') as number, * from inbound_calls")
        ],
        {str(phone) for (phone,) in _rows_if_any(path, "suppressions", "select ltrim(phone, '+') from suppressions")},
        {
            str(callback)
            for (callback,) in _rows_if_any(path, "classifications", "select callback from classifications")
        },
    )


def waiting(path: Path) -> Mapping[str, int]:
    """How many callbacks wait for an agent, by service."""
    counted = rows(path, "select service, count(*) from callbacks where state = 'queued' group by service")
    return {str(service): int(count) for service, count in counted}


def still_open(path: Path) -> int:
    """How many callbacks, how much work from outside and how many calls that came in have not ended."""
    count = "select count(*) from {} where ended_at is null"
    others = [_rows_if_any(path, table, count.format(table)) for table in ("interactions", "inbound_calls")]
    found = [*rows(path, count.format("callbacks")), *chain(*others)]
    return sum(int(each) for (each,) in found)


def _callback(row: sqlite3.Row) -> CallbackSeen:
    return CallbackSeen(**_known(CallbackSeen, row))


def _known(kind: type, row: sqlite3.Row) -> dict[str, Any]:
    """The columns that the value has a field for."""
    columns = set(row.keys())
    return {each.name: row[each.name] for each in fields(kind) if each.name in columns}


def _rows_if_any(path: Path, table: str, query: str) -> list[sqlite3.Row]:
    known = rows(path, "select 1 from sqlite_master where type = 'table' and name = ?", table)
    return rows(path, query) if known else []
