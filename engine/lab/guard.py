"""Ends a lab when its owner is gone, however it went.

Runs as a small process of its own whose standard input is a pipe from the owner. The pipe closes when the owner ends,
also by SIGKILL; then the guard ends the lab's two Asterisks and removes its directory. An owner that leaves its
lab running on purpose says `leave` first.
"""

import subprocess
import sys
from pathlib import Path

from engine.lab import state

_LEAVE = b"leave\n"


class Guard:
    """The owner's end of the pipe."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "engine.lab.guard", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The lab stays, without a guard."""
        self._end(_LEAVE)

    def finish(self) -> None:
        """The lab is gone, or goes now."""
        self._end(b"")

    def _end(self, word: bytes) -> None:
        self._process.communicate(word, timeout=30)


def main(directory: Path) -> None:
    """Wait for the owner's end, then clean up behind it."""
    if sys.stdin.buffer.read() != _LEAVE and directory.is_dir():
        state.take_down(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
