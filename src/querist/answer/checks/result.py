"""Checks of the result itself: nothing in it, cut, or a top that is any of several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from querist.answer.checks.case import PASSED, Case, Finding, check, told
from querist.answer.checks.left_out import NUMBER_WORDS
from querist.answer.checks.selects import Select
from querist.answer.context import show
from querist.answer.values import normal
from querist.sources.table import Value

if TYPE_CHECKING:
    from sqlglot import exp

LONGEST_TOP = 100
"""A LIMIT beyond this is taken for a bound on the output, not for the k of a top k."""
TIES_READ = 20
"""Rows read after a cut to see how many have the same value."""

_SUPERLATIVE = re.compile(r"\b(?:top|most|least|worst|first|last|\w{2,}est)\b", re.IGNORECASE)


@check(severity="warn")
def empty_result(case: Case) -> Finding | None:
    """The query returns no rows."""
    return PASSED if case.table.rows else Finding("The query ran but found no rows.")


@check(severity="veto")
def all_null(case: Case) -> Finding | None:
    """Every value of the result is NULL."""
    rows = case.table.rows
    if not rows:
        return None
    if any(value is not None for row in rows for value in row):
        return PASSED
    computed = case.top is None or bool(case.top.aggregates) or not _plain_outputs(case)
    # A plain column that holds nothing may be the truthful answer; a computed NULL hardly ever is.
    return Finding("The result holds nothing but empty values (NULL).", mild=not computed)


def _plain_outputs(case: Case) -> bool:
    from sqlglot import exp

    return case.top is not None and all(isinstance(e.unalias(), exp.Column) for e in case.top.node.expressions)


@check(severity="warn")
def truncated(case: Case) -> Finding | None:
    """The result was cut by a row or size limit."""
    return Finding(case.table.truncated) if case.table.truncated else PASSED


@dataclass(frozen=True)
class _Top:
    """`ORDER BY … LIMIT k`, of the query or of one inside it."""

    case: Case
    query: exp.Select
    """The probe that reads further, with the sort keys after the query's own columns."""
    keys: list[exp.Expr]
    k: int

    @cached_property
    def rows(self) -> list[tuple[tuple[Value, ...], tuple[Value, ...]]]:
        """(what is shown, sort keys) of the first k rows and some more."""
        width = len(self.keys)
        return [(row[:-width], row[-width:]) for row in self.case.probe(self.query).rows]


def _tops(case: Case) -> Iterator[_Top]:
    for select in case.selects:
        if select.standalone and (found := _top(case, select)) is not None:
            yield found


def _top(case: Case, found: Select) -> _Top | None:
    from sqlglot import exp

    select = found.node
    order, k = select.args.get("order"), _limit(select)
    if order is None or k is None:
        return None
    keys = [_meaning(ordered.this, select) for ordered in order.expressions]
    outputs = [e.unalias() for e in select.expressions]
    if None in keys or (select.args.get("distinct") and any(e not in outputs for e in keys)):
        return None
    known = [e for e in keys if e is not None]
    if any(isinstance(e, (exp.Rand, exp.Subquery)) or e.find(exp.Rand) for e in known):
        return None
    query = found.alone()
    query.select(*(exp.alias_(e.copy(), f"sort_key_{i}") for i, e in enumerate(known)), copy=False)
    query.limit(k + TIES_READ, copy=False)
    return _Top(case, query, known, k)


def _limit(select: exp.Select) -> int | None:
    """How many of the first rows it takes; None where that is no small number."""
    from sqlglot import exp

    limit = select.args.get("limit")
    if limit is None:
        return None
    count = limit.args.get("count") or limit.args.get("expression") or exp.Literal.number(1)  # FETCH FIRST ROW ONLY
    options = limit.args.get("limit_options")
    if not count.is_int or (options is not None and (options.args.get("with_ties") or options.args.get("percent"))):
        return None
    k = int(count.to_py())  # -1 is none
    return k if 0 < k <= LONGEST_TOP else None


def _meaning(key: exp.Expr, select: exp.Select) -> exp.Expr | None:
    """What a sort key sorts by: names and numbers of output columns resolved. None when that cannot be said."""
    from sqlglot import exp

    if isinstance(key, exp.Literal):
        place = int(key.name) - 1 if key.is_int else -1
        if not 0 <= place < len(select.expressions) or any(e.is_star for e in select.expressions):
            return None
        output: exp.Expr = select.expressions[place]
        return output.unalias()
    if isinstance(key, exp.Column) and not key.table:
        named = [e.this for e in select.expressions if isinstance(e, exp.Alias) and e.alias.lower() == key.name.lower()]
        key = named[0] if named else key
    return key


