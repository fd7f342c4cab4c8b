"""`csv_processor`: delimited text read, filtered, summed up and written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import SourceFormatError
from querist.tools.confined import to_read, to_write, write_bytes
from querist.tools.data.given import MAX_ROWS, Row, TextOrFile
from querist.tools.data.rows import Filter, GroupBy, transform
from querist.tools.encodings import encode_as
from querist.tools.tool import ThreadTool

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,17})?([eE][-+]?\d{1,2})?")
"""Numbers as programs write them; `007` is none, since it names something."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvProcessorInput(TextOrFile):
    needed: ClassVar = {"filter": ["condition"]}

    operation: Literal["read", "write", "filter", "aggregate"] = Field(default="read", description="What to do.")
    headers: bool = Field(default=True, description="Whether the first line holds the names; else `column1` and so on.")
    delimiter: str | None = Field(
        default=None, description="Found out when left out; a comma to write.", pattern=r'^[^"\r\n]$'
    )
    encoding: str | None = Field(default=None, description="Found out when left out; UTF-8 to write.")
    condition: str = Field(default="", description="For `filter`: such as `amount > 10`.")
    group_by: list[str] = Field(default=[], description="For `aggregate`: the columns that make the groups.")
    aggregations: list[str] = Field(default=[], description="For `aggregate`: such as `sum:amount`, `count:*`.")
    data: list[Row] = Field(default=[], description="For `write`: the rows.", max_length=MAX_ROWS)
    formulas: bool = Field(
        default=False,
        description="For `write`: leave texts that a spreadsheet takes for formulas without a `'` before them.",
    )
    limit: int = Field(default=1000, description="Rows given back at most.", gt=0, le=MAX_ROWS)

    def _takes_text(self) -> bool:
        return self.operation != "write"


class CsvRows(BaseModel):
    columns: list[str]
    data: list[Row] = Field(description="Numbers are numbers, and what is empty is null.")
    count: int = Field(description="All rows, given back or not.")
    truncated: bool
    text: str | None = Field(default=None, description="For `write` without `file_path`: the CSV.")


class CsvProcessor(ThreadTool[CsvProcessorInput, CsvRows]):
    name = "csv_processor"
    description = """Read, filter, sum up or write CSV, as text or as a file.

    Its values are typed by column: numbers where all values are numbers. Large files are better asked as a source."""
    permissions = ("file_read", "file_write")

    def needs(self, input: CsvProcessorInput) -> Iterable[Need]:
        if input.file_path is None:
            return ()
        return ((to_write if input.operation == "write" else to_read)(input.file_path),)

    def work(self, input: CsvProcessorInput, context: RunContext) -> CsvRows:
        return (_write if input.operation == "write" else _read)(input, context)


def _read(input: CsvProcessorInput, context: RunContext) -> CsvRows:
    columns, rows = _parsed(input.read(context, input.encoding), input.headers, input.delimiter)
    if input.operation == "filter":
        rows = transform(rows, [Filter(type="filter", condition=input.condition)], context)
    elif input.operation == "aggregate":
        how = GroupBy(type="group_by", field=input.group_by, aggregations=input.aggregations or ["count:*"])
        rows = transform(rows, [how], context)
        columns = list(rows[0]) if rows else columns
    return CsvRows(columns=columns, data=rows[: input.limit], count=len(rows), truncated=len(rows) > input.limit)


def _parsed(text: str, headers: bool, delimiter: str | None) -> tuple[list[str], list[Row]]:
    try:
        delimiter = delimiter or max(",;\t|", key=lambda mark: _fit(text[:20_000], mark))
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if line]
    except csv.Error as error:
        raise SourceFormatError(f"The CSV cannot be read: {error}.") from error
    if not lines:
        return [], []
    names = lines.pop(0) if headers else [f"column{i}" for i in range(1, len(lines[0]) + 1)]
    if len(lines) > MAX_ROWS:
        raise SourceFormatError(f"The CSV has {len(lines):,} rows; {MAX_ROWS:,} are read.", hint="Ask it as a source.")
    if len(set(names)) < len(names):
        raise SourceFormatError("The CSV has two columns with the same name.", hint="Set headers to false.")
    for number, line in enumerate(lines, start=1 + headers):
        if len(line) != len(names):
            raise SourceFormatError(f"Row {number} of the CSV has {len(line)} cells and not {len(names)}.")
    typed = [_typed(column) for column in zip(*lines, strict=True)] or [[] for _ in names]
    return names, [dict(zip(names, row, strict=True)) for row in zip(*typed, strict=True)]


def _fit(sample: str, delimiter: str) -> int:
    """How many lines have as many cells as the first, where that has several."""
    widths = [len(line) for line in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if line]
    return sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0


def _typed(column: Sequence[str]) -> list[Any]:
    """A column with its numbers as numbers, where all of its values are, and None for what is empty."""
    values = [cell.strip() or None for cell in column]
    if not all(value is None or _NUMBER.fullmatch(value) for value in values):
        return [cell or None for cell in column]
    whole = all(value is None or value.lstrip("-").isdigit() for value in values)
    return [None if value is None else int(value) if whole else float(value) for value in values]


def _as_text(value: Any) -> Any:
    """A cell that no spreadsheet computes (CSV injection, CWE-1236)."""
    computed = isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
    return f"'{value}" if computed else value


def _write(input: CsvProcessorInput, context: RunContext) -> CsvRows:
    columns = list(dict.fromkeys(name for row in input.data for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=input.delimiter or ",")
    lines: list[list[Any]] = [columns] if input.headers else []
    for cells in [*lines, *([row.get(name) for name in columns] for row in input.data)]:
        writer.writerow(cells if input.formulas else map(_as_text, cells))
    if input.file_path is not None:
        write_bytes(input.file_path, encode_as(out.getvalue(), input.encoding or "utf-8"), context)
    text = out.getvalue() if input.file_path is None else None
    return CsvRows(columns=columns, data=[], count=len(input.data), truncated=False, text=text)
