"""One engine for one database: a lock file beside it, held as long as the process lives.

The kernel frees the lock when the holder dies, however it dies, so a stale file never keeps anybody out. The file is
never removed: another process may already hold the one that would take its place.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from engine.errors import StoreError


class StoreLock:
    """A lock that is held from `take` to `release`."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    @classmethod
    def take(cls, database: Path) -> StoreLock:
        """Take the lock of this database. Raises StoreError, naming the process that holds it."""
        path = database.with_name(f"{database.name}.lock")
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot write {path}: {error.strerror}; [store] url must lie in a folder this user may write to"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise StoreError(
                f"{database} is in use by the process with pid {holder}; stop it or use another [store] url"
            ) from None
        except OSError as error:
            os.close(file)
            raise StoreError(f"cannot lock {path}: {error.strerror}; keep the database on a local disk") from error
        return cls(file)

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
