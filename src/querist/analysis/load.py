"""Which table and columns a question is about, and the rows in memory. What needs several tables is a query's work."""

from __future__ import annotations

import re
from collections.abc import Sequence

from querist.errors import UsageError
from querist.sources.base import Limits, Schema, Source, TableSchema
from querist.sources.naming import quote
from querist.sources.table import Table

LIMITS = Limits(seconds=120.0, rows=1_000_000, bytes=1_000_000_000)
"""Bounds of reading a table; one that is larger is analysed as far as they reach, and says so."""
MOST_COLUMNS = 100
"""Columns that a prompt has room for."""


def choose_table(question: str, sources: Sequence[Source], table: str = "") -> tuple[Source, TableSchema, str]:
    """The table named `table`; without a name, the one whose name and columns share most words with the question.

    The third part is a sentence about what speaks against that table, empty when nothing does.

    Raises:
        UsageError: there is none of that name, or none at all.
    """
    candidates = [(source, found) for source in sources for found in source.schema().tables]
    if not candidates:
        raise UsageError("The data hold no table.", hint="Name other data.")
    if table:
        chosen = [pair for pair in candidates if pair[1].name.lower() == table.lower()]
        if not chosen:
            known = ", ".join(found.name for _, found in candidates[:10])
            raise UsageError(f"There is no table {table!r}.", hint=f"Tables: {known}.")
        return *chosen[0], ""
    asked = words_in(question)
    best, *others = sorted(candidates, key=lambda pair: -_shared(asked, pair[1]))  # of equals the first
    return *best, _doubt(asked, best[1], [found for _, found in others])


def load(source: Source, table: TableSchema) -> Table:
    """All rows of a table, up to `LIMITS`.

    Raises:
        QueryError, QueryTimeoutError: it cannot be read.
    """
    name = _written(table, source.schema())
    return source.execute(f"SELECT * FROM {name}", LIMITS)


def columns_for(question: str, columns: Sequence[str]) -> list[str]:
    """The columns that a model is shown: all, or of very many those that the question names and the first."""
    if len(columns) <= MOST_COLUMNS:
        return list(columns)
    asked = words_in(question)
    named = sorted(columns, key=lambda column: not (asked & words_in(column)))[:MOST_COLUMNS]
    kept = set(named)
    return [column for column in columns if column in kept]


def _written(table: TableSchema, schema: Schema) -> str:
    parts = [table.namespace, table.name.removeprefix(table.namespace + ".")] if table.namespace else [table.name]
    if schema.dialect == "mysql":
        return ".".join(f"`{part.replace('`', '``')}`" for part in parts)
    return ".".join(quote(part) for part in parts)


def _shared(asked: set[str], table: TableSchema) -> int:
    return 2 * len(asked & words_in(table.name)) + sum(bool(asked & words_in(column.name)) for column in table.columns)


def _doubt(asked: set[str], table: TableSchema, others: Sequence[TableSchema]) -> str:
    held = set().union(*(words_in(column.name) for column in table.columns), words_in(table.name))
    for other in others:
        if _shared(asked, other) == _shared(asked, table):
            return (
                f"The words of the question fit the tables {table.name} and {other.name} alike; {table.name} was taken."
            )
        for column in other.columns:
            words = words_in(column.name)
            if words and words <= asked and not words & held:
                named = f"{column.name} of the table {other.name}"
                return f"The question seems to name {named}; only {table.name} was analysed."
    return ""


def words_in(text: str) -> set[str]:
    """Lower-case words, `unitPrice` and `unit_price` split, plurals without their s."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return {word.rstrip("s") for word in re.findall(r"[^\W_]{2,}", spaced.lower())}
