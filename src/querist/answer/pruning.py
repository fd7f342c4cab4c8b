"""What of a schema a model is shown when the whole does not fit: the tables that the question speaks of, and what joins
them. Recall first: whatever still fits is filled up with the tables beside those.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from querist.answer.context import Style, render
from querist.answer.coverage import same_word
from querist.answer.prepared import Prepared
from querist.answer.values import normal
from querist.sources.base import Column, Schema, TableSchema
from querist.sources.joins import JoinGraph, singular, words_of

SCHEMA_TOKENS = 5000
"""Tokens of a prompt that the schema may take by default: with prompt and reply well within a context of 8,192."""
LETTERS_A_TOKEN = 3.0
"""Letters of a rendered schema that make one token, at least."""
IN_TABLE, IN_COLUMN, IN_VALUE = 3.0, 1.0, 2.0
"""What a word of the question counts that is in the name of a table, of a column, or a value of it."""


@dataclass(frozen=True)
class Fitted:
    """A schema as text for a model, and in words how much of it did not fit; empty when all did."""

    text: str
    left_out: str = ""


def fitted(question: str, prepared: Prepared, style: Style, tokens: int) -> Fitted:
    """The schema within a number of tokens: whole where that is possible, else what the question needs of it."""
    text, room = prepared.rendered(style), int(tokens * LETTERS_A_TOKEN)
    if len(text) <= room:
        return Fitted(text)
    relevance = _Relevance(question, prepared)
    most = room // 2 if len(prepared.schema.tables) > 1 else room  # of one wide table, so that others have room
    chosen: dict[str, TableSchema] = {}
    for name in _in_order(relevance, prepared):
        table = prepared.schema.table(name)
        if table is None or name in chosen:
            continue
        size = _size(table, prepared, style)
        if size > most:
            table = _narrowed(table, relevance, prepared, style, most)
            size = _size(table, prepared, style)
        if size <= room:
            chosen[name] = table
            room -= size
    kept = tuple(chosen[t.name.lower()] for t in prepared.schema.tables if t.name.lower() in chosen)
    joins = JoinGraph(e for e in prepared.joins.edges if {e.left.lower(), e.right.lower()} <= chosen.keys())
    text = render(replace(prepared.schema, tables=kept), prepared.profile, joins, style)
    return Fitted(text, _left_out(prepared.schema, kept))


def _left_out(schema: Schema, kept: Sequence[TableSchema]) -> str:
    whole = [t for t in schema.tables if t.name in {table.name for table in kept}]
    columns = sum(len(t.columns) for t in whole) - sum(len(t.columns) for t in kept)
    counts = ((len(schema.tables) - len(kept), "table"), (columns, "column"))
    return " and ".join(f"{count:,} {what}{'s' if count > 1 else ''}" for count, what in counts if count)


def tables_about(question: str, prepared: Prepared) -> list[TableSchema]:
    """The tables that a question speaks of, and what joins them; where it names none, those that have its words."""
    relevance = _Relevance(question, prepared)
    named = [t for t in prepared.schema.tables if relevance.of_name(t)]
    about = {t.name.lower() for t in named or prepared.schema.tables if relevance.of_table(t) > 0}
    before: list[str] = []
    for name in sorted(about):
        about |= {edge.left.lower() for edge in (prepared.joins.path(before, name) or [] if before else [])}
        before.append(name)
    return [t for t in prepared.schema.tables if t.name.lower() in about]


class _Relevance:
    """How much a question has to do with each table and column. A word counts more the fewer tables have it."""

    def __init__(self, question: str, prepared: Prepared) -> None:
        self.said = {singular(word) for word in normal(question).split()}
        tables = prepared.schema.tables
        names = [(t.name, *(c.name for c in t.columns)) for t in tables]
        spread = Counter(word for own in names for word in {w for name in own for w in words_of(name)})
        self.weight = {word: math.log(1 + len(tables) / count) for word, count in spread.items() if self.says(word)}
        self.valued = Counter(
            place
            for m in prepared.values.mentions(question)
            for place in (m.table.lower(), f"{m.table}.{m.column}".lower())
        )

    def says(self, word: str) -> bool:
        return any(same_word(word, other) for other in self.said)

    def of_name(self, table: TableSchema) -> float:
        """What its own name and its values have of the question."""
        return IN_TABLE * self._sum(set(words_of(table.name))) + IN_VALUE * self.valued[table.name.lower()]

    def of_table(self, table: TableSchema) -> float:
        columns = {word for column in table.columns for word in words_of(column.name)}
        return self.of_name(table) + IN_COLUMN * self._sum(columns)

    def of_column(self, table: TableSchema, column: str) -> float:
        return self._sum(set(words_of(column))) + IN_VALUE * self.valued[f"{table.name}.{column}".lower()]

    def _sum(self, words: Iterable[str]) -> float:
        return sum(self.weight.get(word, 0.0) for word in words)


def _in_order(relevance: _Relevance, prepared: Prepared) -> Iterable[str]:
    """Names of tables in lower case: the relevant, each with those that join it to the ones before, then the rest."""
    tables = sorted(prepared.schema.tables, key=lambda t: -relevance.of_table(t))
    named = [t.name.lower() for t in tables if relevance.of_table(t) > 0]
    before: list[str] = []
    for name in named:
        yield name
        for edge in (prepared.joins.path(before, name) or []) if before else []:
            yield edge.left.lower()
        before.append(name)
    yield from (
        other.lower()
        for name in named
        for edge in prepared.joins.edges
        if name in (edge.left.lower(), edge.right.lower())
        for other in (edge.left, edge.right)
    )
    yield from (t.name.lower() for t in tables)


def _size(table: TableSchema, prepared: Prepared, style: Style) -> int:
    schema = replace(prepared.schema, tables=(table,))
    return len(render(schema, prepared.profile, prepared.joins, style)) + 1


def _narrowed(table: TableSchema, relevance: _Relevance, prepared: Prepared, style: Style, room: int) -> TableSchema:
    """The table with as many of its columns as fit: keys, then those that the question speaks of, then the first."""
    keys = {c.lower() for c in table.primary_key}
    edges = prepared.joins.edges
    keys |= {e.left_column.lower() for e in edges if e.left.lower() == table.name.lower()}
    keys |= {e.right_column.lower() for e in edges if e.right.lower() == table.name.lower()}
    order = sorted(table.columns, key=lambda c: (c.name.lower() not in keys, -relevance.of_column(table, c.name)))
    low, high = 1, len(order)
    while low < high:  # the most columns that fit
        middle = (low + high + 1) // 2
        if _size(replace(table, columns=_as_before(table, order[:middle])), prepared, style) <= room:
            low = middle
        else:
            high = middle - 1
    return replace(table, columns=_as_before(table, order[:low]))


def _as_before(table: TableSchema, columns: Iterable[Column]) -> tuple[Column, ...]:
    kept = set(map(id, columns))
    return tuple(column for column in table.columns if id(column) in kept)
