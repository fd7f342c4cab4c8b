"""Whether a result is the expected one. The rule by which execution accuracy is counted.

Two results are equal when they hold the same multiset of rows under some order of the columns. The order of rows counts
only where that is asked for. Whole numbers are compared exactly, others to a relative 1e-4. Text is compared as it is,
and a number is never equal to text. (`answer/vote.py` compares drafts with each other by a key of each, which says
nothing of what is near.)
"""

from __future__ import annotations

import bisect
import datetime as dt
import decimal
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from querist.sources.table import Value, json_cell

TOLERANCE = 1e-4
DIGITS = 5
"""Significant digits to which numbers are rounded first that are not whole. What is equal then is so to `TOLERANCE` as
well."""

Rows = Sequence[Sequence[Value]]


def same_rows(got: Rows, expected: Rows, *, ordered: bool = False) -> bool:
    """Whether `got` holds what `expected` holds, under some order of its columns."""
    if len(got) != len(expected):
        return False
    if not expected:
        return True
    if len(got[0]) != len(expected[0]):
        return False
    snap = _Snap(value for row in expected for value in row)
    want = list(zip(*([_cell(value) for value in row] for row in expected), strict=True))
    have = list(zip(*([snap(value) for value in row] for row in got), strict=True))
    # With the order of rows given, columns are matched one by one; without, whole rows have to stay together.
    return Counter(have) == Counter(want) if ordered else _match(have, want)


def same_value(got: Value, expected: Value, tolerance: float | None = None) -> bool:
    """Whether two cells are equal; numbers within an absolute `tolerance`, by default as in `same_rows`."""
    if tolerance is None or not (_is_number(got) and _is_number(expected)):
        return _Snap([expected])(got) == _cell(expected)
    if _is_whole(got) and _is_whole(expected):
        return bool(abs(round(got) - round(expected)) <= tolerance)
    return abs(float(got) - float(expected)) <= tolerance * (1 + 1e-9)


def kept_cell(value: Value) -> Value:
    """A cell as JSON can hold it that is still equal to what the cell is equal to."""
    return json_cell(value if _is_number(value) else _cell(value))


def is_ordered(sql: str, dialect: str) -> bool:
    """Whether the outermost SELECT (or the union at the top) says in which order its rows come.

    A query that the parser does not understand counts as unordered.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, dialect=dialect)
    except SqlglotError:
        return False
    return tree.args.get("order") is not None


def _match(have: list[tuple[Hashable, ...]], want: list[tuple[Hashable, ...]]) -> bool:
    """Find an order of the columns under which the multisets of rows are the same.

    Columns are placed one after the other; a place is given up as soon as the rows so far, cut to the columns placed,
    are not the same multiset. That keeps wide results quick where trying all orders would not be.
    """
    fits = [[j for j, column in enumerate(have) if Counter(column) == Counter(wanted)] for wanted in want]
    if not all(fits):
        return False
    order = sorted(range(len(want)), key=lambda i: (len(fits[i]), -len(set(want[i]))))

    def place(depth: int, used: frozenset[int], chosen: tuple[int, ...]) -> bool:
        if depth == len(order):
            return True
        target = Counter(zip(*(want[i] for i in order[: depth + 1]), strict=True))
        tried: set[tuple[Hashable, ...]] = set()
        for j in fits[order[depth]]:
            if j in used or have[j] in tried:
                continue
            tried.add(have[j])
            rows = Counter(zip(*(have[k] for k in (*chosen, j)), strict=True))
            if rows == target and place(depth + 1, used | {j}, (*chosen, j)):
                return True
        return False

    return place(0, frozenset(), ())


class _Snap:
    """Cells of a result, with numbers that are near an expected one but rounded apart from it set to that one.

    Rounding alone would tell 1234.5499 from 1234.5501; comparing pairs with a tolerance alone would not make classes
    of equal rows that can be counted. A whole number is never set to another one.
    """

    def __init__(self, expected: Iterable[Value]) -> None:
        self._all = sorted({value for value in expected if _is_number(value)}, key=float)
        self._broken = [value for value in self._all if not _is_whole(value)]
        self._cells = {_cell(value) for value in self._all}

    def __call__(self, value: Value) -> Hashable:
        cell = _cell(value)
        if not _is_number(value) or cell in self._cells:
            return cell
        others = self._broken if _is_whole(value) else self._all
        place = bisect.bisect(others, float(value), key=float)
        near = [other for other in others[max(0, place - 1) : place + 1] if _near(float(value), float(other))]
        return _cell(near[0]) if near else cell


def _cell(value: Value) -> Hashable:
    """A cell in the form in which it is compared: numbers whole or as floats of `DIGITS` digits, dates as text."""
    if _is_number(value):
        return round(value) if _is_whole(value) else float(f"{float(value):.{DIGITS}g}")
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ") if value.time() != dt.time() or value.tzinfo else value.date().isoformat()
    if value is None or isinstance(value, (str, bytes)):
        return value
    return repr(json_cell(value)) if isinstance(value, (list, tuple, dict)) else str(value)


def _is_number(value: Value) -> bool:
    """NaN is none: it is compared like a word, as it is equal to itself for anyone who reads a table."""
    return isinstance(value, (bool, int, float, decimal.Decimal)) and value == value


def _is_whole(number: float | decimal.Decimal) -> bool:
    """Whether it is whole but for the last digits, in which sums of floats are a little off."""
    return math.isfinite(number) and math.isclose(number, round(number), rel_tol=1e-13)


def _near(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= TOLERANCE * max(abs(a), abs(b))
