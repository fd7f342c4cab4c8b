"""What a question asks of a table's things, by its words alone. Not what it asks of columns."""

from __future__ import annotations

from itertools import pairwise

from querist.sources.base import TableSchema
from querist.sources.joins import words_of

_ENDS = frozenset("for each every per in by of from with who that which do doe did has have is are was were".split())
"""Words, as `words_of` gives them, that end what a question counts."""


def asks_number_of(question: str, table: TableSchema, others: list[TableSchema]) -> bool:
    """Does the question ask how many there are of this table's things?"""
    words = words_of(question)
    thing = words_of(table.name)[-1:]
    others_things = {w for t in others if t is not table for w in words_of(t.name)[-1:]}
    for i, word in enumerate(words):
        if words[i : i + 2] == ["how", "many"]:
            counted = words[i + 2 : i + 8]
        elif word in ("number", "count"):
            counted = words[i + 1 : i + 7]
        else:
            continue
        for following in counted[1:] if counted[:1] == ["of"] else counted:
            if [following] == thing:
                return True
            if following in others_things or following in _ENDS:
                break
    return False


def each(question: str, table: TableSchema) -> bool:
    """Does the question say `each`, `every`, `all` or `per` of this table's things?"""
    thing = words_of(table.name)[-1:]
    words = words_of(question)
    return any(
        thing[0] in words[i + 1 : i + 5]
        for i, word in enumerate(words)
        if thing and word in ("each", "every", "all", "per")
    )


def only_some(question: str, table: TableSchema) -> bool:
    """Does the question speak of those of this table's things only that have something?"""
    words = words_of(question)
    thing = words_of(table.name)[-1:]
    return any(
        [word] == thing and following in ("who", "that", "which", "with", "having")
        for word, following in pairwise(words)
    )
