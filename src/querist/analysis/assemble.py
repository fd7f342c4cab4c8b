"""The rows of an analysis out of several tables: those of one table, with what other tables hold about each of them.

Only such joins are made as can multiply no row: from a table to one that it refers to, by declared keys or likely ones,
and from a table to the counts and sums of those that refer to it. So a mean over the rows stays that of the table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from querist.analysis.links import Link, Links, Lookup
from querist.sources.base import Column, Schema, Source, TableSchema
from querist.sources.joins import singular, words_of
from querist.sources.naming import unique_name

_EACH = re.compile(r"(?<!\bfor )(?<!\bin )(?<!\bwithin )(?<!\bacross )\b(?:per|each|every)\s+([^\W\d_]+)", re.I)
"""What a row is to stand for: "orders per customer", but not "for each customer", which asks for groups."""
_LABELS = ("name", "title", "label", "description")
Words = frozenset[str]


@dataclass(frozen=True)
class Assembly:
    """What to read.

    Attributes:
        base: the table whose rows are analysed.
        sql: gives each of them once, with the columns that were brought in.
        columns: their names.
        brought: the tables that they come from besides, each with a sentence that tells what it gave.
    """

    base: TableSchema
    sql: str
    columns: tuple[str, ...]
    brought: dict[str, str] = field(default_factory=dict)


def words_in(text: str) -> Words:
    """The words of a text or of a name, lower-case and singular, without single letters."""
    return frozenset(word for word in words_of(text) if len(word) > 1)


def assemble(question: str, source: Source, table: TableSchema, *, fixed: bool = False) -> Assembly:
    """The rows that a question is about, with every column that it names, as far as the tables' keys lead there.

    Args:
        table: the one that shares most words with the question; the rows are its own where that will do.
        fixed: they are, whatever the question names.
    """
    schema, asked = source.schema(), words_in(question)
    every = {words for other in schema.tables for words in _words(other) if words and words <= asked}
    named = {words for words in every if not any(words < other for other in every)}  # "unit price", and not "price"
    mentioned = [t for t in schema.tables if (words := words_in(t.name)) and words <= asked]
    if named <= set(_words(table)) and all(t is table for t in mentioned):
        return as_it_stands(table, schema)
    search = _Search(named, mentioned, schema, Links(schema, source.profile()))
    each = {words for match in _EACH.finditer(question) if (words := words_in(match[1]))}
    bases = [table] if fixed else [t for t in schema.tables if words_in(t.name) in each]
    # Sums are for a row that stands for many: "per customer". Without such words any table may give the rows.
    found = [search.on(base, sums=bool(bases)) for base in bases or schema.tables]
    return max(found, key=lambda assembly: (*search.worth(assembly), assembly.base is table))


def as_it_stands(table: TableSchema, schema: Schema) -> Assembly:
    """All rows and columns of one table."""
    return _Rows(table, schema).assembly()


def _words(table: TableSchema) -> dict[Words, Column]:
    return {words_in(column.name): column for column in reversed(table.columns)}  # of equal names the first


@dataclass(frozen=True)
class _Search:
    """What each table has, or can be given, of what a question names: columns (as their words) and tables."""

    named: set[Words]
    mentioned: Sequence[TableSchema]
    schema: Schema
    links: Links

    def on(self, base: TableSchema, *, sums: bool) -> Assembly:
        """The rows of `base` with what the question names beside."""
        rows = _Rows(base, self.schema)
        missing = {words for words in self.named if not any(words <= held for held in _words(base))}
        lookups = self.links.lookups(base)
        for lookup in lookups:
            if columns := self._wanted(lookup.table, missing):
                missing -= {words_in(column.name) for column in columns}
                rows.look_up(lookup, columns)
        for child, link in self.links.into(base, {lookup.table.name for lookup in lookups}):
            amounts = [column for column in child.columns if sums and self._is_amount(child, column, missing)]
            if amounts or child in self.mentioned:
                rows.count(child, link, amounts)
        return rows.assembly()

    def worth(self, found: Assembly) -> tuple[int, int, int, int]:
        """How much of what is named it holds; of equals the one that needs others least."""
        held = [words_in(name) for name in found.columns]
        covered = sum(any(words <= name for name in held) for words in self.named)
        connected = sum(table is found.base or table.name in found.brought for table in self.mentioned)
        own = sum(words in self.named for words in _words(found.base))
        return covered, connected, own, -len(found.brought)

    def _wanted(self, table: TableSchema, missing: Collection[Words]) -> list[Column]:
        """The columns that a question names; where it names the table alone, the one that says which row it is."""
        columns = [column for words, column in _words(table).items() if words in missing]
        if columns or table not in self.mentioned:
            return columns
        texts = [c for c in table.columns if c.kind == "text" and (table.name, c.name) not in self.links.keys]
        labels = [c for c in texts if words_in(c.name) & {*_LABELS, *words_in(table.name)}]
        return (labels or texts)[:1]

    def _is_amount(self, table: TableSchema, column: Column, missing: Collection[Words]) -> bool:
        number = column.kind in ("integer", "number") and (table.name, column.name) not in self.links.keys
        return number and words_in(column.name) in missing


class _Rows:
    """A query in the making: each row of a table once, and columns that are brought to it."""

    def __init__(self, base: TableSchema, schema: Schema) -> None:
        self._base, self._schema = base, schema
        self._names = [column.name for column in base.columns]
        self._columns = ["b.*"]
        self._joins: list[str] = []
        self._brought: dict[str, str] = {}

    def assembly(self) -> Assembly:
        rows = f"{_table(self._base, self._schema)} AS b"
        sql = " ".join(["SELECT", ", ".join(self._columns), "FROM", rows, *self._joins])
        return Assembly(self._base, sql, tuple(self._names), self._brought)

    def look_up(self, lookup: Lookup, columns: Sequence[Column]) -> None:
        """Bring columns of the row that each row leads to; nothing where it leads nowhere."""
        before = "b"
        for link in lookup.path:
            alias = f"t{len(self._joins)}"
            parent = self._schema.table(link.parent) or lookup.table
            self._join(_table(parent, self._schema), alias, link.parent_columns, before, link.columns)
            before = alias
        one = singular(lookup.table.name.rpartition(".")[2])
        taken = {name.lower() for name in self._names}
        new = [
            self._add(f"{before}.{self._quoted(c.name)}", f"{one}_{c.name}" if c.name.lower() in taken else c.name)
            for c in columns
        ]
        told = f"{', '.join(new)} of {lookup.table.name}"
        self._brought[lookup.table.name] = f"Looked up for each row of {self._base.name}: {told}."

    def count(self, child: TableSchema, link: Link, amounts: Sequence[Column]) -> None:
        """Bring the number of the rows that refer to each row, and the sum and the mean of their amounts."""
        alias = f"t{len(self._joins)}"
        keys = ", ".join(map(self._quoted, link.columns))
        computed = ["COUNT(*) AS n"]
        new = [self._add(f"COALESCE({alias}.n, 0)", f"number_of_{child.name.rpartition('.')[2]}")]
        for place, column in enumerate(amounts):
            amount = self._quoted(column.name)
            computed += [f"SUM({amount}) AS s{place}", f"AVG({amount}) AS a{place}"]
            new += [self._add(f"{alias}.s{place}", f"total_{column.name}")]
            new += [self._add(f"{alias}.a{place}", f"average_{column.name}")]
        groups = f"(SELECT {keys}, {', '.join(computed)} FROM {_table(child, self._schema)} GROUP BY {keys})"
        self._join(groups, alias, link.columns, "b", link.parent_columns)
        self._brought[child.name] = f"Computed for each row of {self._base.name} from {child.name}: {', '.join(new)}."

    def _add(self, written: str, name: str) -> str:
        """A new column, and the name that it gets."""
        name = unique_name(name, self._names)
        self._names.append(name)
        self._columns.append(f"{written} AS {self._quoted(name)}")
        return name

    def _join(self, rows: str, alias: str, columns: Sequence[str], before: str, others: Sequence[str]) -> None:
        pairs = zip(map(self._quoted, columns), map(self._quoted, others), strict=True)
        equal = " AND ".join(f"{alias}.{one} = {before}.{other}" for one, other in pairs)
        self._joins.append(f"LEFT JOIN {rows} AS {alias} ON {equal}")

    def _quoted(self, name: str) -> str:
        return _quote(name, self._schema)


def _table(table: TableSchema, schema: Schema) -> str:
    parts = [table.namespace, table.name.removeprefix(table.namespace + ".")] if table.namespace else [table.name]
    return ".".join(_quote(part, schema) for part in parts)


def _quote(name: str, schema: Schema) -> str:
    mark = "`" if schema.dialect == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark
