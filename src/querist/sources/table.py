"""Table: the result of a query, small enough to hold in memory (the row and byte caps see to that)."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from querist.errors import MissingExtraError
from querist.state.whole_file import whole_file

if TYPE_CHECKING:
    import pandas
    import polars

Value: TypeAlias = Any
"""A cell: None, bool, int, float, Decimal, str, bytes, date, datetime, time, timedelta, UUID, or a list of these."""


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result: its name, and its type as the engine names it (empty when the engine does not say)."""

    name: str
    type: str = ""


@dataclass(frozen=True)
class Table:
    """Rows with named, typed columns.

    Attributes:
        columns: one entry a column, left to right. Names may repeat, as SQL allows.
        rows: row tuples, each as wide as `columns`.
        truncated: None, or the sentence that says which cap cut the result.
        source: name of the source that produced it.
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: str | None = None
    source: str = ""

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        return iter(self.rows)

    def scalar(self) -> Value:
        """The value of a one-row, one-column table; ValueError for any other shape."""
        if len(self.rows) != 1 or len(self.columns) != 1:
            raise ValueError(f"a table of {len(self.rows)} rows and {len(self.columns)} columns has no single value")
        return self.rows[0][0]

    def to_dicts(self) -> list[dict[str, Value]]:
        """Rows as dictionaries; a repeated column name gets a suffix `_2`, `_3`, …"""
        names = self.unique_names()
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def to_json(self) -> dict[str, Value]:
        """Columns, types and rows with every cell JSON-ready (see `json_cell`)."""
        return {
            "columns": [{"name": c.name, "type": c.type} for c in self.columns],
            "rows": [[json_cell(v) for v in row] for row in self.rows],
            "truncated": self.truncated,
        }

    def to_csv(self, path: str | Path) -> None:
        """Write as UTF-8 CSV with a header. The file appears whole or not at all."""
        with whole_file(Path(path)) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            self.write_csv(text)

    def write_csv(self, stream: TextIO) -> None:
        """Write as CSV with a header to an open stream: bytes and durations as in JSON, lists and records as JSON."""
        writer = csv.writer(_LineFeeds(stream))
        writer.writerow(self.names)
        writer.writerows(map(_csv_cell, row) for row in self.rows)

    def hand_on(self, folder: Path, name: str) -> Path:
        """Write to a file of that name that a `FileSource` reads as the same table: text stays text, as CSV cannot say.

        Returns:
            The file. JSON Lines; CSV where there is no row, and so no type.
        """
        if not self.rows:
            self.to_csv(path := folder / f"{name}.csv")
            return path
        path, names = folder / f"{name}.jsonl", self.unique_names()
        with whole_file(path) as file:
            for row in self.rows:
                cells = (None if isinstance(v, (float, decimal.Decimal)) and not math.isfinite(v) else v for v in row)
                line = json.dumps(dict(zip(names, map(json_cell, cells), strict=True)), ensure_ascii=False)
                file.write(line.encode() + b"\n")
        return path

    def to_polars(self) -> polars.DataFrame:
        """As a Polars data frame. Needs the extra `polars`."""
        try:
            import polars
        except ImportError as error:
            raise MissingExtraError("polars", "polars", "turn a result into a Polars data frame") from error
        columns: Sequence[Sequence[Value]] = list(zip(*self.rows, strict=True)) or [()] * len(self.columns)
        return polars.DataFrame(
            {n: polars.Series(n, list(v), strict=False) for n, v in zip(self.unique_names(), columns, strict=True)}
        )

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas data frame. Needs the extra `pandas`."""
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("pandas", "pandas", "turn a result into a pandas data frame") from error
        frame = pandas.DataFrame(list(self.rows), columns=self.unique_names())
        for place, name in enumerate(self.unique_names()):
            cells = [row[place] for row in self.rows]
            if frame[name].dtype.kind == "f" and any(isinstance(v, int) and abs(v) > 2**53 for v in cells):
                frame[name] = pandas.Series(cells, dtype=object)  # a float would be another number
        return frame

    def unique_names(self) -> list[str]:
        taken: set[str] = set()
        names = []
        for column in self.columns:
            name, n = column.name, 1
            while name in taken:
                n += 1
                name = f"{column.name}_{n}"
            taken.add(name)
            names.append(name)
        return names


class _LineFeeds:
    """Ends rows with a line feed alone, told to `csv.writer` as both: it quotes only what it ends its own rows with."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: str) -> None:
        self._stream.write(row.removesuffix("\r\n") + "\n")


def _csv_cell(value: Value) -> Value:
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(json_cell(value), ensure_ascii=False)
    return json_cell(value) if isinstance(value, (bytes, dt.timedelta)) else value


def json_cell(value: Value) -> Value:
    """A cell as JSON holds it: dates in ISO 8601, durations as `-26:05:00`, decimals as numbers, bytes as hex, NaN and
    infinities as text."""
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, decimal.Decimal):
        return (
            json_cell(int(value) if value == value.to_integral_value() else float(value))
            if value.is_finite()
            else str(value)
        )
    if isinstance(value, (dt.date, dt.datetime, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return _duration(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [json_cell(v) for v in value]
    if isinstance(value, dict):
        return {str(k): json_cell(v) for k, v in value.items()}
    return str(value)


def _duration(value: dt.timedelta) -> str:
    """As SQL writes it: Python says of an hour less than nothing `-1 day, 23:00:00`."""
    minutes, rest = divmod(abs(value), dt.timedelta(minutes=1))
    fraction = f".{rest.microseconds:06}" if rest.microseconds else ""
    return f"{'-' if value.days < 0 else ''}{minutes // 60:02}:{minutes % 60:02}:{rest.seconds:02}{fraction}"
