"""What `ringback serve` says when it cannot serve: one line that says how to mend it, and an exit code."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.component.serving import RINGBACK, said, serving


def serve(directory: Path, settings: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (directory / "ringback.toml").write_text(settings, "utf-8")
    return subprocess.run(
        [RINGBACK, "serve"],
        cwd=directory,
        env={**os.environ, "RINGBACK_ASTERISK__0__ARI_PASSWORD": "secret-of-the-lab", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def last_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in ended.stderr + ended.stdout
    assert "secret-of-the-lab" not in ended.stderr + ended.stdout
    return ended.stderr.strip().splitlines()[-1]


def test_an_unknown_key_names_the_key_and_the_nearest_one(tmp_path: Path) -> None:
    ended = serve(tmp_path, "[http]\nprot = 8080\n")
    assert ended.returncode == 1
    assert "unknown key http.prot" in last_line(ended)
    assert "http.port" in last_line(ended)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = serve(tmp_path, f"[http]\nport = {port}\n")
    assert ended.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in last_line(ended)
    assert "[http] port" in last_line(ended)


def test_a_missing_ari_password_says_where_to_put_it(tmp_path: Path) -> None:
    ended = serve(tmp_path, "", RINGBACK_ASTERISK__0__ARI_PASSWORD="")
    assert ended.returncode == 1
    assert "ari_password_file" in last_line(ended)


def test_missing_prompts_stop_the_start_and_say_how_to_build_them(tmp_path: Path) -> None:
    _configured_database(tmp_path)
    ended = serve(tmp_path, "[prompts]\nbuild = false\n")
    assert ended.returncode == 1
    assert "ringback prompts build" in last_line(ended)
    assert "en/billing/announce.wav" in last_line(ended)


def test_missing_prompts_are_built_at_the_start_if_that_is_allowed(tmp_path: Path) -> None:
    _configured_database(tmp_path)
    with serving(tmp_path, until="http.listening"):
        assert (tmp_path / "prompts/en/billing/announce.wav").is_file()


def test_a_second_engine_on_the_same_database_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, until="http.listening"):
        ended = serve(tmp_path, "[http]\nport = 0\n")
    assert ended.returncode == 1
    assert "ringback.db" in last_line(ended)


def test_without_asterisk_the_engine_says_so_keeps_trying_and_stops_cleanly(tmp_path: Path) -> None:
    with serving(tmp_path, until="http.listening") as process:
        deadline = time.monotonic() + 20
        while "no Asterisk at http://127.0.0.1:1/ari" not in said(tmp_path):
            assert time.monotonic() < deadline, said(tmp_path)
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "Traceback" not in said(tmp_path)


def _configured_database(directory: Path) -> None:
    import asyncio
    import json

    from engine.core.changes import ConfigurationKept
    from engine.store.journal import Journal

    document = {"services": [{"id": "billing", "name": "Billing", "company": "Example", "skill_expression": "billing"}]}

    async def write() -> None:
        async with await Journal.open(f"sqlite+aiosqlite:///{directory}/ringback.db") as journal:
            await journal.commit([ConfigurationKept(1, json.dumps(document), time.time())])

    asyncio.run(write())


@pytest.mark.parametrize("command", [("--help",), ("serve", "--help")])
def test_help_shows_examples(command: tuple[str, ...]) -> None:
    shown = subprocess.run([RINGBACK, *command], capture_output=True, text=True, check=True).stdout
    assert "Usage: ringback" in shown
