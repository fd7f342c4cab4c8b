"""Questions with two readings: a word that fits two columns alike, or a best that names no measure.

Only readings whose results differ count, so each is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querist.answer.answer import Reading
from querist.answer.checks.selects import Resolved, Select, selects_of
from querist.answer.coverage import same_word
from querist.answer.draft import PROBE, Draft
from querist.answer.joins import singular, words_of
from querist.answer.prepared import Prepared
from querist.answer.scopes import own
from querist.answer.values import normal
from querist.answer.vote import is_blank, result_key
from querist.errors import DataError
from querist.sources.base import Column
from querist.sources.guard import guard

if TYPE_CHECKING:
    from sqlglot import exp

MOST = 4
"""Readings of one question that are told."""
_BEST = re.compile(r"\b(?:best|worst|most (?:popular|important|successful|valuable|active)|leading)\b")
_SAYS_LITTLE = frozenset(("name", "id", "code", "key", "number", "type", "title"))
"""Words of column names that two columns may share without being two readings of a word."""


def readings(winner: Draft) -> list[Reading]:
    """The readings of a draft's question, its own first; empty when there is no other.

    Blocking: runs a query for each.
    """
    prepared, question = winner.task.prepared, winner.task.question
    tree = guard(winner.sql, prepared.schema).expression
    assert winner.table is not None
    seen = {result_key(winner.table)}
    found: list[Reading] = []
    for select in selects_of(tree, prepared.schema):
        for mine, other in _pairs(select, question, prepared):
            sql = _read_as(tree, select, mine, other, prepared.schema.dialect)
            try:
                table = prepared.source.execute(guard(sql, prepared.schema).sql, PROBE)
            except DataError:
                continue
            if is_blank(table) or (key := result_key(table)) in seen:
                continue
            seen.add(key)
            found = found or [Reading(mine.name, winner.sql, winner.table)]
            found.append(Reading(f"{mine.table.name}.{other.name}", sql, table))
            if len(found) == MOST:
                return found
    return found


def _pairs(select: Select, question: str, prepared: Prepared) -> Iterator[tuple[Resolved, Column]]:
    """A column that a SELECT reads, and another of its table that the question could mean as well."""
    from sqlglot import exp

    said = {singular(word) for word in normal(question).split()}
    used = {r.place: r for c in own(select.node, exp.Column) if (r := select.resolve(c)) is not None}
    keys = {(e.left.lower(), e.left_column.lower()) for e in prepared.joins.edges}
    keys |= {(e.right.lower(), e.right_column.lower()) for e in prepared.joins.edges}
    ordering = {r.place for c in _ordering(select) if (r := select.resolve(c)) is not None}
    for mine in used.values():
        if (mine.table.name.lower(), mine.column.name.lower()) in keys or mine.column.name in mine.table.primary_key:
            continue
        words = {w: _said(w, said) for w in words_of(mine.column.name)}
        for other in mine.table.columns:
            place = (mine.alias, other.name.lower())
            if place in used or other.kind != mine.column.kind or (mine.table.name.lower(), place[1]) in keys:
                continue
            if _fits_alike(words, {w: _said(w, said) for w in words_of(other.name)}) or (
                _BEST.search(question.lower()) and mine.place in ordering and not any(words.values())
            ):
                yield mine, other


def _fits_alike(mine: dict[str, bool], other: dict[str, bool]) -> bool:
    """Both names have the same words of the question, and each has words that the question lacks."""
    shared = {word for word, is_said in mine.items() if is_said}
    if not shared - _SAYS_LITTLE or shared != {word for word, is_said in other.items() if is_said}:
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


def _read_as(tree: exp.Expr, select: Select, mine: Resolved, other: Column, dialect: str) -> str:
    """The query with another column in place of one of its own, wherever that SELECT reads it."""
    from sqlglot import exp

    places = [c for c in own(select.node, exp.Column) if (r := select.resolve(c)) is not None and r.place == mine.place]
    before = [c.this for c in places]
    for column in places:
        column.set("this", exp.to_identifier(other.name, quoted=True))
    sql = tree.sql(dialect=dialect)
    for column, name in zip(places, before, strict=True):
        column.set("this", name)
    return sql
