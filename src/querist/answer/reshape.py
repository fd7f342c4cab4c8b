"""Mend the shape of a query: conditions that stand in the wrong clause, joins of the wrong kind, repeated rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from querist.answer.scopes import own
from querist.sources.base import Schema, TableSchema

if TYPE_CHECKING:
    from sqlglot import exp


def reshape(select: exp.Select, tables: Mapping[str, TableSchema]) -> list[str]:
    """Mend one SELECT, which reads these tables by lower-case alias, in place; a note for each change."""
    return [*_aggregates_to_having(select), *_absence_to_left_join(select, tables)]


def _aggregates_to_having(select: exp.Select) -> list[str]:
    """`WHERE COUNT(*) > 3` is not allowed anywhere; what is meant is HAVING."""
    from sqlglot import exp

    where = select.args.get("where")
    if where is None or not select.args.get("group"):
        return []
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    grouped = {column.name.lower() for column in select.args["group"].find_all(exp.Column)}
    moved = [part for part in parts if _aggregates(part) and _plain_columns(part) <= grouped]
    if not moved:
        return []
    kept = [part for part in parts if part not in moved]
    having = select.args.get("having")
    conditions = [*([having.this] if having is not None else []), *moved]
    select.set("where", exp.Where(this=exp.and_(*kept)) if kept else None)
    select.set("having", exp.Having(this=exp.and_(*conditions)))
    return ["moved a condition on a total from WHERE to HAVING"]


def _aggregates(condition: exp.Expr) -> bool:
    """An aggregate of this query, not of a query inside it, is part of the condition."""
    from sqlglot import exp

    return any(isinstance(n, exp.AggFunc) for n in condition.walk(prune=lambda n: isinstance(n, exp.Query)))


def _plain_columns(condition: exp.Expr) -> set[str]:
    """The columns outside aggregates. In HAVING, one that is not grouped would have the value of an arbitrary row."""
    from sqlglot import exp

    nodes = condition.walk(prune=lambda n: isinstance(n, (exp.AggFunc, exp.Query)))
    return {node.name.lower() for node in nodes if isinstance(node, exp.Column)}


def _absence_to_left_join(select: exp.Select, tables: Mapping[str, TableSchema]) -> list[str]:
    """A joined table whose own join column must be NULL can only be one that is joined LEFT."""
    from sqlglot import exp

    notes = []
    for join in select.args.get("joins") or []:
        on, alias = join.args.get("on"), join.this.alias_or_name.lower()
        if join.side or join.kind not in ("", "INNER") or not isinstance(on, exp.EQ):
            continue
        table = tables.get(alias)
        for test in own(select, exp.Is):
            column = test.this
            wanted = isinstance(column, exp.Column) and isinstance(test.expression, exp.Null)
            if not wanted or isinstance(test.parent, exp.Not) or column.table.lower() != alias:
                continue
            keys = {c.name.lower() for c in on.find_all(exp.Column) if c.table.lower() == alias}
            if table is not None:
                keys |= {name.lower() for name in table.primary_key}
            if column.name.lower() in keys:
                join.set("kind", "")
                join.set("side", "LEFT")
                notes.append(f"joined {join.this.name!r} LEFT, since it is asked for what it lacks")
                break
    return notes


def distinct(sql: str, schema: Schema) -> str:
    """The query with each row of its result shown once."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect=schema.dialect)
    if isinstance(tree, exp.Select):
        tree = tree.distinct()
    return tree.sql(dialect=schema.dialect)
