"""Mend a draft without a model: names bound wrongly, joins that are missing, literals spelt differently.

Small models write the right query with the wrong alias more often than the wrong query. What the schema and the values
decide on their own is decided here, by syntax tree, and every change is told in a note. What stays undecided is left
as it was: the guard then refuses it with a message that a model can act on.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.periods import whole_periods
from querist.answer.reshape import reshape
from querist.answer.scopes import own, select_tables
from querist.answer.values import ValueIndex
from querist.sources.base import Schema, TableSchema
from querist.sources.joins import Edge, JoinGraph, flat, words_of

if TYPE_CHECKING:
    from sqlglot import exp

NEAR = 0.8
"""How alike (difflib ratio) an unknown name must be to a known one to be taken for it."""


@dataclass(frozen=True)
class Mended:
    """`sql` after mending, and a note for people about each change; no notes when nothing was changed."""

    sql: str
    notes: tuple[str, ...] = ()


def mend(sql: str, schema: Schema, joins: JoinGraph, values: ValueIndex | None = None, question: str = "") -> Mended:
    """Mend one query. Text that does not parse as a single query comes back as it was."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.scope import traverse_scope

    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=schema.dialect) if tree is not None]
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            return Mended(sql)
        tree = trees[0]
        notes: list[str] = []
        _mend_table_names(tree, schema, notes)
        for scope in traverse_scope(tree):
            if isinstance(scope.expression, exp.Select):
                mended = _Select(scope.expression, schema, joins, values, notes)
                mended.mend()
                notes += whole_periods(scope.expression, mended.scope, question)
        return Mended(tree.sql(dialect=schema.dialect), tuple(dict.fromkeys(notes))) if notes else Mended(sql)
    except (SqlglotError, RecursionError):
        return Mended(sql)


