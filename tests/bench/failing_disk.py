"""A small disk of its own that can be made to fail and to recover while a program has files open on it.

It is ext4 in a file, mounted through a loop device; mounting is root's, so it needs root or sudo without a password.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import RingbackError

MEGABYTES = 24
UNMOUNT_LIMIT_SECONDS = 10.0


class NoDiskError(RingbackError):
    """Nothing can be mounted here."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail: what begins it and what ends it."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]


class FailingDisk:
    """Mounted at `path` from `mounted` to `close`; `close` ends every fault first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"
        self._frozen = False

    @classmethod
    def mounted(cls, directory: Path) -> Self:
        """A new disk below `directory`. Raises NoDiskError."""
        image, path = directory / "disk.img", directory / "disk"
        path.mkdir()
        with image.open("wb") as file:
            file.truncate(MEGABYTES * 1024 * 1024)
        try:
            # Without blocks kept for root: root, too, must find it full.
            _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
            _as_root("mount", "-o", "loop", str(image), str(path))
        except (OSError, subprocess.SubprocessError) as error:
            why = getattr(error, "stderr", None) or str(error)
            raise NoDiskError(f"no disk of our own can be mounted: {why.strip()}") from None
        disk = cls(path)
        try:
            _as_root("chown", f"{os.getuid()}:{os.getgid()}", str(path))
        except BaseException:
            disk.close()
            raise
        return disk

    def faults(self, database: Path) -> tuple[Fault, ...]:
        """Every way to fail, for a database on this disk."""
        return (
            Fault("full", self.fill, self.free),
            Fault("writes refused", lambda: self.refuse_writes(database), lambda: self.allow_writes(database)),
            locked(database),
            Fault("hung", self.freeze, self.thaw),
        )

    def fill(self) -> None:
        """Not one block is left."""
        size = MEGABYTES * 1024 * 1024
        with self._filler.open("wb") as file:
            offset = 0
            while size >= 512:
                try:
                    os.posix_fallocate(file.fileno(), offset, size)
                    offset += size
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    offset = max(offset, os.fstat(file.fileno()).st_size)
                    size //= 2
            os.fsync(file.fileno())

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def refuse_writes(self, database: Path) -> None:
        """Writing to the database or its log fails, also through files that are open.

        A remount as read-only is refused while files are open for writing; the immutable attribute is not.
        """
        _as_root("chattr", "+i", *_written(database))

    def allow_writes(self, database: Path) -> None:
        _as_root("chattr", "-i", *_written(database))

    def freeze(self) -> None:
        """Whoever writes waits until `thaw`."""
        _as_root("fsfreeze", "--freeze", str(self.path))
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen:
            _as_root("fsfreeze", "--unfreeze", str(self.path))
            self._frozen = False

    def close(self) -> None:
        """End all faults and unmount; waits a little for those who still have files open."""
        self.thaw()
        for database in self.path.glob("*.db"):
            with suppress(subprocess.SubprocessError):
                self.allow_writes(database)
        deadline = time.monotonic() + UNMOUNT_LIMIT_SECONDS
        while True:
            try:
                _as_root("umount", str(self.path))
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def locked(database: Path) -> Fault:
    """Another program's write transaction; it needs no disk of our own."""
    other: list[sqlite3.Connection] = []

    def begin() -> None:
        connection = sqlite3.connect(database, isolation_level=None, timeout=10.0, check_same_thread=False)
        other.append(connection)
        connection.execute("BEGIN IMMEDIATE")

    def end() -> None:
        while other:
            other.pop().close()

    return Fault("locked", begin, end)


def _written(database: Path) -> list[str]:
    """Not the -shm file: it is memory that programs share, and they would die of it."""
    return [str(path) for path in (database, database.with_name(f"{database.name}-wal")) if path.exists()]


def _as_root(*command: str) -> None:
    _run(*(() if os.geteuid() == 0 else ("sudo", "-n")), *command)


def _run(*command: str) -> None:
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=30, env=environment)
