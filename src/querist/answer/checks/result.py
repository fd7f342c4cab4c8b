"""Checks of the result itself: nothing in it, cut, or a top that was cut between equals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from querist.answer.checks.case import PASSED, Case, Finding, check, told
from querist.answer.checks.selects import Select
from querist.answer.context import show
from querist.sources.table import Value

if TYPE_CHECKING:
    from sqlglot import exp

LONGEST_TOP = 100
"""A LIMIT beyond this is taken for a bound on the output, not for the k of a top k."""
TIES_READ = 20
"""Rows read after a cut to see how many have the same value."""


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
    order, limit = select.args.get("order"), select.args.get("limit")
    if order is None or limit is None:
        return None
    count, options = limit.args.get("count") or limit.args.get("expression"), limit.args.get("limit_options")
    if not count.is_int or (options is not None and (options.args.get("with_ties") or options.args.get("percent"))):
        return None
    k = int(count.name)
    keys = [_meaning(ordered.this, select) for ordered in order.expressions]
    outputs = [e.unalias() for e in select.expressions]
    if (
        not 0 < k <= LONGEST_TOP
        or None in keys
        or (select.args.get("distinct") and any(e not in outputs for e in keys))
    ):
        return None
    known = [e for e in keys if e is not None]
    if any(isinstance(e, (exp.Rand, exp.Subquery)) or e.find(exp.Rand) for e in known):
        return None
    query = found.alone()
    query.select(*(exp.alias_(e.copy(), f"sort_key_{i}") for i, e in enumerate(known)), copy=False)
    query.limit(k + TIES_READ, copy=False)
    return _Top(case, query, known, k)


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
    """A top-k list is cut between rows that rank the same."""
    tops = list(_tops(case))
    return told(bool(tops), [message for top in tops if (message := _tie(top))])


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
