"""Rewrites a delimited file that is out of order as a clean one, row by row, and counts what it had to mend."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from querist.sources.csv_format import MAX_LINE, WRITTEN_LINE_END, CsvFormat


def rewrite(path: Path, target: Path, form: CsvFormat) -> tuple[CsvFormat, list[str]]:
    """Write the data rows of `path` to `target` as standard CSV without a header.

    Short rows get empty cells and long ones make the table wider; no cell is lost.

    Returns:
        the format of `target` (its `header` is that of `path`), and notes that say what was mended.
    """
    csv.field_size_limit(MAX_LINE)
    broken_quotes = not _quotes_are_sound(path, form)
    width = max((len(row) for row in _rows(path, form, broken_quotes)), default=form.width)
    width = max(width, form.width)
    short = long = longest = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        for row in _rows(path, form, broken_quotes):
            short += len(row) < form.width
            long += len(row) > form.width
            longest = max(longest, 5 * sum(map(len, row)) + 3 * width)  # bytes, if all need quotes or four bytes
            writer.writerow([*row, *[""] * (width - len(row))])
    notes = []
    if broken_quotes:
        notes.append("some quotes are not closed; the file is read line by line")
    if short:
        notes.append(f"{short:,} row(s) have fewer cells than the others; the missing ones are NULL")
    if long:
        notes.append(f"{long:,} row(s) have more cells than the others; these are in additional columns")
    plain = CsvFormat(header=form.header, width=width, longest=longest, line_end=WRITTEN_LINE_END, notes=form.notes)
    return plain, notes


def _rows(path: Path, form: CsvFormat, broken_quotes: bool) -> Iterator[list[str]]:
    """Data rows without blank ones; `form.skip` rows are passed over as the sniffer counted them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = _line_by_line(file, form) if broken_quotes else _reader(file, form, strict=False)
        for number, row in enumerate(reader):
            if number >= form.skip and row and (any(row) or form.width == 1):
                yield [cell.strip() for cell in row] if form.initial_space else row


def _line_by_line(file: Iterator[str], form: CsvFormat) -> Iterator[list[str]]:
    for line in file:
        text = line.rstrip("\r\n")
        try:
            yield next(_reader(iter([text]), form, strict=True), [])
        except csv.Error:
            yield [cell.strip().strip(form.quotechar) for cell in text.split(form.delimiter)]


def _quotes_are_sound(path: Path, form: CsvFormat) -> bool:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            for _row in _reader(file, form, strict=True):
                pass
        except csv.Error:
            return False
    return True


def _reader(lines: Iterator[str], form: CsvFormat, strict: bool) -> Iterator[list[str]]:
    if form.escape == "\\":
        # To csv.reader, as to the engine, it escapes whatever follows: C:\temp would become C:temp.
        meant = re.compile(rf"\\([\\{re.escape(form.quotechar + form.delimiter)}])|\\")
        lines = (meant.sub(lambda found: found[0] if found[1] else r"\\", line) for line in lines)
    return csv.reader(
        lines,
        delimiter=form.delimiter,
        quotechar=form.quotechar,
        doublequote=form.escape == form.quotechar,
        escapechar="\\" if form.escape == "\\" else None,
        skipinitialspace=form.initial_space,
        strict=strict,
    )
