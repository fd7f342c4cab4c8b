"""Excel and OpenDocument workbooks: each sheet with data becomes a table. Formulas come as their results."""

from __future__ import annotations

import csv
import datetime as dt
import fnmatch
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from querist.errors import SourceFormatError
from querist.sources.csv_format import WRITTEN_LINE_END, CsvFormat, find_header
from querist.sources.csv_reading import load_known
from querist.sources.file_cache import Contents, StoredTable
from querist.sources.naming import unique_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from python_calamine import CalamineSheet

Cell = Any
_ERROR = b' t="e"'


def load_workbook(con: DuckDBPyConnection, path: Path, scratch: Path) -> Contents:
    """Read all sheets of a workbook into tables.

    Raises:
        SourceFormatError: it cannot be read, it is protected by a password, or no sheet holds data.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    tables: list[StoredTable] = []
    empty: list[str] = []
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names, sheets = workbook.sheet_names, workbook.sheets_metadata
        for name in names:
            sheet = workbook.get_sheet_by_name(name)
            table = _load_sheet(con, sheet, name, f"t{len(tables)}", scratch, [t.suffix for t in tables])
            if table is None:
                empty.append(name)
            else:
                tables.append(table)
    except CalamineError as error:
        hint = "Open it in a spreadsheet program and save it again as .xlsx."
        if isinstance(error, PasswordError):
            hint = "Save it without a password."
        raise SourceFormatError(f"{path} cannot be read: {error}.", hint=hint) from error
    if not tables:
        raise SourceFormatError(f"{path} has no sheet with data; sheets: {', '.join(names)}.")
    if len(tables) == 1:
        only = tables[0]
        tables = [StoredTable(only.stored_as, "", only.rows, only.origin if len(names) > 1 else "", only.notes)]
    notes = [f"sheet {name!r} is empty and left out" for name in empty]
    notes += [f"sheet {s.name!r} is hidden in the workbook" for s in sheets if s.visible != SheetVisibleEnum.Visible]
    if errors := _errors(path):
        notes.append(f"{errors:,} cell(s) with an error such as #N/A or #DIV/0! read as NULL")
    return Contents(tuple(tables), tuple(notes))


def _load_sheet(
    con: DuckDBPyConnection, sheet: CalamineSheet, name: str, table: str, scratch: Path, taken: Sequence[str]
) -> StoredTable | None:
    rows: list[list[Cell]] = sheet.to_python(skip_empty_area=True)
    notes = _fill_merged(sheet, rows)
    rows = [row for row in rows if any(cell != "" for cell in row)]
    if not rows:
        return None
    rows = _without_empty_columns(rows)
    text = [[_text(cell) for cell in row] for row in rows]
    width = len(text[0])
    filled = [sum(cell != "" for cell in row) for row in text[:50]]
    usual = sorted(filled)[len(filled) // 2]
    start = next(i for i, n in enumerate(filled) if n >= max(1, 0.6 * usual))
    form = find_header(text, width, start)
    notes += form.notes
    if start:
        title = " ".join(cell for cell in text[0] if cell)
        notes.append(f"skipped {start} row(s) above the table, such as {title[:60]!r}")
    target = scratch / "sheet.csv"
    with target.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(text[form.skip :])
    points = frozenset(i for row in rows[form.skip :] for i, cell in enumerate(row) if type(cell) in (int, float))
    known = CsvFormat(header=form.header, width=width, line_end=WRITTEN_LINE_END, points=points, notes=tuple(notes))
    loaded = load_known(con, target, table, known)
    target.unlink()
    suffix = unique_name(name, taken)
    return StoredTable(table, suffix, loaded.rows, f'sheet "{name}"', loaded.notes)


def _errors(path: Path) -> int:
    """How many cells of an .xlsx file hold errors, which the library gives as empty."""
    if not zipfile.is_zipfile(path):
        return 0
    count = 0
    with zipfile.ZipFile(path) as book:
        for name in fnmatch.filter(book.namelist(), "xl/worksheets/*.xml"):
            with book.open(name) as sheet:
                end = b""
                while part := sheet.read(1 << 20):
                    count += (end + part).count(_ERROR)
                    end = part[1 - len(_ERROR) :]
    return count


def _fill_merged(sheet: CalamineSheet, rows: list[list[Cell]]) -> list[str]:
    """Give the value of cells that are merged downwards to all rows they cover: each of these rows has that value."""
    first_row, first_column = sheet.start or (0, 0)
    count = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        r, c = top - first_row, left - first_column
        if not (0 <= r < len(rows) and 0 <= c < len(rows[r]) and rows[r][c] != ""):
            continue
        below: Sequence[int] = range(r + 1, min(bottom - first_row, len(rows) - 1) + 1)
        if left != right:  # merged across: of rows, if they hold more than it; else a title or a group of columns
            below = [i for i in below if any(cell != "" for cell in rows[i])]
        for other in below:
            rows[other][c] = rows[r][c]
        count += len(below) > 0
    return [f"{count} merged cell(s) filled downwards"] if count else []


def _without_empty_columns(rows: list[list[Cell]]) -> list[list[Cell]]:
    width = max(len(row) for row in rows)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    used = [i for i in range(width) if any(row[i] != "" for row in rows)]
    return [[row[i] for i in used] for row in rows]


def _text(cell: Cell) -> str:
    """A cell as the CSV typing reads it back: whole numbers without `.0`, dates in ISO 8601."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        minutes, rest = divmod(abs(cell), dt.timedelta(minutes=1))
        fraction = f".{rest.microseconds:06}".rstrip("0") if rest.microseconds else ""
        return f"{'-' if cell < dt.timedelta() else ''}{minutes // 60:02}:{minutes % 60:02}:{rest.seconds:02}{fraction}"
    text = str(cell)
    return "" if re.fullmatch(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)", text) else text
