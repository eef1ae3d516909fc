"""How `ringback serve` ends when it is told to: quickly, with code 0, and without judging calls that nobody saw."""

import asyncio
import json
import math
import signal
import socket
import sqlite3
import time
import wave
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.changes import AttemptChanged, CallbackChanged, ConfigurationKept
from engine.core.terms import CallbackState, PromptId
from engine.prompts.occasions import file_of
from engine.store.journal import Journal
from tests.component.serving import said, serving
from tests.component.store_samples import a_callback, an_open_attempt

DOCUMENT = {"services": [{"id": "billing", "name": "Billing", "company": "Example", "skill_expression": "billing"}]}


def own_recordings(directory: Path) -> None:
    """A tone for each prompt."""
    tone = b"".join(int(8000 * math.sin(n * 0.35)).to_bytes(2, "little", signed=True) for n in range(8000))
    for file in ("music/hold", *(file_of(prompt, "en", "billing") for prompt in (*PromptId, *range(10)))):
        path = directory / "prompts" / f"{file}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(tone)


def a_call_under_way(directory: Path) -> None:
    """A database of an engine that died while it dialled."""

    async def write() -> None:
        callback = a_callback(1, state=CallbackState.DIALING)
        async with await Journal.open(f"sqlite+aiosqlite:///{directory}/ringback.db") as journal:
            await journal.commit(
                [
                    ConfigurationKept(1, json.dumps(DOCUMENT), time.time()),
                    CallbackChanged(callback),
                    AttemptChanged(an_open_attempt(callback.id)),
                ]
            )

    asyncio.run(write())


def attempts(directory: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(directory / "ringback.db")) as database:
        return database.execute("select outcome, ended_at from attempts").fetchall()


def test_a_stop_without_asterisk_leaves_a_call_under_way_to_the_next_start(tmp_path: Path) -> None:
    own_recordings(tmp_path)
    a_call_under_way(tmp_path)
    with serving(tmp_path, until="asterisk.unreachable") as process:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert time.monotonic() - began < 5
    assert attempts(tmp_path) == [(None, None)]


def test_a_port_in_use_leaves_a_call_under_way_to_the_next_start(tmp_path: Path) -> None:
    own_recordings(tmp_path)
    a_call_under_way(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        began = time.monotonic()
        with serving(tmp_path, until="engine.starting", port=other.getsockname()[1]) as process:
            assert process.wait(20) == 1
            assert time.monotonic() - began < 5
    assert "is in use" in said(tmp_path).splitlines()[-1]
    assert attempts(tmp_path) == [(None, None)]


@pytest.mark.parametrize("until", ["engine.starting", "http.listening"])
def test_signals_again_and_again_end_it_once_and_in_order(tmp_path: Path, until: str) -> None:
    with serving(tmp_path, until=until) as process:
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.002)
        assert process.returncode == 0
    assert "Traceback" not in said(tmp_path)
