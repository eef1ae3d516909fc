"""Runs of `ringback demo` in the background; each has a temporary folder, by which its processes are known."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from engine.lab import private_root, witness
from engine.lab.installation import labs_dir

RUN_LIMIT_SECONDS = 240.0
FIRST_CALL_LIMIT_SECONDS = 90.0
GONE_LIMIT_SECONDS = 10.0
IMPATIENCE_SECONDS = 0.3
_LAB = re.compile(r"demo: lab ([0-9a-f]{8}) is up: .* ARI at http://127\.0\.0\.1:([0-9]+)/ari")
_ENGINE = re.compile(r"demo: engine at http://127\.0\.0\.1:([0-9]+), ready")


class Moment(Enum):
    """How far a run has come."""

    ENGINE_STARTS = auto()
    CUSTOMER_ANSWERED = auto()


@dataclass(frozen=True, slots=True)
class Interruption:
    """`times` signals, the first at this moment and the others while the run cleans up."""

    number: signal.Signals
    at: Moment
    times: int = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, the record of its engine, and what it left behind; a run that behaves leaves nothing."""

    code: int
    output: str
    errors: str
    record: bytes
    processes_seen: int
    processes_left: list[str]
    group_left: bool
    ports_left: list[int]
    folders_left: list[str]


class DemoRuns:
    """One run to its end, and one for each interruption.

    They take turns beside the other tests, which more at once would slow down; whoever asks for one waits for its end.
    """

    def __init__(self, interruptions: Iterable[Interruption]) -> None:
        self._stopping = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo")
        self._whole = self._pool.submit(self._run, None)
        self._interrupted: dict[Interruption, Future[Ended]] = {
            each: self._pool.submit(self._run, each) for each in interruptions
        }

    def whole(self) -> Ended:
        return self._whole.result()

    def interrupted(self, interruption: Interruption) -> Ended:
        return self._interrupted[interruption].result()

    def close(self) -> None:
        """End what still runs, as after Ctrl-C in the tests."""
        self._stopping = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, ending: Interruption | None) -> Ended:
        # Short, because an Asterisk of this machine puts its control socket below it.
        folder = Path(tempfile.mkdtemp(prefix="rbdemo-"))
        told, errors, record = folder / "output", folder / "errors", folder / "record"
        temporary = folder / "tmp"
        temporary.mkdir()
        try:
            with told.open("wb") as out, errors.open("wb") as err:
                demo = [str(Path(sys.executable).parent / "ringback"), "demo", "--json", "--record", str(record)]
                process = subprocess.Popen(
                    _heeding_interrupts(demo),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env={**os.environ, "TMPDIR": str(temporary)},
                    start_new_session=True,
                )
            try:
                seen = 1
                if ending is not None:
                    self._await_moment(ending.at, process, errors, temporary)
                    seen = len(_processes_of(temporary, errors))
                    for _time in range(ending.times):
                        process.send_signal(ending.number)
                        time.sleep(IMPATIENCE_SECONDS)
                code = self._await_end(process)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(60)
            kept = record.read_bytes() if record.exists() else b""
            return _ended(process.pid, code, told, errors, temporary, seen, kept)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _await_end(self, process: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + RUN_LIMIT_SECONDS
        while time.monotonic() < deadline and not self._stopping:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(0.5)
        raise TimeoutError(f"the demo has not ended within {RUN_LIMIT_SECONDS:.0f} s")

    def _await_moment(self, moment: Moment, process: subprocess.Popen[bytes], errors: Path, temporary: Path) -> None:
        deadline = time.monotonic() + FIRST_CALL_LIMIT_SECONDS
        while time.monotonic() < deadline and not self._stopping and process.poll() is None:
            if moment is Moment.ENGINE_STARTS and any("serve" in each for each in _processes_of(temporary, errors)):
                return
            lab = _LAB.search(errors.read_text("utf-8"))
            if lab and any(_answered(folder) for folder in _lab_folders(temporary) if folder.name == lab[1]):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{moment} did not come: {errors.read_text('utf-8')!r}")


def _heeding_interrupts(command: list[str]) -> list[str]:
    # A shell that runs the tests in the background has Ctrl-C ignored, and every program started there inherits that.
    undo = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", undo, *command]


def _ended(pid: int, code: int, told: Path, errors: Path, temporary: Path, seen: int, record: bytes) -> Ended:
    said = errors.read_text("utf-8")
    lab, engine = _LAB.search(said), _ENGINE.search(said)
    # A guard process ends by itself a moment after the demo.
    deadline = time.monotonic() + GONE_LIMIT_SECONDS
    while (processes := _processes_of(temporary, errors)) and time.monotonic() < deadline:
        time.sleep(0.05)
    ports = [int(found) for found in (lab and lab[2], engine and engine[1]) if found]
    return Ended(
        code=code,
        output=told.read_text("utf-8"),
        errors=said,
        record=record,
        processes_seen=seen,
        processes_left=processes,
        group_left=_has_members(pid),
        ports_left=[port for port in ports if port in _listening() and port not in _ports_of_labs()],
        folders_left=[
            *(each.name for each in temporary.iterdir() if not each.name.startswith("ringback-lab-")),
            *(each.name for each in _lab_folders(temporary) if lab and each.name == lab[1]),
        ],
    )


def _lab_folders(temporary: Path) -> list[Path]:
    bases = (labs_dir(private_root.path()), temporary / f"ringback-lab-{os.getuid()}")
    return [folder for base in bases if base.is_dir() for folder in base.iterdir() if folder.is_dir()]


def _answered(lab_folder: Path) -> bool:
    return any(call.answered_at is not None for call in witness.read(lab_folder / "witness.csv"))


def _processes_of(temporary: Path, errors: Path) -> list[str]:
    """The command lines of all processes that a run started, in whatever session.

    They carry its environment; what sudo started does not, but names the folder of the lab.
    """
    lab = _LAB.search(errors.read_text("utf-8"))
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if (lab and f"/{lab[1]}/" in command) or _carries(entry / "environ", f"TMPDIR={temporary}"):
                found.append(command)
    return found


def _carries(environ: Path, mark: str) -> bool:
    try:
        return mark.encode() in environ.read_bytes().split(b"\0")
    except PermissionError:  # another user's, such as sudo
        return False


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _listening() -> set[int]:
    """The TCP ports of this machine on which somebody listens."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}


def _ports_of_labs() -> set[int]:
    """What other labs hold: a block of ports that one gave back may be taken by the next at once."""
    ports: set[int] = set()
    for folder in _lab_folders(Path(tempfile.gettempdir())):
        with suppress(OSError):
            text = (folder / "state.json").read_text("utf-8")
            ports |= {int(found) for found in re.findall(r"http://127\.0\.0\.1:([0-9]+)/ari", text)}
    return ports
