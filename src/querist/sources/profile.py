"""Profiles of columns: what their values look like. Made with the source's own SQL, a few queries for each table.

One implementation for all SQL engines; what differs between them is in `ProfileDialect`.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from querist.errors import DataError
from querist.sources.base import Column, ColumnProfile, Limits, Profile, Source, TableProfile, TableSchema
from querist.sources.column_types import MISSING_WORDS, NULL_WORDS, NUMBER, STYLED, read_column, unsorted_dates
from querist.sources.naming import quote
from querist.sources.profile_store import load_profile, store_profile
from querist.sources.spellings import spellings
from querist.sources.table import Value

log = logging.getLogger(__name__)

LISTED = 20
"""Columns with at most this many different values have them all listed."""
EXAMPLES = 10
JUDGED = 200
"""Values that decide whether a text column holds dates or numbers."""
SHORT = 80
"""Characters of a text that still counts as short."""
LONGEST = 200
"""Characters that are kept of a longer one."""
FEW_ROWS = 200_000
"""Tables with more rows are not searched for rows that repeat."""
MANY_VALUES = 20_000
"""Columns with more different values are not searched for spellings that differ in case or blanks."""
NUMBERS = 0.8
"""The share of numbers from which on other text in a column is told of."""
CHUNK = 60
"""Columns measured in one query."""
SAMPLE = 100_000
"""Rows of a sample."""
_KEY_WORDS = ("id", "key", "code", "no", "nr", "num", "number", "uuid", "guid", "isbn", "ean", "sku", "email", "slug")


@dataclass(frozen=True)
class ProfileDialect:
    """How an engine writes what profiling needs.

    Attributes:
        name: the dialect's name, as sqlglot has it.
        quote: a name as the engine quotes it; gets one part of a dotted name at a time.
        sample: given a quoted table, its number of rows and how many are wanted: a query `SELECT …` for about so many
            rows, spread over the table.
        approximate: SQL for an approximate number of distinct values of `{c}`; empty when there is none.
        exact_rows: tables with more rows are sampled for examples, and counted approximately.
        scan_rows: tables with more rows are not read whole even once.
    """

    name: str
    quote: Callable[[str], str] = quote
    sample: Callable[[str, int, int], str] = lambda table, rows, wanted: f"SELECT * FROM {table} LIMIT {wanted}"
    approximate: str = ""
    exact_rows: int = 200_000
    scan_rows: int = 5_000_000


def _sqlite_sample(table: str, rows: int, wanted: int) -> str:
    # Multiplying by a large prime spreads rows that are numbered in steps, and the remainder keeps it within 64 bits:
    # beyond, it would be the same for all. Views and tables without rowid fail and are then taken from their start.
    return f"SELECT * FROM {table} WHERE rowid % 1000003 * 2654435761 % 1000003 < {max(1, 1_000_003 * wanted // rows)}"


SQLITE = ProfileDialect("sqlite", sample=_sqlite_sample)
DUCKDB = ProfileDialect(
    "duckdb",
    sample=lambda table, rows, wanted: f"SELECT * FROM {table} USING SAMPLE reservoir({wanted} ROWS) REPEATABLE (1)",
    approximate="approx_count_distinct({c})",
    scan_rows=50_000_000,
)


def cached_profile(source: Source, dialect: ProfileDialect) -> Profile:
    """The profile of the data as they are now: from the cache, or made and kept there."""
    fingerprint = source.fingerprint()
    profile = load_profile(fingerprint)
    if profile is None:
        profile = build_profile(source, dialect)
        store_profile(profile)
    return profile


def build_profile(source: Source, dialect: ProfileDialect) -> Profile:
    """Profile all tables of a source with its own `execute`.

    A column that cannot be measured (a broken view, a type whose values cannot be compared) has a profile without
    values, at most with its share of NULLs; the reason is logged.
    Binary columns have no examples and no distinct count. Nothing is read from tables whose row count is zero.
    """
    fingerprint = source.fingerprint()
    tables = [_TableProfiler(source, dialect, table).profile() for table in source.schema().tables]
    return Profile(fingerprint, tuple(tables))


@dataclass
class _Measures:
    filled: int = 0
    distinct: int = 0
    minimum: Value = None
    maximum: Value = None


class _TableProfiler:
    def __init__(self, source: Source, dialect: ProfileDialect, table: TableSchema) -> None:
        self.source, self.dialect, self.schema = source, dialect, table
        self.table = ".".join(dialect.quote(part) for part in _parts(table))
        self.rows = 0
        self.sampled = False
        self.sample_rows = 0
        self.whole = self.table
        """What counts, minima and maxima are taken from."""
        self.sample = self.table
        """What examples are taken from."""

    def profile(self) -> TableProfile:
        if not self.schema.columns:
            return TableProfile(self.schema.name, 0, ())
        try:
            self._size_up()
        except DataError as error:
            log.warning("%s cannot be profiled: %s", self.schema.name, error.message)
            return TableProfile(self.schema.name, self.schema.row_count or 0, ())
        measures = {c.name: m for part in _chunks(self.schema.columns) for c, m in self._measure(part)}
        columns = tuple(self._column(column, measures[column.name]) for column in self.schema.columns)
        return TableProfile(self.schema.name, self.rows, columns, self.sampled, self._repeated_rows(columns))

    def _size_up(self) -> None:
        known = self.schema.row_count
        if known is not None and known > self.dialect.scan_rows:
            self.rows = known
        else:
            try:
                self.rows = int(self._query(f"SELECT count(*) FROM {self.table}")[0][0])
            except DataError:
                if not self.schema.is_view:
                    raise
                # A view that takes too long to count: its first rows must do.
                self.whole = self.sample = f"(SELECT * FROM {self.table} LIMIT 10000) AS sampled"
                self.rows = int(self._query(f"SELECT count(*) FROM {self.whole}")[0][0])
                self.sampled = True
                return
        if self.rows <= self.dialect.exact_rows:
            return
        self.sampled = True
        for query in (self.dialect.sample(self.table, self.rows, SAMPLE), f"SELECT * FROM {self.table} LIMIT {SAMPLE}"):
            self.sample = f"({query}) AS sampled"
            with contextlib.suppress(DataError):  # it has no such samples
                self.sample_rows = int(self._query(f"SELECT count(*) FROM {self.sample}")[0][0])
            if self.sample_rows:  # none of a table that is smaller than its server estimates
                break
        if self.rows > self.dialect.scan_rows:
            self.whole = self.sample

    def _measure(self, columns: Sequence[Column]) -> Iterator[tuple[Column, _Measures]]:
        """Counts and extremes of some columns; when the query fails, of each half, down to the column at fault."""
        picks: list[str] = []
        for column in columns:
            name = self.dialect.quote(column.name)
            ordered = _is_ordered(column)
            picks += [f"count({name})", f"min({name})" if ordered else "NULL", f"max({name})" if ordered else "NULL"]
            picks.append(self._distinct_sql(column, name))
        scale = self.rows / max(1, self.sample_rows) if self.whole is not self.table and self.sample_rows else 1.0
        try:
            row = self._query(f"SELECT {', '.join(picks)} FROM {self.whole}")[0]
        except DataError as error:
            if len(columns) == 1:
                log.warning("column %s of %s cannot be profiled: %s", columns[0].name, self.schema.name, error.message)
                yield columns[0], _Measures(round(self._filled(columns[0]) * scale))
                return
            half = len(columns) // 2
            yield from self._measure(columns[:half])
            yield from self._measure(columns[half:])
            return
        for i, column in enumerate(columns):
            filled, low, high, distinct = row[4 * i : 4 * i + 4]
            filled = round(filled * scale)
            if distinct is None:
                distinct = self._distinct_from_sample(column, filled)
            yield column, _Measures(filled, min(int(distinct), filled), _edge(low), _edge(high))

    def _filled(self, column: Column) -> int:
        """How many values a column has that cannot be compared; 0 where not even that can be told."""
        try:
            return int(self._query(f"SELECT count({self.dialect.quote(column.name)}) FROM {self.whole}")[0][0])
        except DataError:
            return 0

    def _distinct_sql(self, column: Column, name: str) -> str:
        if column.kind == "binary":
            return "0"
        if self.sample is self.table or self.rows <= self.dialect.exact_rows:
            return f"count(DISTINCT {name})"
        if self.whole is not self.table:  # how many there are in the sample says too little
            return "NULL"
        return self.dialect.approximate.replace("{c}", name) or "NULL"

    def _distinct_from_sample(self, column: Column, filled: int) -> int:
        name = self.dialect.quote(column.name)
        try:
            seen, distinct = self._query(f"SELECT count({name}), count(DISTINCT {name}) FROM {self.sample}")[0]
        except DataError:
            return 0
        # Few repeats in the sample mean that the whole has about as few; many mean that most values were seen.
        return round(filled * distinct / seen) if seen and distinct > 0.5 * seen else int(distinct)

    def _column(self, column: Column, found: _Measures) -> ColumnProfile:
        counts = self._frequent(column, found)
        values = [value for value, _ in counts]
        texts = [v.strip() for v in values if isinstance(v, str) and v.strip()]
        is_text = bool(texts) and len(texts) == len([v for v in values if v is not None])
        all_listed = found.distinct <= LISTED and all(not isinstance(v, str) or len(v) <= SHORT for v in values)
        kept = values[: LISTED if all_listed else EXAMPLES]
        worded = bool(texts) and all(isinstance(v, str) for v in values)
        others = self._not_numbers(column, found, counts)
        missing = {v: n for v, n in counts if isinstance(v, str) and v.strip().lower() in MISSING_WORDS and not others}
        return ColumnProfile(
            name=column.name,
            nulls=round(1 - found.filled / self.rows, 6) if self.rows else 0.0,
            distinct=found.distinct,
            examples=tuple(_shortened(v) for v in kept),
            minimum=found.minimum,
            maximum=found.maximum,
            likely_key=self._is_likely_key(column, found),
            date_format=_date_format(texts) if is_text else "",
            numeric_text=is_text and column.kind == "text" and _is_numeric(texts),
            spellings=self._spellings(column, found, values) if worded else (),
            date_formats=_unsorted(texts, blank=not is_text) if worded else (),
            not_numbers=tuple(others)[:EXAMPLES],
            not_number_rows=sum(others.values()),
            missing_words=tuple(missing),
            missing_rows=sum(missing.values()),
        )

    def _frequent(self, column: Column, found: _Measures) -> list[tuple[Value, int]]:
        """Values with the numbers of their rows, the most frequent first."""
        if column.kind == "binary" or not found.filled:
            return []
        name = self.dialect.quote(column.name)
        wanted = JUDGED if column.kind in ("text", "date", "datetime") else LISTED + 1
        place = self.whole if found.distinct <= LISTED else self.sample
        if found.distinct == found.filled and found.distinct > LISTED:  # all different: no value is more frequent
            sql = f"SELECT {name}, 1 FROM {place} WHERE {name} IS NOT NULL LIMIT {wanted}"
        else:
            sql = self._counted(name, place, f"{name} IS NOT NULL", wanted)
        try:
            return [(value, count) for value, count in self._query(sql) if value == value]  # NaN is no value
        except DataError as error:
            log.warning("column %s of %s has no examples: %s", column.name, self.schema.name, error.message)
            return []

    def _counted(self, name: str, place: str, condition: str, most: int) -> str:
        return (
            f"SELECT {name}, count(*) AS frequency FROM {place} WHERE {condition} "
            f"GROUP BY {name} ORDER BY frequency DESC, {name} LIMIT {most}"
        )

    def _spellings(self, column: Column, found: _Measures, values: Iterable[Value]) -> tuple[tuple[str, ...], ...]:
        if column.kind == "text" and JUDGED < found.distinct <= MANY_VALUES:
            name = self.dialect.quote(column.name)
            alike = f"SELECT lower(trim({name})) FROM {self.sample} GROUP BY lower(trim({name}))"
            condition = f"lower(trim({name})) IN ({alike} HAVING count(DISTINCT {name}) > 1)"
            values = self._texts(self._counted(name, self.sample, condition, JUDGED))
        return spellings(v for v in values if isinstance(v, str) and v.strip() and len(v) <= SHORT)

    def _not_numbers(self, column: Column, found: _Measures, counts: Sequence[tuple[Value, int]]) -> dict[str, int]:
        """Text that is no number with the numbers of its rows, in a column whose other values are numbers."""
        name = self.dialect.quote(column.name)
        if column.kind in ("integer", "number") and isinstance(found.maximum, str):  # SQLite: text sorts above numbers
            return self._texts(self._counted(name, self.sample, f"typeof({name}) = 'text'", JUDGED))
        texts = {value: count for value, count in counts if isinstance(value, str)}
        said = [v for v in map(str.strip, texts) if v and v.lower() not in NULL_WORDS]
        if column.kind != "text" or not said or sum(map(_is_plain_number, said)) < NUMBERS * len(said):
            return {}
        if found.distinct > JUDGED:
            condition = f"upper({name}) <> lower({name}) OR {name} LIKE '%,%' OR trim({name}) IN ('', '-', '--', '?')"
            texts = self._texts(self._counted(name, self.sample, condition, JUDGED))
        return {v: n for v, n in texts.items() if not _is_plain_number(v.strip())}

    def _texts(self, sql: str) -> dict[str, int]:
        try:
            return {str(value): count for value, count in self._query(sql)}
        except DataError as error:
            log.warning("a column of %s cannot be searched: %s", self.schema.name, error.message)
            return {}

    def _repeated_rows(self, columns: Sequence[ColumnProfile]) -> int | None:
        different = any(c.distinct == self.rows for c in columns) and not self.sampled
        if different or self.schema.primary_key or self.rows < 2:
            return 0
        if self.rows > FEW_ROWS or self.whole is not self.table:
            return None
        names = ", ".join(self.dialect.quote(c.name) for c in self.schema.columns)
        try:
            distinct = self._query(f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {self.table}) AS different")
        except DataError as error:  # a type that cannot be compared
            log.info("%s is not searched for rows that repeat: %s", self.schema.name, error.message)
            return None
        return self.rows - int(distinct[0][0])

    def _is_likely_key(self, column: Column, found: _Measures) -> bool:
        if self.schema.primary_key == (column.name,):
            return True
        if not self.rows or found.filled < self.rows or column.kind not in ("integer", "text"):
            return False
        words = column.name.lower().replace("-", "_").replace(" ", "_").split("_")
        named = words[-1] in _KEY_WORDS or words[0] in _KEY_WORDS or words[-1].endswith(("id", "code", "number"))
        if not named or not self.sampled:
            return named and found.distinct == self.rows
        # Approximate counts are off by several percent: what looks like a key is counted. Of a table too large for that
        # neither the sample nor the first rows may repeat a value; what repeats side by side is in no sample twice.
        read_whole = self.whole is self.table
        if found.distinct < (0.8 * self.rows if read_whole else self.rows):
            return False
        name, place = self.dialect.quote(column.name), self.table
        if not read_whole:
            place = f"(SELECT {name} FROM {self.table} LIMIT {min(SAMPLE, self.rows)}) AS first_rows"
        try:
            rows, distinct = self._query(f"SELECT count(*), count(DISTINCT {name}) FROM {place}")[0]
            return bool(rows == distinct)
        except DataError:
            return False

    def _query(self, sql: str) -> tuple[tuple[Value, ...], ...]:
        return self.source.execute(sql, Limits(seconds=120, rows=1_000, bytes=20_000_000)).rows


def _parts(table: TableSchema) -> tuple[str, ...]:
    if not table.namespace:
        return (table.name,)
    return table.namespace, table.name.removeprefix(table.namespace + ".")


def _chunks(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    for start in range(0, len(columns), CHUNK):
        yield columns[start : start + CHUNK]


def _is_ordered(column: Column) -> bool:
    return column.kind not in ("binary", "other", "boolean") and "uuid" not in column.type.lower()


def _edge(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _shortened(value)


def _shortened(value: Value) -> Value:
    return value[:LONGEST] + "…" if isinstance(value, str) and len(value) > LONGEST else value


def _date_format(texts: Sequence[str]) -> str:
    reading = read_column(texts)
    return reading.formats[0] if len(reading.formats) == 1 else ""


def _unsorted(texts: Sequence[str], blank: bool) -> tuple[str, ...]:
    """The formats of dates that do not sort as text; `blank`: among them are blanks, for which no format is told."""
    alone = _date_format(texts) if blank else ""
    formats = unsorted_dates([text for text in texts if text.lower() not in NULL_WORDS])
    return formats or ((alone,) if alone and not alone.startswith("%Y") else ())


def _is_numeric(texts: Sequence[str]) -> bool:
    numbers = sum(bool(NUMBER.fullmatch(t) or (STYLED.fullmatch(t) and not t.startswith("0"))) for t in texts)
    return numbers >= 0.95 * len(texts)


def _is_plain_number(text: str) -> bool:
    """As an engine casts it."""
    return bool(NUMBER.fullmatch(text)) or text.removeprefix("+").isdecimal()
