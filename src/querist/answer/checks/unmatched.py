"""Checks of rows without a match in a join: those that it drops, and those that count as one match."""

from __future__ import annotations

from querist.answer.checks.asked import asks_number_of, each, only_some
from querist.answer.checks.case import PASSED, Case, Finding, check, told
from querist.answer.checks.selects import all_of


@check(severity="warn")
def groups_lost(case: Case) -> Finding | None:
    """The question asks for each of something, and a join drops those without a match."""
    from sqlglot import exp

    select = case.top
    if select is None or not select.plain or not select.grouped or len(select.scope.tables) < 2:
        return None
    node = select.node
    if node.args.get("having") or node.args.get("limit"):
        return None
    if not any(isinstance(a, (exp.Count, exp.Sum)) for a in select.aggregates):
        return None
    keys = [select.resolve(key) for key in select.grouped]
    grouped = {k.alias for k in keys if k is not None}
    asked = [a for a in grouped if each(case.question, select.scope.tables[a])]
    if len(asked) != 1 or None in keys or len(grouped) != 1 or only_some(case.question, select.scope.tables[asked[0]]):
        return None
    alias = asked[0]
    table = select.scope.tables[alias]
    where = node.args.get("where")
    once, _ = case.keys.determined(select, set(), {alias})
    filters = []
    matched = False
    for condition in all_of(where.this) if where is not None else []:
        read = {c.alias for c in select.columns(condition) or []}
        if read == {alias}:
            filters.append(condition)
        elif read and not read & once:
            matched = True  # which rows match: such a condition in WHERE undoes a LEFT JOIN
        else:
            return None
    if any(join.side for join in node.args["joins"]) and not matched:
        return None
    names = [k.column.name for k in keys if k is not None]
    name = next((n for n in names if case.keys.unique(table, {n.lower()})), names[0])
    key = select.column(alias, name)
    known = exp.Not(this=exp.Is(this=key, expression=exp.Null()))
    missing = (
        exp.select(exp.Count(this=exp.Distinct(expressions=[key.copy()])))
        .from_(select.source(alias))
        .where(
            *(f.copy() for f in filters),
            exp.Not(this=exp.In(this=key.copy(), query=select.rows(key).where(known).subquery())),
        )
    )
    count = case.probe(missing).rows[0][0]
    if not count:
        return PASSED
    others = " and ".join(t.name for a, t in select.scope.tables.items() if a != alias)
    values = f"{count} value{'s' if count > 1 else ''} of {table.name}.{name} with no match in {others}"
    how = f"a LEFT JOIN with all conditions on {others} in its ON" if matched else "a LEFT JOIN"
    return Finding(f"{values} {'are' if count > 1 else 'is'} left out by the join; {how} keeps them.")


@check(severity="repair")
def unmatched_counted(case: Case) -> Finding | None:
    """COUNT(*) after a LEFT JOIN, which counts 1 where there is no match."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        outer = {j.this.alias_or_name.lower() for j in select.node.args.get("joins") or [] if j.side == "LEFT"}
        if not select.plain or not select.grouped or not select.standalone or len(outer) != 1:
            continue
        alias = outer.pop()
        tables = select.scope.tables
        by_row = set(tables) - {alias} <= case.keys.grouped(select)
        key = next((name for a, name in (p for pair in select.equalities for p in pair) if a == alias), None)
        if key is None or not (by_row or asks_number_of(case.question, tables[alias], list(tables.values()))):
            continue
        for count in (a for a in select.aggregates if isinstance(a, exp.Count)):
            columns = [] if isinstance(count.this, exp.Distinct) else select.columns(count.this)
            if isinstance(count.this, exp.Distinct) or columns is None or any(c.alias == alias for c in columns):
                continue
            applies = True
            column = select.column(alias, key)
            empty = select.rows("1").where(exp.Is(this=column, expression=exp.Null())).limit(1)
            if case.probe(empty).rows:
                messages.append(
                    f"{count.sql(dialect=case.dialect)} counts 1 where nothing in {tables[alias].name} matches; "
                    f"COUNT({column.sql(dialect=case.dialect)}) counts 0 there."
                )
    return told(applies, messages)
