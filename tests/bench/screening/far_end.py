"""The far end of the screening bench, as the bench holds it: telephones on loopback that act out scenes when called.

    with FarEnd.start(scenes, {"12025550100": "person-1"}, directory) as far_end:
        ...  # the PBX dials far_end.customer_endpoint
    far_end.results()

It lives in a process of its own, which ends with this one whatever happens to it.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import RingbackError
from tests.bench.screening import call_result, far_end_process
from tests.bench.screening.call_result import CallResult, Figures
from tests.bench.screening.far_end_process import HOST, Plan
from tests.bench.screening.scene import Scene

START_SECONDS = 120.0
"""Encoding an hour of audio takes about two seconds; a busy machine may be slow to start Python."""
STOP_SECONDS = 10.0
RESULTS_FILE = "calls.jsonl"


class FarEndError(RingbackError):
    """The far end does not start or has died."""


class FarEnd:
    """A running far end; use `FarEnd.start`. As a context manager it stops at the end."""

    def __init__(self, process: BaseProcess, control: Connection, results: Path, port: int) -> None:
        self._process = process
        self._control = control
        self._results = results
        self.port = port
        self.figures: Figures | None = None
        """What it did and what it took, once it is stopped."""

    @classmethod
    def start(
        cls,
        scenes: Mapping[str, Scene],
        numbers: Mapping[str, str],
        directory: Path,
        *,
        ring_seconds: float = 1.0,
        announcement_seconds: float = 8.0,
    ) -> Self:
        """Let `scenes[numbers[number]]` answer at each number (digits, without +); any other number gets 404.

        Results are written into `directory`. It rings for `ring_seconds` before it answers; `announcement_seconds` is
        how long what it hears is looked at closely, from the first sound on. Raises FarEndError when it does not start.
        """
        unknown = set(numbers.values()) - scenes.keys()
        if unknown:
            raise FarEndError(f"there is no scene {min(unknown)!r}")
        results = directory / RESULTS_FILE
        results.write_bytes(b"")
        plan = Plan(dict(scenes), dict(numbers), results, ring_seconds, announcement_seconds)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=far_end_process.serve, args=(theirs,), name="far end", daemon=True)
        process.start()
        theirs.close()
        try:
            # Not as an argument: a process that dies before it has read a long one would never be noticed.
            ours.send(plan)
            port = ours.recv() if ours.poll(START_SECONDS) else None
        except (EOFError, OSError):
            port = None
        if port is None:
            ours.close()
            process.kill()
            process.join()
            raise FarEndError("the far end does not start; its error stands above")
        return cls(process, ours, results, port)

    @property
    def customer_endpoint(self) -> str:
        """How the PBX dials it, with `{number}` for the digits: a template for the engine's `customer_endpoint`."""
        return f"PJSIP/trunk/sip:{{number}}@{HOST}:{self.port}"

    def results(self) -> list[CallResult]:
        """Every call that has ended so far, in that order; also after it was stopped."""
        return call_result.read(self._results)

    def await_results(self, count: int, *, seconds: float = 5.0) -> list[CallResult]:
        """The results once there are so many, or what there is after so many seconds: a BYE takes a moment."""
        deadline = time.monotonic() + seconds
        while len(found := self.results()) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def stop(self) -> Figures:
        """End the process; calls that go on are not hung up. Raises FarEndError when it has died before."""
        if self.figures is None:
            try:
                self._control.send("stop")
                self.figures = self._control.recv() if self._control.poll(STOP_SECONDS) else None
            except (EOFError, OSError):
                pass
            self._control.close()
            self._process.join(STOP_SECONDS)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        if self.figures is None:
            raise FarEndError(f"the far end died with exit code {self._process.exitcode}; its error stands above")
        return self.figures

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        except FarEndError:
            if error is None:
                raise
