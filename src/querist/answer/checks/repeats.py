"""Checks of joins and groups: rows that are taken several times, and columns that no group decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from querist.answer.checks.asked import asks_number_of, each, only_some
from querist.answer.checks.case import PASSED, Case, Finding, check, told
from querist.answer.checks.selects import Resolved, Select
from querist.sources.joins import words_of

if TYPE_CHECKING:
    from sqlglot import exp

_UNIT_PRICES = frozenset(("price", "fare", "toll"))
_PER_EVENT = frozenset("cost fee charge duration length point calorie quantity amount weight".split())
"""Figures that may count anew for each event: the price of a product, summed over its orders, is no double counting."""


@check(severity="veto")
def unlinked_tables(case: Case) -> Finding | None:
    """Two tables stand side by side and no condition links them, so that every row meets every other."""
    joined = [select for select in case.selects if select.node.args.get("joins")]
    found = [apart for select in joined if len(apart := _apart(case, select)) > 1]
    names = [name for apart in found for name, _ in apart[1:]]
    messages = [f"Nothing links {name} to the other tables: every row meets every other." for name in names]
    # Where each has a condition of its own, the few rows that are left may be meant to stand side by side.
    return told(bool(joined), messages, mild=all(filtered for apart in found for _, filtered in apart))


def _apart(case: Case, select: Select) -> list[tuple[str, bool]]:
    """A table of each part of a SELECT that no condition links to the others, and whether the part has conditions.

    Parts of one row do not count: meeting it does not repeat anything.
    """
    from sqlglot import exp

    from_, joins = select.node.args.get("from_"), select.node.args["joins"]
    sources = {s.alias_or_name.lower(): s for s in [*([from_.this] if from_ else []), *(j.this for j in joins)]}
    if not all(isinstance(s, (exp.Table, exp.Subquery)) for s in sources.values()):
        return []
    if any(join.method == "NATURAL" or join.args.get("using") for join in joins):
        return []
    parts, filtered = [{alias} for alias in sources], set()
    for condition in select.conditions:
        columns = list(condition.find_all(exp.Column))
        known = [select.resolve(c) for c in columns]
        if any(not c.table and r is None for c, r in zip(columns, known, strict=True)):
            return []
        linked = {r.alias if r is not None else c.table.lower() for c, r in zip(columns, known, strict=True)}
        filtered |= linked
        touched = [part for part in parts if part & linked]
        parts = [*(part for part in parts if not part & linked), *([set().union(*touched)] if touched else [])]
    one_row = case.keys.determined(select, set())[0] | {a for a, s in sources.items() if _one_row(case, select, s)}
    apart = sorted((part for part in parts if not part <= one_row), key=lambda p: min(map(list(sources).index, p)))
    return [(sources[min(part)].alias_or_name, bool(part & filtered)) for part in apart]


def _one_row(case: Case, select: Select, source: exp.Expr) -> bool:
    inner = next((s for s in case.selects if s.node is select.defined(source)), None)
    return inner is not None and bool(inner.aggregates) and not inner.node.args.get("group")


@check(severity="warn")
def fan_out(case: Case) -> Finding | None:
    """A total, average or count takes rows several times, because a join repeats them."""
    applies = False
    messages = []
    for select in case.selects:
        if not select.plain or len(select.scope.tables) < 2 or select.grouped is None or not select.standalone:
            continue
        for aggregate in select.aggregates:
            counted = _counted(case, select, aggregate)
            if counted is None:
                continue
            applies = True
            alias, what = counted
            many = case.keys.multiplier(select, {alias})
            if many is None:
                continue
            times = _repeats(case, select, [alias], select.grouped)
            if times > 1:
                tables = select.scope.tables
                messages.append(
                    f"{what} takes the same row of {tables[alias].name} up to {times} times: "
                    f"the join repeats it for every matching row of {tables[many].name}."
                )
    return told(applies, messages)


@check(severity="repair")
def references_counted(case: Case) -> Finding | None:
    """The question asks how many there are of something, and the query counts how often it is referred to."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in (s for s in case.selects if s.plain and s.standalone and s.grouped is not None):
        for count in (a for a in select.aggregates if isinstance(a, exp.Count)):
            known = select.resolve(count.this)
            edges = [
                e
                for e in case.joins.edges
                if known and (e.left, e.left_column) == (known.table.name, known.column.name)
            ]
            meant = [table for e in edges if (table := case.schema.table(e.right)) is not None]
            if known is None or not any(asks_number_of(case.question, t, [t, known.table]) for t in meant):
                continue
            applies = True
            if case.keys.unique(known.table, {known.place[1]}):
                continue
            groups = [*(select.grouped or []), select.column(*known.place)]
            again = select.rows("1").where(exp.Not(this=exp.Is(this=groups[-1].copy(), expression=exp.Null())))
            again = again.group_by(*(g.copy() for g in groups)).having("COUNT(*) > 1").limit(1)
            if case.probe(again).rows:
                column = groups[-1].sql(dialect=case.dialect)
                messages.append(
                    f"{count.sql(dialect=case.dialect)} counts the same {meant[0].name} several times; "
                    f"COUNT(DISTINCT {column}) counts each once."
                )
    return told(applies, messages)


