"""Delimited text into a typed DuckDB table: finds delimiter, quotes, header and leading lines; loses no row silently.

DuckDB reads the file in its strict mode, which refuses whatever is out of order. What it refuses is rewritten row by
row into a clean file first (`csv_repair`). The typing of the columns is in `column_types`.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from querist.errors import SourceFormatError
from querist.sources.column_types import NULL_WORDS, NUMBER, STYLED, Reading, hints, read_column
from querist.sources.naming import column_names, literal, quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_CHARACTERS = 1 << 19
SAMPLE_ROWS = 5_000
MAX_COLUMNS = 10_000
MAX_LINE = 32 * 1024 * 1024
_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x01")
_YEAR = re.compile(r"(19|20)\d\d")
_DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class CsvFormat:
    """How a delimited file is written.

    Attributes:
        skip: rows before the first data row, header and blank rows included.
        header: the header's cells, None when there is no header.
        width: number of columns.
        initial_space: cells are separated by the delimiter and a blank.
        clean: DuckDB can read it as it stands, as far as the sample shows.
        longest: bytes of the longest row, 0 when it is not known.
        first: the first data row, to see that the engine starts at the same one; None when there is nothing to compare.
    """

    delimiter: str = ","
    quotechar: str = '"'
    escape: str = '"'
    skip: int = 0
    header: tuple[str, ...] | None = None
    width: int = 0
    initial_space: bool = False
    clean: bool = True
    longest: int = 0
    first: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


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

    from querist.sources.csv_repair import rewrite

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


def sniff(path: Path, origin: str) -> CsvFormat:
    """How the file is written, judged by its first half megabyte."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(SAMPLE_CHARACTERS)
        cut = len(sample) == SAMPLE_CHARACTERS
    if not sample.strip():
        raise SourceFormatError(f"{origin} is empty.", hint="A table needs at least a header row.")
    if re.match(r"\s*<(!doctype html|html|\?xml)\b", sample, re.IGNORECASE):
        hint = "The address of the data themselves may be another one."
        raise SourceFormatError(f"{origin} is a web page or XML, not a table.", hint=hint)
    if "\x00" in sample:
        raise SourceFormatError(f"{origin} is not a text file.", hint="Supported: CSV and TSV as text in any encoding.")
    if cut:
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    skip = 0
    separators: tuple[str, ...] = _DELIMITERS
    if told := re.match(r"sep=(.)\r?\n", sample):  # a line that Excel writes for itself
        skip, separators = 1, (told[1],)
    present = [d for d in separators if d in sample] or [","]
    form = max((_judge(sample, d, skip) for d in present), key=lambda scored: scored[0])[1]
    if not form.width:
        raise SourceFormatError(f"{origin} is empty: it has delimiters only.", hint="A table needs a header row.")
    if form.width > MAX_COLUMNS:
        raise SourceFormatError(f"{origin} has {form.width:,} columns; at most {MAX_COLUMNS:,} are read.")
    return form


def _judge(sample: str, delimiter: str, skip: int) -> tuple[float, CsvFormat]:
    """How well this delimiter explains the sample, and the format that follows from it."""
    initial_space = False
    d = re.escape(delimiter)
    if delimiter not in " \t":
        separators = sample.count(delimiter)
        initial_space = separators > 0 and len(re.findall(d + " (?=[^ ])", sample)) >= 0.95 * separators
    quotechar = '"'
    if '"' not in sample and len(re.findall(rf"(?:^|{d}) ?'[^'\r\n]*'(?={d}|\r?$)", sample, re.M)) >= 2:
        quotechar = "'"
    escape = "\\" if re.search(rf"\\{quotechar}(?!\s*({d}|$))", sample, re.M) else quotechar
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=delimiter,
        quotechar=quotechar,
        doublequote=escape == quotechar,
        escapechar="\\" if escape == "\\" else None,
        skipinitialspace=initial_space,
    )
    try:
        rows = list(itertools.islice(reader, SAMPLE_ROWS))
    except csv.Error:
        rows = [line.split(delimiter) for line in sample.splitlines()[:SAMPLE_ROWS]]
    widths = Counter(len(row) for row in rows[skip:] if any(cell.strip() for cell in row))
    if not widths:
        return -1.0, CsvFormat()
    total = sum(widths.values())
    width, count = max(widths.items(), key=lambda item: (item[1] + (item[0] > 1) * 0.1 * total, item[0]))
    form = find_header(rows, width, skip)
    form = replace(form, delimiter=delimiter, quotechar=quotechar, escape=escape, initial_space=initial_space)
    ragged = any(len(row) != form.width for row in rows[form.skip :] if row)
    data = next((row for row in rows[form.skip :] if row), None)
    form = replace(form, clean=not (ragged or initial_space or form.width == 1), first=tuple(data) if data else None)
    first = next((row for row in rows[skip:] if any(row)), [])
    score = 0.0 if width == 1 else count / total + 0.5 * (len(first) == width) + 0.02 * min(width, 20)
    return score, form


