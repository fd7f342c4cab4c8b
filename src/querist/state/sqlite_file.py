"""A SQLite file that cannot be used: is it broken, what to do about it, and away with one that can be made anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path

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
