"""How a delimited file is written: its delimiter, quotes, header and leading lines, found in its beginning."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from querist.errors import SourceFormatError
from querist.sources.column_types import NULL_WORDS, NUMBER, STYLED

SAMPLE_CHARACTERS = 1 << 19
SAMPLE_ROWS = 5_000
MAX_COLUMNS = 10_000
MAX_LINE = 32 * 1024 * 1024
WRITTEN_LINE_END = r"\r\n"
"""As `csv.writer` ends lines unless it is told otherwise; it then puts both characters into quotes within cells."""
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
        repeats: the header comes again among the rows, as where files were put together.
        longest: bytes of the longest row, 0 when it is not known.
        line_end: as the engine's option has it; empty when the engine is to find it out, which goes by the first row
            and fails where a cell of that has other line breaks.
        points: columns with numbers that have a decimal point whatever the others prove: cells of a sheet.
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
    repeats: bool = False
    longest: int = 0
    line_end: str = ""
    points: frozenset[int] = frozenset()
    first: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


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
    escape = "\\" if re.search(rf"\\{quotechar}(?!{quotechar}|\s*({d}|$))", sample, re.M) else quotechar
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
    # Of a backslash that escapes nothing the engine, too, keeps nothing.
    mended = ragged or initial_space or form.width == 1 or escape == "\\"
    form = replace(form, clean=not mended, first=tuple(data) if data else None)
    first = next((row for row in rows[skip:] if any(row)), [])
    score = 0.0 if width == 1 else count / total + 0.5 * (len(first) == width) + 0.02 * min(width, 20)
    return score, form


def find_header(rows: Sequence[Sequence[str]], width: int, skip: int) -> CsvFormat:
    """Where header and data start among the rows from number `skip` on; `width` is the usual number of cells."""
    filled = [i for i, row in enumerate(rows) if i >= skip and any(cell.strip() for cell in row)]
    start = next((i for i in filled if len(rows[i]) == width or _ends_in_delimiter(rows[i], width)), filled[0])
    before = [i for i in filled if i < start]
    notes: list[str] = []
    header: tuple[str, ...] | None = None
    if before and not _is_header(rows[start], [rows[i] for i in filled if i > start]):
        last = before[-1]
        if len(rows[last]) >= 2 and _is_header(rows[last], []):
            header, before = tuple(rows[last]), before[:-1]
    if header is None and _is_header(rows[start], [rows[i] for i in filled if i > start]):
        header, start = tuple(rows[start][:width]), start + 1
    if before:
        text = " ".join(cell.strip() for cell in rows[before[0]] if cell.strip())
        notes.append(f"skipped {len(before)} line(s) above the table, such as {text[:60]!r}")
    if header is None:
        notes.append("there is no header row; the columns are called column1, column2, …")
        start = start if before else filled[0]
    elif len(header) == width - 1 and (body := [rows[i] for i in filled if i >= start and len(rows[i]) == width]):
        # A name is missing: at the end, above cells that are empty, or at the start, above row names (as R writes).
        first = [row[0] for row in body]
        if not any(row[-1] for row in body) or len(set(first)) < len(first):
            header = (*header, "")
        else:
            header = ("row", *header)
            notes.append("the header has a name less than the rows have cells; the first column is called row")
    return CsvFormat(skip=start, header=header, width=max(width, len(header or ())), notes=tuple(notes))


def _ends_in_delimiter(row: Sequence[str], width: int) -> bool:
    """Whether it may be a header with a delimiter at its end that the rows do not have."""
    cells = [cell.strip() for cell in row]
    return cells[width:] == [""] and all(cell and not _looks_typed(cell) for cell in cells[:width])


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
