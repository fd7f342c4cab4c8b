"""Which results are the same, and which result wins. Compares what queries return, never how they are written."""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from querist.sources.table import Table, Value

DIGITS, MOST_DIGITS = 5, 12
"""Numbers that are not whole count as equal when they agree to this many significant digits, or to hundredths if these
are more; never to more than engines agree on."""
_WRITTEN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?")
"""Text that a number would be written as. What is written in another way is a code: `007`, `1.10`, `1e5`."""


def result_key(table: Table) -> Hashable:
    """A key that is equal for results that say the same: whatever their row order, column order and column names.

    Whole numbers are compared exactly, for they may be ids, others to `DIGITS`. Text that is a number counts as one.
    """
    rows = [tuple(_cell(value) for value in row) for row in table.rows]
    by_content = sorted(range(len(table.columns)), key=lambda i: sorted(repr(row[i]) for row in rows))
    return (len(table.columns), tuple(sorted(repr(tuple(row[i] for i in by_content)) for row in rows)))


def is_blank(table: Table) -> bool:
    """No rows, or nothing but NULLs."""
    return all(value is None for row in table.rows for value in row)


@dataclass(frozen=True)
class Ballot:
    """A draft that ran: its place among the drafts, its result, and whether something precise speaks against it."""

    draft: int
    table: Table
    flawed: bool = False


def groups(ballots: Sequence[Ballot]) -> list[list[Ballot]]:
    """Ballots with the same result together; the winning group first.

    A blank result never stands before one that is not. Then the larger group wins, then one that nothing speaks
    against, then the earlier draft.
    """
    by_key: dict[Hashable, list[Ballot]] = {}
    for ballot in ballots:
        by_key.setdefault(result_key(ballot.table), []).append(ballot)
    return sorted(by_key.values(), key=lambda g: (is_blank(g[0].table), -len(g), all(b.flawed for b in g), g[0].draft))


def _cell(value: Value) -> Hashable:
    if isinstance(value, str):
        text = value.strip()
        return _number(decimal.Decimal(text)) if _WRITTEN.fullmatch(text) else text
    if isinstance(value, (bool, int, float, decimal.Decimal)):
        return _number(value)
    return None if value is None else str(value)


def _number(value: float | decimal.Decimal) -> float:
    if not math.isfinite(value):
        return float(value)
    if value == (whole := int(value)):
        return whole
    digits = min(max(DIGITS, len(str(abs(whole))) + 2), MOST_DIGITS)
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded
