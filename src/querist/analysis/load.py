"""Which table and columns a question is about, and the rows in memory."""

from __future__ import annotations

from collections.abc import Sequence

from querist.analysis.assemble import Assembly, Words, as_it_stands, assemble, words_in
from querist.errors import QueryError, UsageError
from querist.sources.base import Limits, Source, TableSchema
from querist.sources.table import Table

LIMITS = Limits(seconds=120.0, rows=1_000_000, bytes=1_000_000_000)
"""Bounds of reading a table; one that is larger is analysed as far as they reach, and says so."""
MOST_COLUMNS = 100
"""Columns that a prompt has room for."""


def choose(question: str, sources: Sequence[Source], table: str = "") -> tuple[Source, Assembly]:
    """What to read, and where: the rows of the table named `table`, or of those that the question is about.

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
        source, found = chosen[0]
    else:
        asked = words_in(question)
        source, found = max(candidates, key=lambda pair: _shared(asked, pair[1]))  # of equals the first
    return source, assemble(question, source, found, fixed=bool(table))


def load(source: Source, assembly: Assembly) -> tuple[Table, Assembly, str]:
    """All rows, up to `LIMITS`; where other tables cannot be brought in, those of the table alone, and a sentence why.

    Raises:
        QueryError, QueryTimeoutError: the table cannot be read.
    """
    if not assembly.brought:
        return source.execute(assembly.sql, LIMITS), assembly, ""
    plain = as_it_stands(assembly.base, source.schema())
    others = ", ".join(assembly.brought)
    try:
        table = source.execute(assembly.sql, LIMITS)
        made = _count(source, assembly) if table.truncated else len(table.rows)
        rows = _count(source, plain)
    except QueryError as error:
        return source.execute(plain.sql, LIMITS), plain, f"{others} could not be brought in: {error.message}"
    if made == rows:
        return table, assembly, ""
    return source.execute(plain.sql, LIMITS), plain, f"{others} was left out: what seems to be its key repeats."


def _count(source: Source, assembly: Assembly) -> int:
    [[rows]] = source.execute(f"SELECT COUNT(*) FROM ({assembly.sql}) AS b", LIMITS).rows
    return int(rows)


def doubt(question: str, sources: Sequence[Source], assembly: Assembly) -> str:
    """A sentence about what speaks against the table that was chosen by words; empty when nothing does."""
    asked, base = words_in(question), assembly.base
    held = {*words_in(base.name), *(word for column in assembly.columns for word in words_in(column))}
    for other in (table for source in sources for table in source.schema().tables):
        if other is base or other.name in assembly.brought:
            continue
        if not assembly.brought and _shared(asked, other) == _shared(asked, base):
            return (
                f"The words of the question fit the tables {base.name} and {other.name} alike; {base.name} was taken."
            )
        for column in other.columns:
            words = words_in(column.name)
            if words and words <= asked and not words & held:
                named = f"{column.name} of the table {other.name}"
                return f"The question seems to name {named}; {', '.join([base.name, *assembly.brought])} were analysed."
    return ""


def columns_for(question: str, columns: Sequence[str]) -> list[str]:
    """The columns that a model is shown: all, or of very many those that the question names and the first."""
    if len(columns) <= MOST_COLUMNS:
        return list(columns)
    asked = words_in(question)
    named = sorted(columns, key=lambda column: not (asked & words_in(column)))[:MOST_COLUMNS]
    kept = set(named)
    return [column for column in columns if column in kept]


def _shared(asked: Words, table: TableSchema) -> int:
    return 2 * len(asked & words_in(table.name)) + sum(bool(asked & words_in(column.name)) for column in table.columns)
