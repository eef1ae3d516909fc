"""A real `ringback serve` on a lab, as an operator would run it: its own process, its own database, its own log."""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from engine.lab.errors import LabError
from engine.lab.lab import Lab

SERVE = ("serve", "--config", "ringback.toml")
START_LIMIT_SECONDS = 30.0
STOP_LIMIT_SECONDS = 45.0


class EngineProcess:
    """`directory` holds settings, database, log and the administrator's key; it may be used again for a restart.

    `ari_url`: where it finds Asterisk, if not at the lab's PBX itself. `customer_endpoint`: how customers are dialled,
    if not at the lab's telephone network. `environment` is that of every start.
    `arguments`: further ones of `serve`. `command`: another program in the engine's place, which says where it listens
    and answers `/readyz` as it does.
    """

    def __init__(
        self,
        lab: Lab,
        directory: Path,
        *,
        environment: dict[str, str] | None = None,
        ari_url: str | None = None,
        customer_endpoint: str = "PJSIP/{number}@trunk",
        arguments: Sequence[str] = (),
        command: Sequence[str] = (),
    ) -> None:
        self._lab = lab
        self._directory = directory
        self._command = command or (str(Path(sys.executable).parent / "ringback"), *SERVE, *arguments)
        self._ari_url = ari_url or lab.pbx.ari_url
        self._customer_endpoint = customer_endpoint
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self.admin_key_file = directory / "admin.key"
        if not self.admin_key_file.exists():
            _write_secret(self.admin_key_file, f"rbk_admin_{secrets.token_urlsafe(32)}")
            _write_secret(directory / "ari.password", lab.pbx.ari_password)
            (directory / "ringback.toml").write_text(self._settings(), "utf-8")

    @property
    def log_file(self) -> Path:
        """Everything the engine said since its first start, one JSON object a line."""
        return self._directory / "engine.log"

    @property
    def database(self) -> Path:
        return self._directory / "ringback.db"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise LabError("the engine was not started")
        return self._process.pid

    @property
    def admin_key(self) -> str:
        return self.admin_key_file.read_text("utf-8").strip()

    @property
    def url(self) -> str:
        """Where the engine listens. Raises LabError if it has not said so yet."""
        for entry in self.log_entries():
            if entry.get("event") == "http.listening":
                return str(entry["url"])
        raise LabError(f"the engine does not listen; see {self.log_file}")

    def start(self) -> Self:
        """Start and wait until the engine is ready. Raises LabError with the engine's own words."""
        self.spawn()
        self.wait_until_ready()
        return self

    def spawn(self, **environment: str) -> None:
        """Start without waiting; `environment` is of this start only."""
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment, **environment},
                start_new_session=True,  # Ctrl-C is for whoever started us; they stop the engine in order
            )

    def wait_until_ready(self, limit_seconds: float = START_LIMIT_SECONDS) -> None:
        """Wait for `/readyz` to say ready."""
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise LabError(f"the engine ended with code {self._process.returncode}: {self._last_words()}")
            if self.is_ready():
                return
            time.sleep(0.05)
        raise LabError(f"the engine is not ready after {limit_seconds:.0f} s: {self._last_words()}")

    def terminate(self) -> int:
        """SIGTERM, as a service manager stops it; its exit code. Raises LabError if it does not end in time."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self.wait_until_ended()

    def wait_until_ended(self) -> int:
        """Its exit code once it has ended. Raises LabError, and kills it, if it does not end in time."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabError(f"the engine did not stop within {STOP_LIMIT_SECONDS:.0f} s") from None

    def kill(self) -> None:
        """SIGKILL, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log_entries(self) -> list[dict[str, Any]]:
        """What this run has logged so far; lines that are not JSON (an error at the start) come as `{"text": ...}`."""
        if not self.log_file.exists():
            return []
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode("utf-8", errors="replace").splitlines()
        return [_entry(line) for line in lines if line.strip()]

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:  # also Ctrl-C: a process in a session of its own would outlive us
            self.kill()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running():
            self.terminate()

    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def has_ended_within(self, seconds: float) -> bool:
        """Wait for its end, whoever brings it about, and return at that moment; False if it still runs."""
        if self._process is None or self._process.poll() is not None:
            return True
        # Popen.wait() looks at a process only every 50 ms; too seldom for who wants to know when it died.
        handle = os.pidfd_open(self._process.pid)
        try:
            select.select([handle], [], [], seconds)
        finally:
            os.close(handle)
        return self._process.poll() is not None

    def is_ready(self) -> bool:
        """What `/readyz` says now; False also if nobody answers."""
        try:
            with urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own engine on loopback
                return bool(json.load(answer)["status"] == "ready")
        except (LabError, HTTPError, URLError, OSError, ValueError, KeyError):
            return False

    def _last_words(self) -> str:
        entries = self.log_entries()
        return json.dumps(entries[-1]) if entries else "it said nothing"

    def _settings(self) -> str:
        pbx = self._lab.pbx
        return f"""\
admin_key_file = "admin.key"
[http]
port = 0
[store]
url = "sqlite+aiosqlite:///ringback.db"
[prompts]
dir = "{self._lab.prompts_dir}"
asterisk_dir = "{self._lab.prompts_dir_in_asterisk}"
[[asterisk]]
name = "lab"
ari_url = "{self._ari_url}"
ari_user = "{pbx.ari_user}"
ari_password_file = "ari.password"
customer_endpoint = "{self._customer_endpoint}"
[limits]
requests_per_minute_per_address = 1000
[log]
format = "json"
"""


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret, "utf-8")


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {"text": line}
    return entry if isinstance(entry, dict) else {"text": line}
