"""The matching bench's rivals: a scan of the line, and two tables of SQLite. They hold the same line as the engine.

They must give the engine's answers. They know beforehand which skills meet which requirement, and do nothing but find
the customer and take them out: no agent is reserved, nothing is written down, nobody is called.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from time import process_time
from typing import ClassVar

from engine.core.terms import AgentId
from tests.bench.matching_centre import Asking, House
from tests.bench.matching_engine import Served


class Scan:
    """The line is a list, looked through from its head. `looked_at`: how many customers each agent looked at."""

    name: ClassVar[str] = "scan"

    def __init__(self, house: House, waiting: Iterable[Asking]) -> None:
        self.looked_at: list[int] = []
        self._house = house
        self._line = list(waiting)

    def join(self, customer: Asking) -> None:
        """At the end of the line."""
        self._line.append(customer)

    def serve(self, agents: Sequence[AgentId]) -> Served:
        """Each agent takes the first customer they can serve."""
        began = process_time()
        served = [self._serve(agent) for agent in agents]
        return process_time() - began, served

    def _serve(self, agent: AgentId) -> str:
        kinds = self._house.kinds[self._house.set_of[agent]]
        for place, customer in enumerate(self._line):
            if customer.kind in kinds:
                del self._line[place]
                self.looked_at.append(place + 1)
                return customer.id
        self.looked_at.append(len(self._line))
        return ""


class OrderedTable:
    """The line is a table in memory; its index has it in order and is walked until somebody can be served."""

    name: ClassVar[str] = "sql_in_order"
    _index: ClassVar[str] = "CREATE INDEX line ON waiting (priority DESC, joined_at, kind)"
    _take: ClassVar[str] = """
        DELETE FROM waiting WHERE rowid = (
            SELECT rowid FROM waiting WHERE kind IN (SELECT kind FROM serves WHERE skills = ?)
            ORDER BY priority DESC, joined_at LIMIT 1
        ) RETURNING id"""

    def __init__(self, house: House, waiting: Iterable[Asking]) -> None:
        self._house = house
        self._joined = 0.0
        self._sql = sqlite3.connect(":memory:", isolation_level=None)
        self._sql.execute("PRAGMA journal_mode = OFF")
        self._sql.execute("CREATE TABLE waiting (id TEXT, kind INTEGER, priority INTEGER, joined_at REAL)")
        self._sql.execute(
            "CREATE TABLE serves (skills INTEGER, kind INTEGER, PRIMARY KEY (skills, kind)) WITHOUT ROWID"
        )
        rows = ((skills, kind) for skills, kinds in enumerate(house.kinds) for kind in kinds)
        self._sql.executemany("INSERT INTO serves VALUES (?, ?)", rows)
        for customer in waiting:
            self.join(customer)
        self._sql.execute(self._index)
        self._sql.execute("ANALYZE")

    def join(self, customer: Asking) -> None:
        """At the end of the line."""
        self._joined += 1.0
        self._sql.execute("INSERT INTO waiting VALUES (?, ?, 0, ?)", (customer.id, customer.kind, self._joined))

    def serve(self, agents: Sequence[AgentId]) -> Served:
        """Each agent takes the first customer they can serve, in one statement."""
        skills = [self._house.set_of[agent] for agent in agents]
        execute, take = self._sql.execute, self._take
        began = process_time()
        served = [execute(take, (each,)).fetchall() for each in skills]
        seconds = process_time() - began
        return seconds, [found[0][0] if found else "" for found in served]


class TableOfHeads(OrderedTable):
    """The same table; its index has each requirement's customers in order, and the first of the heads is taken."""

    name: ClassVar[str] = "sql_heads"
    _index: ClassVar[str] = "CREATE INDEX heads ON waiting (kind, priority DESC, joined_at)"
    _take: ClassVar[str] = """
        DELETE FROM waiting WHERE rowid = (
            SELECT head.rowid FROM serves JOIN waiting AS head ON head.rowid = (
                SELECT rowid FROM waiting WHERE waiting.kind = serves.kind ORDER BY priority DESC, joined_at LIMIT 1
            ) WHERE serves.skills = ? ORDER BY head.priority DESC, head.joined_at LIMIT 1
        ) RETURNING id"""
