"""The rows of an analysis out of several tables: those of one table, with what other tables hold about each of them.

Only such joins are made as can multiply no row: from a table to one that it refers to, by declared keys or likely ones,
and from a table to the counts and sums of those that refer to it. So a mean over the rows stays that of the table.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from querist.sources.base import Column, Profile, Schema, Source, TableSchema
from querist.sources.joins import join_graph, singular, words_of
from querist.sources.naming import unique_name

LONGEST = 3
"""Tables on the way from one to another."""
_EACH = re.compile(r"(?<!\bfor )(?<!\bin )(?<!\bwithin )(?<!\bacross )\b(?:per|each|every)\s+([^\W\d_]+)", re.I)
"""What a row is to stand for: "orders per customer", but not "for each customer", which asks for groups."""
_LABELS = ("name", "title", "label", "description")
Words = frozenset[str]


@dataclass(frozen=True)
class Link:
    """Each row of `child` refers to one row of `parent`; the columns are pairs of equal values."""

    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Lookup:
    """A table whose rows are looked up, and the links that lead there."""

    table: TableSchema
    path: tuple[Link, ...]


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


@dataclass(frozen=True)
class _Taken:
    """A column that is brought in: how it is written, and the name it gets."""

    written: str
    name: str


def words_in(text: str) -> Words:
    """The words of a text or of a name, lower-case and singular, without single letters."""
    return frozenset(word for word in words_of(text) if len(word) > 1)


def as_it_stands(table: TableSchema, schema: Schema) -> Assembly:
    """All rows and columns of one table."""
    return Assembly(table, f"SELECT * FROM {_table(table, schema)}", tuple(column.name for column in table.columns))


def assemble(question: str, source: Source, table: TableSchema, *, fixed: bool = False) -> Assembly:
    """The rows that a question is about, with every column that it names, as far as the tables' keys lead there.

    Args:
        table: the one that shares most words with the question; the rows are its own where that will do.
        fixed: they are, whatever the question names.
    """
    schema = source.schema()
    plain = as_it_stands(table, schema)
    if len(schema.tables) < 2:
        return plain
    asked = words_in(question)
    named, mentioned = (
        _named(asked, schema),
        [t for t in schema.tables if words_in(t.name) and words_in(t.name) <= asked],
    )
    if named <= set(_words(table)) and not [t for t in mentioned if t is not table]:
        return plain
    return _Search(question, named, mentioned, schema, source.profile()).best(table, fixed=fixed)


def _named(asked: Words, schema: Schema) -> set[Words]:
    """The columns that a question names, as their words; of "price" and "unit price" the one that says more."""
    every = {words for table in schema.tables for words in _words(table) if words and words <= asked}
    return {words for words in every if not any(words < other for other in every)}


def _words(table: TableSchema) -> dict[Words, Column]:
    return {words_in(column.name): column for column in reversed(table.columns)}  # of equal names the first


class _Search:
    """The tables that can be the rows of an analysis, and what the others add to each."""

    def __init__(
        self, question: str, named: set[Words], mentioned: Sequence[TableSchema], schema: Schema, profile: Profile
    ) -> None:
        self.named, self.mentioned, self.schema = named, mentioned, schema
        self.links = _links(schema, profile)
        self.each = {words for match in _EACH.finditer(question) if (words := words_in(match[1]))}
        keys = {(link.child, column) for link in self.links for column in link.columns}
        self.keys = keys | {(link.parent, column) for link in self.links for column in link.parent_columns}

    def best(self, table: TableSchema, *, fixed: bool) -> Assembly:
        """The assembly that holds most of what is named, with fewest joins; `table` wins among equals."""
        bases = [table] if fixed else [t for t in self.schema.tables if words_in(t.name) in self.each]
        # Sums are for a row that stands for many: "per customer". Without such words any table may give the rows.
        found = [self._on(base, sums=bool(bases)) for base in bases or self.schema.tables]
        return max(found, key=lambda assembly: (*self._worth(assembly), assembly.base is table))

    def _worth(self, found: Assembly) -> tuple[int, int, int, int]:
        held = [words_in(name) for name in found.columns]
        covered = sum(any(words <= name for name in held) for words in self.named)
        connected = sum(table is found.base or table.name in found.brought for table in self.mentioned)
        own = sum(words in self.named for words in _words(found.base))
        return covered, connected, own, -len(found.brought)

    def _on(self, base: TableSchema, *, sums: bool) -> Assembly:
        """The rows of `base` with what the question names beside."""
        taken: list[_Taken] = []
        joins: list[str] = []
        brought: dict[str, str] = {}
        names = [column.name for column in base.columns]
        missing = {words for words in self.named if not any(words <= held for held in _words(base))}
        lookups = self._lookups(base)
        for number, lookup in enumerate(lookups):
            columns = self._wanted(lookup.table, missing, names)
            if not columns:
                continue
            missing -= {words_in(column.name) for column in columns}
            alias = f"l{number}"
            joins += self._joins(lookup, alias)
            new = [self._name(column.name, lookup.table, names) for column in columns]
            names += new
            taken += [_Taken(f"{alias}.{self._quoted(c.name)}", name) for c, name in zip(columns, new, strict=True)]
            brought[lookup.table.name] = (
                f"Looked up for each row of {base.name}: {', '.join(new)} of {lookup.table.name}."
            )
        reached = {lookup.table.name for lookup in lookups}
        for number, link in enumerate(self._into(base, reached)):
            child = self.schema.table(link.child)
            assert child is not None
            measured = [c for c in child.columns if self._measured(child, c, missing)] if sums else []
            if not measured and child not in self.mentioned:
                continue
            join, new_columns = self._counted(link, child, measured, f"n{number}", names)
            joins.append(join)
            taken += new_columns
            names += [column.name for column in new_columns]
            listed = ", ".join(column.name for column in new_columns)
            brought[child.name] = f"Computed for each row of {base.name} from {child.name}: {listed}."
        if not brought:
            return as_it_stands(base, self.schema)
        listed = ["b.*", *(f"{column.written} AS {self._quoted(column.name)}" for column in taken)]
        rows = f"{_table(base, self.schema)} AS b"
        return Assembly(base, " ".join(["SELECT", ", ".join(listed), "FROM", rows, *joins]), tuple(names), brought)

    def _wanted(self, table: TableSchema, missing: Collection[Words], held: Sequence[str]) -> list[Column]:
        """The columns that a question names; where it names the table alone, the one that says which row it is."""
        columns = [column for words, column in _words(table).items() if words in missing]
        if columns or table not in self.mentioned:
            return columns
        texts = [c for c in table.columns if c.kind == "text" and (table.name, c.name) not in self.keys]
        labels = [c for c in texts if words_in(c.name) & {*_LABELS, *words_in(table.name)}]
        return (labels or texts)[:1]

    def _measured(self, table: TableSchema, column: Column, missing: Collection[Words]) -> bool:
        number = column.kind in ("integer", "number") and (table.name, column.name) not in self.keys
        return number and words_in(column.name) in missing

    def _counted(
        self, link: Link, child: TableSchema, measured: Sequence[Column], alias: str, names: Sequence[str]
    ) -> tuple[str, list[_Taken]]:
        """The rows of a table that refer to each row, counted, and their amounts summed and averaged."""
        count = unique_name(f"number_of_{child.name.rpartition('.')[2]}", names)
        taken = [_Taken(f"COALESCE({alias}.n, 0)", count)]
        listed = [*map(self._quoted, link.columns), "COUNT(*) AS n"]
        for place, column in enumerate(measured):
            written = self._quoted(column.name)
            listed += [f"SUM({written}) AS s{place}", f"AVG({written}) AS a{place}"]
            taken.append(_Taken(f"{alias}.s{place}", unique_name(f"total_{column.name}", names)))
            taken.append(_Taken(f"{alias}.a{place}", unique_name(f"average_{column.name}", names)))
        keys = ", ".join(map(self._quoted, link.columns))
        rows = f"SELECT {', '.join(listed)} FROM {_table(child, self.schema)} GROUP BY {keys}"
        return f"LEFT JOIN ({rows}) AS {alias} ON {self._equal(alias, link.columns, 'b', link.parent_columns)}", taken

    def _joins(self, lookup: Lookup, alias: str) -> Iterator[str]:
        before = "b"
        for step, link in enumerate(lookup.path, start=1):
            parent = self.schema.table(link.parent)
            assert parent is not None
            after = alias if step == len(lookup.path) else f"{alias}_{step}"
            equal = self._equal(after, link.parent_columns, before, link.columns)
            yield f"LEFT JOIN {_table(parent, self.schema)} AS {after} ON {equal}"
            before = after

    def _equal(self, left: str, columns: Sequence[str], right: str, others: Sequence[str]) -> str:
        pairs = zip(map(self._quoted, columns), map(self._quoted, others), strict=True)
        return " AND ".join(f"{left}.{one} = {right}.{other}" for one, other in pairs)

    def _quoted(self, name: str) -> str:
        return _quote(name, self.schema)

    def _name(self, column: str, table: TableSchema, taken: Sequence[str]) -> str:
        if column.lower() not in {name.lower() for name in taken}:
            return column
        return unique_name(f"{singular(table.name.rpartition('.')[2])}_{column}", taken)

    def _lookups(self, base: TableSchema) -> list[Lookup]:
        """The tables that each row of `base` leads to, nearest first; none that two ways of one length lead to."""
        found: dict[str, Lookup] = {}
        doubtful: set[str] = set()
        queue: deque[tuple[str, tuple[Link, ...]]] = deque([(base.name, ())])
        while queue:
            name, path = queue.popleft()
            for link in self.links:
                parent = self.schema.table(link.parent)
                if link.child != name or parent is None or parent is base:
                    continue
                known = found.get(parent.name)
                if known is not None:
                    doubtful |= {parent.name} if len(known.path) == len(path) + 1 else set()
                elif len(path) < LONGEST:
                    found[parent.name] = Lookup(parent, (*path, link))
                    queue.append((parent.name, (*path, link)))
        return [lookup for name, lookup in found.items() if not doubtful & {name, *(s.parent for s in lookup.path)}]

    def _into(self, base: TableSchema, reached: Collection[str]) -> list[Link]:
        """The links of tables that refer to `base`; none of two from one table, which mean different things."""
        into = [link for link in self.links if link.parent == base.name and link.child not in {base.name, *reached}]
        times = Counter(link.child for link in into)
        return [link for link in into if times[link.child] == 1]


def _links(schema: Schema, profile: Profile | None) -> list[Link]:
    links = [
        Link(table.name, key.columns, parent.name, key.target_columns)
        for table in schema.tables
        for key in table.foreign_keys
        if (parent := schema.table(key.target_table)) is not None and len(key.columns) == len(key.target_columns)
    ]
    for edge in join_graph(schema, profile).edges:
        if not edge.declared:
            links.append(Link(edge.left, (edge.left_column,), edge.right, (edge.right_column,)))
    return [link for link in links if link.child != link.parent]


def _table(table: TableSchema, schema: Schema) -> str:
    parts = [table.namespace, table.name.removeprefix(table.namespace + ".")] if table.namespace else [table.name]
    return ".".join(_quote(part, schema) for part in parts)


def _quote(name: str, schema: Schema) -> str:
    mark = "`" if schema.dialect == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark
