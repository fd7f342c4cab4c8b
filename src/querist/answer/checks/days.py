"""Checks of days: one that stands for its first moment, where the data have times."""

from __future__ import annotations

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.selects import Resolved, Select
from querist.answer.periods import DayCompared, days_compared


@check(severity="repair")
def day_as_moment(case: Case) -> Finding | None:
    """A column of times is compared with a day, so that all but the day's first moment falls on the wrong side."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        for compared in days_compared(select.node):
            value = compared.value
            known = select.resolve(value.this if isinstance(value, (exp.Min, exp.Max)) else value)
            if known is None or known.column.kind not in ("text", "date", "datetime"):
                continue
            applies = True
            if _has_times(case, select, known, compared):
                sql = compared.node.sql(dialect=case.dialect)
                takes = "takes in" if compared.operator in (">", "<>") else "leaves out"
                messages.append(
                    f"{known.name} has times of day, so {sql} {takes} what is later on {compared.day}; "
                    f"all of that day is before {compared.other(1).sql(dialect=case.dialect)}."
                )
    return told(applies, messages)


def _has_times(case: Case, select: Select, known: Resolved, compared: DayCompared) -> bool:
    """Has the column a time of that day that is not its first moment?"""
    from sqlglot import exp

    column = select.column(known.alias, known.column.name)
    later = exp.GT(this=column, expression=compared.other(0))
    before = exp.LT(this=column.copy(), expression=compared.other(1))
    query = exp.select("1").from_(select.source(known.alias)).where(later, before)
    return bool(case.probe(query.limit(1)).rows)
