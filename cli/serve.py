"""`ringback serve`: one engine in the foreground until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from types import FrameType

import click
import structlog

from engine import collector
from engine.app import running_engine
from engine.config import Settings, load
from engine.errors import RingbackError
from engine.log import set_up

log = structlog.get_logger()


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; without it ringback.toml here, if there is one.",
)
@click.option(
    "--record",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep every event with its time in a new file, for a replay. It holds phone numbers, names and tokens.",
)
def serve(config_file: Path | None, record: Path | None) -> None:
    """Run the engine until SIGTERM or Ctrl-C.

    Calls that are not connected are ended politely at the stop, conversations go on without the engine, and what waits
    is taken up again at the next start.

    \b
    Examples:
      ringback serve
      ringback serve --config /etc/ringback/ringback.toml
      RINGBACK_HTTP__PORT=8081 ringback serve
      ringback serve --record /var/lib/ringback/tuesday.jsonl
    """
    settings = load(config_file)
    set_up(settings.log)
    try:
        asyncio.run(_serve(settings, record))
    except BaseExceptionGroup as group:
        # Not `except*`: what is raised in there leaves as a group again in some versions of Python 3.11.
        errors, others = group.split(RingbackError)
        if errors is None or others is not None:
            raise
        raise _first(errors) from None


async def _serve(settings: Settings, record: Path | None) -> None:
    serving = asyncio.current_task()
    loop = asyncio.get_running_loop()
    stop_asked = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stop_asked
        if not stop_asked and serving is not None:
            stop_asked = True
            loop.call_soon_threadsafe(serving.cancel)

    for number in (signal.SIGTERM, signal.SIGINT):
        # Not the loop's own handlers: those end with the loop, and a second signal would then kill what is tidied up.
        signal.signal(number, stop)
    node = settings.asterisk[0]
    log.info("engine.starting", store=str(settings.store), asterisk=node.name, ari_url=node.ari_url)
    collector.pause()
    try:
        async with running_engine(settings, record) as (engine, admin_key_hash):
            collector.settle()
            await engine.run(admin_key_hash)
    except asyncio.CancelledError:
        if not stop_asked:
            raise
    finally:
        if stop_asked:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)  # it ends anyway, and with its own exit code


def _first(group: BaseExceptionGroup[RingbackError]) -> RingbackError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, RingbackError)  # noqa: S101 - split leaves nothing else
    return error
