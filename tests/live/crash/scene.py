"""The scene of a run: a lab of its own, a cable to its PBX, and the engine (or a rival) with a crowd of customers."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.bench.failing_disk import FailingDisk, NoDiskError, locked
from tests.bench.failing_disk import Fault as Way
from tests.live.cable import CableInThread
from tests.live.crash.crowd import crowd_of, plain_crowd
from tests.live.crash.plan import Fault, Plan
from tests.live.crash.rig import Rig
from tests.live.crash.run import Run, Say
from tests.live.crash.store import FailingStore
from tests.live.crash.town import PHONES

ENVIRONMENT = {
    "RINGBACK_ASTERISK__0__RECOVERY_SETTLE_SECONDS": "1",
    "RINGBACK_STORE__STORE_DOWN_SECONDS": "2",
    "RINGBACK_ASTERISK__0__MAX_EARS": "1",
}
"""Shorter than the built-in waits, so that they end within a run; and most calls are heard by talk detection alone, so
that audio is counted, too."""
TALK_SECONDS = 3.0


class _Engine(EngineProcess):
    """An engine whose database lies elsewhere: its log is still written when the disk of the database is full."""

    def __init__(self, bench: _Bench, database: Path) -> None:
        environment = {**ENVIRONMENT, "RINGBACK_STORE__URL": f"sqlite+aiosqlite:///{database}"}
        super().__init__(bench.lab, bench.folder, environment=environment, ari_url=bench.cable.ari_url)
        self._database = database

    @property
    def database(self) -> Path:
        return self._database


def run_engine(plan: Plan, say: Say) -> Run:
    """The plan on a real engine and a lab of its own; nothing is left behind. Raises RigError.

    Where no disk can be mounted, none gets full, and that is said.
    """
    with _bench() as bench, ExitStack() as stack:
        disk = _disk(stack, bench.folder, say)
        database = (disk.path if disk else bench.folder) / "ringback.db"
        ways: dict[Fault, Way] = {Fault.STORE_LOCKED: locked(database)}
        if disk:
            ways[Fault.DISK_FULL] = Way(Fault.DISK_FULL, disk.fill, disk.free)
        else:
            plan = plan.without(Fault.DISK_FULL)
        engine = _Engine(bench, database)
        stack.callback(engine.kill)
        store = stack.enter_context(FailingStore(ways, engine.is_ready))
        return Rig(plan, bench.lab, engine, bench.cable, say, store).run(lambda: crowd_of(plan, bench.lab, engine))


def _disk(stack: ExitStack, folder: Path, say: Say) -> FailingDisk | None:
    try:
        return stack.enter_context(FailingDisk.mounted(folder))
    except NoDiskError as error:
        say(f"{Fault.DISK_FULL} is left out: {error}")
        return None


def run_rival(plan: Plan, say: Say, program: Path) -> Run:
    """The plan on another program, which finds all it needs in its environment."""
    with _bench() as bench:
        environment = {
            "RIVAL_ARI": bench.cable.ari_url,
            "RIVAL_USER": bench.lab.pbx.ari_user,
            "RIVAL_PASSWORD": bench.lab.pbx.ari_password,
            "RIVAL_ANNOUNCEMENT": bench.lab.announcement_in_asterisk,
            "RIVAL_PHONES": ",".join(map(str, PHONES)),
        }
        command = (sys.executable, str(program))
        rival = EngineProcess(bench.lab, bench.folder, environment=environment, command=command)
        try:
            with FailingStore({}, rival.is_ready) as store:
                return Rig(plan, bench.lab, rival, bench.cable, say, store).run(lambda: plain_crowd(plan, rival))
        finally:
            rival.kill()


@dataclass(frozen=True, slots=True)
class _Bench:
    """What a run stands on."""

    folder: Path
    lab: Lab
    cable: CableInThread


@contextmanager
def _bench() -> Iterator[_Bench]:
    folder = Path(tempfile.mkdtemp(prefix="rbcrash-"))
    try:
        with Lab.up(talk_seconds=TALK_SECONDS) as lab, CableInThread(lab.pbx.ari_url) as cable:
            yield _Bench(folder, lab, cable)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
