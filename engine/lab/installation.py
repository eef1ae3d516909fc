"""Finds the Asterisk that a lab runs: the one on the PATH, or a private root directory.

An `Installation` knows how to start a program of that Asterisk and how a path inside it is called outside. It
never changes an Asterisk that belongs to the machine: a lab has its own configuration, run and log directories.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.lab import private_root
from engine.lab.errors import NoAsteriskError

Progress = Callable[[str], None]

OLDEST = (22, 7)  # the first version whose events carry the SIP code (`tech_cause`)
NEWEST_MAJOR = 23
_VERSION = re.compile(r"Asterisk (?:certified/)?(\d+)(?:\.(\d+))?\S*")


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk to run: its version (`22.10.1`), the root directory it lives in, or None for this machine's own."""

    version: str
    root: Path | None

    @property
    def labs_dir(self) -> Path:
        """The folder that holds one folder per lab, as we see it."""
        return labs_dir(self.root)

    def inside(self, path: Path) -> str:
        """How Asterisk calls this path of ours."""
        if self.root is None:
            return str(path)
        return f"/{path.relative_to(self.root)}"

    def command(self, *arguments: str) -> list[str]:
        """The command that runs a program of this installation as the present user."""
        if self.root is None:
            return list(arguments)
        if os.geteuid() == 0:
            return ["chroot", str(self.root), *arguments]
        # chroot is root's; Asterisk itself then runs as the present user, who can end it and read what it writes.
        user = f"{os.getuid()}:{os.getgid()}"
        return ["sudo", "-n", "chroot", f"--userspec={user}", str(self.root), *arguments]


def labs_dir(root: Path | None) -> Path:
    """Where labs keep their files: below the private root, so that both sides see them, else below the temporary
    directory, because the path of Asterisk's control socket must stay short."""
    if root is not None:
        return root / private_root.LABS
    return Path(tempfile.gettempdir()) / f"ringback-lab-{os.getuid()}"


def find(progress: Progress) -> Installation:
    """The Asterisk on the PATH if there is one, else the private root, which is built the first time."""
    if shutil.which("asterisk"):
        return Installation(version=_checked_version(["asterisk", "-V"], place="on the PATH"), root=None)
    root = private_root.ensure(progress)
    probe = Installation(version="", root=root)
    version = _checked_version(probe.command("asterisk", "-V"), place=f"in {root}")
    return Installation(version=version, root=root)


def _checked_version(command: list[str], place: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    said = (answer.stdout + answer.stderr).strip()
    found = _VERSION.search(said)
    if answer.returncode != 0 or not found:
        raise NoAsteriskError(f"the asterisk {place} does not say its version ({said[:200]!r}); reinstall it")
    major, minor = int(found[1]), int(found[2] or 0)
    version = re.split(r"[+~]", found[0].removeprefix("Asterisk ").removeprefix("certified/"))[0]
    if (major, minor) < OLDEST or major > NEWEST_MAJOR:
        mend = (
            "install 22.7 or newer of 22 or 23, or take it off the PATH and the lab builds its own"
            if place == "on the PATH"
            else "remove that directory and the lab builds it anew"
        )
        raise NoAsteriskError(
            f"the asterisk {place} is version {version}; Ringback works with 22.7 to {NEWEST_MAJOR}.x: {mend}"
        )
    return version
