"""A SQLite file that only its owner reads; and one that cannot be used: is it broken, and what to do about it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_BUSY_SECONDS = 5.0
_AROUND = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
)
"""What SQLite says when the trouble is around the file and not in it."""


@contextmanager
def open_file(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """Open a file, and make it and its `tables` where they are missing.

    Every statement is a transaction of its own, whole on disk or not there at all.

    Raises:
        OSError, sqlite3.Error: it cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
        database.executescript(tables)
        yield database


def is_broken(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is no database, or no longer one: after a power cut, on a full disk."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def remedy(error: Exception, anew: str) -> str:
    """What a person can do about a file that cannot be used: `anew` where what it holds is of no use any more."""
    if isinstance(error, OSError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _AROUND:
        return "Close what else uses it, make room, or give yourself the right to write there; nothing in it is lost."
    return anew


def remove(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
