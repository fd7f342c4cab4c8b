"""Mend a day that a query takes for a period, or for its first moment.

The question says `in 2025`, the draft `day = '2025-01-01'`; or `day <= '2025-01-31'`, where days have times.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.scopes import SelectTables, own
from querist.sources.base import Schema

if TYPE_CHECKING:
    from sqlglot import exp

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00(?::00)?)?$")
_PATTERN = re.compile(r"(\d{4})(?:-(\d{2}))?-?%?$")
"""What a year or a month is looked for with in a column of dates: `2025`, `2025-03%`."""
_OTHER = re.compile(
    r"\b(?:first|last|final) day\b|\b(?:first|last|final|start|beginning|end|close|as) of\b|\b(?:year|month)[- ]?end\b|"
    r"\beve\b|\bnew year|\bquarter|\bq[1-4]\b|\bhalf\b|\bweek|"
    r"\bspring\b|\bsummer\b|\bautumn\b|\bfall\b|\bwinter\b|\bseason\b",
    re.I,
)
"""What a day may stand for that is neither a month nor a year."""
_MONTHS = (
    r"jan(?:uar\w*)? feb(?:ruar\w*)? mar(?:ch|s|zo)? apr(?:il\w*)? may jun(?:e|io?)? jul(?:y|io?)? aug(?:ust)? "
    r"sept?(?:i?em\w*)? oct(?:ob\w*)? nov(?:i?em\w*)? dec(?:em\w*)?"
).split()
"""How a question writes them; `Jane` is none of them, nor is `market`."""


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
        whole = exp.paren(within, copy=False)
        node.replace(exp.not_(whole, copy=False) if node.args.get("negate") else whole)
    return notes


def _period(literal: str, question: str) -> tuple[int, int] | None:
    """The year and month (0: the whole year) that a literal stands for; None when it means a day, or is no date."""
    if part := _PATTERN.match(literal):
        return (int(part[1]), int(part[2] or 0)) if int(part[2] or 1) in range(1, 13) else None
    day = _DAY.match(literal)
    if day is None or not re.search(rf"\b{day[1]}\b", question) or _OTHER.search(question):
        return None
    year, month, number = map(int, day.groups())
    if re.search(rf"\b{year}[-/.]0?{month}(?![-/.]?\d)|(?<![-/.\d])0?{month}[-/.]{year}\b", question):
        return year, month
    rest = question.replace(day[1], " ")
    if _says_number(rest, number) or not 1 <= month <= 12:
        return None
    said = [m for m, name in enumerate(_MONTHS, 1) if re.search(rf"\b{name}\b", rest, re.I)]
    if said:
        return (year, month) if said == [month] else None
    return (year, 0) if (month, number) in ((1, 1), (12, 31)) else None


def _says_number(text: str, number: int) -> bool:
    return bool(re.search(rf"(?<!\d)0?{number}(?:st|nd|rd|th)?(?!\d)", text))


@dataclass(frozen=True)
class DayCompared:
    """A comparison with a day for which it matters whether the day is all of it or its first moment.

    Attributes:
        node: `value <op> day`, or a BETWEEN that ends with the day.
        operator: `=`, `<>`, `<=` or `>`.
    """

    node: exp.Expr
    operator: str
    value: exp.Expr
    day: dt.date
    written: exp.Expr

    def other(self, days: int) -> exp.Expr:
        """The day, or one after it, in the words of the query."""
        from sqlglot import exp

        text = (self.day + dt.timedelta(days)).isoformat()
        written = self.written.copy()
        return written.transform(lambda n: exp.Literal.string(text) if isinstance(n, exp.Literal) else n)

    def whole(self) -> exp.Expr:
        """The same with all of the day."""
        from sqlglot import exp

        value, after = self.value, self.other(1)
        if self.operator == ">":
            return exp.GTE(this=value.copy(), expression=after)
        before = exp.LT(this=value.copy(), expression=after)
        if self.operator == "<=" and not isinstance(self.node, exp.Between):
            return before
        low = self.node.args["low"].copy() if isinstance(self.node, exp.Between) else self.other(0)
        within = exp.and_(exp.GTE(this=value.copy(), expression=low), before)
        return exp.not_(exp.paren(within)) if self.operator == "<>" else exp.paren(within)


def days_compared(select: exp.Select) -> Iterator[DayCompared]:
    """The comparisons of a SELECT with a day that is written without a time."""
    from sqlglot import exp

    operators = {exp.EQ: "=", exp.NEQ: "<>", exp.LTE: "<=", exp.GT: ">"}
    turned = {exp.EQ: "=", exp.NEQ: "<>", exp.GTE: "<=", exp.LT: ">"}
    for node in list(own(select, exp.Predicate)):
        if isinstance(node, exp.Between):
            sides = [(node.this, node.args["high"], "<=")]
        elif isinstance(node, exp.Binary):
            sides = [
                (node.left, node.right, operators.get(type(node), "")),
                (node.right, node.left, turned.get(type(node), "")),
            ]
        else:
            continue
        for value, written, operator in sides:
            literal = written.this if isinstance(written, (exp.Cast, exp.Date)) else written
            if operator and isinstance(literal, exp.Literal) and (day := day_in(literal.name)) is not None:
                yield DayCompared(node, operator, value, day, written)


def day_in(text: str) -> dt.date | None:
    """The day that a text is, without a time; not the first or last of all, which has none beside it."""
    try:
        day = dt.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
    return day if day not in (dt.date.min, dt.date.max) else None


def whole_days(sql: str, schema: Schema, question: str) -> str:
    """The query with all of each day that it compares with, where that is sure to be meant.

    It is where the question names the day, and at the end of a month: who writes `<= '2025-02-01'` may mean January.
    """
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect=schema.dialect)
    for select in list(tree.find_all(exp.Select)):
        for found in days_compared(select):
            day = found.day
            ends = found.operator == "<=" and day.day == calendar.monthrange(day.year, day.month)[1]
            if ends or _says_number(question.replace(str(day.year), " "), day.day):
                found.node.replace(found.whole())
    return tree.sql(dialect=schema.dialect)
