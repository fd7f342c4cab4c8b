"""From an engine's cursor to a Table under the row and byte caps; a cut result says so. Timeouts are the engines'."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from querist.sources.base import Limits
from querist.sources.table import ResultColumn, Table, Value

BATCH = 1_000
"""Rows asked of the engine at once: large enough to be quick, small enough that a wide batch stays small."""

_SMALL = (bool, int, float, decimal.Decimal, dt.date, dt.time, dt.timedelta, uuid.UUID)

Fetch = Callable[[int], Sequence[Sequence[Any]]]
"""`fetchmany` of a cursor: up to n rows, an empty sequence at the end."""


def collect_rows(fetch: Fetch, columns: Iterable[ResultColumn], limits: Limits, source: str = "") -> Table:
    """Read rows until the end or until a cap is reached.

    Args:
        fetch: gives up to n more rows, none when there are no more.
        columns: of the result, left to right.
        limits: `rows` and `bytes` bound what is kept. The row that passes the byte cap is not kept, unless it is the
            first one.
        source: name for `Table.source`.
    """
    rows: list[tuple[Value, ...]] = []
    size = 0
    truncated: str | None = None
    batch = 50  # the first batch is small: a row may hold megabytes
    while truncated is None:
        # One row more than the cap is asked for: only its existence tells a cut result from one that just fits.
        fetched = fetch(min(batch, limits.rows + 1 - len(rows)))
        if not fetched:
            break
        for row in fetched:
            if len(rows) >= limits.rows:
                truncated = f"Only the first {limits.rows:,} rows are shown (row limit); the query returns more."
                break
            size += row_bytes(row)
            if size > limits.bytes and rows:
                cap = f"size limit of {limits.bytes:,} bytes"
                truncated = f"Only the first {len(rows):,} rows are shown ({cap}); the query returns more."
                break
            rows.append(tuple(row))
        batch = BATCH if size < 1_000 * len(rows) else max(1, min(BATCH, int(1_000_000 * len(rows) / max(size, 1))))
    return Table(columns=tuple(columns), rows=tuple(rows), truncated=truncated, source=source)


def row_bytes(row: Sequence[Value]) -> int:
    """About how much text the row is; cheap, and never less than one byte a cell."""
    return sum(map(_cell_bytes, row))


def _cell_bytes(value: Value) -> int:
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return len(value) + 1
    if value is None or isinstance(value, _SMALL):
        return 8
    if isinstance(value, dict):
        return 8 + sum(_cell_bytes(k) + _cell_bytes(v) for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return 8 + sum(map(_cell_bytes, value))
    return len(str(value)) + 1
