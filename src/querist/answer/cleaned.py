"""What an answer owes to values that are not clean: what reading a file mended in those that its query uses, and what
the profile found in them that is not mended."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querist.errors import GuardError
from querist.sources.base import Profile, Schema, TableProfile
from querist.sources.flaws import column_flaws, repeated_rows
from querist.sources.guard import guard
from querist.sources.tidy import LEFT_OUT

_OF_COLUMN = re.compile(r"""(.*: )?column (['"])(.+?)\2: """)
"""How a note of `TableSchema.notes` begins that is about one column, of one file where there are several."""


def cleaned(sql: str, schema: Schema, profile: Profile) -> list[str]:
    """What is to be told of the columns and the tables that the query reads."""
    from sqlglot import exp

    try:
        guarded = guard(sql, schema)
    except GuardError:  # a query of a person's, which may read what a model may not
        return []
    adds_up = guarded.expression.find(exp.Sum, exp.Avg, exp.Count) is not None
    found = []
    for table in schema.tables:
        columns = {column for name, column in guarded.columns if name == table.name}
        for note in table.notes:
            if (about := _OF_COLUMN.match(note)) and about[3] in columns:
                found.append(f"{table.name}.{about[3]}: {about[1] or ''}{note[about.end() :]}")
            elif adds_up and table.name in guarded.tables and note.endswith(LEFT_OUT):
                found.append(f"{table.name}: {note}")
        if (profiled := profile.table(table.name)) and table.name in guarded.tables:
            found += [f"{table.name}.{note}" for note in _of_columns(profiled, columns)]
            if adds_up and (repeated := repeated_rows(profiled)):
                found.append(f"{table.name}: {repeated}, and counted")
    return found


def _of_columns(table: TableProfile, names: set[str]) -> Iterator[str]:
    for column in table.columns:
        if column.name in names:
            if empty := round(column.nulls * table.row_count):
                about = "about " if table.sampled else ""
                yield f"{column.name}: empty in {about}{empty:,} of {table.row_count:,} rows"
            yield from (f"{column.name}: {flaw}" for flaw in column_flaws(column))
