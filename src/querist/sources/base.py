"""What every source can do, and how it describes itself. Not for opening sources: see `sources/open.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from querist.sources.table import Table, Value

Kind = Literal["integer", "number", "text", "boolean", "date", "datetime", "time", "binary", "other"]
"""A column's type in terms that hold across engines; `Column.type` keeps the engine's own word."""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    kind: Kind
    nullable: bool = True
    comment: str = ""


@dataclass(frozen=True)
class ForeignKey:
    """`columns` of the table that declares it point to `target_columns` of `target_table` (its `TableSchema.name`)."""

    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class TableSchema:
    """One table or view.

    Attributes:
        name: as a query must write it, unquoted; unique within its source.
        namespace: database schema it lives in where that is not the default one, else empty.
        row_count: number of rows, or None when counting would cost too much.
        origin: where it came from when that is not its name, such as `sales.xlsx, sheet "2024"`.
        notes: what reading it taught, for people: headers renamed, rows skipped, mixed types kept as text.
    """

    name: str
    columns: tuple[Column, ...]
    namespace: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    row_count: int | None = None
    comment: str = ""
    origin: str = ""
    notes: tuple[str, ...] = ()
    is_view: bool = False

    def column(self, name: str) -> Column | None:
        """The column of that name, case-insensitively; None when there is none."""
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Schema:
    """All tables of a source. `dialect` is sqlglot's name of the SQL it speaks: sqlite, duckdb, postgres, mysql, …"""

    dialect: str
    tables: tuple[TableSchema, ...]

    def table(self, name: str) -> TableSchema | None:
        """The table of that name, case-insensitively; None when there is none."""
        return next((t for t in self.tables if t.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class ColumnProfile:
    """What the values of a column look like. Made from all rows, or from a sample of them (`sampled`).

    Attributes:
        nulls: share of NULLs, 0 to 1.
        distinct: number of distinct non-NULL values (approximate on large tables).
        examples: a few values, most frequent first; *all* values when `distinct` is at most 20 and they are short.
        minimum, maximum: None for types without order and for empty columns.
        likely_key: no NULLs, no repeats, and of a type and name that keys have.
        date_format: strftime format when a text column holds dates, else empty.
        numeric_text: a text column in which nearly all values are numbers.
        spellings: values that differ only in case or blanks, those of one value together.
        date_formats: the ways in which dates as text are written, where their order as text is not that of the days:
            several, or one that leaves zeros out or does not tell day from month.
        not_numbers: text among numbers, of which it is none (`n/a`, nothing but blanks), most frequent first.
        not_number_rows: in how many rows.
        missing_words: text that stands for a missing value among other text (`N/A`, nothing but blanks).
        missing_rows: in how many rows.
    """

    name: str
    nulls: float
    distinct: int
    examples: tuple[Value, ...] = ()
    minimum: Value = None
    maximum: Value = None
    likely_key: bool = False
    date_format: str = ""
    numeric_text: bool = False
    spellings: tuple[tuple[str, ...], ...] = ()
    date_formats: tuple[str, ...] = ()
    not_numbers: tuple[str, ...] = ()
    not_number_rows: int = 0
    missing_words: tuple[str, ...] = ()
    missing_rows: int = 0


@dataclass(frozen=True)
class TableProfile:
    """`repeated_rows`: how many rows are the same as an earlier one in every column; None where counting costs much."""

    name: str
    row_count: int
    columns: tuple[ColumnProfile, ...]
    sampled: bool = False
    repeated_rows: int | None = None

    def column(self, name: str) -> ColumnProfile | None:
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Profile:
    """Profiles of all tables of a source, valid for data with this fingerprint."""

    fingerprint: str
    tables: tuple[TableProfile, ...]

    def table(self, name: str) -> TableProfile | None:
        return next((t for t in self.tables if t.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Limits:
    """Bounds of one query. Reaching `rows` or `bytes` truncates the result and says so; `seconds` fails it."""

    seconds: float = 30.0
    rows: int = 10_000
    bytes: int = 50_000_000


@dataclass
class Source(ABC):
    """Something that holds data and can be asked. Blocking; callers that must not block use a thread.

    Every implementation opens its engine read-only or locks it, so that the guard is the first of two locks and never
    the only one. An instance may be used from several threads.
    """

    name: str
    dialect: str = field(init=False, default="")

    @abstractmethod
    def fingerprint(self) -> str:
        """Hex digest that changes when the data may have changed. Cheap: reads sizes and times, not rows."""

    @abstractmethod
    def schema(self) -> Schema:
        """Tables, columns and keys. Kept after the first call until `fingerprint` changes."""

    @abstractmethod
    def profile(self) -> Profile:
        """Column profiles; made once for a fingerprint and kept in the state directory."""

    @abstractmethod
    def execute(self, sql: str, limits: Limits = Limits()) -> Table:
        """Run one statement as it stands. Does not guard: callers go through `sources.guard` first.

        Raises:
            QueryError: the engine refused it.
            QueryTimeoutError: it ran longer than `limits.seconds`.
        """

    @abstractmethod
    def interrupt(self) -> None:
        """Stop the queries that run now, from any thread. They raise QueryError."""

    @abstractmethod
    def close(self) -> None:
        """Give back files, connections and memory. Calling it again does nothing."""

    def describe(self) -> str:
        """Where the data are, for people, without secrets."""
        return self.name
