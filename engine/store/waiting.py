"""Waiting for the thread of a connection, which nothing can stop while the disk keeps it.

A statement that has begun is waited for even when the one who asked is cancelled, so that no transaction is left half
open. But a disk that does not answer must not keep the process from ending: then the wait is given up, and the thread,
a daemon, ends with the process. (A thread that the kernel cannot interrupt, as on a frozen file system, keeps even a
killed process until the disk answers; nothing here can change that.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

PATIENCE_SECONDS = 5.0
"""How long a close, or a statement whose asker was cancelled, is waited for."""

T = TypeVar("T")


async def to_its_end(
    work: Coroutine[Any, Any, T],
    name: str,
    *,
    patience_seconds: float,
    given_up: Callable[[], None],
    most_seconds: float | None = None,
) -> T:
    """Wait until the work is done, also if we are cancelled meanwhile; the cancellation goes on afterwards.

    The work is given up `patience_seconds` after a cancellation or `most_seconds` from now, whichever is first; nobody
    knows then what came of it. `given_up` is called before the work is ended. Raises TimeoutError: given up, and not
    because of a cancellation.
    """
    clock = asyncio.get_running_loop().time
    task = asyncio.create_task(work, name=name)
    cancelled: asyncio.CancelledError | None = None
    give_up_at = None if most_seconds is None else clock() + most_seconds
    while not task.done():
        if give_up_at is not None and clock() >= give_up_at:
            given_up()
            await _end(task)
            raise cancelled or TimeoutError("the disk does not answer")
        try:
            await asyncio.wait({task}, timeout=None if give_up_at is None else give_up_at - clock())
        except asyncio.CancelledError as error:
            cancelled = error
            give_up_at = min(give_up_at or float("inf"), clock() + patience_seconds)
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # looked at, or the loop would report it as lost; the cancellation says enough
    raise cancelled


async def _end(task: asyncio.Task[Any]) -> None:
    """Each wait of the task's own clean-up takes one more cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    if not task.cancelled():
        task.exception()
