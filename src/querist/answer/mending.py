"""One SELECT while it is mended: what it reads, the changes that any kind of mending makes, and what is told of them.

Not for what to change: that is in `mend.py`, `mend_joins.py` and `mend_literals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from querist.answer.prepared import Prepared
from querist.answer.scopes import SelectTables, identifier, own, reading
from querist.errors import DataError, QueryError
from querist.sources.base import TableSchema
from querist.sources.joins import Edge, flat, misspelt, words_of

if TYPE_CHECKING:
    from sqlglot import exp


MISSING = "which does not exist"
"""Why something else was taken."""


@dataclass
class Told:
    """What is told of mending: a note about each change, and a sentence for people about each that may be wrong."""

    notes: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)

    def instead(self, said: str, taken: str, why: str = MISSING) -> None:
        self.guesses.append(f"The query says {said}, {why}; {taken} was taken instead.")


def same_name(name: str, known: list[str]) -> str | None:
    """The one known name that is the same without case, separators and plural."""
    same = [k for k in known if flat(k) == flat(name)]
    return same[0] if len(same) == 1 else None


def like_name(name: str, known: list[str]) -> str | None:
    """The one known name from which this differs by a slip: a guess."""
    like = [k for k in known if misspelt(words_of(k), words_of(name))]
    return like[0] if len(like) == 1 else None


class Mending:
    """One SELECT, its own tables and its own columns; subqueries are SELECTs of their own."""

    def __init__(self, select: exp.Select, scope: SelectTables, prepared: Prepared, told: Told) -> None:
        self.select, self.scope, self.prepared, self.told = select, scope, prepared, told
        self.schema, self.joins, self.values = prepared.schema, prepared.joins, prepared.values
        self.tables = scope.tables

    def aliases(self, table: str) -> list[str]:
        """Under which names the SELECT reads that table."""
        return [alias for alias, t in self.tables.items() if t.name.lower() == table.lower()]

    def name_of(self, alias: str) -> exp.Expr:
        """The name of a table as the SELECT writes it: a quoted one keeps its case."""
        select = self.select.args
        sources = [select["from_"].this, *(join.this for join in select.get("joins") or [])]
        source = next(s for s in sources if s.alias_or_name.lower() == alias)
        written: exp.Expr = source.args["alias"].this if source.args.get("alias") else source.this
        return written.copy()

    def column_of(self, alias: str, name: str) -> exp.Column:
        from sqlglot import exp

        return exp.Column(this=identifier(name), table=self.name_of(alias))

    def sql(self, node: exp.Expr) -> str:
        return node.sql(dialect=self.schema.dialect)

    def rebind(self, column: exp.Column, alias: str, name: str, *, guess: str = "") -> None:
        """Let a column mean `name` of the table `alias`; `guess` says why, where that may be wrong."""
        before, asked = self.sql(column), self.tables.get(column.table.lower())
        said, known = column.name, self.tables[alias].column(name)
        name = known.name if known else name
        column.set("this", identifier(name))
        if column.table or len(self.tables) > 1:
            column.set("table", self.name_of(alias))
        taken = f"{self.tables[alias].name}.{name}"
        self.told.notes.append(f"read {before} as {taken}")
        if guess:
            self.told.instead(f"{asked.name}.{said}" if asked else before, taken, guess)

    def is_output_name(self, column: exp.Column) -> bool:
        return not column.table and any(
            column.name.lower() == e.alias.lower() for e in self.select.expressions if e.alias
        )

    def add_path(self, path: list[Edge]) -> str:
        """Join the tables along a path, of which the SELECT reads the first, and say under which name the last."""
        (alias,) = self.aliases(path[0].left)
        for edge in path:
            alias = self.add_join(alias, edge)
        return alias

    def add_join(self, left: str, edge: Edge, alias: str = "") -> str:
        """Join the table that an edge leads to, and say under which name."""
        from sqlglot import exp

        table = self.schema.table(edge.right)
        assert table is not None
        self._qualify_all(left)
        joined = reading(table, alias)
        name = joined.alias_or_name.lower()
        join = exp.Join(this=joined)
        self.select.append("joins", join)
        self.tables[name] = table
        one, other = self.column_of(left, edge.left_column), self.column_of(name, edge.right_column)
        join.set("on", exp.EQ(this=one, expression=other))
        self.told.notes.append(
            f"joined {table.name!r} on {edge.left}.{edge.left_column} = {table.name}.{edge.right_column}"
        )
        return name

    def _qualify_all(self, alias: str) -> None:
        """Before a second table comes in, say of which table the bare columns are."""
        from sqlglot import exp

        for column in own(self.select, exp.Column):
            if not column.table and not self.is_output_name(column):
                holders = [a for a, t in self.tables.items() if t.column(column.name)]
                if holders:
                    column.set("table", self.name_of(alias if alias in holders else holders[0]))

    def never(self, query: exp.Select) -> bool:
        """Whether the data, which may be newer than what is known of them, have no row for a query.

        True where the engine refuses to compare what the query compares; False where looking takes too long.
        """
        try:
            return not self.prepared.probe(self.sql(query.limit(1))).rows
        except QueryError:
            return True
        except DataError:
            return False

    def lacks(self, table: TableSchema, column: str, text: str, *, inside: bool = False) -> bool:
        """Whether no value of the column is that text, or has it inside."""
        from sqlglot import exp

        if (known := table.column(column)) is None:
            return True
        place, wanted = exp.column(known.name, quoted=True), exp.Literal.string(f"%{text}%" if inside else text)
        condition = (exp.Like if inside else exp.EQ)(this=place, expression=wanted)
        return self.never(exp.select("1").from_(reading(table)).where(condition))
