"""Plain data files as one source: every file is a table (a workbook several, several of a kind one); all can be joined.

Each file is converted once into a DuckDB file (`file_cache`); opening the source attaches those, read-only, so that the
second question over the same folder starts at once whatever the size of the files.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from querist.errors import DataError, SourceAccessError, SourceFormatError, SourceNotFoundError
from querist.sources.base import Column, Schema, TableSchema
from querist.sources.duckdb_engine import DuckDbEngine, engine_settings, kind_of
from querist.sources.file_cache import Contents, StoredTable, converted, discard, file_stamp, read_contents
from querist.sources.file_families import Piece, families, family_name, told_apart
from querist.sources.file_kinds import file_kind, shown_name, stem
from querist.sources.naming import file_literal, literal, quote, table_name, unique_name
from querist.sources.tidy import tidied

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)

MAX_FILES = 1_000
"""Each file is an open file of this process, of which systems allow about a thousand."""


@dataclass
class FileSource(DuckDbEngine):
    """Files in one DuckDB, as tables that can be joined.

    Args:
        paths: the files.
        optional: those of them that may be left out when they cannot be read (found in a folder, not named); what was
            left out, and why, stands in `notes`.
        on_progress: is told about each file that takes a while.
        passing: a folder that goes away; what lies in it is converted there, and not kept for another time.
    """

    paths: Sequence[Path] = ()
    optional: frozenset[Path] = frozenset()
    on_progress: Callable[[str], None] | None = None
    passing: Path | None = None
    notes: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.paths) > MAX_FILES:
            raise SourceFormatError(
                f"{len(self.paths):,} files are too many for one source; at most {MAX_FILES:,} are read.",
                hint="Name fewer of them, or put them together into one Parquet file.",
            )
        self._schema: Schema | None = None

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in self.paths:
            try:
                digest.update(os.fsencode(file_stamp(path)))
            except FileNotFoundError as error:
                raise SourceNotFoundError(f"{path} is no longer there.") from error
        return digest.hexdigest()[:32]

    def schema(self) -> Schema:
        with self._lock:
            self._current()
            assert self._schema is not None
            return self._schema

    def describe(self) -> str:
        folders = sorted({str(path.parent) for path in self.paths})
        if len(self.paths) == 1:
            return str(self.paths[0])
        return f"{len(self.paths)} files in {', '.join(folders[:3])}{', …' if len(folders) > 3 else ''}"

    def _open(self) -> DuckDBPyConnection:
        import duckdb

        con = duckdb.connect(":memory:", config=engine_settings())
        con.execute("SET threads = 1")  # attaching needs none, and starting them costs milliseconds
        pieces: list[Piece] = []
        notes: list[str] = []
        last_error: DataError | None = None
        for number, path in enumerate(self.paths):
            database = f"f{number}"
            try:
                contents = self._attach(con, path, database)
            except DataError as error:
                if path not in self.optional:
                    con.close()
                    raise
                last_error = error
                notes.append(f"{shown_name(Path(path.name))} is left out: {error.message}")
                log.warning("%s is left out: %s", shown_name(path), error.message)
                continue
            notes += [f"{path.name}: {note}" for note in contents.notes]
            pieces += [_piece(con, path, database, stored) for stored in contents.tables]
        if not pieces and last_error is not None:
            con.close()
            raise last_error
        tables: list[TableSchema] = []
        for family in families(pieces):
            tables.append(_view(con, family, tables))
        con.execute("RESET threads")
        self._schema = Schema("duckdb", tuple(tables))
        self.notes = tuple(notes)
        return con

    def _attach(self, con: DuckDBPyConnection, path: Path, database: str) -> Contents:
        import duckdb

        for attempt in (1, 2):
            entry = self._convert(path)
            try:
                con.execute(f"ATTACH {literal(str(entry))} AS {database} (READ_ONLY)")
                return read_contents(con, database)
            except duckdb.Error as error:
                # Another process may have made room between the two steps, or the entry is damaged: make it again.
                with contextlib.suppress(duckdb.Error):
                    con.execute(f"DETACH {database}")
                discard(entry)
                if attempt == 2:
                    raise SourceAccessError(f"The converted copy of {path} cannot be opened: {error}") from error
        raise AssertionError("unreachable")

    def _convert(self, path: Path) -> Path:
        def convert(con: DuckDBPyConnection, path: Path, scratch: Path) -> Contents:
            if self.on_progress is not None:
                self.on_progress(f"Reading {path.name}")
            contents = read_file(con, path, scratch)
            return replace(contents, tables=tuple(tidied(con, table) for table in contents.tables))

        with _as_data_errors(path):
            passing = self.passing is not None and path.is_relative_to(self.passing)
            return converted(path, convert, self.passing if passing else None)


def _piece(con: DuckDBPyConnection, path: Path, database: str, stored: StoredTable) -> Piece:
    return Piece(path, database, stored, _columns(con, f"{database}.main.{quote(stored.stored_as)}"))


def _columns(con: DuckDBPyConnection, table: str) -> tuple[Column, ...]:
    info = con.execute(f"SELECT * FROM {table} LIMIT 0").description or ()
    return tuple(Column(str(d[0]), str(d[1]), kind_of(str(d[1]))) for d in info)


def _view(con: DuckDBPyConnection, family: Sequence[Piece], others: Sequence[TableSchema]) -> TableSchema:
    """Make the table of these files, beside the tables that there are."""
    first, paths = family[0], [piece.path for piece in family]
    suffix = f"_{first.stored.suffix}" if first.stored.suffix else ""
    selects = [f"SELECT * FROM {p.database}.main.{quote(p.stored.stored_as)}" for p in family]
    notes = list(first.stored.notes)
    wanted = table_name(stem(first.path) + suffix)
    origin = ", ".join(part for part in (str(first.path), first.stored.origin) if part)
    if len(family) > 1:
        files = told_apart(paths)
        column = quote(unique_name("file", [c.name for c in first.columns]))
        selects = [f"SELECT *, {literal(file)} AS {column} FROM ({s})" for s, file in zip(selects, files, strict=True)]
        wanted = table_name(family_name(paths) + suffix)
        shown = f"{', '.join(files[:3])}{', …' if len(files) > 3 else ''}"
        notes = [f"one table of {len(files)} files with the same columns ({shown}); {column} tells which"]
        notes += [f"{file}: {note}" for p, file in zip(family, files, strict=True) for note in p.stored.notes]
        origin = f"{len(files)} files such as {origin}"
    taken = [t.name for t in others]
    name = wanted
    if wanted.lower() in {t.lower() for t in taken}:
        name = unique_name(table_name(f"{first.path.absolute().parent.name}_{wanted}"), taken)
        notes.insert(0, f"called {name!r}, since there is another table {wanted!r}")
    con.execute(f"CREATE VIEW {quote(name)} AS {' UNION ALL '.join(selects)}")
    rows = sum(piece.stored.rows for piece in family)
    return TableSchema(name, _columns(con, quote(name)), row_count=rows, origin=origin, notes=tuple(notes))


def read_file(con: DuckDBPyConnection, path: Path, scratch: Path) -> Contents:
    """Read one data file into tables of an open DuckDB. `scratch` is an empty directory for passing files.

    Raises:
        SourceFormatError: its format is not supported, or it is damaged or empty.
    """
    from querist.sources.text_encoding import plain_text

    kind = file_kind(path)
    if kind == "parquet":
        file = file_literal(path)
        # Of folders such as `year=2024` the engine makes columns, which would stand in for the file's own of that name.
        own = {column.name.lower() for column in _columns(con, f"read_parquet({file}, hive_partitioning = false)")}
        hidden = any(part.partition("=")[0].lower() in own for part in path.absolute().parent.parts if "=" in part)
        folders = ", hive_partitioning = false" if hidden else ""
        con.execute(f"CREATE TABLE t0 AS SELECT * FROM read_parquet({file}{folders})")
        (rows,) = con.execute("SELECT count(*) FROM t0").fetchone() or (0,)
        return Contents((StoredTable("t0", "", rows),))
    if kind == "excel":
        from querist.sources.excel import load_workbook

        return load_workbook(con, path, scratch)
    if kind not in ("csv", "json"):
        raise SourceFormatError(
            f"{path} is a {kind} database, not a plain file.", hint="Open it as a source of its own."
        )
    plain, notes = plain_text(path, scratch)
    if kind == "json":
        from querist.sources.json_reading import load_json

        contents = load_json(con, plain, scratch, str(path))
        return Contents(contents.tables, (*notes, *contents.notes))
    from querist.sources.csv_reading import load_csv

    loaded = load_csv(con, plain, "t0", scratch, str(path))
    return Contents((StoredTable("t0", "", loaded.rows, notes=(*notes, *loaded.notes)),))


@contextlib.contextmanager
def _as_data_errors(path: Path) -> Iterator[None]:
    import duckdb

    try:
        yield
    except FileNotFoundError as error:
        raise SourceNotFoundError(f"{path} is no longer there.") from error
    except PermissionError as error:
        raise SourceAccessError(f"{error.filename or path} may not be read.", hint="Check its permissions.") from error
    except OSError as error:
        raise SourceAccessError(f"{path} cannot be converted: {error}.", hint="Is the disk full?") from error
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise SourceFormatError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
