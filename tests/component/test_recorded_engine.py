"""A whole engine that records, also on a disk that fails: whatever it decided can be replayed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from sqlite3 import SQLITE_FULL

import pytest
from pydantic import SecretStr

from engine.app import RunningEngine, running_engine
from engine.config import AsteriskSettings, HttpSettings, Settings, StoreSettings
from engine.core.decision import Accepted
from engine.core.events import (
    CallbackRequested,
    ConfigurationApplied,
    EffectEnded,
    PresenceRequested,
    TelephonyLost,
    TelephonyReady,
)
from engine.core.records import Request
from engine.core.terms import AgentId, CallbackId, Presence, RequestChannel, ServiceId
from engine.errors import StoreError
from engine.recording import Started, read_lines, replay, steps
from tests.component.faulty_disk import FaultyDisk
from tests.component.recorded_day import DOCUMENT
from tests.component.serving import RINGBACK, said, serving
from tests.component.store_samples import url_of


@asynccontextmanager
async def recorded(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    """An engine that has no Asterisk and records."""
    settings = Settings(
        http=HttpSettings(port=0),
        store=StoreSettings(url=url_of(tmp_path / "ringback.db")),
        asterisk=(AsteriskSettings(ari_url="http://127.0.0.1:1/ari", ari_password=SecretStr("none")),),
    )
    async with running_engine(settings, tmp_path / "record") as (engine, _):
        serving = asyncio.create_task(engine.run(None))
        try:
            yield engine
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


def asked(n: int) -> CallbackRequested:
    request = Request(ServiceId("billing"), f"+1202555{n:04}", "en", RequestChannel.WEB, context={"n": str(n)})
    return CallbackRequested(CallbackId(f"c{n}"), request, "hash")


async def test_given_a_commit_that_fails_then_the_decisions_before_and_after_it_replay(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    async with recorded(tmp_path) as engine:
        await engine.submit(ConfigurationApplied(DOCUMENT.configuration, DOCUMENT.text))
        engine._hear(TelephonyReady())
        await engine.submit(PresenceRequested(AgentId("amy"), Presence.READY))
        assert isinstance(await engine.submit(asked(1)), Accepted)
        disk.on_write = lambda: SQLITE_FULL
        with pytest.raises(StoreError):
            await engine.submit(asked(2))
        disk.heal()
        async with asyncio.timeout(20):
            while not engine.accepting:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        assert isinstance(await engine.submit(asked(3)), Accepted)
    replayed = replay(tmp_path / "record")
    assert replayed.differences == ()
    lines = [line for _, line in read_lines(tmp_path / "record")]
    first, second = [n for n, line in enumerate(lines) if isinstance(line, Started)]
    assert (first, replayed.events) == (0, len(lines) - 2)
    told = [step.event for step in steps(tmp_path / "record")]
    assert any(isinstance(event, EffectEnded) for event in told), "there was a call"
    # What failed was decided, stands before the restore, and is not known after it.
    assert told.index(asked(2)) < second - 1 <= told.index(asked(3)) - 1
    assert told[second - 1] == TelephonyLost()
    restored = lines[second]
    assert isinstance(restored, Started)
    assert [callback.id for callback in restored.snapshot.callbacks] == ["c1"]
    assert restored.snapshot.configuration.version == 1


# ---- as an operator does it ------------------------------------------------------------------------------


def test_given_serve_with_a_record_then_it_is_whole_after_a_stop_and_good_after_a_kill(tmp_path: Path) -> None:
    for n, number in enumerate((signal.SIGTERM, signal.SIGKILL)):
        record = tmp_path / f"record-{n}"
        with serving(tmp_path, "--record", str(record), until="http.listening") as process:
            deadline = time.monotonic() + 20
            while b"TelephonyLost" not in record.read_bytes():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            process.send_signal(number)
            process.wait(20)
        assert replay(record).events == 1
        assert replay(record).differences == ()
    assert "recording.started" in said(tmp_path)


def test_given_a_record_that_exists_then_serve_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "record").write_text("of yesterday", "utf-8")
    ended = subprocess.run(
        [RINGBACK, "serve", "--record", "record"],
        cwd=tmp_path,
        env={**os.environ, "RINGBACK_ASTERISK__0__ARI_PASSWORD": "secret-of-the-lab"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "record exists; name a new file for --record, or move that one away"
    assert "Traceback" not in ended.stderr


def test_given_the_help_of_serve_then_it_says_what_a_record_holds() -> None:
    shown = subprocess.run([RINGBACK, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    assert "phone numbers" in " ".join(shown.split())
