"""Questions with two readings: a word that fits two columns alike, or a best that names no measure.

Only readings whose results differ count, so each is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING

from querist.answer.answer import Reading
from querist.answer.checks.selects import Resolved, Select, selects_of
from querist.answer.coverage import same_word
from querist.answer.draft import Draft
from querist.answer.prepared import PROBE, Prepared
from querist.answer.scopes import own
from querist.answer.values import normal
from querist.answer.vote import is_blank, result_key
from querist.errors import DataError, QueryTimeoutError
from querist.sources.base import Column
from querist.sources.guard import guard
from querist.sources.joins import singular, words_of

if TYPE_CHECKING:
    from sqlglot import exp

MOST = 4
"""Readings of one question that are told."""
MOST_TRIED = 8
"""Other columns that are tried in the place of one."""
_BEST = re.compile(
    r"(?<!ed )\b(?:(?:best|worst)(?![- ](?:\w+ed|\w+ing|known|paid|sold)\b)"
    r"|most (?:popular|important|successful|valuable|active)|leading)\b"
)
"""A best of which nothing says by what, as `rated best` and `best-selling` do."""
_SAYS_LITTLE = frozenset(("name", "id", "code", "key", "number", "type", "title"))
"""Words of column names that two columns may share without being two readings of a word."""
_NO_MEASURE = _SAYS_LITTLE | {"year", "month", "day", "date"}
"""Words of the names of columns by which nothing is the best."""


def readings(winner: Draft) -> list[Reading]:
    """The readings of a draft's question, its own first; empty when there is no other.

    Of a question that leaves several words open the first is told. Blocking: runs a query for each reading.
    """
    task = winner.task
    prepared, limits = task.prepared, replace(task.limits, seconds=min(task.limits.seconds, PROBE.seconds))
    assert winner.table is not None
    guarded = guard(winner.sql, prepared.schema)
    selects = selects_of(guarded.expression, prepared.schema)
    for mine, others in _pairs(selects, task.question, prepared):
        found = [Reading(mine.name, winner.sql, winner.table)]
        seen = {result_key(winner.table)}
        for other in others[:MOST_TRIED]:
            sql = _read_as(guarded.sql, selects, mine, other, prepared.schema.dialect)
            try:
                table = prepared.source.execute(guard(sql, prepared.schema).sql, limits)
            except QueryTimeoutError:
                break
            except DataError:
                continue
            if not is_blank(table) and (key := result_key(table)) not in seen:
                seen.add(key)
                found.append(Reading(f"{mine.table.name}.{other.name}", sql, table))
        if len(found) > 1:
            return found[:MOST]
    return []


def _pairs(selects: Sequence[Select], question: str, prepared: Prepared) -> Iterator[tuple[Resolved, list[Column]]]:
    """Each column that a query reads, with those of its table that the question could mean as well."""
    from sqlglot import exp

    said = {singular(word) for word in normal(question).split()}
    used = {_column(r): r for s in selects for c in own(s.node, exp.Column) if (r := s.resolve(c)) is not None}
    keys = {(t.name.lower(), c.lower()) for t in prepared.schema.tables for c in t.primary_key}
    keys |= {(e.left.lower(), e.left_column.lower()) for e in prepared.joins.edges}
    keys |= {(e.right.lower(), e.right_column.lower()) for e in prepared.joins.edges}
    ordering = {_column(r) for s in selects for c in _ordering(s) if (r := s.resolve(c)) is not None}
    best = bool(_BEST.search(question.lower()))
    for place, mine in used.items():
        if place in keys:
            continue
        words = {w: _said(w, said) for w in words_of(mine.column.name)}
        prefix = set(list(words)[:1]) & set(words_of(mine.table.name))  # as in orders.order_total
        by_no_name = best and place in ordering and not any(words.values())
        others = [
            other
            for other in mine.table.columns
            if other.kind == mine.column.kind
            and (at := (place[0], other.name.lower())) not in keys
            and at not in used
            and (
                _fits_alike(words, {w: _said(w, said) for w in words_of(other.name)}, _SAYS_LITTLE | prefix)
                or (by_no_name and not _NO_MEASURE & set(words_of(other.name)))
            )
        ]
        if others:
            yield mine, others


def _column(resolved: Resolved) -> tuple[str, str]:
    return resolved.table.name.lower(), resolved.column.name.lower()


def _fits_alike(mine: dict[str, bool], other: dict[str, bool], little: AbstractSet[str]) -> bool:
    """Both names have the same words of the question, not only such as say little, and each has words that it lacks."""
    shared = {word for word, is_said in mine.items() if is_said}
    if not shared - little or shared != {word for word, is_said in other.items() if is_said}:
        return False
    return not all(mine.values()) and not all(other.values())


def _said(word: str, said: set[str]) -> bool:
    return any(same_word(word, other) for other in said)


def _ordering(select: Select) -> Iterator[exp.Column]:
    """The columns by which the first of a few rows are chosen."""
    from sqlglot import exp

    order = select.node.args.get("order")
    if order is not None and select.node.args.get("limit") is not None:
        yield from order.find_all(exp.Column)


def _read_as(sql: str, selects: Sequence[Select], mine: Resolved, other: Column, dialect: str) -> str:
    """The query with another column in place of one of its own, wherever it reads that; the rest as it is written."""
    from sqlglot import exp

    name = exp.to_identifier(other.name, quoted=True).sql(dialect=dialect)
    places = {
        (column.this.meta["start"], column.this.meta["end"] + 1)
        for select in selects
        for column in own(select.node, exp.Column)
        if (r := select.resolve(column)) is not None and _column(r) == _column(mine)
    }
    for start, end in sorted(places, reverse=True):
        sql = sql[:start] + name + sql[end:]
    return sql
