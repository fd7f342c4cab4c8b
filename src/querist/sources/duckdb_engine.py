"""DuckDB as the engine of a source: locked before the first question, interruptible, one connection for each query.

The lock has three parts, and holds without the guard: no access to files, network or extensions and settings that
cannot be changed; one statement, which DuckDB itself classes as a SELECT; a transaction that is read-only.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
import time
import uuid
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from querist.errors import QueryError, UsageError
from querist.sources.base import Kind, Limits, Profile, Source
from querist.sources.collect import collect_rows
from querist.sources.naming import literal
from querist.sources.running import RunningQuery, timeout_error
from querist.sources.table import ResultColumn, Table
from querist.state.paths import cache_dir

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"
"""What DuckDB may use before it spills to disk."""
SPILL = "20GB"
"""What it may spill."""


@contextlib.contextmanager
def stopped_by_keyboard() -> Iterator[None]:
    """Ctrl-C as such: DuckDB swallows it while it works in the main thread, and raises a bare RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error


@dataclass
class DuckDbEngine(Source):
    """What the file sources share. Subclasses open the connection and tell the schema.

    Results with time zones come in UTC; intervals come as text, because months have no fixed length in Python.
    """

    def __post_init__(self) -> None:
        self.dialect = "duckdb"
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._running: set[RunningQuery] = set()
        self._connection: DuckDBPyConnection | None = None
        self._opened_for = ""
        self._profile: Profile | None = None
        self._closed = False
        self._spill = cache_dir() / "spill" / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"

    @abstractmethod
    def _open(self) -> DuckDBPyConnection:
        """A connection to the data as they are now; `_lock_engine` is called on it afterwards."""

    def _current(self) -> DuckDBPyConnection:
        """The connection, opened anew when the data have changed."""
        with self._lock:
            if self._closed:
                raise UsageError(f"The source {self.name!r} is closed.")
            fingerprint = self.fingerprint()
            if self._connection is None or fingerprint != self._opened_for:
                self._disconnect()
                connection = self._open()
                _lock_engine(connection, self._spill)
                self._connection, self._opened_for = connection, fingerprint
            return self._connection

    def _disconnect(self) -> None:
        """Close the connection once no query runs on it any more: DuckDB refuses to close a busy one."""
        with self._idle:
            self._idle.wait_for(lambda: not self._running)
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextlib.contextmanager
    def _query(self, seconds: float) -> Iterator[tuple[DuckDBPyConnection, RunningQuery]]:
        """A cursor for one query, and the watch that stops it."""
        with self._lock:
            cursor = self._current().cursor()
            run = RunningQuery(cursor.interrupt, seconds)
            self._running.add(run)
        try:
            with run:
                yield cursor, run
        finally:
            cursor.close()
            with self._idle:
                self._running.discard(run)
                self._idle.notify_all()

    def execute(self, sql: str, limits: Limits = Limits()) -> Table:
        import duckdb

        with self._query(limits.seconds) as (cursor, run), stopped_by_keyboard():
            try:
                return self._run(cursor, sql, limits)
            except duckdb.InterruptException as error:
                if run.timed_out:
                    raise timeout_error(limits) from error
                raise QueryError("The query was interrupted.") from error
            except duckdb.OutOfMemoryException as error:
                raise QueryError(
                    f"The query needs more than the {MEMORY} of memory and {SPILL} of disk it may use.",
                    hint="Ask for fewer rows or columns.",
                ) from error
            except duckdb.Error as error:
                raise QueryError(engine_message(error)) from error

    def _run(self, cursor: DuckDBPyConnection, sql: str, limits: Limits) -> Table:
        import duckdb

        statements = cursor.extract_statements(sql)
        words = [str(statement.type).rpartition(".")[2] for statement in statements]
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            # A PIVOT that has to look up its values first is several statements in one.
            pivot = re.search(r"\bPIVOT\b", sql, re.IGNORECASE)
            raise QueryError(
                f"Only a single SELECT may run, and this is {' and '.join(words) or 'empty'}.",
                hint="A PIVOT must name its values with IN (...)." if pivot else "",
            )
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        cursor.execute(statements[0])
        # DuckDB calls COUNT(*) count_star(), as nobody else does.
        named = [(str(d[0]).replace("count_star()", "count(*)"), str(d[1])) for d in cursor.description or ()]
        columns = [ResultColumn(name, kind) for name, kind in named]
        casts = [_cast(column.type) for column in columns]
        if any(casts):
            names = ", ".join(f"c{i}" for i in range(len(columns)))
            picks = ", ".join(f"c{i}::{cast}" if cast else f"c{i}" for i, cast in enumerate(casts))
            # The line break ends a comment that the query may end with.
            cursor.execute(f"SELECT {picks} FROM ({_without_semicolon(sql)}\n) AS result({names})")
        return collect_rows(cursor.fetchmany, columns, limits, self.name)

    def profile(self) -> Profile:
        from querist.sources.profile import DUCKDB, cached_profile

        now = self.fingerprint()
        if self._profile is None or self._profile.fingerprint != now:
            self._profile = cached_profile(self, DUCKDB)
        return self._profile

    def interrupt(self) -> None:
        with self._lock:
            for run in self._running:
                run.cancel()

    def close(self) -> None:
        self._closed = True
        self.interrupt()
        self._disconnect()
        shutil.rmtree(self._spill, ignore_errors=True)


