"""How busy the machine was while a bench measured, and who of ours made it so. Linux only, as the lab is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE, _WAITING = 3, 4
"""Fields of the first line of /proc/stat that are no work."""
_FIELDS = 8
"""Later ones are guests, which are in the earlier ones already."""


@dataclass(frozen=True, slots=True)
class Load:
    """Shares of one CPU: of all that ran on the machine, and of each process that was watched."""

    machine: float
    processes: Mapping[str, float]

    def __str__(self) -> str:
        ours = ", ".join(f"{name} {share:.2f}" for name, share in self.processes.items())
        return f"{self.machine:.2f} of {os.cpu_count()} CPUs busy ({ours})"


class Meter:
    """Measures from its making on. `pids`: the processes to watch, by what they are called."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._began = time.monotonic()
        self._before = self._now()

    def read(self) -> Load:
        """The load since then."""
        seconds = time.monotonic() - self._began
        used = {name: (now - self._before[name]) / seconds for name, now in self._now().items()}
        return Load(used.pop(""), used)

    def _now(self) -> dict[str, float]:
        return {"": _busy_seconds(), **{name: cpu_seconds_of(pid) for name, pid in self._pids.items()}}


def cpu_seconds_of(pid: int) -> float:
    """CPU seconds of a process so far (fields 14 and 15 of its stat file)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _busy_seconds() -> float:
    fields = [int(field) for field in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1 : _FIELDS + 1]]
    return (sum(fields) - fields[_IDLE] - fields[_WAITING]) / _TICKS
