"""Which results are the same, and which result wins. Compares what queries return, never how they are written."""

from __future__ import annotations

import decimal
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from querist.sources.table import Table, Value

DIGITS = 5
"""Numbers count as equal when they agree to this many significant digits."""


def result_key(table: Table) -> Hashable:
    """A key that is equal for results that say the same: whatever their row order, column order and column names.

    Numbers are compared to `DIGITS` significant digits, numbers written as text like numbers.
    """
    rows = [tuple(_cell(value) for value in row) for row in table.rows]
    by_content = sorted(range(len(table.columns)), key=lambda i: sorted(repr(row[i]) for row in rows))
    return (len(table.columns), tuple(sorted(repr(tuple(row[i] for i in by_content)) for row in rows)))


def is_blank(table: Table) -> bool:
    """No rows, or nothing but NULLs."""
    return all(value is None for row in table.rows for value in row)


@dataclass(frozen=True)
class Ballot:
    """A draft that ran: its place among the drafts, and its result."""

    draft: int
    table: Table


def groups(ballots: Sequence[Ballot]) -> list[list[Ballot]]:
    """Ballots with the same result together; the winning group first.

    A blank result never stands before one that is not. Then the larger group wins, then the earlier draft.
    """
    by_key: dict[Hashable, list[Ballot]] = {}
    for ballot in ballots:
        by_key.setdefault(result_key(ballot.table), []).append(ballot)
    return sorted(by_key.values(), key=lambda g: (is_blank(g[0].table), -len(g), g[0].draft))


def _cell(value: Value) -> Hashable:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        try:
            return _number(float(text)) if text[:1] in "+-.0123456789" and text else text
        except ValueError:
            return text
    if isinstance(value, (int, float, decimal.Decimal)):
        return _number(float(value))
    return None if value is None else str(value)


def _number(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
