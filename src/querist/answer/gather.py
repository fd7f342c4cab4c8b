"""Gather: the tables of several sources that a question speaks of, brought together so that one query can join them.

Small models write a query over a few tables far better than they plan a chain of queries. Not for tables of many rows:
what does not fit is left to a plan of steps.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from querist.answer.prepared import Prepared, prepare
from querist.answer.pruning import tables_about
from querist.answer.routing import choose
from querist.answer.scopes import reading
from querist.answer.values import COMMON
from querist.sources.base import Limits, TableSchema
from querist.sources.files import FileSource
from querist.sources.guard import guard
from querist.sources.joins import words_of
from querist.sources.naming import unique_name
from querist.sources.table import Table

MOST_ROWS = 50_000
"""Rows that are brought together, at most."""


@dataclass
class Gathered:
    """Tables of several sources as one source, in files of a folder until it is closed. `told` says which they are."""

    prepared: Prepared
    told: str
    folder: tempfile.TemporaryDirectory[str]

    def close(self) -> None:
        self.prepared.close()
        self.prepared.source.close()
        self.folder.cleanup()


def spanned(question: str, prepared: Sequence[Prepared]) -> list[Prepared]:
    """The sources that a question needs: the one it is most about, and each that has a word of it which that one lacks.

    Empty when one is enough: because it has every word, or because the others have all that it has.
    """
    words = set(words_of(question)) - COMMON
    best = choose(question, prepared)
    known = _known(words, question, best)
    others = {id(source): _known(words, question, source) for source in prepared if source is not best}
    needed = [s for s in prepared if s is best or (others[id(s)] - known and known - others[id(s)])]
    return needed if len(needed) > 1 else []


def _known(words: set[str], question: str, source: Prepared) -> set[str]:
    names = {
        word
        for table in source.schema.tables
        for name in (table.name, *(column.name for column in table.columns))
        for word in words_of(name)
    }
    values = {word for match in source.values.mentions(question) if match.exact for word in words_of(match.phrase)}
    return words & (names | values)


def gather(question: str, sources: Sequence[Prepared]) -> Gathered | None:
    """Bring together the tables of these sources that a question speaks of; None where they are too large. Blocking.

    Files are opened again where they lie; tables of databases are copied.
    """
    files = [s.source for s in sources if isinstance(s.source, FileSource)]
    copied = [(s, t) for s in sources if not isinstance(s.source, FileSource) for t in tables_about(question, s)]
    if sum(MOST_ROWS + 1 if t.row_count is None else t.row_count for _, t in copied) > MOST_ROWS:
        return None
    paths = [path for source in files for path in source.paths]
    taken = [table.name for s in sources if s.source in files for table in s.schema.tables]
    told: list[str] = []
    folder = tempfile.TemporaryDirectory(prefix="querist-gathered-", ignore_cleanup_errors=True)
    try:
        for source, table in copied:
            taken.append(unique_name(table.name, taken))
            rows = _rows(source, table)
            if rows.truncated:  # its number of rows was an estimate, or they are wide: half of it would lie
                folder.cleanup()
                return None
            paths.append(rows.hand_on(Path(folder.name), taken[-1]))
            told.append(f"{table.name} of {source.source.name} ({len(rows):,} rows)")
        name = ", ".join(source.source.name for source in sources)
        found = prepare(FileSource(name, paths=paths, passing=Path(folder.name)), Path(folder.name))
    except BaseException:
        folder.cleanup()
        raise
    beside = " and ".join(source.name for source in files)
    return Gathered(found, f"Brought together {', '.join(told)}{f' with {beside}' if beside else ''}", folder)


def _rows(source: Prepared, table: TableSchema) -> Table:
    from sqlglot import exp

    query = exp.select("*").from_(reading(table)).sql(dialect=source.schema.dialect)
    return source.source.execute(guard(query, source.schema).sql, Limits(rows=MOST_ROWS))