def _without_semicolon(sql: str) -> str:
    """The statement up to its end mark, which may have comments behind it."""
    from sqlglot import TokenType, tokenize

    words = [token for token in tokenize(sql, read="duckdb") if token.token_type != TokenType.SEMICOLON]
    return sql[: words[-1].end + 1]


def _cast(type_name: str) -> str:
    """What a result of this type is cast to; empty for nothing. Months have no fixed length in Python, and for times
    with a zone DuckDB needs another package (pytz)."""
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return "TIMESTAMP"
    return "VARCHAR" if "TIME ZONE" in type_name or "INTERVAL" in type_name else ""


def engine_settings() -> dict[str, str | bool | int | float | list[str]]:
    """Settings that hold from the start: nothing is fetched, and memory is bounded."""
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": MEMORY,
    }


def _lock_engine(connection: DuckDBPyConnection, spill: Path) -> None:
    _remove_old_spills(spill.parent)
    connection.execute(f"SET temp_directory = {literal(str(spill))}")
    connection.execute(f"SET max_temp_directory_size = '{SPILL}'")
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _remove_old_spills(folder: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > 86_400:
                shutil.rmtree(path, ignore_errors=True)


def engine_message(error: Exception, most: int = 500) -> str:
    """The engine's words without the picture of the query below them."""
    text = re.split(r"\n\s*\nLINE \d+:|\nLINE \d+:", str(error))[0]
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= most else text[: most - 1] + "…"


def kind_of(type_name: str) -> Kind:
    """The kind of a DuckDB type."""
    name = type_name.upper()
    if name.endswith("]"):
        return "other"
    for start, kind in _KINDS:
        if name.startswith(start):
            return kind
    return "other"


_KINDS: Sequence[tuple[str, Kind]] = (
    ("TIMESTAMP", "datetime"),
    ("TIME", "time"),
    ("DATE", "date"),
    ("BOOL", "boolean"),
    ("BLOB", "binary"),
    ("VARCHAR", "text"),
    ("ENUM", "text"),
    ("UUID", "text"),
    ("DECIMAL", "number"),
    ("DOUBLE", "number"),
    ("FLOAT", "number"),
    ("TINYINT", "integer"),
    ("SMALLINT", "integer"),
    ("INTEGER", "integer"),
    ("BIGINT", "integer"),
    ("HUGEINT", "integer"),
    ("BIGNUM", "integer"),
    ("UTINYINT", "integer"),
    ("USMALLINT", "integer"),
    ("UINTEGER", "integer"),
    ("UBIGINT", "integer"),
    ("UHUGEINT", "integer"),
)
