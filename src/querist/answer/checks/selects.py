"""One SELECT as the checks look at it: which column is whose, what is grouped, and the rows before grouping.

Also what decides how often a row of a table comes up: unique columns, and which tables a set of columns determines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from querist.answer.scopes import SelectTables, ancestors, ctes, own, select_tables
from querist.sources.base import Column, Schema, TableSchema

if TYPE_CHECKING:
    from sqlglot import exp

Place = tuple[str, str]
"""A column of a SELECT: alias and name, in lower case."""


@dataclass(frozen=True)
class Resolved:
    """A column expression that is known: `alias` names the table in its SELECT."""

    alias: str
    table: TableSchema
    column: Column

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column.name}"

    @property
    def place(self) -> Place:
        return self.alias, self.column.name.lower()


@dataclass(frozen=True)
class Select:
    """One SELECT of a query."""

    node: exp.Select
    scope: SelectTables
    with_: exp.Expr | None
    """The common table expressions that it may read from outside itself."""

    def resolve(self, node: exp.Expr | None) -> Resolved | None:
        """What a plain column (in any number of parentheses) is; None for anything else."""
        from sqlglot import exp

        column = node.unnest() if node is not None else None
        if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
            return None
        if (renamed := self.renamed(column)) is not None:
            return self.resolve(renamed)
        name = column.name
        if column.table:
            alias = column.table.lower()
            holders = [alias] if alias in self.scope.tables else []
        else:
            holders = [a for a, t in self.scope.tables.items() if t.column(name)]
            if len(holders) > 1 and self.joined_using(name):
                holders = holders[:1]
        if len(holders) != 1:
            return None
        table = self.scope.tables[holders[0]]
        known = table.column(name)
        return Resolved(holders[0], table, known) if known else None

    def renamed(self, column: exp.Expr) -> exp.Expr | None:
        """The output expression that a name in ORDER BY means, where it means one."""
        from sqlglot import exp

        if not isinstance(column, exp.Column) or column.table:
            return None
        if column.find_ancestor(exp.Order, exp.Select, exp.AggFunc) is not self.node.args.get("order"):
            return None
        found = self.output(column.name)
        return found if found is not column else None

    def output(self, name: str) -> exp.Expr | None:
        """The output expression with this alias."""
        from sqlglot import exp

        return next(
            (e.this for e in self.node.expressions if isinstance(e, exp.Alias) and e.alias.lower() == name.lower()),
            None,
        )

    def with_outputs(self, expression: exp.Expr) -> exp.Expr:
        """A copy of an expression from ORDER BY with the names of outputs in it resolved."""
        from sqlglot import exp

        def meaning(node: exp.Expr) -> exp.Expr:
            found = self.output(node.name) if isinstance(node, exp.Column) and not node.table else None
            return exp.paren(found) if found is not None else node

        return expression.copy().transform(meaning)

    def yielded(self, node: exp.Expr) -> tuple[exp.Select, exp.Expr] | None:
        """The SELECT and its output that a scalar subquery, or a column of a derived table or CTE, stands for."""
        from sqlglot import exp

        source: exp.Expr = node
        if isinstance(node, exp.Column):
            from_ = self.node.args.get("from_")
            places = [from_, *(self.node.args.get("joins") or [])] if from_ is not None else []
            sources = [p.this for p in places if not node.table or p.this.alias_or_name.lower() == node.table.lower()]
            if len(sources) != 1:
                return None
            source = sources[0]
        query = self.defined(source)
        outputs = query.expressions if query is not None else []
        if isinstance(node, exp.Column):
            outputs = [e for e in outputs if e.alias_or_name.lower() == node.name.lower()]
        return (query, outputs[0].unalias()) if query is not None and len(outputs) == 1 else None

    def defined(self, source: exp.Expr) -> exp.Select | None:
        """The SELECT that a derived table, or a table that is a CTE, stands for; None where it renames its outputs."""
        from sqlglot import exp

        found: exp.Expr | None = source
        if isinstance(source, exp.Table):
            around = list(ancestors(self.node))
            # What a CTE reads by its own name is the table.
            known = [cte for above in (self.node, *around) for cte in ctes(above) if not any(cte is a for a in around)]
            found = next((cte for cte in known if cte.alias.lower() == source.name.lower()), None)
        if not isinstance(found, (exp.Subquery, exp.CTE)):
            return None
        alias, query = found.args.get("alias"), found.this.unnest()
        renames = isinstance(alias, exp.TableAlias) and alias.args.get("columns")
        return query if isinstance(query, exp.Select) and not renames else None

    def source(self, alias: str) -> exp.Table:
        """A copy of the table of that alias, as the query writes it."""
        return next(s for s in self._sources if s.alias_or_name.lower() == alias).copy()

    def column(self, alias: str, name: str) -> exp.Column:
        """An expression for a known column of one of its tables."""
        from sqlglot import exp

        source = self.source(alias)
        written = source.args["alias"].this if source.args.get("alias") else source.this
        return exp.Column(this=exp.to_identifier(name, quoted=True), table=written)

    @cached_property
    def _sources(self) -> list[exp.Table]:
        from sqlglot import exp

        from_ = self.node.args.get("from_")
        joined = [join.this for join in self.node.args.get("joins") or []]
        return [s for s in [from_.this if from_ is not None else None, *joined] if isinstance(s, exp.Table)]

    def columns(self, node: exp.Expr) -> list[Resolved] | None:
        """All columns below a node; None when one of them is not known, or there is a query below."""
        from sqlglot import exp

        if isinstance(node, exp.Query) or node.find(exp.Query):
            return None
        found = [self.resolve(c) for c in node.find_all(exp.Column)]
        return [c for c in found if c is not None] if None not in found else None

    def joined_using(self, name: str) -> bool:
        return any(
            name.lower() == u.name.lower()
            for join in self.node.args.get("joins") or []
            for u in join.args.get("using") or []
        )

    @cached_property
    def aggregates(self) -> list[exp.AggFunc]:
        """Its aggregate functions, without those that are windows."""
        from sqlglot import exp

        return [
            a
            for a in own(self.node, exp.AggFunc)
            if not isinstance(a.parent, exp.Window)
            and not (isinstance(a.parent, exp.Filter) and isinstance(a.parent.parent, exp.Window))
        ]

    @cached_property
    def grouped(self) -> list[exp.Expr] | None:
        """The expressions it groups by, names and ordinals resolved; None when that cannot be said (ROLLUP, ALL, …)."""
        from sqlglot import exp

        group = self.node.args.get("group")
        if group is None:
            return []
        several = (exp.Rollup, exp.Cube, exp.GroupingSets)
        if any(v for k, v in group.args.items() if k != "expressions") or any(
            isinstance(e, several) for e in group.expressions
        ):
            return None
        found = []
        for key in group.expressions:
            if isinstance(key, exp.Literal) and key.is_int:
                place = int(key.name) - 1
                if not 0 <= place < len(self.node.expressions):
                    return None
                found.append(self.node.expressions[place].unalias())
            elif isinstance(key, exp.Column) and not key.table and self.resolve(key) is None:
                found.append(self.output(key.name) or key)
            else:
                found.append(key)
        return found

    @cached_property
    def plain(self) -> bool:
        """All of its sources are known tables, joined in ways that neither hide rows nor repeat them by themselves."""
        from sqlglot import exp

        joins = self.node.args.get("joins") or []
        return (
            bool(self.scope.tables)
            and not self.scope.opaque
            and not self.node.args.get("laterals")
            and all(j.args.get("method") is None and (j.kind or "INNER") in ("INNER", "CROSS", "OUTER") for j in joins)
            and len(self.scope.tables) == len(joins) + 1
            and not any(t.args.get("joins") for t in own(self.node, exp.Table))
        )

    @cached_property
    def standalone(self) -> bool:
        """It can run on its own: no column in it, or in a query inside it, belongs to a query around it."""
        from sqlglot import exp

        if self.scope.outer is None:
            return True
        inside = {s.alias_or_name.lower() for s in self.node.find_all(exp.Table, exp.Subquery, exp.CTE)}
        known = {c.name.lower() for t in self.scope.tables.values() for c in t.columns}
        return all(
            c.table.lower() in inside
            if c.table
            else self.scope.opaque or c.name.lower() in known or self.output(c.name)
            for c in self.node.find_all(exp.Column)
        )

    def alone(self) -> exp.Select:
        """A copy that runs on its own, with the common table expressions that it reads."""
        query = self.node.copy()
        if self.with_ is not None and not query.args.get("with_"):
            query.set("with_", self.with_.copy())
        return query

    def rows(self, *outputs: exp.Expr | str) -> exp.Select:
        """A new query over its rows before grouping, with the given outputs."""
        from sqlglot import exp

        query = self.alone()
        for part in set(query.args) - {"from_", "joins", "where", "with_"}:
            query.set(part, None)
        return query.select(*(o.copy() if isinstance(o, exp.Expr) else o for o in outputs), copy=False)

    @cached_property
    def conditions(self) -> list[exp.Expr]:
        """The conditions of WHERE and of all ON that must hold together."""
        where = self.node.args.get("where")
        places = [
            where.this if where is not None else None,
            *(j.args.get("on") for j in self.node.args.get("joins") or []),
        ]
        return [c for place in places if place is not None for c in all_of(place)]

    @cached_property
    def equalities(self) -> list[tuple[Place, Place]]:
        """Pairs of columns that are equal in every row."""
        from sqlglot import exp

        found = []
        for condition in self.conditions:
            if isinstance(condition, exp.EQ):
                left, right = self.resolve(condition.left), self.resolve(condition.right)
                if left and right:
                    found.append((left.place, right.place))
        for join in self.node.args.get("joins") or []:
            alias = join.this.alias_or_name.lower()
            for name in join.args.get("using") or []:
                other = next((a for a, t in self.scope.tables.items() if a != alias and t.column(name.name)), None)
                if other is not None:
                    found.append(((other, name.name.lower()), (alias, name.name.lower())))
        return found

    @cached_property
    def constants(self) -> set[Place]:
        """Columns that have one value in all rows, because a condition says so."""
        from sqlglot import exp

        found = set()
        for condition in self.conditions:
            if isinstance(condition, exp.EQ):
                for column, value in ((condition.left, condition.right), (condition.right, condition.left)):
                    if isinstance(value, exp.Literal) and (known := self.resolve(column)):
                        found.add(known.place)
        return found


def selects_of(tree: exp.Expr, schema: Schema) -> tuple[Select, ...]:
    """All SELECTs of a query, the outermost first."""
    from sqlglot import exp

    found = []
    for node in tree.find_all(exp.Select):
        # Only a query below the main one sees its CTEs from outside; inside the WITH they see those before themselves.
        above = {id(a) for a in ancestors(node)}
        within = next((i for i, cte in enumerate(ctes(tree)) if id(cte) in above), None)
        visible = ctes(tree)[:within]
        outside = None
        if visible and node is not tree:
            outside = tree.args["with_"].copy()
            outside.set("expressions", [cte.copy() for cte in visible])
        found.append(Select(node, select_tables(node, schema), outside))
    return tuple(found)


def all_of(condition: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND joins."""
    from sqlglot import exp

    whole = condition.unnest()
    return [c.unnest() for c in whole.flatten()] if isinstance(whole, exp.And) else [whole]