def find_header(rows: Sequence[Sequence[str]], width: int, skip: int) -> CsvFormat:
    """Where header and data start among the rows from number `skip` on; `width` is the usual number of cells."""
    filled = [i for i, row in enumerate(rows) if i >= skip and any(cell.strip() for cell in row)]
    start = next((i for i in filled if len(rows[i]) == width), filled[0])
    before = [i for i in filled if i < start]
    notes: list[str] = []
    header: tuple[str, ...] | None = None
    if before and not _is_header(rows[start], [rows[i] for i in filled if i > start]):
        last = before[-1]
        if len(rows[last]) >= 2 and _is_header(rows[last], []):
            header, before = tuple(rows[last]), before[:-1]
    if header is None and _is_header(rows[start], [rows[i] for i in filled if i > start]):
        header, start = tuple(rows[start]), start + 1
    if before:
        text = " ".join(cell.strip() for cell in rows[before[0]] if cell.strip())
        notes.append(f"skipped {len(before)} line(s) above the table, such as {text[:60]!r}")
    if header is None:
        notes.append("there is no header row; the columns are called column1, column2, …")
        start = start if before else filled[0]
    elif len(header) == width - 1 and (body := [rows[i] for i in filled if i >= start and len(rows[i]) == width]):
        # A name is missing: at the end, above cells that are empty, or at the start, above row names (as R writes).
        first = [row[0] for row in body]
        header = (*header, "") if not any(row[-1] for row in body) or len(set(first)) < len(first) else ("row", *header)
    return CsvFormat(skip=start, header=header, width=max(width, len(header or ())), notes=tuple(notes))


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the row names the columns, judged by how it differs from the rows below it."""
    cells = [cell.strip() for cell in row]
    named = [c for c in cells if c]
    if not named or len(named) < 0.5 * len(cells):
        return False
    typed = [c for c in named if _looks_typed(c)]
    years = bool(typed) and all(_YEAR.fullmatch(c) for c in typed) and len(set(typed)) == len(typed)
    columns = [[b[i].strip() for b in below if i < len(b) and b[i].strip()] for i in range(len(cells))]
    contrast = any(
        c and not _looks_typed(c) and c.lower() not in NULL_WORDS and values and all(map(_looks_typed, values))
        for c, values in zip(cells, columns, strict=True)
    )
    if typed:
        return len(typed) < len(named) and (years or (contrast and len(typed) <= 0.2 * len(named)))
    if contrast or not below:
        return True
    # All text: a header's words do not come again as values of their own columns.
    again = sum(c in values for c, values in zip(cells, columns, strict=True) if c)
    whole = any([cell.strip() for cell in b] == cells for b in below)
    return again == 0 or whole


def _looks_typed(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or STYLED.fullmatch(cell) or _DATE_LIKE.fullmatch(cell)) or cell.isdigit()


def load_known(con: DuckDBPyConnection, path: Path, table: str, form: CsvFormat) -> LoadedTable:
    """Read a file that is written exactly as `form` says into a new table, typing its columns."""
    from duckdb import InvalidInputException

    notes = list(form.notes)
    raw = [f"c{i}" for i in range(form.width)]
    scan = _scan(path, form, raw)
    wanted = max(200, min(SAMPLE_ROWS, 500_000 // form.width))
    sample = con.execute(f"SELECT * FROM {scan} LIMIT {wanted}").fetchall()
    if form.first is not None and sample and tuple(c or "" for c in sample[0]) != form.first:
        raise RowsDifferError
    names, name_notes = column_names([*(form.header or ()), *[None] * form.width][: form.width])
    if form.header is not None:
        notes = notes + name_notes
    cells = [*(form.header or ()), *[""] * form.width]
    unnamed = [i for i in range(form.width) if form.header is not None and not cells[i].strip()]
    values = [_distinct(row[i] for row in sample) for i in range(form.width)]
    kept = [i for i in range(form.width) if not (i in unnamed and not values[i] and _is_blank(con, scan, raw[i]))]
    dropped = [names[i] for i in range(form.width) if i not in kept]
    notes = [n for n in notes if not any(n.endswith(f"called {name}") for name in dropped)]
    columns = _Columns([raw[i] for i in kept], [values[i] for i in kept], form.delimiter, whole=len(sample) < wanted)
    while True:
        picks = ", ".join(f"{pick} AS {quote(names[i])}" for pick, i in zip(columns.expressions(), kept, strict=True))
        try:
            con.execute(f"CREATE TABLE {quote(table)} AS SELECT {picks} FROM {scan}")
            break
        except InvalidInputException as error:
            if _MISFIT not in str(error):
                raise
            columns.judge_again(con, scan)
    (rows,) = con.execute(f"SELECT count(*) FROM {quote(table)}").fetchone() or (0,)
    notes += [f"column {names[i]!r}: {note}" for i, r in zip(kept, columns.readings, strict=True) for note in r.notes]
    return LoadedTable(rows, tuple(notes))


def _scan(path: Path, form: CsvFormat, raw: Sequence[str]) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in raw)
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, skip = {form.skip}, "
        f"delim = {literal(form.delimiter)}, quote = {literal(form.quotechar)}, escape = {literal(form.escape)}, "
        f"columns = {{{columns}}}, max_line_size = {max(form.longest, 1 << 21)})"
    )


def _distinct(cells: Iterable[str | None]) -> list[str]:
    seen = dict.fromkeys(c.strip() for c in cells if c)
    seen.pop("", None)
    return list(itertools.islice(seen, 2_000))


class _Columns:
    """A reading for each column that holds for every row of the file.

    The sample proposes and the whole file decides: the SQL fails at the first value that does not fit, and then the
    columns with such values are judged again with them. `whole`: the sample is all there is.
    """

    def __init__(self, raw: Sequence[str], values: list[list[str]], delimiter: str, whole: bool) -> None:
        self._raw, self._values, self._delimiter = raw, values, delimiter
        known = hints(values, delimiter)
        self.readings = [read_column(v, known) if v or whole else _UNSEEN for v in values]
        self._rounds = 0

    def expressions(self) -> list[str]:
        return [_expression(reading, column) for reading, column in zip(self.readings, self._raw, strict=True)]

    def judge_again(self, con: DuckDBPyConnection, scan: str) -> None:
        self._rounds += 1
        typed = [i for i, reading in enumerate(self.readings) if not reading.is_text]
        misfits = _misfits(con, scan, [(self._raw[i], self.readings[i]) for i in typed])
        for i in typed:
            self._values[i] += misfits.get(self._raw[i], [])
        known = hints(self._values, self._delimiter)
        for i in typed:
            if found := misfits.get(self._raw[i]):
                before = self.readings[i]
                after = read_column(self._values[i], known)
                if after == before or self._rounds > MAX_ROUNDS:
                    after = Reading("VARCHAR")  # the engine's rules differ on these values, or they are of many kinds
                if before is not _UNSEEN and after.is_text and not after.notes:
                    word = _WORDS.get(before.type, "number")
                    after = Reading("VARCHAR", notes=(f"kept as text: {found[0][:40]!r} is no {word}",))
                self.readings[i] = after


MAX_ROUNDS = 6
_MISFIT = "value does not fit its column"
_WORDS = {"BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "date and time", "TIME": "time"}

_UNSEEN = Reading("NOTHING", "NULL")
"""Stands for a column whose sample is empty: any value at all further down is a misfit and makes it be judged."""


def _misfits(con: DuckDBPyConnection, scan: str, columns: Sequence[tuple[str, Reading]]) -> dict[str, list[str]]:
    """For the columns with values that their reading cannot take: up to 200 of these values."""
    failing: list[tuple[str, Reading]] = []
    for start in range(0, len(columns), 100):
        part = columns[start : start + 100]
        counts = ", ".join(f"count(*) FILTER (WHERE {_misfit(r, c)})" for c, r in part)
        row = con.execute(f"SELECT {counts} FROM {scan}").fetchone() or ()
        failing += [column for column, bad in zip(part, row, strict=True) if bad]
    found: dict[str, list[str]] = {}
    for c, r in failing:
        sql = f"SELECT DISTINCT trim({c}) FROM {scan} WHERE {_misfit(r, c)} LIMIT 200"
        found[c] = [value for (value,) in con.execute(sql).fetchall()]
    return found


def _fits(reading: Reading, column: str) -> str:
    """The SQL condition under which the value of a cell that is not blank is not NULL."""
    good = f"({reading.value}) IS NOT NULL" + (f" AND ({reading.fits})" if reading.fits else "")
    return good.replace("{c}", f"trim({column})")


def _expression(reading: Reading, column: str) -> str:
    """The SQL of the column's values; it fails at a value that does not fit."""
    if reading.is_text:
        return column
    value = reading.value.replace("{c}", f"trim({column})")
    blank = f"{column} IS NULL OR trim({column}) IN ({_null_words(reading)})"
    fits = _fits(reading, column)
    return f"CASE WHEN {blank} THEN NULL WHEN {fits} THEN {value} ELSE error({literal(_MISFIT)} || {column}) END"


def _misfit(reading: Reading, column: str) -> str:
    return f"trim({column}) NOT IN ({_null_words(reading)}) AND NOT coalesce({_fits(reading, column)}, false)"


def _null_words(reading: Reading) -> str:
    return ", ".join(literal(word) for word in ("", *reading.null_words))


def _is_blank(con: DuckDBPyConnection, scan: str, column: str) -> bool:
    return con.execute(f"SELECT 1 FROM {scan} WHERE trim({column}) <> '' LIMIT 1").fetchone() is None
