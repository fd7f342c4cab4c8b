"""A SQLite database file, opened read-only with everything but reading denied to the statement itself."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote as url_quote

from querist.errors import (
    QueryError,
    SourceAccessError,
    SourceFormatError,
    SourceNotFoundError,
    UsageError,
)
from querist.sources.base import Column, ForeignKey, Kind, Limits, Profile, Schema, Source, TableSchema
from querist.sources.collect import collect_rows
from querist.sources.file_cache import file_stamp
from querist.sources.naming import quote
from querist.sources.running import RunningQuery, timeout_error
from querist.sources.table import ResultColumn, Table

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "zipfile", "sqlar_compress"}
MAX_CELL = 256 * 1024 * 1024
"""Bytes of the longest text or blob that a query may make."""
STEPS = 1_000_000
"""After so many of SQLite's own a query comes back to Python, which only then sees that Ctrl-C was pressed."""


@dataclass
class SqliteSource(Source):
    """Tables and views of a SQLite file. Each query has a connection of its own, so any number of threads may ask."""

    path: Path = Path()

    def __post_init__(self) -> None:
        self.dialect = "sqlite"
        self._lock = threading.Lock()
        self._running: set[RunningQuery] = set()
        self._schema: tuple[str, Schema] | None = None
        self._profile: Profile | None = None
        self._closed = False

    def fingerprint(self) -> str:
        try:
            stamp = file_stamp(self.path)
        except FileNotFoundError as error:
            raise SourceNotFoundError(f"{self.path} is no longer there.") from error
        log = self.path.with_name(self.path.name + "-wal")
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size:  # readers make and remove an empty one
                stamp += "|" + file_stamp(log)
        return hashlib.sha256(stamp.encode()).hexdigest()[:32]

    def schema(self) -> Schema:
        now = self.fingerprint()
        with self._lock:
            if self._schema is not None and self._schema[0] == now:
                return self._schema[1]
        with self._connect() as con:
            try:
                schema = Schema("sqlite", tuple(_tables(con)))
            except sqlite3.DatabaseError as error:
                raise SourceFormatError(f"{self.path} cannot be read: {error}.") from error
        with self._lock:
            self._schema = (now, schema)
        return schema

    def profile(self) -> Profile:
        from querist.sources.profile import SQLITE, cached_profile

        now = self.fingerprint()
        if self._profile is None or self._profile.fingerprint != now:
            self._profile = cached_profile(self, SQLITE)
        return self._profile

    def execute(self, sql: str, limits: Limits = Limits()) -> Table:
        with self._connect() as con, RunningQuery(con.interrupt, limits.seconds) as run:
            with self._lock:
                self._running.add(run)
            try:
                con.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
                con.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
                _connect_virtual_tables(con)
                con.set_authorizer(_authorize)
                con.set_progress_handler(lambda: 0, STEPS)
                cursor = con.execute(sql)
                if cursor.description is None:
                    raise QueryError("The statement returns no rows: only a single SELECT may run.")
                columns = [ResultColumn(d[0]) for d in cursor.description]
                return collect_rows(cursor.fetchmany, columns, limits, self.name)
            except (sqlite3.Error, sqlite3.Warning) as error:
                if run.timed_out:
                    raise timeout_error(limits) from error
                if run.cancelled:
                    raise QueryError("The query was interrupted.") from error
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                    raise KeyboardInterrupt from error  # it was raised when the query came back, and SQLite took it
                raise QueryError(str(error)) from error
            finally:
                with self._lock:
                    self._running.discard(run)

    def interrupt(self) -> None:
        with self._lock:
            for run in self._running:
                run.cancel()

    def close(self) -> None:
        self._closed = True
        self.interrupt()

    def describe(self) -> str:
        return str(self.path)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise UsageError(f"The source {self.name!r} is closed.")
        con = self._open("mode=ro")
        try:
            try:
                con.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            except sqlite3.OperationalError as error:
                con.close()
                con = self._open_without_log(error)
            except sqlite3.DatabaseError as error:
                raise SourceFormatError(f"{self.path} is not a readable SQLite database: {error}.") from error
            yield con
        finally:
            con.close()

    def _open(self, mode: str) -> sqlite3.Connection:
        address = f"file:{url_quote(str(self.path.absolute()))}?{mode}"
        try:
            con = sqlite3.connect(address, uri=True, check_same_thread=False, timeout=10, isolation_level=None)
        except sqlite3.OperationalError as error:
            if not self.path.exists():
                raise SourceNotFoundError(f"{self.path} is no longer there.") from error
            raise SourceAccessError(f"{self.path} cannot be opened: {error}.", hint="Check its permissions.") from error
        con.text_factory = _decode
        con.execute("PRAGMA query_only = ON")
        return con

    def _open_without_log(self, error: sqlite3.OperationalError) -> sqlite3.Connection:
        """A database in write-ahead mode needs two files beside it, which a read-only folder does not let SQLite make.
        Without a log the file is complete and can be read as it is; with one, that would miss the latest changes."""
        log = self.path.with_name(self.path.name + "-wal")
        if ("unable to open" in str(error) or "readonly" in str(error)) and not (log.exists() and log.stat().st_size):
            return self._open("mode=ro&immutable=1")
        if "locked" in str(error):
            hint = "Try again when it is done."
            raise SourceAccessError(f"{self.path} is locked by another program.", hint=hint) from error
        raise SourceAccessError(
            f"{self.path} cannot be read: {error}.",
            hint="Its latest changes are in the -wal file beside it, which needs a writable folder. Copy both.",
        ) from error


