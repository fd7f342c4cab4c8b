"""What reading changed in the values that a query uses: numbers, dates and missing values that the file has as text."""

from __future__ import annotations

import re

from querist.errors import GuardError
from querist.sources.base import Schema
from querist.sources.guard import guard

_OF_COLUMN = re.compile(r"column '(.+?)': ")
"""How a note of `TableSchema.notes` begins that is about one column."""


def cleaned(sql: str, schema: Schema) -> list[str]:
    """The notes on the columns that the query reads, each with its table."""
    if not any(_OF_COLUMN.match(note) for table in schema.tables for note in table.notes):
        return []
    try:
        used = guard(sql, schema).columns
    except GuardError:  # a query of a person's, which may read what a model may not
        return []
    found = []
    for table in schema.tables:
        columns = {column for name, column in used if name == table.name}
        for note in table.notes:
            if (about := _OF_COLUMN.match(note)) and about[1] in columns:
                found.append(f"{table.name}.{about[1]}: {note[about.end() :]}")
    return found
