"""One SELECT while it is mended: what it reads, the changes that any kind of mending makes, and what is told of them.

Not for what to change: that is in `mend.py`, `mend_joins.py` and `mend_literals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from querist.answer.prepared import Prepared
from querist.answer.scopes import SelectTables, own
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

    def sql(self, node: exp.Expr) -> str:
        return node.sql(dialect=self.schema.dialect)

    def rebind(self, column: exp.Column, alias: str, name: str, *, guess: str = "") -> None:
        """Let a column mean `name` of the table `alias`; `guess` says why, where that may be wrong."""
        from sqlglot import exp

        before = self.sql(column)
        known = self.tables[alias].column(name)
        name = known.name if known else name
        column.set("this", exp.to_identifier(name, quoted=must_quote(name)))
        if column.table or len(self.tables) > 1:
            column.set("table", exp.to_identifier(alias))
        taken = f"{self.tables[alias].name}.{name}"
        self.told.notes.append(f"read {before} as {taken}")
        if guess:
            self.told.instead(before, taken, guess)

    def is_output_name(self, column: exp.Column) -> bool:
        return not column.table and any(
            column.name.lower() == e.alias.lower() for e in self.select.expressions if e.alias
        )

    def add_path(self, path: list[Edge]) -> None:
        """Join the tables along a path whose tables, but for the first, the SELECT does not read yet."""
        for edge in path:
            (left,) = self.aliases(edge.left)
            self.add_join(left, edge)

    def add_join(self, left: str, edge: Edge, alias: str = "") -> str:
        """Join the table that an edge leads to, and say under which name."""
        from sqlglot import exp

        table = self.schema.table(edge.right)
        assert table is not None
        self._qualify_all(left)
        on = exp.EQ(
            this=column_of(left, edge.left_column), expression=column_of(alias or table.name, edge.right_column)
        )
        joined = exp.to_table(table.name, alias=alias or None, quoted=must_quote(table.name))
        self.select.append("joins", exp.Join(this=joined, on=on))
        name = (alias or table.name).lower()
        self.tables[name] = table
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
                    column.set("table", exp.to_identifier(alias if alias in holders else holders[0]))

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
        return self.never(exp.select("1").from_(exp.to_table(table.name, quoted=True)).where(condition))


def must_quote(name: str) -> bool:
    return not name.isidentifier() or not name.isascii()


def column_of(alias: str, name: str) -> exp.Column:
    from sqlglot import exp

    return exp.column(exp.to_identifier(name, quoted=must_quote(name)), table=exp.to_identifier(alias))
