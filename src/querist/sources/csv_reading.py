"""Delimited text into a typed DuckDB table; loses no row silently. How the text is written, `csv_format` finds out.

DuckDB reads the file in its strict mode, which refuses whatever is out of order. What it refuses is rewritten row by
row into a clean file first (`csv_repair`). The typing of the columns is in `column_types`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from querist.errors import SourceFormatError
from querist.sources.column_types import Hints, Reading, hints, read_column
from querist.sources.csv_format import SAMPLE_ROWS, CsvFormat, sniff
from querist.sources.csv_repair import rewrite
from querist.sources.naming import column_names, file_literal, literal, quote, trimmed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class RowsDifferError(Exception):
    """The engine starts reading at another row than the sniffer meant. Internal: leads to rewriting the file."""


@dataclass(frozen=True)
class LoadedTable:
    """A table that was made: its number of rows, and what people should know about how it was read."""

    rows: int
    notes: tuple[str, ...]


def load_csv(con: DuckDBPyConnection, path: Path, table: str, scratch: Path, origin: str) -> LoadedTable:
    """Read a UTF-8 file into a new table. `origin` names the file in errors.

    Raises:
        SourceFormatError: it is empty, or it is not text.
    """
    from duckdb import Error, InvalidInputException

    form = sniff(path, origin)
    if form.clean:
        try:
            return load_known(con, path, table, form)
        except (InvalidInputException, RowsDifferError):
            con.execute(f"DROP TABLE IF EXISTS {quote(table)}")
    fixed = scratch / "rewritten.csv"
    form, repairs = rewrite(path, fixed, form)
    try:
        return load_known(con, fixed, table, replace(form, notes=(*form.notes, *repairs)))
    except Error as error:
        raise SourceFormatError(f"{origin} cannot be read as a table: {str(error).splitlines()[0]}") from error
    finally:
        fixed.unlink(missing_ok=True)


def load_known(con: DuckDBPyConnection, path: Path, table: str, form: CsvFormat) -> LoadedTable:
    """Read a file that is written exactly as `form` says into a new table, typing its columns."""
    from duckdb import InvalidInputException

    notes = list(form.notes)
    raw = [f"c{i}" for i in range(form.width)]
    scan = _scan(path, form, raw)
    if form.repeats:
        scan = f"(SELECT * FROM {scan} WHERE NOT coalesce({_is_header(form, raw)}, false))"
    wanted = max(200, min(SAMPLE_ROWS, 500_000 // form.width))
    sample = con.execute(f"SELECT * FROM {scan} LIMIT {wanted}").fetchall()
    if form.first is not None and sample and tuple(c or "" for c in sample[0]) != form.first:
        raise RowsDifferError
    names, name_notes = column_names([*(form.header or ()), *[None] * form.width][: form.width])
    if form.header is not None:
        notes = notes + name_notes
    cells = [*(form.header or ()), *[""] * form.width]
    unnamed = [i for i in range(form.width) if form.header is not None and not cells[i].strip()]
    values = [distinct(row[i] for row in sample) for i in range(form.width)]
    kept = [i for i in range(form.width) if not (i in unnamed and not values[i] and _is_blank(con, scan, raw[i]))]
    dropped = [names[i] for i in range(form.width) if i not in kept]
    notes = [n for n in notes if not any(n.endswith(f"called {name}") for name in dropped)]
    columns = _Columns(form, kept, [values[i] for i in kept], whole=len(sample) < wanted)
    # A line of delimiters alone, as spreadsheets write below a table, is blank and no row.
    rows_of = f"{scan} WHERE coalesce({', '.join(raw)}) IS NOT NULL" if form.width > 1 else scan
    while True:
        picks = ", ".join(f"{pick} AS {quote(names[i])}" for pick, i in zip(columns.expressions(), kept, strict=True))
        try:
            con.execute(f"CREATE TABLE {quote(table)} AS SELECT {picks} FROM {rows_of}")
            break
        except InvalidInputException as error:
            if _MISFIT not in str(error):
                raise
            columns.judge_again(con, scan)
    (rows,) = con.execute(f"SELECT count(*) FROM {quote(table)}").fetchone() or (0,)
    named = sum(bool(cell.strip()) for cell in form.header or ())
    if named > 1 and not form.repeats and all(reading.is_text for reading in columns.readings):
        condition = _is_header(form, [quote(name) for name in names])
        (again,) = con.execute(f"SELECT count(*) FROM {quote(table)} WHERE {condition}").fetchone() or (0,)
        if again:
            con.execute(f"DROP TABLE {quote(table)}")
            note = f"{again:,} row(s) that repeat the header are left out"
            return load_known(con, path, table, replace(form, repeats=True, first=None, notes=(*form.notes, note)))
    notes += [f"column {names[i]!r}: {note}" for i, r in zip(kept, columns.readings, strict=True) for note in r.notes]
    return LoadedTable(rows, tuple(notes))


def _is_header(form: CsvFormat, columns: Sequence[str]) -> str:
    """The SQL condition that a row has the names of the columns for values."""
    named = [(column, cell.strip()) for column, cell in zip(columns, form.header or (), strict=False) if cell.strip()]
    return " AND ".join(f"{trimmed(column)} = {literal(cell)}" for column, cell in named)


def _scan(path: Path, form: CsvFormat, raw: Sequence[str]) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in raw)
    line_end = f", new_line = {literal(form.line_end)}" if form.line_end else ""
    return (
        f"read_csv({file_literal(path)}, auto_detect = false, header = false, skip = {form.skip}, "
        f"delim = {literal(form.delimiter)}, quote = {literal(form.quotechar)}, escape = {literal(form.escape)}, "
        f"columns = {{{columns}}}, max_line_size = {max(form.longest, 1 << 21)}{line_end})"
    )


def distinct(cells: Iterable[str | None]) -> list[str]:
    seen = dict.fromkeys(c.strip() for c in cells if c)
    seen.pop("", None)
    return list(itertools.islice(seen, 2_000))


class _Columns:
    """A reading for each column that holds for every row of the file.

    The sample proposes and the whole file decides: the SQL fails at the first value that does not fit, and then the
    columns with such values are judged again with them. `whole`: the sample is all there is.
    """

    def __init__(self, form: CsvFormat, kept: Sequence[int], values: list[list[str]], whole: bool) -> None:
        self._raw, self._values, self._delimiter = [f"c{i}" for i in kept], values, form.delimiter
        self._points = [i in form.points for i in kept]
        readings = self._read()
        self.readings = [reading if v or whole else _UNSEEN for reading, v in zip(readings, values, strict=True)]
        self._rounds = 0

    def _read(self) -> list[Reading]:
        proving = [v for v, point in zip(self._values, self._points, strict=True) if not point]
        known = hints(proving, self._delimiter)
        columns = zip(self._values, self._points, strict=True)
        return [read_column(v, Hints() if point else known) for v, point in columns]

    def expressions(self) -> list[str]:
        return [typed_sql(reading, column) for reading, column in zip(self.readings, self._raw, strict=True)]

    def judge_again(self, con: DuckDBPyConnection, scan: str) -> None:
        self._rounds += 1
        typed = [i for i, reading in enumerate(self.readings) if not reading.is_text]
        misfits = misfits_of(con, scan, [(self._raw[i], self.readings[i]) for i in typed])
        for i in typed:
            self._values[i] += misfits.get(self._raw[i], [])
        again = self._read()
        for i in typed:  # those without misfits as well: what the others hold may prove how these are written
            found, before, after = misfits.get(self._raw[i], []), self.readings[i], again[i]
            if found and (after == before or self._rounds > MAX_ROUNDS):
                after = Reading("VARCHAR")  # the engine's rules differ on these values, or they are of many kinds
            if found and before is not _UNSEEN and after.is_text and not after.notes:
                word = _WORDS.get(before.type, "number")
                after = Reading("VARCHAR", notes=(f"kept as text: {found[0][:40]!r} is no {word}",))
            self.readings[i] = after


MAX_ROUNDS = 6
_MISFIT = "value does not fit its column"
_WORDS = {"BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "date and time", "TIME": "time"}

_UNSEEN = Reading("NOTHING", "NULL")
"""Stands for a column whose sample is empty: any value at all further down is a misfit and makes it be judged."""


def misfits_of(con: DuckDBPyConnection, scan: str, columns: Sequence[tuple[str, Reading]]) -> dict[str, list[str]]:
    """For the columns with values that their reading cannot take: up to 200 of these values."""
    failing: list[tuple[str, Reading]] = []
    for start in range(0, len(columns), 100):
        part = columns[start : start + 100]
        counts = ", ".join(f"count(*) FILTER (WHERE {_misfit(r, c)})" for c, r in part)
        row = con.execute(f"SELECT {counts} FROM {scan}").fetchone() or ()
        failing += [column for column, bad in zip(part, row, strict=True) if bad]
    found: dict[str, list[str]] = {}
    for c, r in failing:
        sql = f"SELECT DISTINCT {trimmed(c)} FROM {scan} WHERE {_misfit(r, c)} LIMIT 200"
        found[c] = [value for (value,) in con.execute(sql).fetchall()]
    return found


def _fits(reading: Reading, column: str) -> str:
    """The SQL condition under which the value of a cell that is not blank is not NULL."""
    good = f"({reading.value}) IS NOT NULL" + (f" AND ({reading.fits})" if reading.fits else "")
    return good.replace("{c}", trimmed(column))


def typed_sql(reading: Reading, column: str) -> str:
    """The SQL of the column's values; it fails at a value that does not fit."""
    if reading.is_text:
        return column
    value = reading.value.replace("{c}", trimmed(column))
    blank = f"{column} IS NULL OR {trimmed(column)} IN ({_null_words(reading)})"
    fits = _fits(reading, column)
    return f"CASE WHEN {blank} THEN NULL WHEN {fits} THEN {value} ELSE error({literal(_MISFIT)} || {column}) END"


def _misfit(reading: Reading, column: str) -> str:
    return f"{trimmed(column)} NOT IN ({_null_words(reading)}) AND NOT coalesce({_fits(reading, column)}, false)"


def _null_words(reading: Reading) -> str:
    return ", ".join(literal(word) for word in ("", *reading.null_words))


def _is_blank(con: DuckDBPyConnection, scan: str, column: str) -> bool:
    return con.execute(f"SELECT 1 FROM {scan} WHERE {trimmed(column)} <> '' LIMIT 1").fetchone() is None