def _mend_table_names(tree: exp.Expr, schema: Schema, notes: list[str]) -> None:
    from sqlglot import exp

    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not table.name or table.db or table.name.lower() in own or schema.table(table.name):
            continue
        if (known := nearest(table.name, [t.name for t in schema.tables])) is not None:
            notes.append(f"read the table {table.name!r} as {known!r}")
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=table.this.quoted)))
            table.set("this", exp.to_identifier(known, quoted=_must_quote(known)))


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that `name` must mean: the same without case, separators and plural, or clearly the most alike."""
    same = [k for k in known if flat(k) == flat(name)]
    if len(same) == 1:
        return same[0]
    if same:
        return None
    by_flat = {flat(k): k for k in known}
    close = difflib.get_close_matches(flat(name), by_flat, n=2, cutoff=NEAR)
    return by_flat[close[0]] if close else None


def _longer_names(name: str, known: list[str]) -> list[str]:
    """The known names that say all words of `name` and more: `air_date` for `original_air_date`."""
    words = set(words_of(name))
    return [k for k in known if len(words) > 1 and words < set(words_of(k))]


def _must_quote(name: str) -> bool:
    return not name.isidentifier() or not name.isascii()


class _Select:
    """One SELECT, its own tables and its own columns; subqueries are SELECTs of their own."""

    def __init__(
        self, select: exp.Select, schema: Schema, joins: JoinGraph, values: ValueIndex | None, notes: list[str]
    ) -> None:
        self.select, self.schema, self.joins, self.values, self.notes = select, schema, joins, values, notes
        self.scope = select_tables(select, schema)
        self.tables = self.scope.tables

    def mend(self) -> None:
        from sqlglot import exp

        self.notes += reshape(self.select, self.schema)
        if not self.tables:
            return
        self._mend_joins()
        for column in list(own(self.select, exp.Column)):
            self._mend_column(column)
        if self.values is not None:
            self._mend_literals(self.values)

    # Columns

    def _mend_column(self, column: exp.Column) -> None:
        from sqlglot import exp

        if isinstance(column.this, exp.Star) or column.args.get("db"):
            return
        name, qualifier = column.name, column.table.lower()
        if qualifier and qualifier not in self.tables:
            by_name = [alias for alias, t in self.tables.items() if t.name.lower() == qualifier]
            if len(by_name) == 1:
                self._rebind(column, by_name[0], name)
            elif self._may_be_elsewhere(column):
                return
        qualifier = column.table.lower()
        if qualifier in self.tables:
            if self.tables[qualifier].column(name) or self._is_rowid(name):
                return
        elif any(t.column(name) for t in self.tables.values()):
            self._disambiguate(column)
            return
        elif self._may_be_elsewhere(column) or self._is_output_name(column) or self._is_rowid(name):
            return
        self._resolve(column, qualifier)

    def _may_be_elsewhere(self, column: exp.Column) -> bool:
        """The name may be of a derived table, or of a query around this one."""
        from sqlglot import exp

        if self.scope.opaque:
            return True
        # What a subquery of IN returns is its own: taking it from the query around makes the condition always true.
        returned = column.parent is self.select and column.arg_key == "expressions"
        parent = self.select.parent.parent if isinstance(self.select.parent, exp.Subquery) else self.select.parent
        return not (returned and isinstance(parent, exp.In)) and self.scope.may_be_outer(column)

    def _resolve(self, column: exp.Column, qualifier: str) -> None:
        name = column.name
        other_side = _other_side(column)
        holders = [alias for alias, t in self.tables.items() if t.column(name) and alias != other_side]
        if holders:
            self._rebind(column, self._closest(holders, qualifier), name)
            return
        if self._is_string(column):
            return
        scopes = [qualifier] if qualifier in self.tables else []
        others = [alias for alias in self.tables if alias not in (qualifier, other_side)]
        for aliases in (scopes, others):
            for alias in aliases:
                names = [c.name for c in self.tables[alias].columns]
                same = [n for n in names if flat(n) == flat(name)] or _longer_names(name, names)
                if len(same) == 1:
                    self._rebind(column, alias, same[0])
                    return
        for alias in self.tables:
            keys = {
                e.right_column
                for e in self.joins.into(self.tables[alias].name)
                if e.left_column.lower() == name.lower()
            }
            if len(keys) == 1 and (not qualifier or qualifier == alias) and len(self.tables) == 1:
                self._rebind(column, alias, keys.pop())
                return
        if self._join_in(column, name):
            return
        for alias in [*scopes, *others]:
            if known := nearest(name, [c.name for c in self.tables[alias].columns]):
                self._rebind(column, alias, known)
                return

    def _closest(self, holders: list[str], qualifier: str) -> str:
        """Of several tables that have the column, one that joins directly to the table it was asked of."""
        asked = self.tables.get(qualifier)
        near = [h for h in holders if asked and self.joins.between(asked.name, self.tables[h].name)]
        return (near or holders)[0]

    def _disambiguate(self, column: exp.Column) -> None:
        from sqlglot import exp

        holders = [alias for alias, t in self.tables.items() if t.column(column.name)]
        if column.table or len(holders) < 2 or self._is_output_name(column):
            return
        using = any(j.args.get("using") for j in self.select.args.get("joins") or [])
        if not using:
            column.set("table", exp.to_identifier(holders[0]))
            self.notes.append(f"took the ambiguous {column.name!r} from {self.tables[holders[0]].name!r}")

    def _rebind(self, column: exp.Column, alias: str, name: str) -> None:
        from sqlglot import exp

        before = column.sql(dialect=self.schema.dialect)
        known = self.tables[alias].column(name)
        name = known.name if known else name
        column.set("this", exp.to_identifier(name, quoted=_must_quote(name)))
        if column.table or len(self.tables) > 1:
            column.set("table", exp.to_identifier(alias))
        self.notes.append(f"read {before} as {self.tables[alias].name}.{name}")

    def _is_output_name(self, column: exp.Column) -> bool:
        return not column.table and any(
            column.name.lower() == e.alias.lower() for e in self.select.expressions if e.alias
        )

    def _is_rowid(self, name: str) -> bool:
        return self.schema.dialect == "sqlite" and name.lower() in ("rowid", "oid", "_rowid_")

    def _is_string(self, column: exp.Column) -> bool:
        """A double-quoted word that is compared with a column and is no column itself was meant as text."""
        from sqlglot import exp

        parent = column.parent
        if not column.this.quoted or column.table or not isinstance(parent, (exp.Predicate, exp.In, exp.Like)):
            return False
        if parent.this is column:
            return False
        column.replace(exp.Literal.string(column.name))
        self.notes.append(f'read "{column.name}" as text')
        return True

    # Joins

    def _join_in(self, column: exp.Column, name: str) -> bool:
        """Bring in the one table that has this column, if a chain of known keys leads to it."""
        if self.scope.opaque:
            return False
        near: list[tuple[list[Edge], TableSchema]] = []
        for table in self.schema.tables:
            if table.column(name) and (path := self.joins.path([t.name for t in self.tables.values()], table.name)):
                near.append((path, table))
        if not near:
            return False
        near.sort(key=lambda found: len(found[0]))
        if len(near) > 1 and len(near[0][0]) == len(near[1][0]):
            return False
        self._add_path(near[0][0])
        self._rebind(column, near[0][1].name.lower(), name)
        return True

    def _add_path(self, path: list[Edge]) -> None:
        from sqlglot import exp

        for edge in path:
            if any(t.name.lower() == edge.right.lower() for t in self.tables.values()):
                continue
            left = next(alias for alias, t in self.tables.items() if t.name.lower() == edge.left.lower())
            self._qualify_all(left)
            table = self.schema.table(edge.right)
            assert table is not None
            on = exp.EQ(this=_column(left, edge.left_column), expression=_column(table.name, edge.right_column))
            self.select.append("joins", exp.Join(this=exp.to_table(table.name, quoted=_must_quote(table.name)), on=on))
            self.tables[table.name.lower()] = table
            self.notes.append(
                f"joined {table.name!r} on {edge.left}.{edge.left_column} = {table.name}.{edge.right_column}"
            )

    def _qualify_all(self, alias: str) -> None:
        """Before a second table comes in, say of which table the bare columns are."""
        from sqlglot import exp

        for column in own(self.select, exp.Column):
            if not column.table and not self._is_output_name(column):
                holders = [a for a, t in self.tables.items() if t.column(column.name)]
                if holders:
                    column.set("table", exp.to_identifier(alias if alias in holders else holders[0]))

    def _mend_joins(self) -> None:
        """Replace a join condition between columns that are no keys of each other, where the keys are known."""
        from sqlglot import exp

        for join in list(self.select.args.get("joins") or []):
            on = join.args.get("on")
            if isinstance(on, exp.EQ) and isinstance(on.left, exp.Column) and isinstance(on.right, exp.Column):
                self._mend_join(join, on, on.left, on.right)

    def _mend_join(self, join: exp.Join, on: exp.EQ, one: exp.Column, other: exp.Column) -> None:
        left, right = self.tables.get(one.table.lower()), self.tables.get(other.table.lower())
        if left is None or right is None or left is right:
            return
        if self.joins.joins(left.name, one.name, right.name, other.name):
            return
        edges = self.joins.between(left.name, right.name)
        if not edges:
            alike = flat(one.name) == flat(other.name)
            if not (alike and left.column(one.name) and right.column(other.name)):
                self._go_around(join, on, one, other)
            return
        near = [e for e in edges if one.name.lower() == e.left_column.lower()]
        near += [e for e in edges if other.name.lower() == e.right_column.lower() and e not in near]
        if len(edges) > 1 and len(near) != 1:
            return
        edge = (near or edges)[0]
        before = on.sql(dialect=self.schema.dialect)
        on.set("this", _column(one.table, edge.left_column))
        on.set("expression", _column(other.table, edge.right_column))
        self.notes.append(
            f"joined on {edge.left}.{edge.left_column} = {edge.right}.{edge.right_column} in place of {before}"
        )

    def _go_around(self, join: exp.Join, on: exp.EQ, one: exp.Column, other: exp.Column) -> None:
        """Join by way of the tables that lie between, where no key joins the two directly."""
        if join.this.alias_or_name.lower() == one.table.lower():
            one, other = other, one
        left, right = self.tables[one.table.lower()], self.tables[other.table.lower()]
        path = self.joins.path([left.name], right.name)
        between = {edge.right.lower() for edge in path[:-1]} if path else set()
        if not path or join.this.alias_or_name.lower() != other.table.lower():
            return
        if any(table.name.lower() in between for table in self.tables.values()):
            return
        before = on.sql(dialect=self.schema.dialect)
        joins = self.select.args["joins"]
        place, known = joins.index(join), len(joins)
        self._add_path(path[:-1])
        joins[place:place] = joins[known:]
        del joins[known + len(path) - 1 :]
        last = path[-1]
        on.set("this", _column(last.left.lower(), last.left_column))
        on.set("expression", _column(other.table, last.right_column))
        self.notes.append(f"joined by way of {', '.join(e.right for e in path[:-1])} in place of {before}")

    # Literals

    def _mend_literals(self, values: ValueIndex) -> None:
        from sqlglot import exp

        for node in list(own(self.select, exp.Predicate)):
            if isinstance(node, (exp.EQ, exp.NEQ)):
                pairs = [(node.left, node.right), (node.right, node.left)]
                for column, literal in pairs:
                    if isinstance(column, exp.Column) and isinstance(literal, exp.Literal) and literal.is_string:
                        self._mend_literal(column, [literal], values)
            elif isinstance(node, exp.In) and isinstance(node.this, exp.Column):
                literals = [e for e in node.expressions if isinstance(e, exp.Literal) and e.is_string]
                if literals and len(literals) == len(node.expressions):
                    self._mend_literal(node.this, literals, values)
            elif isinstance(node, exp.Like) and isinstance(node.this, exp.Column):
                self._mend_pattern(node.this, node.expression, values)

    def _mend_literal(self, column: exp.Column, literals: list[exp.Literal], values: ValueIndex) -> None:
        from sqlglot import exp

        table = self.scope.table_of(column)
        if table is None:
            return
        if values.covers(table.name, column.name):
            found = [values.in_column(table.name, column.name, literal.name) for literal in literals]
            for literal, value in zip(literals, found, strict=True):
                if value is not None and value != literal.name:
                    self.notes.append(f"read {literal.name!r} as {value!r}, as {table.name}.{column.name} writes it")
                    literal.replace(exp.Literal.string(value))
            if any(value is not None for value in found):
                return
        self._move_to_holder(column, table, literals, values)

    def _mend_pattern(self, column: exp.Column, pattern: exp.Expr, values: ValueIndex) -> None:
        """A text that no value of the column contains is looked for in the one column here that does contain it."""
        from sqlglot import exp

        table = self.scope.table_of(column)
        text = pattern.name.strip("%") if isinstance(pattern, exp.Literal) and pattern.is_string else ""
        if table is None or not values.covers(table.name, column.name) or set("%_") & set(text):
            return
        places = [(t.lower(), c.lower()) for t, c in values.containing(text)]
        if (table.name.lower(), column.name.lower()) in places:
            return
        here = [(alias, c) for alias, t in self.tables.items() for name, c in places if name == t.name.lower()]
        if len(here) == 1:
            self._rebind(column, *here[0])

    def _move_to_holder(
        self, column: exp.Column, table: TableSchema, literals: list[exp.Literal], values: ValueIndex
    ) -> None:
        """The column holds none of the literals: filter the column that does, here or behind this foreign key."""
        from sqlglot import exp

        places = [{(m.table, m.column): m.value for m in values.columns_with(literal.name)} for literal in literals]
        shared = set(places[0]).intersection(*places[1:])
        if not shared:
            return
        here = [p for p in shared if p[0].lower() == table.name.lower()]
        behind = [
            p
            for p in shared
            if any(e.left_column.lower() == column.name.lower() for e in self.joins.between(table.name, p[0]))
        ]
        joined = [p for p in shared if any(t.name.lower() == p[0].lower() for t in self.tables.values())]
        chosen = next((c[0] for c in (here, behind, joined) if len(c) == 1), None)
        if chosen is None or (chosen not in here and self.scope.opaque):
            return
        if not any(t.name.lower() == chosen[0].lower() for t in self.tables.values()):
            edge = next(
                e for e in self.joins.between(table.name, chosen[0]) if e.left_column.lower() == column.name.lower()
            )
            self._add_path([edge])
        alias = next(a for a, t in self.tables.items() if t.name.lower() == chosen[0].lower())
        self._rebind(column, alias, chosen[1])
        for literal, place in zip(literals, places, strict=True):
            literal.replace(exp.Literal.string(place[chosen]))


def _other_side(column: exp.Column) -> str:
    """In a join condition, the alias that the column is compared with: a table is not joined to itself by one name."""
    from sqlglot import exp

    equals = column.parent
    if not isinstance(equals, exp.EQ) or not isinstance(
        equals.find_ancestor(exp.Join, exp.Select, exp.Where), exp.Join
    ):
        return ""
    other = equals.right if equals.left is column else equals.left
    return other.table.lower() if isinstance(other, exp.Column) else ""


def _column(alias: str, name: str) -> exp.Column:
    from sqlglot import exp

    return exp.column(exp.to_identifier(name, quoted=_must_quote(name)), table=exp.to_identifier(alias))
