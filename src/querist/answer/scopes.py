"""Whose columns are these? The tables of one SELECT, and the nodes that are its own and not of a query inside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from querist.answer.context import quote
from querist.sources.base import Column, Schema, TableSchema

if TYPE_CHECKING:
    from sqlglot import exp

    Node = TypeVar("Node", bound=exp.Expr)


@dataclass
class SelectTables:
    """What a SELECT reads.

    Attributes:
        tables: known tables by lower-case alias.
        opaque: a derived table, CTE or table function is among the sources, so a name not found may be right.
        outer: what the SELECT around it reads; None when it stands in no other.
    """

    tables: dict[str, TableSchema] = field(default_factory=dict)
    opaque: bool = False
    outer: SelectTables | None = None

    def around(self) -> Iterator[SelectTables]:
        """The SELECTs around this one, nearest first."""
        outer = self.outer
        while outer is not None:
            yield outer
            outer = outer.outer

    def may_be_outer(self, column: exp.Column) -> bool:
        """A name that is none of this SELECT's own may be one of the SELECTs around it."""
        qualifier = column.table.lower()
        return any(
            outer.opaque or (qualifier in outer.tables if qualifier else outer.table_of(column))
            for outer in self.around()
        )

    def table_of(self, column: exp.Column) -> TableSchema | None:
        """The known table that a column belongs to; None when there is none, or more than one."""
        if column.table:
            return self.tables.get(column.table.lower())
        holders = [t for t in self.tables.values() if t.column(column.name)]
        return holders[0] if len(holders) == 1 else None

    def resolve(self, column: exp.Column) -> tuple[TableSchema, Column] | None:
        """The table and its column that a name means; None when that cannot be said."""
        table = self.table_of(column)
        known = table.column(column.name) if table else None
        return (table, known) if table and known else None


def select_tables(select: exp.Select, schema: Schema) -> SelectTables:
    """The tables of a SELECT; CTEs that shadow a table's name are seen as what they are."""
    from sqlglot import exp

    around = next((p for p in ancestors(select) if isinstance(p, exp.Select)), None)
    found = SelectTables(outer=select_tables(around, schema) if around is not None else None)
    from_ = select.args.get("from_")
    sources = [from_.this] if from_ is not None else []
    sources += [join.this for join in select.args.get("joins") or []]
    shadows = {cte.alias.lower() for p in [select, *ancestors(select)] for cte in ctes(p)}
    for source in sources:
        table = schema.table(source.name) if isinstance(source, exp.Table) else None
        if table is None or source.name.lower() in shadows:
            found.opaque = True
        else:
            found.tables[source.alias_or_name.lower()] = table
    return found


def reading(table: TableSchema, alias: str = "") -> exp.Table:
    """A known table as a query reads it; the guard writes its name as the engine needs it."""
    from sqlglot import exp

    namespace = identifier(table.namespace) if table.namespace else None
    bare = table.name.removeprefix(f"{table.namespace}.") if table.namespace else table.name
    return exp.table_(identifier(bare), db=namespace, alias=identifier(alias) if alias else None)


def identifier(name: str) -> exp.Identifier:
    """A name, quoted where it must be."""
    from sqlglot import exp

    return exp.to_identifier(name, quoted=quote(name, "") != name)


def own(select: exp.Select, kind: type[Node]) -> Iterator[Node]:
    """Nodes of a kind that belong to this SELECT and not to a query inside it."""
    from sqlglot import exp

    for node in select.walk(prune=lambda n: n is not select and isinstance(n, exp.Query)):
        if isinstance(node, kind):
            yield node


def ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes above, nearest first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def ctes(node: exp.Expr) -> list[exp.Expr]:
    """The common table expressions that a query defines."""
    with_ = node.args.get("with_")
    return list(with_.expressions) if with_ is not None else []
