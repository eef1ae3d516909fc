"""A disk whose write-ahead log can be told to fail or to freeze, beneath the real SQLite of this process.

SQLite reaches files through a table of functions (sqlite3_io_methods in its documentation). `faulty_disk` puts its own
functions for writing and syncing into that table for the files of one database; unless told otherwise they call
SQLite's. Nothing of SQLite itself is replaced.
"""

from __future__ import annotations

import _sqlite3
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path

import pytest

OPEN_WAL = 0x00080000
OPEN_MAIN_DB = 0x00000100

Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)
ShmMap = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int, c_void_p)


class IoMethods(Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", Write),
        ("truncate", c_void_p),
        ("sync", Sync),
        ("others", c_void_p * 7),
        ("shm_map", ShmMap),
        ("the_rest", c_void_p * 5),
    ]


class File(Structure):
    """sqlite3_file."""

    _fields_ = [("methods", POINTER(IoMethods))]


Open = CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(File), c_int, POINTER(c_int))


class Vfs(Structure):
    """The beginning of sqlite3_vfs."""

    _fields_ = [
        ("version", c_int),
        ("file_size", c_int),
        ("path_most", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("own", c_void_p),
        ("open", Open),
    ]


class FaultyDisk:
    """What happens before each write and sync of a log, and when the shared index grows.

    Each is asked first; what it returns instead of 0 becomes SQLite's result, and nothing is done.
    """

    def __init__(self) -> None:
        self.heal()

    def heal(self) -> None:
        """Nothing fails from now on."""
        self.on_write: Callable[[], int] = lambda: 0
        self.on_sync: Callable[[], int] = lambda: 0
        self.on_index_growth: Callable[[], int] = lambda: 0


_kept: list[object] = []  # SQLite holds addresses of these as long as a file is open


@contextmanager
def faulty_disk(database: Path) -> Iterator[FaultyDisk]:
    """The disk of this database, if it is opened after this. Skips the test where SQLite cannot be reached."""
    library = ctypes.CDLL(_sqlite3.__file__)
    try:
        library.sqlite3_vfs_find.restype = POINTER(Vfs)
        vfs = library.sqlite3_vfs_find(None).contents
    except AttributeError:
        pytest.skip("this Python hides the functions of its SQLite, so no fault can be put beneath it")
    disk = FaultyDisk()
    real_open = Open(ctypes.cast(vfs.open, c_void_p).value or 0)

    def opened(this: int, name: int, file: ctypes._Pointer[File], flags: int, out: ctypes._Pointer[c_int]) -> int:
        result = int(real_open(this, name, file, flags, out))
        if result == 0 and flags & (OPEN_WAL | OPEN_MAIN_DB) and ctypes.string_at(name).startswith(bytes(database)):
            file.contents.methods = ctypes.pointer(_watched(file.contents.methods.contents, disk, flags))
        return result

    ours = Open(opened)
    _kept.extend((ours, real_open))
    vfs.open = ours
    try:
        yield disk
    finally:
        disk.heal()
        vfs.open = real_open


def _watched(real: IoMethods, disk: FaultyDisk, flags: int) -> IoMethods:
    methods = IoMethods.from_buffer_copy(real)
    if flags & OPEN_WAL:
        methods.write = Write(lambda *call: disk.on_write() or int(real.write(*call)))
        methods.sync = Sync(lambda *call: disk.on_sync() or int(real.sync(*call)))
    else:
        methods.shm_map = ShmMap(
            lambda file, region, size, extend, out: (
                (disk.on_index_growth() if extend and region else 0)
                or int(real.shm_map(file, region, size, extend, out))
            )
        )
    _kept.append(methods)
    return methods