def _counted(case: Case, select: Select, aggregate: exp.AggFunc) -> tuple[str, str] | None:
    """The alias of the table whose rows an aggregate means to take once each, and the aggregate in words."""
    from sqlglot import exp

    if not isinstance(aggregate, (exp.Sum, exp.Avg, exp.Count)) or isinstance(aggregate.this, exp.Distinct):
        return None
    if isinstance(aggregate.parent, exp.Filter) or aggregate.expressions:
        return None
    sql = aggregate.sql(dialect=case.dialect)
    tables = select.scope.tables
    by_group = case.keys.grouped(select)
    if isinstance(aggregate, exp.Count):
        asked = [a for a in tables if asks_number_of(case.question, tables[a], list(tables.values()))]
        columns = select.columns(aggregate.this)
        if columns is None or len({c.alias for c in columns}) > 1:
            return None
        alias = columns[0].alias if columns else (asked[0] if len(asked) == 1 else None)
        # Counting the one side within one of its rows, or where the many side is asked for, counts the many side.
        wanted = not asked or alias in asked
        return (alias, sql) if alias is not None and alias not in by_group and wanted else None
    columns = select.columns(aggregate.this)
    if not columns or len({c.alias for c in columns}) > 1:
        return None
    alias = columns[0].alias
    if _counts_anew(case, select, alias, {word for c in columns for word in words_of(c.column.name)}):
        return None
    if isinstance(aggregate, exp.Avg) and alias in by_group:
        return None
    return alias, sql


def _counts_anew(case: Case, select: Select, alias: str, figure: set[str]) -> bool:
    """Does the question want a figure once for each event, as it asks for the events and not for the things?

    The amount of the invoices that have lines is each invoice's, once.
    """
    tables, said = select.scope.tables, set(words_of(case.question))
    thing = tables[alias]
    once, _ = case.keys.determined(select, set(), {alias})
    events = {word for a, t in tables.items() if a not in once for word in words_of(t.name)} - set(words_of(thing.name))
    if only_some(case.question, thing):
        return False
    things_asked = bool(said.intersection(words_of(thing.name)[-1:]))
    if figure & _UNIT_PRICES:
        return bool(said & events) or not things_asked
    return bool(figure & _PER_EVENT and said & events and not things_asked)


def _repeats(case: Case, select: Select, aliases: Iterable[str], groups: list[exp.Expr]) -> int:
    """How often the same rows of tables come up in one group, at most; 0 when no key tells their rows apart."""
    from sqlglot import exp

    key = _key(case, select, aliases)
    if not key:
        return 0
    query = select.rows(exp.alias_(exp.Count(this=exp.Star()), "times")).group_by(*(g.copy() for g in [*groups, *key]))
    for column in key:
        query = query.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())))
    rows = case.probe(query.order_by("times DESC").limit(1)).rows
    return int(rows[0][0]) if rows else 0


def _key(case: Case, select: Select, aliases: Iterable[str]) -> list[exp.Column]:
    """Columns that tell the joined rows of these tables apart; none when nothing is known to."""
    keys = {alias: case.keys.of(select.scope.tables[alias]) for alias in aliases}
    return [select.column(alias, name) for alias, key in keys.items() for name in key] if all(keys.values()) else []


@check(severity="repair")
def duplicate_rows(case: Case) -> Finding | None:
    """The same thing is listed several times, because a join repeats it."""
    select = case.top
    if select is None or not select.plain or len(select.scope.tables) < 2:
        return None
    if select.node.args.get("distinct") or select.node.args.get("group") or select.aggregates:
        return None
    columns = [c for e in select.node.expressions for c in [select.columns(e)]]
    shown = sorted({c.alias for found in columns if found is not None for c in found})
    if None in columns or any(e.is_star for e in select.node.expressions) or not shown:
        return None
    many = case.keys.multiplier(select, set(shown))
    if many is None or len({repr(row) for row in case.table.rows}) == len(case.table):
        return PASSED
    tables = select.scope.tables
    if each(case.question, tables[many]) or _repeats(case, select, shown, []) < 2:
        return PASSED
    message = (
        f"Some rows of {' and '.join(tables[alias].name for alias in shown)} are listed several times, "
        f"once for every matching row of {tables[many].name}"
    )
    if _repeats_only(case, select, shown):
        return Finding(f"{message}; SELECT DISTINCT lists each once.")
    return Finding(f"{message}.", mild=True)