def _decode(raw: bytes) -> str:
    """SQLite does not check the encoding of texts; a few old bytes must not make a table unreadable."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (second or "").lower() in _DENIED_FUNCTIONS else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first == "data_version":
        return sqlite3.SQLITE_OK  # full-text search asks for it; it only tells whether the file changed
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _connect_virtual_tables(con: sqlite3.Connection) -> None:
    """Full-text search and the like declare their columns on first use, which reading alone would not be allowed to."""
    for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage = 0").fetchall():
        with contextlib.suppress(sqlite3.OperationalError):  # of a module that is not there: told when it is queried
            con.execute(f"SELECT 1 FROM {quote(name)} LIMIT 0")


def _tables(con: sqlite3.Connection) -> list[TableSchema]:
    objects = con.execute(
        "SELECT name, type, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    ).fetchall()
    shadows = {f"{name}_{part}" for name, _, sql in objects if "USING FTS" in sql.upper() for part in _FTS_PARTS}
    objects = [o for o in objects if o[0] not in shadows]
    primary = {name: _primary_key(con, name) for name, kind, _ in objects if kind == "table"}
    return [_table(con, name, kind == "view", sql, primary) for name, kind, sql in objects]


_FTS_PARTS = ("data", "idx", "content", "docsize", "config", "segments", "segdir", "stat")
"""Tables in which SQLite's full-text search keeps its index."""


def _primary_key(con: sqlite3.Connection, table: str) -> tuple[str, ...]:
    try:
        info = con.execute(f"PRAGMA table_info({quote(table)})").fetchall()
    except sqlite3.OperationalError:  # a virtual table of a module that is not here; `_table` tells of it
        return ()
    return tuple(name for _, name in sorted((row[5], row[1]) for row in info if row[5]))


def _table(
    con: sqlite3.Connection, name: str, is_view: bool, sql: str, primary: dict[str, tuple[str, ...]]
) -> TableSchema:
    try:
        info = con.execute(f"PRAGMA table_xinfo({quote(name)})").fetchall()
    except sqlite3.OperationalError as error:  # a view over a table that is gone, a module that is not here
        return TableSchema(name, (), is_view=is_view, notes=(f"cannot be used: {error}",))
    untyped = [row[1] for row in info if not row[2] and row[6] != 1]
    found = _stored_kinds(con, name, untyped) if untyped else {}
    comments, about = _comments(sql)
    columns = tuple(
        Column(
            name=row[1],
            type=row[2] or found.get(row[1], ("", "other"))[0],
            kind=_kind(row[2]) if row[2] else found.get(row[1], ("", "other"))[1],
            nullable=not row[3] and not row[5],
            comment=comments.get(row[1].lower(), ""),
        )
        for row in info
        if row[6] != 1  # hidden columns of virtual tables
    )
    return TableSchema(
        name=name,
        columns=columns,
        primary_key=primary.get(name, ()),
        foreign_keys=() if is_view else _foreign_keys(con, name, primary),
        row_count=None if is_view else con.execute(f"SELECT count(*) FROM {quote(name)}").fetchone()[0],
        comment=about,
        is_view=is_view,
    )


