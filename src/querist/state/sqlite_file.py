"""A SQLite file that can be made anew: is it broken, and away with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def is_broken(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is no database, or no longer one: after a power cut, on a full disk."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def remove(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
