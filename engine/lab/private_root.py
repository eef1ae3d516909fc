"""A private root directory with Debian's Asterisk, built once and kept outside the checkout.

It is built under a temporary name and renamed when complete, so that a directory with the final name is always
whole; a lock lets two builders take turns. It never touches the machine's own packages and names no mirror:
mmdebstrap knows Debian's.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.lab.errors import NoAsteriskError

LABS = "var/lib/ringback-lab"
_SUITE = "sid"  # the only Debian suite that holds a current long-term Asterisk
_PACKAGES = "asterisk,asterisk-core-sounds-en-wav"
_PROGRESS_SECONDS = 5.0


def cache_dir() -> Path:
    """Where Ringback keeps what is costly to make again."""
    own = os.environ.get("RINGBACK_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache").resolve() / "ringback"


def path() -> Path:
    """The private root, whether it exists or not."""
    return cache_dir() / "asterisk-root"


def ensure(progress: Callable[[str], None]) -> Path:
    """The private root, built if need be (half a minute and 300 MB), with this host's name known inside."""
    root = path()
    if not root.is_dir():
        _check_means()
        with _lock(root, progress):
            if not root.is_dir():  # another builder may have finished while we waited
                _build(root, progress)
    _name_host(root)
    return root


def as_root(*command: str) -> list[str]:
    """The command, through sudo when we are not root."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def _check_means() -> None:
    if not shutil.which("mmdebstrap"):
        raise NoAsteriskError(
            "no asterisk (22.7 or newer) on the PATH and no mmdebstrap to build one: "
            "run `apt-get install mmdebstrap` as root, or install Asterisk 22 or 23"
        )
    if os.geteuid() != 0 and not _sudo_works():
        raise NoAsteriskError(
            "building a private Asterisk needs root: run as root, allow this user `sudo` without a password, "
            "or install Asterisk 22 or 23 on the PATH (a lab with that one needs no rights)"
        )


def _sudo_works() -> bool:
    if not shutil.which("sudo"):
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def _lock(root: Path, progress: Callable[[str], None]) -> Iterator[None]:
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build of the private Asterisk")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(root: Path, progress: Callable[[str], None]) -> None:
    for leftover in root.parent.glob(f"{root.name}.building-*"):
        _remove(leftover)  # we hold the lock, so its builder is gone
    building = root.with_name(f"{root.name}.building-{os.getpid()}")
    log = root.with_suffix(".log")
    command = as_root(
        "mmdebstrap",
        "--variant=apt",
        # A mirror that lags behind serves a list past its date; signatures are still checked.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        f"--include={_PACKAGES}",
        _SUITE,
        str(building),
    )
    progress(f"building a private Asterisk in {root} (once; about half a minute and 300 MB)")
    started = time.monotonic()
    with log.open("w") as out:
        builder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        try:
            while builder.poll() is None:
                try:
                    builder.wait(_PROGRESS_SECONDS)
                except subprocess.TimeoutExpired:
                    progress(f"still building, {time.monotonic() - started:.0f} s: {_last_line(log)}")
        except BaseException:  # also Ctrl-C: leave no builder and no half-built root behind
            builder.terminate()
            builder.wait()
            _remove(building)
            raise
    if builder.returncode != 0:
        _remove(building)
        raise NoAsteriskError(f"mmdebstrap failed: {_last_line(log)} (the whole story is in {log})")
    owner = f"{os.getuid()}:{os.getgid()}"
    for step in (
        as_root("mkdir", "-p", str(building / LABS)),
        as_root("touch", str(building / "etc/hosts")),
        as_root("chown", owner, str(building / LABS), str(building / "etc/hosts"), str(building)),
        as_root("mv", "-T", str(building), str(root)),
    ):
        subprocess.run(step, check=True, capture_output=True)
    progress(f"built in {time.monotonic() - started:.0f} s")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    return (errors or lines or ["nothing was printed"])[-1].strip()[:160]


def _remove(directory: Path) -> None:
    # --one-file-system: should a mount be left below it, what is mounted there is not ours to delete.
    subprocess.run(as_root("rm", "-rf", "--one-file-system", "--", str(directory)), check=False, capture_output=True)


def _name_host(root: Path) -> None:
    """Without its own host's name in the hosts file Asterisk asks the name service for it at every call."""
    hosts = root / "etc/hosts"
    wanted = f"127.0.0.1 localhost {socket.gethostname()}\n"
    try:
        if hosts.read_text("utf-8") != wanted:
            hosts.write_text(wanted, "utf-8")
    except OSError as error:
        raise NoAsteriskError(
            f"{hosts} cannot be written ({error.strerror}); remove {root} and the lab builds it anew"
        ) from error
