"""Checks of what is taken for one though it is several: namesakes, and equal figures of different rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.answer.checks.asked import asks_number_of
from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.selects import Resolved, Select
from querist.answer.scopes import ctes
from querist.sources.joins import words_of

if TYPE_CHECKING:
    from sqlglot import exp

_PART_OF_NAME = frozenset("first last full family given middle sur fore".split())


@check(severity="warn")
def namesakes(case: Case) -> Finding | None:
    """Different things of the same name are taken together, by GROUP BY or by COUNT of the different names."""
    from sqlglot import exp

    asked = set(words_of(case.question))
    applies = False
    messages = []
    for select in (s for s in case.selects if s.plain and s.standalone and s.grouped is not None):
        tables = list(select.scope.tables.values())
        grouped = select.grouped or []
        names = [k for k in map(select.resolve, grouped) if k is not None and _is_name(k)] if select.aggregates else []
        by_group = case.keys.grouped(select)
        places = [(name, "GROUP BY", grouped) for name in names if name.alias not in by_group]
        for count in (a for a in select.aggregates if isinstance(a, exp.Count) and isinstance(a.this, exp.Distinct)):
            name = select.resolve(count.this.expressions[0]) if len(count.this.expressions) == 1 else None
            if name is not None and _is_name(name) and not asked.intersection(words_of(name.column.name)[-1:]):
                places.append((name, count.sql(dialect=case.dialect), [*grouped, count.this.expressions[0]]))
        for name, how, groups in places:
            counted = asks_number_of(case.question, name.table, tables)
            if not asked.intersection(words_of(name.table.name)[-1:]) or counted == (how == "GROUP BY"):
                continue
            applies = True
            if _differ(case, select, name.alias, groups):
                key = ", ".join(case.keys.of(name.table))
                messages.append(
                    f"{how} takes different rows of {name.table.name} with the same {name.column.name} for one; "
                    f"{name.table.name}.{key} tells them apart."
                )
    return told(applies, messages)


@check(severity="warn")
def equal_figures(case: Case) -> Finding | None:
    """A sum or average of DISTINCT values or of a UNION, which takes equal figures of different rows once."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in (s for s in case.selects if s.standalone and s.grouped is not None):
        united = _union(select)
        for aggregate in (a for a in select.aggregates if isinstance(a, (exp.Sum, exp.Avg))):
            sql = aggregate.sql(dialect=case.dialect)
            if united is not None:
                applies = True
                counts = [exp.select(exp.Count(this=exp.Star())).from_(q.subquery("q")) for q in united]
                if len({case.probe(count).rows[0][0] for count in counts}) > 1:
                    messages.append(f"UNION takes equal rows once, so that {sql} misses some; UNION ALL keeps them.")
            elif isinstance(aggregate.this, exp.Distinct) and select.plain:
                applies = True
                figure = aggregate.this.expressions[0]
                aliases = {c.alias for c in select.columns(figure) or []}
                if len(aliases) == 1 and _differ(case, select, aliases.pop(), [*(select.grouped or []), figure]):
                    messages.append(f"{sql} takes equal values once, though they are of different rows.")
    return told(applies, messages)


def _union(select: Select) -> tuple[exp.Union, exp.Union] | None:
    """The UNION that a SELECT reads, and the same with ALL; None where it reads something else, or one with ALL."""
    from sqlglot import exp

    from_ = select.node.args.get("from_")
    union = from_.this.this if from_ is not None and isinstance(from_.this, exp.Subquery) else None
    if not isinstance(union, exp.Union) or not union.args.get("distinct") or select.with_ or ctes(select.node):
        return None
    every = union.copy()
    every.set("distinct", False)
    return union.copy(), every


def _is_name(known: Resolved) -> bool:
    """Does the column name the things of its table: `name`, `title`, `last_name`, `customer_name`?"""
    *before, last = words_of(known.column.name) or [""]
    named = last.endswith("name") or last in ("title", "label")
    return named and set(before) <= _PART_OF_NAME | set(words_of(known.table.name))


def _differ(case: Case, select: Select, alias: str, groups: list[exp.Expr]) -> bool:
    """Are different rows of a table in one group?"""
    from sqlglot import exp

    key = [select.column(alias, name) for name in case.keys.of(select.scope.tables[alias])]
    if not key:
        return False
    parts = [exp.alias_(e.copy(), f"part_{i}") for i, e in enumerate([*groups, *key])]
    known = [exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())) for column in key]
    rows = select.rows(*parts).where(*known).distinct()
    again = exp.select("1").from_(rows.subquery("q")).group_by(*(f"part_{i}" for i in range(len(groups))))
    return bool(case.probe(again.having("COUNT(*) > 1").limit(1)).rows)
