"""What a lab writes down about itself, so that another process can find, use and end it.

Each lab has a directory with `state.json` and `owner.lock`. Its owner holds the lock for life; the kernel lets go of
it however the owner ends. A lab whose lock is free and which was not detached on purpose is stale.
"""

import fcntl
import json
import os
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

from engine.lab import private_root, processes
from engine.lab.errors import LabError
from engine.lab.installation import Installation, labs_dir

STATE_FILE = "state.json"
OWNER_LOCK = "owner.lock"
SIDES = ("pbx", "network")


@dataclass(frozen=True, slots=True)
class AsteriskAddress:
    """How to reach one Asterisk of a lab. All ports are on 127.0.0.1. The network has no AMI (`ami_port` None)."""

    ari_url: str
    ari_user: str
    ari_password: str
    sip_port: int
    config_dir: Path
    pid: int
    ami_port: int | None = None
    ami_user: str = ""
    ami_password: str = ""

    def headers(self) -> dict[str, str]:
        """What an HTTP request to its ARI must carry."""
        token = b64encode(f"{self.ari_user}:{self.ari_password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


@dataclass(frozen=True, slots=True)
class LabState:
    """The content of `state.json`. `root` is the private root, None when Asterisk is the machine's own."""

    id: str
    directory: Path
    root: Path | None
    version: str
    owner_pid: int
    detached: bool
    ready: bool
    started_at: float
    record_audio: bool
    talk_seconds: float
    pbx: AsteriskAddress
    network: AsteriskAddress

    @property
    def installation(self) -> Installation:
        """The Asterisk this lab runs on."""
        return Installation(version=self.version, root=self.root)


def write(state: LabState) -> None:
    """Replace the state file; it holds passwords, so it is ours alone."""
    temporary = state.directory / f".{STATE_FILE}.new"
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(asdict(state), default=str, indent=1), "utf-8")
    temporary.replace(state.directory / STATE_FILE)


def read(directory: Path) -> LabState:
    """The state of the lab in this directory."""
    try:
        raw = json.loads((directory / STATE_FILE).read_text("utf-8"))
        for side in SIDES:
            raw[side]["config_dir"] = Path(raw[side]["config_dir"])
            raw[side] = AsteriskAddress(**raw[side])
        raw["directory"] = directory
        raw["root"] = Path(raw["root"]) if raw["root"] else None
        return LabState(**{name.name: raw[name.name] for name in fields(LabState)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"{directory} holds no readable lab; end it with `ringback lab down --all`") from error


def directories() -> Iterator[Path]:
    """The directory of every lab of this user, running or stale."""
    for root in _roots():
        base = labs_dir(root)
        if base.is_dir() and base.stat().st_uid == os.getuid():
            yield from sorted(entry for entry in base.iterdir() if entry.is_dir())


def is_stale(directory: Path) -> bool:
    """Whether nobody answers for this lab any more."""
    try:
        state = read(directory)
    except LabError:
        return not _is_owned(directory)
    if state.detached:
        return not any(processes.find(config) for config in _configs(directory))
    return not _is_owned(directory)


def hold(directory: Path) -> TextIO:
    """Become the owner of the lab; it lasts until the returned file is closed or the process ends."""
    handle = (directory / OWNER_LOCK).open("w")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


@contextmanager
def exclusive(base: Path) -> Iterator[None]:
    """One lab at a time comes up or is swept, so that ports and directories are not taken twice."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    if base.stat().st_uid != os.getuid():
        raise LabError(f"{base} belongs to another user; set TMPDIR or RINGBACK_CACHE to a directory of yours")
    with (base / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def take_down(directory: Path) -> None:
    """End what runs for this lab and remove its directory; does nothing when it is gone already."""
    for config in _configs(directory):
        processes.kill(config)
    shutil.rmtree(directory, ignore_errors=True)


def sweep() -> list[str]:
    """Remove every stale lab; returns their ids."""
    swept = []
    for root in _roots():
        base = labs_dir(root)
        if not base.is_dir() or base.stat().st_uid != os.getuid():
            continue
        with exclusive(base):
            for directory in sorted(entry for entry in base.iterdir() if entry.is_dir()):
                if is_stale(directory):
                    take_down(directory)
                    swept.append(directory.name)
    return swept


def _roots() -> tuple[Path | None, ...]:
    root = private_root.path()
    return (root, None) if root.is_dir() else (None,)


def _configs(directory: Path) -> list[str]:
    root = next((root for root in _roots() if root and directory.is_relative_to(root)), None)
    installation = Installation(version="", root=root)
    return [processes.config_file(installation, directory / side) for side in SIDES]


def _is_owned(directory: Path) -> bool:
    try:
        with (directory / OWNER_LOCK).open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
