"""A bounded store for what can be made again: profiles, value indexes, replies of models.

A cache never stops the work that it speeds up: whatever goes wrong with it is logged, and the answer is "not there".
Not for anything that a user would miss.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from querist.state.sqlite_file import is_broken, remove

log = logging.getLogger(__name__)

DEFAULT_MAX_BYTES = 512_000_000
_VERSION = 1
_KEEP = 0.9
"""Share of the bound that is left after making room, so that not every later `put` has to make room again."""
_TOUCH_SECONDS = 60.0
"""How old the note of an entry's last use gets before a read renews it: a read should not mean a write each time."""
_BUSY_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE entries (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    used REAL NOT NULL,
    size INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX entries_by_use ON entries (used, size);
CREATE TABLE total (bytes INTEGER NOT NULL);
INSERT INTO total VALUES (0);
"""


class ContentCache:
    """Bytes by namespace and key in one SQLite file, least recently used out first.

    Several threads may use an instance and several processes the file. Open it after forking, not before.

    Args:
        path: the file; made with its folder on first use, readable by its owner only.
        max_bytes: bound on the sum of keys and values; the file is a little larger.
        clock: seconds since the epoch.
    """

    def __init__(self, path: Path, max_bytes: int = DEFAULT_MAX_BYTES, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def get(self, namespace: str, key: str) -> bytes | None:
        """The value kept there; None when there is none."""
        with self._guarded("read"), self._lock:
            database = self._open()
            found = database.execute(
                "SELECT value, used FROM entries WHERE namespace = ? AND key = ?", (namespace, key)
            ).fetchone()
            if found is None:
                return None
            value, used = found
            now = self._clock()
            if now - used > _TOUCH_SECONDS:
                # The value is there already: a file that cannot be written now must not lose it.
                with self._guarded("note a use in"):
                    database.execute(
                        "UPDATE entries SET used = ? WHERE namespace = ? AND key = ?", (now, namespace, key)
                    )
            return bytes(value)
        return None

    def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep a value, in place of the one that was there. One larger than the bound is not kept."""
        size = len(namespace.encode()) + len(key.encode()) + len(value)
        if size > self.max_bytes:
            log.info("a value of %d bytes is larger than the cache %s and is not kept", size, self.path)
            return
        with self._guarded("write"), self._lock:
            database = self._open()
            with _transaction(database):
                before = database.execute(
                    "SELECT size FROM entries WHERE namespace = ? AND key = ?", (namespace, key)
                ).fetchone()
                database.execute(
                    "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)",
                    (namespace, key, self._clock(), size, value),
                )
                database.execute("UPDATE total SET bytes = bytes + ?", (size - (before[0] if before else 0),))
                if self._total(database) > self.max_bytes:
                    self._make_room(database, keep=(namespace, key))

    def clear(self, namespace: str | None = None) -> None:
        """Forget what is in a namespace, or everything."""
        with self._guarded("clear"), self._lock:
            database = self._open()
            with _transaction(database):
                where, values = ("", ()) if namespace is None else (" WHERE namespace = ?", (namespace,))
                freed = database.execute(f"SELECT coalesce(sum(size), 0) FROM entries{where}", values).fetchone()[0]
                database.execute(f"DELETE FROM entries{where}", values)
                database.execute("UPDATE total SET bytes = bytes - ?", (freed,))

    def size(self) -> int:
        """Bytes that keys and values take."""
        with self._guarded("measure"), self._lock:
            return self._total(self._open())
        return 0

    def close(self) -> None:
        """Give back the file. It opens again when it is used."""
        with self._lock:
            self._drop_connection()

    def _total(self, database: sqlite3.Connection) -> int:
        total: int = database.execute("SELECT bytes FROM total").fetchone()[0]
        return total

    def _make_room(self, database: sqlite3.Connection, keep: tuple[str, str]) -> None:
        excess = self._total(database) - int(self.max_bytes * _KEEP)
        out, freed = [], 0
        for rowid, namespace, key, size in database.execute(
            "SELECT rowid, namespace, key, size FROM entries ORDER BY used, rowid"
        ):
            if freed >= excess:
                break
            if (namespace, key) != keep:
                out.append((rowid,))
                freed += size
        database.executemany("DELETE FROM entries WHERE rowid = ?", out)
        database.execute("UPDATE total SET bytes = bytes - ?", (freed,))

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its companion files the rights of the database file, so these are set before it opens it.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                with _transaction(database):
                    # Another process may have made it while this one waited for the lock.
                    if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                        _make_tables(database)
        except BaseException:
            database.close()
            raise
        self._connection = database
        return database

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        """Log what goes wrong instead of raising it; begin with an empty file where this one is broken."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if is_broken(error):
                log.warning("the cache %s is broken (%s) and starts again, empty", self.path, error)
                self._start_again()
            else:
                log.warning("could not %s the cache %s: %s", doing, self.path, error)
        except OSError as error:
            log.warning("could not %s the cache %s: %s", doing, self.path, error)

    def _start_again(self) -> None:
        with self._lock:
            self._drop_connection()
            try:
                remove(self.path)
            except OSError as error:
                log.warning("could not remove the broken cache %s: %s", self.path, error)


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE takes the write lock at once: a transaction that begins as a reader cannot wait for another writer.
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _make_tables(database: sqlite3.Connection) -> None:
    for table in ("entries", "total"):
        database.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in _SCHEMA.split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {_VERSION}")
