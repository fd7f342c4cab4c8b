"""Which source is a question about? Decided by the words that it shares with each, without a model."""

from __future__ import annotations

from collections.abc import Sequence

from querist.answer.prepared import Prepared
from querist.answer.values import normal
from querist.sources.joins import words_of


def choose(question: str, prepared: Sequence[Prepared]) -> Prepared:
    """The source that shares most with the question; the first of equals."""
    if len(prepared) == 1:
        return prepared[0]
    return max(prepared, key=lambda source: affinity(question, source))


def affinity(question: str, source: Prepared) -> float:
    """How much a question shares with a source: names of tables count most, then values, then names of columns."""
    words = {word for part in normal(question).split() for word in words_of(part)}
    tables = {word for table in source.schema.tables for word in words_of(table.name)}
    columns = {word for table in source.schema.tables for column in table.columns for word in words_of(column.name)}
    values = sum(1.0 if match.exact else 0.5 for match in source.values.mentions(question))
    return 2.0 * len(words & tables) + values + len(words & columns)