def _repeats_only(case: Case, select: Select, shown: list[str]) -> bool:
    """Would DISTINCT drop nothing but repeats: no other row that looks the same, and none of a top or an order?"""
    from sqlglot import exp

    node = select.node
    if node.args.get("limit") or node.args.get("offset") or case.table.truncated:
        return False
    outputs = [e.unalias() for e in node.expressions]
    known = [select.resolve(e) for e in outputs]
    for key in [ordered.this for ordered in node.args["order"].expressions] if node.args.get("order") else []:
        by_name = isinstance(key, exp.Literal) or key in outputs or select.renamed(key) is not None
        if not by_name and (select.resolve(key) is None or select.resolve(key) not in known):
            return False
    keys = [exp.alias_(column, f"key_{i}") for i, column in enumerate(_key(case, select, shown))]
    different = select.rows(*keys).distinct()
    count = case.probe(exp.select(exp.Count(this=exp.Star())).from_(different.subquery("q"))).rows[0][0]
    return bool(count == len({repr(row) for row in case.table.rows}))


@check(severity="repair")
def ungrouped_column(case: Case) -> Finding | None:
    """A column beside an aggregate is neither grouped nor decided by the groups, so that its value is arbitrary."""
    applies = False
    messages = []
    mild = True
    for select in case.selects:
        if not (select.aggregates or select.node.args.get("group")) or select.grouped is None or not select.plain:
            continue
        applies = True
        for column, shown in _undecided(case, select).items():
            if not select.standalone or not _varies(case, select, column):
                continue
            mild = mild and bool(select.grouped)
            of_what = "the rows of one group" if select.grouped else "all rows"
            messages.append(
                f"{column.name} is neither grouped nor aggregated: {of_what} have different values of it, "
                f"and an arbitrary one {'is shown' if shown else 'decides'}."
            )
    return told(applies, messages, mild=mild)


def _undecided(case: Case, select: Select) -> dict[Resolved, bool]:
    """Columns outside aggregates that do not follow from the groups, and whether an output shows them.

    Else they stand in HAVING or ORDER BY.
    """
    from sqlglot import exp

    if (
        len(select.aggregates) == 1
        and isinstance(select.aggregates[0], (exp.Min, exp.Max))
        and case.dialect == "sqlite"
    ):
        return {}  # SQLite takes the other columns from the row that has the minimum or maximum.
    grouped = select.grouped or []
    keys = [select.resolve(key) for key in grouped]
    _, decided = case.keys.determined(select, {k.place for k in keys if k is not None})
    found: dict[Resolved, bool] = {}
    clauses = [c for name in ("having", "order") if grouped and (c := select.node.args.get(name)) is not None]
    for part in [*select.node.expressions, *clauses]:
        if part.unalias() in grouped:
            continue
        for column in part.find_all(exp.Column):
            known = select.resolve(column)
            outer = column.find_ancestor(exp.AggFunc, exp.Query, exp.Window, exp.Filter)
            by_name = part in clauses and not column.table and select.output(column.name) is not None
            if (
                known
                and outer is select.node
                and known.place not in decided
                and not by_name
                and not _is_within(column, grouped, part)
            ):
                found.setdefault(known, part not in clauses)
    return found


def _is_within(column: exp.Column, grouped: list[exp.Expr], output: exp.Expr) -> bool:
    """Is the column part of a grouped expression that the output repeats?"""
    node: exp.Expr | None = column
    while node is not None and node is not output.parent:
        if node in grouped:
            return True
        node = node.parent
    return False


def _varies(case: Case, select: Select, column: Resolved) -> bool:
    from sqlglot import exp

    value = select.column(column.alias, column.column.name)
    count = exp.Count(this=exp.Distinct(expressions=[value]))
    query = select.rows(exp.alias_(count, "n"))
    if select.grouped:
        query = query.group_by(*(g.copy() for g in select.grouped)).order_by("n DESC").limit(1)
    rows = case.probe(query).rows
    return bool(rows) and rows[0][0] > 1
