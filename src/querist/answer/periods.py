"""Mend a day that a query takes for a whole period: the question says `in 2025`, the draft `day = '2025-01-01'`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querist.answer.scopes import SelectTables, own

if TYPE_CHECKING:
    from sqlglot import exp

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00(?::00)?)?$")
_PATTERN = re.compile(r"(\d{4})(?:-(\d{2}))?-?%?$")
"""What a year or a month is looked for with in a column of dates: `2025`, `2025-03%`."""
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def whole_periods(select: exp.Select, scope: SelectTables, question: str) -> list[str]:
    """Make conditions on a column of dates hold for the whole year or month that the question names.

    In place; a note for each change. A day that the question itself says stays.
    """
    from sqlglot import exp

    notes = []
    for node in list(own(select, exp.Predicate)):
        if not isinstance(node, (exp.EQ, exp.Like)):
            continue
        column, literal = node.this, node.expression
        while isinstance(literal, (exp.Cast, exp.Date)):
            literal = literal.this
        known = scope.resolve(column) if isinstance(column, exp.Column) else None
        if known is None or known[1].kind not in ("date", "datetime") or not isinstance(literal, exp.Literal):
            continue
        if (period := _period(literal.name, question)) is None:
            continue
        year, month = period
        until = (year + 1, 1) if month in (0, 12) else (year, month + 1)
        first, after = (exp.Literal.string(f"{y:04}-{m:02}-01") for y, m in ((year, month or 1), until))
        within = exp.and_(exp.GTE(this=column.copy(), expression=first), exp.LT(this=column.copy(), expression=after))
        notes.append(f"took the whole {'month' if month else 'year'} for {literal.name!r}")
        node.replace(exp.paren(within, copy=False))
    return notes


def _period(literal: str, question: str) -> tuple[int, int] | None:
    """The year and month (0: the whole year) that a literal stands for; None when it means a day, or is no date."""
    if part := _PATTERN.match(literal):
        return (int(part[1]), int(part[2] or 0)) if int(part[2] or 1) in range(1, 13) else None
    day = _DAY.match(literal)
    if day is None or not re.search(rf"\b{day[1]}\b", question):
        return None
    year, month, number = map(int, day.groups())
    rest = question.replace(day[1], " ")
    if re.search(rf"(?<!\d)0?{number}(?:st|nd|rd|th)?(?!\d)", rest) or not 1 <= month <= 12:
        return None
    said = [m for m, name in enumerate(_MONTHS, 1) if re.search(rf"\b{name}", rest, re.I)]
    return (year, 0) if not said else (year, month) if said == [month] else None
