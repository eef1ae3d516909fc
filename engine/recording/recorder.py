"""Keeps every event that a dispatcher is told in a file, so that it can be replayed.

What is kept waits in memory and is written by a thread of its own, so that neither a slow disk nor the writing of a
large snapshot ever holds up a call. Nothing here may disturb the engine: if the file cannot be written, or not fast
enough, recording stops with one log line, `recording.stopped`. What stands in the file until then is whole but for
perhaps its last line.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import structlog

from engine.core.decision import Decision, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.events import Event
from engine.errors import RecordError
from engine.recording.lines import FORMAT, Decided, Heading, Line, Started, digest, to_text

log = structlog.get_logger()

MOST_WAITING = 20_000
"""Lines that may wait for the disk, some tens of megabytes; more than the events of ten seconds at a busy hour."""
KEEP_FREE_BYTES = 256 * 1024 * 1024
"""Recording stops when so little room is left on the disk: others need it, perhaps the database."""
LINES_AT_ONCE = 20
"""Made into text one after another, in about a millisecond; then the thread rests and the event loop has its turn."""
REST_SECONDS = 0.002
IDLE_SECONDS = 0.1
CLOSE_LIMIT_SECONDS = 10.0
"""The longest the end of the engine waits for what is not written yet."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An event and what came of it, or the kind of error that came instead."""

    now: float
    event: Event
    came: Decision | str


class Recorder:
    """One file of one start. `write` is `os.write` but in tests.

    `most_waiting` and `keep_free_bytes` are MOST_WAITING and KEEP_FREE_BYTES but in tests.
    """

    def __init__(
        self,
        path: Path,
        *,
        write: Callable[[int, bytes], int] = os.write,
        most_waiting: int = MOST_WAITING,
        keep_free_bytes: int = KEEP_FREE_BYTES,
    ) -> None:
        """Make the file, readable by its owner alone. Raises RecordError, also if there is one of this name."""
        self.path = path
        self._write = write
        self._most_waiting = most_waiting
        self._keep_free_bytes = keep_free_bytes
        self._file = _made(path)
        self._waiting: deque[Heading | Started | _Told] = deque([Heading(FORMAT, version("ringback"))])
        self._stopped = False
        self._stopping = threading.Lock()
        self._closing = threading.Event()
        self._events = 0
        self._thread = threading.Thread(target=self._run, name=f"recorder of {path}", daemon=True)
        self._thread.start()
        log.info("recording.started", file=str(path))

    def begin(self, snapshot: Snapshot, document: str | None) -> None:
        """From now on a dispatcher decides that was made from `snapshot`; `document` is its configuration's text."""
        self._keep(Started(snapshot, document))

    def decide(self, dispatcher: Dispatcher, event: Event, now: float) -> Decision:
        """What the dispatcher decides; kept on the way. Raises what the dispatcher raises."""
        try:
            decision = dispatcher.handle(event, now)
        except Exception as error:
            self._keep(_Told(now, event, type(error).__name__))
            raise
        self._keep(_Told(now, event, decision))
        return decision

    def close(self) -> None:
        """Write what waits and end; takes CLOSE_LIMIT_SECONDS at most. A record without any event is removed."""
        self._closing.set()
        self._thread.join(CLOSE_LIMIT_SECONDS)
        if self._thread.is_alive():
            self._stop(f"the disk did not take the rest within {CLOSE_LIMIT_SECONDS:.0f} s")
            return
        if self._events == 0:
            # The start failed: the same command has to work again once that is mended.
            self.path.unlink(missing_ok=True)
        if not self._stopped:
            log.info("recording.ended", file=str(self.path), events=self._events)

    def _keep(self, line: Started | _Told) -> None:
        if self._stopped:
            return
        if len(self._waiting) >= self._most_waiting:
            self._stop(f"{self._most_waiting} lines wait for the disk, which is too slow")
            return
        self._waiting.append(line)
        self._events += isinstance(line, _Told)

    def _stop(self, why: str) -> None:
        """Keep nothing more, and say so once; called by either thread."""
        with self._stopping:
            if self._stopped:
                return
            self._stopped = True
        self._closing.set()
        log.error("recording.stopped", why=why, file=str(self.path))

    # ---- the thread that writes ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._write_all()
        except OSError as error:
            self._stop(error.strerror or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a defect of recording is no reason to end calls
            self._stop(f"{type(error).__name__}: {error}")
        finally:
            self._waiting.clear()
            os.close(self._file)

    def _write_all(self) -> None:
        """Until closing, and then to the end of what waits."""
        while True:
            closing = self._closing.is_set()  # first: what was kept before it is written
            text = b"".join(self._next_lines())
            if text:
                self._write_text(text)
            elif closing:
                return
            self._closing.wait(REST_SECONDS if text else IDLE_SECONDS)

    def _next_lines(self) -> list[bytes]:
        few = min(len(self._waiting), LINES_AT_ONCE)
        return [to_text(_line_of(self._waiting.popleft())) for _ in range(few)]

    def _write_text(self, text: bytes) -> None:
        disk = os.fstatvfs(self._file)
        if disk.f_bavail * disk.f_frsize < self._keep_free_bytes + len(text):
            raise OSError(0, f"less than {self._keep_free_bytes // 1024**2} MiB would be left free on the disk")
        while text:
            text = text[self._write(self._file, text) :]


def _made(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise RecordError(f"{path} exists; name a new file for --record, or move that one away") from None
    except OSError as error:
        raise RecordError(f"cannot make {path}: {error.strerror}; name a file that can be made for --record") from None


def _line_of(kept: Heading | Started | _Told) -> Line:
    if not isinstance(kept, _Told):
        return kept
    came = {"raised": kept.came} if isinstance(kept.came, str) else digest(kept.came)
    return Decided(kept.now, kept.event, came)
