"""A crash run beside other tests: a process of its own, which begins early and is asked for its end later."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

LIMIT_SECONDS = 600.0
STOP_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Told:
    """How the run ended and what it said."""

    code: int
    text: str


class CrashRun:
    """`python -m tests.live.crash`, started at once."""

    def __init__(self, seed: str | None, kills: int) -> None:
        command = [sys.executable, "-m", "tests.live.crash", "--kills", str(kills)]
        # A file, not a pipe: nobody reads while the run goes on.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open until close()
        self._process = subprocess.Popen(
            [*command, "--seed", seed] if seed else command,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the tests: close() ends it in good order
        )

    def told(self) -> Told:
        """Wait for its end. Raises TimeoutExpired."""
        code = self._process.wait(LIMIT_SECONDS)
        self._output.seek(0)
        return Told(code, self._output.read().decode("utf-8", errors="replace"))

    def close(self) -> None:
        """End it if it still runs; it takes its lab and its engine with it."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
        self._output.close()
