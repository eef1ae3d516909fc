"""The command line pointed at the real HTTP side on loopback: engine and commands are one process, two threads."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from click.testing import CliRunner, Result

from cli.main import main
from engine.core.events import Event
from engine.store.records import KeyRole
from tests.component.api_harness import DOCUMENT, PHONE, EngineWithoutAsterisk, running_api


@dataclass
class Served:
    """An engine without Asterisk, and the command line pointed at it."""

    url: str
    keys: dict[KeyRole, str]
    folder: Path
    engine: EngineWithoutAsterisk
    loop: asyncio.AbstractEventLoop

    def tell(self, event: Event) -> None:
        """Something happens at Asterisk."""
        asyncio.run_coroutine_threadsafe(self.engine.submit(event), self.loop).result(20)

    def run(self, *arguments: str, role: KeyRole | None = KeyRole.ADMIN) -> Result:
        key = None if role is None else self.keys[role]
        env = {"RINGBACK_URL": self.url, "RINGBACK_KEY": key, "RINGBACK_KEY_FILE": None}
        return CliRunner().invoke(main, list(arguments), env=env, catch_exceptions=False)

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def requested(self, phone: str = PHONE) -> str:
        made: str = self.json("callback", "request", "--service", "billing", "--phone", phone)["id"]
        return made


@contextmanager
def serving(
    folder: Path, *, document: Mapping[str, Any] = DOCUMENT, clock: Callable[[], float] = time.time
) -> Iterator[Served]:
    """An engine on a new database in `folder`, with a document in force."""
    began = threading.Event()
    made: list[Served] = []
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        end = asyncio.Event()
        async with running_api(folder, document=document, clock=clock) as api:
            loop = asyncio.get_running_loop()
            made.append(Served(str(api.client.make_url("")).rstrip("/"), api.keys, folder, api.engine, loop))
            ends.append((loop, end))
            began.set()
            await end.wait()

    # The engine's log would stand among what the command prints: here both are one process.
    logging_before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="engine under test")
    thread.start()
    assert began.wait(20)
    try:
        yield made[0]
    finally:
        loop, end = ends[0]
        loop.call_soon_threadsafe(end.set)
        thread.join(20)
        structlog.configure(**logging_before)
    assert not thread.is_alive()


def one_line(result: Result) -> str:
    """What was said on standard error, which must be one line."""
    assert result.stderr.endswith("\n")
    line = result.stderr.removesuffix("\n")
    assert "\n" not in line, result.stderr
    return line
