"""Lets a disk fail in one way after another under a stream of requests, and notes when the intake closed and opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.failing_disk import Fault
from tests.bench.stream import RequestStream

BITE_LIMIT_SECONDS = 40.0
"""How long a fault may go unnoticed: a full disk is one only when a file must grow."""
WAITS_SECONDS = 1.5
"""A request that is unanswered for so long has met the fault."""
OPEN_LIMIT_SECONDS = 60.0
BETWEEN_SECONDS = 1.5
"""The intake runs so long before the next fault."""


@dataclass(frozen=True, slots=True)
class Suffered:
    """One fault. Times are epoch seconds.

    `closed_at`: a request met it. `open_at`: a request that was sent after its end was accepted.
    `until`: the stretch of time that belongs to this fault ends here.
    """

    name: str
    began_at: float
    closed_at: float | None
    ended_at: float
    open_at: float | None
    until: float

    @property
    def lasted_seconds(self) -> float:
        return self.ended_at - self.began_at

    @property
    def closed_beyond_seconds(self) -> float | None:
        """How long after the fault's end the first request was accepted; None: none was."""
        return None if self.open_at is None else self.open_at - self.ended_at


def suffer(
    stream: RequestStream,
    fault: Fault,
    hold_seconds: float,
    is_alive: Callable[[], bool],
    *,
    for_seconds: float | None = None,
) -> Suffered:
    """One fault, from a running intake to a running intake; it ends `hold_seconds` after the first request met it.

    `for_seconds`: it lasts so long instead, whether it was noticed or not. It is over early if the server is not
    `is_alive`.
    """
    began_at = time.time()
    fault.begin()
    closed_at = None
    try:
        if for_seconds is None:
            closed_at = _until(lambda: _met(stream, began_at), BITE_LIMIT_SECONDS, is_alive)
            for_seconds = time.time() - began_at + (hold_seconds if closed_at else 0.0)
        _until(lambda: time.time() > began_at + for_seconds, for_seconds + 1, is_alive)
    finally:
        fault.end()
    ended_at = time.time()
    if _until(lambda: _accepted(stream, ended_at), OPEN_LIMIT_SECONDS, is_alive):
        _until(lambda: time.time() > ended_at + BETWEEN_SECONDS, BETWEEN_SECONDS + 1, is_alive)
    open_at = min(_accepted(stream, ended_at), default=None)
    return Suffered(fault.name, began_at, closed_at, ended_at, open_at, until=time.time())


def suffer_all(
    stream: RequestStream,
    faults: Sequence[Fault],
    hold_seconds: float,
    is_alive: Callable[[], bool],
    progress: Callable[[str], None],
) -> list[Suffered]:
    """All of them in turn; stops when the server has died of one."""
    suffered: list[Suffered] = []
    for fault in faults:
        if is_alive():
            progress(f"the disk is {fault.name}" if fault.name != "writes refused" else "writes are refused")
            suffered.append(suffer(stream, fault, hold_seconds, is_alive))
    return suffered


def _met(stream: RequestStream, began_at: float) -> bool:
    now = time.time()
    return any(
        each.refused or (each.status is None and each.sent_at < now - WAITS_SECONDS) for each in stream.since(began_at)
    )


def _accepted(stream: RequestStream, ended_at: float) -> list[float]:
    """When requests that were sent after the fault were accepted."""
    return [each.answered_at for each in stream.since(ended_at) if each.accepted and each.answered_at is not None]


def _until(holds: Callable[[], object], limit_seconds: float, is_alive: Callable[[], bool]) -> float | None:
    """When it held (epoch seconds); None if it did not in time or the server died first."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline and is_alive():
        if holds():
            return time.time()
        time.sleep(0.02)
    return None
