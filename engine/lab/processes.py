"""Starts and ends the Asterisk processes of a lab.

A process is recognised by its command line, which names the lab's own configuration file: a process id alone may
have been given to somebody else since. Nothing else is ever signalled.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from engine.lab import private_root
from engine.lab.errors import LabError
from engine.lab.installation import Installation

_BOOT_SECONDS = 60.0
_END_SECONDS = 10.0
_LOOK_SECONDS = 0.05

# What we started ourselves (Asterisk, or the sudo before it), kept so that it can be reaped.
_children: dict[str, subprocess.Popen[bytes]] = {}


def start(installation: Installation, home: Path) -> None:
    """Start the Asterisk configured in `home`; it is not ready yet."""
    config = config_file(installation, home)
    with (home / "log" / "console").open("ab") as out:
        # A session of its own, so that Ctrl-C at a terminal reaches us and not Asterisk: we end it in good order.
        _children[config] = subprocess.Popen(
            installation.command("asterisk", *_arguments(config)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_booted(installation: Installation, home: Path) -> int:
    """Wait until all its modules run; returns its process id."""
    config = config_file(installation, home)
    deadline = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < deadline:
        child = _children.get(config)
        if child is not None and child.poll() is not None:
            break
        if (home / "run" / "asterisk.ctl").exists():
            asked = console(installation, home, "core waitfullybooted")
            pids = find(config)
            if "fully booted" in asked and pids:
                return pids[0]
        time.sleep(_LOOK_SECONDS)
    raise LabError(f"Asterisk did not start: {_complaint(home)}; its log is kept in {_kept_log(home)}")


def console(installation: Installation, home: Path, command: str) -> str:
    """What Asterisk's console answers to one command; empty when it is not reachable."""
    asked = subprocess.run(
        installation.command("asterisk", "-C", config_file(installation, home), "-rx", command),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_BOOT_SECONDS,
        check=False,
    )
    return asked.stdout if asked.returncode == 0 else ""


def kill(config: str) -> None:
    """End the Asterisk with this configuration file at once (SIGKILL) and wait until it is gone."""
    deadline = time.monotonic() + _END_SECONDS
    while pids := find(config):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"process {pids[0]} does not end; end it by hand")
        time.sleep(_LOOK_SECONDS)
        _reap(config)
    child = _children.pop(config, None)
    if child is not None:
        # Its command line goes a moment before it can be reaped; one that is only dropped would warn of it later.
        child.wait(_END_SECONDS)


def find(config: str) -> list[int]:
    """The ids of the Asterisk processes that run with this configuration file (zombies have no command line)."""
    started_with = [word.encode() for word in _arguments(config)]
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        # sudo carries the same arguments; it is root's, and ends with the Asterisk that it started.
        if words[-len(started_with) :] == started_with and not words[0].endswith(b"sudo"):
            found.append(int(entry.name))
    return found


def config_file(installation: Installation, home: Path) -> str:
    """The path of the main configuration file as Asterisk sees it: the process is known by it."""
    return installation.inside(home / "etc" / "asterisk.conf")


def _arguments(config: str) -> list[str]:
    # -f: stay in the foreground, so that the process we start is Asterisk; -n: no colours in the log.
    return ["-C", config, "-f", "-n"]


def _reap(config: str) -> None:
    child = _children.get(config)
    if child is not None and child.poll() is not None:
        del _children[config]


def _kept_log(home: Path) -> Path:
    """The lab's directory goes with the lab, so what Asterisk wrote is copied to where it can be read."""
    kept = private_root.cache_dir() / f"failed-{home.name}.log"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("".join(_log_text(home, name) for name in ("console", "messages")), "utf-8")
    return kept


def _log_text(home: Path, name: str) -> str:
    log = home / "log" / name
    return log.read_text("utf-8", errors="replace") if log.exists() else ""


def _complaint(home: Path) -> str:
    for name in ("messages", "console"):
        lines = [line for line in _log_text(home, name).splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line]
        if lines:
            return (errors or lines)[-1].strip()[:200]
    return "it said nothing"
