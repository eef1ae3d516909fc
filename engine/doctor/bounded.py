"""Runs a check so that it ends in time whatever it waits for, and never brings the others down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

from engine.doctor.finding import Finding, bad, failed
from engine.errors import RingbackError

LIMIT_SECONDS = 10.0


async def bounded(name: str, check: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    """What `check` found, or that it found nothing in time."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await check
    except RingbackError as error:
        return [failed(name, error)]
    except TimeoutError:
        return [bad(name, f"no result within {LIMIT_SECONDS:g} s", "see whether the machine or its disk is overloaded")]


async def in_thread(name: str, check: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    """As `bounded`, for a check that may block: its thread is left behind when it does not end."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[Finding]] = loop.create_future()

    def settle(findings: Sequence[Finding]) -> None:
        if not found.done():
            found.set_result(findings)

    def run() -> None:
        try:
            findings = check()
        except RingbackError as error:
            findings = [failed(name, error)]
        except Exception as error:  # noqa: BLE001 - told as a finding; the other checks must be heard too
            findings = [bad(name, f"{type(error).__name__}: {error}", "please report this as a defect of Ringback")]
        try:
            loop.call_soon_threadsafe(settle, findings)
        except RuntimeError:
            return  # the loop has ended without us

    # asyncio's own threads are waited for at the end of the program; a daemon is not.
    threading.Thread(target=run, name=f"doctor: {name}", daemon=True).start()
    return await bounded(name, found)