def any_of(condition: exp.Expr) -> exp.Expr:
    """The whole of what OR joins a condition with; the condition where it stands alone."""
    from sqlglot import exp

    while isinstance(condition.parent, (exp.Or, exp.Paren)):
        condition = condition.parent
    return condition


class Keys:
    """Which columns are unique, by declaration or in the data, and what follows for the rows of a SELECT."""

    def __init__(self, unique: Iterable[Place]) -> None:
        self._unique = frozenset(unique)
        """Table and column in lower case."""

    def unique(self, table: TableSchema, columns: set[str]) -> bool:
        """At most one row of the table has given values in these columns (lower case)."""
        key = {c.lower() for c in table.primary_key}
        return bool(key and key <= columns) or any((table.name.lower(), c) in self._unique for c in columns)

    def of(self, table: TableSchema) -> tuple[str, ...]:
        """Columns that tell the table's rows apart; none when nothing is known to."""
        if table.primary_key:
            return table.primary_key
        return next(((c.name,) for c in table.columns if (table.name.lower(), c.name.lower()) in self._unique), ())

    def determined(self, select: Select, fixed: set[Place], aliases: Iterable[str] = ()) -> tuple[set[str], set[Place]]:
        """The tables of which one row at most belongs to fixed columns and rows, and all columns fixed with them."""
        tables = select.scope.tables
        whole, places = set(aliases), fixed | select.constants
        while True:
            before = len(whole), len(places)
            for alias in whole:
                places |= {(alias, c.name.lower()) for c in tables[alias].columns}
            for left, right in select.equalities:
                if left in places or right in places:
                    places |= {left, right}
            for alias, table in tables.items():
                if alias not in whole and self.unique(table, {c for a, c in places if a == alias}):
                    whole.add(alias)
            if (len(whole), len(places)) == before:
                return whole, places

    def grouped(self, select: Select) -> set[str]:
        """Aliases of which one row at most belongs to one group."""
        keys = [select.resolve(key) for key in select.grouped or []]
        return self.determined(select, {k.place for k in keys if k is not None})[0] if keys else set()

    def multiplier(self, select: Select, aliases: set[str]) -> str | None:
        """The alias of a table of which several rows may join one row of `aliases`; None when there is none."""
        whole, places = self.determined(select, set(), aliases)
        rest = [a for a in select.scope.tables if a not in whole]
        tied = [a for a in rest if any(alias == a for alias, _ in places)]
        return next(iter(tied or rest), None)