def _foreign_keys(con: sqlite3.Connection, table: str, primary: dict[str, tuple[str, ...]]) -> tuple[ForeignKey, ...]:
    names = {name.lower(): name for name in primary}
    keys: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, _, target, source, column, *_ in con.execute(f"PRAGMA foreign_key_list({quote(table)})"):
        keys.setdefault(number, []).append((target, source, column))
    found = []
    for pairs in (keys[number] for number in sorted(keys, reverse=True)):  # SQLite lists the last one first
        actual = names.get(pairs[0][0].lower())
        if actual is None:
            continue
        columns = tuple(column for _, _, column in pairs if column is not None)
        targets = columns if len(columns) == len(pairs) else primary[actual]
        if len(targets) == len(pairs):
            found.append(ForeignKey(tuple(source for _, source, _ in pairs), actual, targets))
    return tuple(found)


def _stored_kinds(con: sqlite3.Connection, table: str, columns: list[str]) -> dict[str, tuple[str, Kind]]:
    """Type and kind of columns without a declared type, from what the first rows hold."""
    kinds: dict[str, tuple[str, Kind]] = {}
    words: dict[str, Kind] = {"integer": "integer", "real": "number", "text": "text", "blob": "binary"}
    for column in columns:
        sql = f"SELECT DISTINCT typeof({quote(column)}) FROM (SELECT {quote(column)} FROM {quote(table)} LIMIT 1000)"
        try:
            rows = con.execute(sql).fetchall()
        except sqlite3.OperationalError:  # an expression of a view that fails on some row; querying it tells why
            continue
        stored = {row[0] for row in rows} - {"null"}
        if stored == {"integer", "real"}:
            stored = {"real"}
        if len(stored) == 1:
            word = stored.pop()
            kinds[column] = (word.upper(), words[word])
    return kinds


def _kind(declared: str) -> Kind:
    """By SQLite's rules of affinity, with the names that people use for dates and booleans before them."""
    name = declared.upper()
    if "BOOL" in name:
        return "boolean"
    if "DATETIME" in name or "TIMESTAMP" in name:
        return "datetime"
    if name.startswith("DATE"):
        return "date"
    if name.startswith("TIME"):
        return "time"
    if "INT" in name or name == "YEAR":
        return "integer"
    if any(word in name for word in ("CHAR", "CLOB", "TEXT", "STRING", "ENUM", "UUID", "JSON")):
        return "text"
    if "BLOB" in name or "BINARY" in name:
        return "binary"
    if any(word in name for word in ("REAL", "FLOA", "DOUB", "DEC", "NUM", "MONEY", "CURRENCY")):
        return "number"
    return "other"


def _comments(sql: str) -> tuple[dict[str, str], str]:
    """`-- …` after a column in its CREATE statement, by lower-case column name; and the one after the table's name."""
    comments: dict[str, str] = {}
    about = ""
    for line in sql.splitlines():
        start = re.sub("'[^']*'", lambda text: "x" * len(text[0]), line).find("--")
        code, comment = line[:start], line[start + 2 :]
        word = re.match(r"""[\s,]*(?:"([^"]+)"|`([^`]+)`|\[([^\]]+)\]|(\w+))""", code)
        if start < 0 or word is None or not comment.strip():
            continue
        if (word[4] or "").upper() == "CREATE":
            about = comment.strip()
        else:
            comments[next(g for g in word.groups() if g is not None).lower()] = comment.strip()
    return comments, about