@check(severity="repair")
def null_on_top(case: Case) -> Finding | None:
    """A top-k list begins with rows that have no value to be sorted by."""
    tops = list(_tops(case))
    keys = [top.keys[0].sql(dialect=case.dialect) for top in tops if top.rows and top.rows[0][1][0] is None]
    messages = [
        f"The first row has no value for {key}: empty values (NULL) are sorted first here. "
        f"Leave them out with {key} IS NOT NULL."
        for key in keys
    ]
    return told(bool(tops), messages)


@check(severity="warn")
def top_k_ties(case: Case) -> Finding | None:
    """A top-k list, or the row of a minimum or maximum, is taken from several that rank the same."""
    tops, extremes = list(_tops(case)), list(_rows_of_extremes(case))
    messages = [message for top in tops if (message := _tie(top))]
    messages += [
        f"Several rows share {extreme.sql(dialect=case.dialect)}, and an arbitrary one of them is shown."
        for extreme, query in extremes
        if case.probe(query).rows
    ]
    return told(bool(tops or extremes), messages)


def _rows_of_extremes(case: Case) -> Iterator[tuple[exp.AggFunc, exp.Select]]:
    """What SQLite shows of the row that has the one MIN or MAX, each with the probe whether others have it too."""
    from sqlglot import exp

    for select in case.selects if case.dialect == "sqlite" else ():
        extreme, grouped = select.aggregates[0] if len(select.aggregates) == 1 else None, select.grouped
        if not isinstance(extreme, (exp.Min, exp.Max)) or grouped is None or not select.standalone:
            continue
        shown = [
            e.unalias() for e in select.node.expressions if e.find(exp.Column) and not e.find(exp.AggFunc, exp.Query)
        ]
        if all(e in grouped for e in shown) or select.scope.opaque:
            continue
        groups = [exp.alias_(g.copy(), f"group_{i}") for i, g in enumerate(grouped)] or [exp.alias_("1", "group_0")]
        parts = [exp.alias_(e.copy(), f"part_{i}") for i, e in enumerate(shown)]
        order = exp.Order(expressions=[exp.Ordered(this=extreme.this.copy(), desc=isinstance(extreme, exp.Max))])
        rank = exp.Window(this=exp.Rank(), partition_by=[g.copy() for g in grouped], order=order)
        known = exp.Not(this=exp.Is(this=extreme.this.copy(), expression=exp.Null()))
        rows = select.rows(*groups, *parts, exp.alias_(rank, "place")).where(known)
        first = exp.select("*").distinct().from_(rows.subquery("q")).where("place = 1")
        again = exp.select("1").from_(first.subquery("r")).group_by(*(g.alias for g in groups))
        yield extreme, again.having("COUNT(*) > 1").limit(1)


@check(severity="repair")
def any_rows(case: Case) -> Finding | None:
    """A LIMIT without ORDER BY, which takes any of more rows."""
    from sqlglot import exp

    applies = False
    messages = []
    said = {*re.findall(r"\d+", case.question), *(str(NUMBER_WORDS.get(w, "")) for w in normal(case.question).split())}
    for select in case.selects:
        k = _limit(select.node)
        if k is None or select.node.args.get("order") or not select.standalone:
            continue
        meant = select is case.top and str(k) in said and not _SUPERLATIVE.search(case.question)
        if meant or isinstance(select.node.parent, exp.Exists):
            continue
        applies = True
        rows = case.probe(select.alone().limit(k + TIES_READ)).rows
        if len(rows) > k and len({repr(row) for row in rows}) > 1:
            messages.append(f"LIMIT {k} takes any of more rows: without ORDER BY nothing says which.")
    return told(applies, messages)


def _tie(top: _Top) -> str:
    rows = top.rows
    if len(rows) <= top.k or rows[top.k][1] != rows[top.k - 1][1] or rows[top.k][1][0] is None:
        return ""
    value = rows[top.k][1]
    tied = [shown for shown, keys in rows if keys == value]
    if all(shown == tied[0] for shown in tied):
        return ""
    inside = sum(keys == value for _, keys in rows[: top.k])
    count = f"at least {len(tied)}" if rows[-1][1] == value and len(rows) == top.k + TIES_READ else str(len(tied))
    place = "first place" if top.k == 1 else f"place {top.k - inside + 1}"
    at = ", ".join(show(v) for v in value)
    return f"{count[0].upper()}{count[1:]} rows share {place} ({at}), but only {inside} of them fit into LIMIT {top.k}."
