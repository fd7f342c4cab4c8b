"""A DuckDB database file of the user's, opened read-only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from querist.errors import SourceAccessError, SourceFormatError, SourceNotFoundError
from querist.sources.base import Column, ForeignKey, Schema, TableSchema
from querist.sources.duckdb_engine import DuckDbEngine, engine_message, engine_settings, kind_of
from querist.sources.file_cache import file_stamp
from querist.sources.naming import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass
class DuckDbSource(DuckDbEngine):
    """Tables and views of a DuckDB file. While it is open, no other process can write to the file."""

    path: Path = Path()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._schema: Schema | None = None

    def fingerprint(self) -> str:
        try:
            stamp = file_stamp(self.path)
        except FileNotFoundError as error:
            raise SourceNotFoundError(f"{self.path} is no longer there.") from error
        log = self.path.with_name(self.path.name + ".wal")
        return hashlib.sha256(f"{stamp}|{file_stamp(log) if log.exists() else ''}".encode()).hexdigest()[:32]

    def schema(self) -> Schema:
        with self._lock:
            connection = self._current()
            if self._schema is None:
                self._schema = Schema("duckdb", tuple(_tables(connection)))
            return self._schema

    def describe(self) -> str:
        return str(self.path)

    def _open(self) -> DuckDBPyConnection:
        import duckdb

        self._schema = None
        try:
            return duckdb.connect(str(self.path), read_only=True, config=engine_settings())
        except duckdb.IOException as error:
            if "set lock" in str(error).lower():
                raise SourceAccessError(
                    f"{self.path} is open for writing in another program.", hint="Close it there, or copy the file."
                ) from error
            raise SourceFormatError(f"{self.path} cannot be opened: {engine_message(error)}") from error
        except duckdb.ConnectionException as error:
            raise SourceAccessError(
                f"{self.path} is already open in this program with other settings.", hint="Close that connection first."
            ) from error
        except duckdb.Error as error:
            raise SourceFormatError(f"{self.path} cannot be opened: {engine_message(error)}") from error


def _tables(con: DuckDBPyConnection) -> list[TableSchema]:
    rows = con.execute(
        """
        SELECT schema_name, table_name, comment, false FROM duckdb_tables()
        WHERE database_name = current_database() AND NOT internal AND NOT temporary
        UNION ALL
        SELECT schema_name, view_name, comment, true FROM duckdb_views()
        WHERE database_name = current_database() AND NOT internal AND NOT temporary
        ORDER BY ALL
        """
    ).fetchall()
    columns = _by_table(
        con,
        """
        SELECT schema_name, table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns()
        WHERE database_name = current_database() AND NOT internal ORDER BY schema_name, table_name, column_index
        """,
    )
    keys = _by_table(
        con,
        """
        SELECT schema_name, table_name, constraint_type, constraint_column_names,
               referenced_table, referenced_column_names
        FROM duckdb_constraints()
        WHERE database_name = current_database() AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')
        """,
    )
    tables = []
    for schema, name, comment, is_view in rows:
        primary = next((tuple(k[1]) for k in keys.get((schema, name), ()) if k[0] == "PRIMARY KEY"), ())
        foreign = tuple(
            ForeignKey(tuple(k[1]), _full_name(schema, k[2]), tuple(k[3]))
            for k in keys.get((schema, name), ())
            if k[0] == "FOREIGN KEY"
        )
        tables.append(
            TableSchema(
                name=_full_name(schema, name),
                columns=tuple(
                    Column(c, kind, kind_of(kind), nullable=bool(nullable), comment=text or "")
                    for c, kind, nullable, text in columns.get((schema, name), ())
                ),
                namespace="" if schema == "main" else schema,
                primary_key=primary,
                foreign_keys=foreign,
                row_count=None if is_view else _count(con, schema, name),
                comment=comment or "",
                is_view=is_view,
            )
        )
    return tables


def _count(con: DuckDBPyConnection, schema: str, name: str) -> int:
    """Exactly, and as quick: the size that the catalog tells has rows in it that were deleted."""
    (rows,) = con.execute(f"SELECT count(*) FROM {quote(schema)}.{quote(name)}").fetchone() or (0,)
    return int(rows)


def _full_name(schema: str, name: str) -> str:
    return name if schema == "main" else f"{schema}.{name}"


def _by_table(con: DuckDBPyConnection, sql: str) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for schema, table, *rest in con.execute(sql).fetchall():
        found.setdefault((schema, table), []).append(tuple(rest))
    return found
