"""Times that a query holds where its question says them from today on: `this year`, and `year = 2025`.

Such a query is right for a while. Not for times that the question names: these mean the same next year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querist.answer.literals import CONSTANT, LIMIT, POSITION, literals_of
from querist.answer.values import normal
from querist.sources.base import Schema
from querist.sources.guard import GuardedQuery

if TYPE_CHECKING:
    from sqlglot import exp

_UNIT = (
    r"(?:(?:hour|day|week|weekend|fortnight|month|quarter|season|semester|term|year|decade|night|morning|evening|"
    r"spring|summer|autumn|fall|winter|monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|century)"
)
_RELATIVE = re.compile(
    r"\b(?:today|tonight|yesterday|tomorrow|now|nowadays|currently|recently|ago|so far|to date|[ymq]td|"
    r"(?:this|these|last|past|previous|preceding|next|coming|upcoming|current|latest|rolling|trailing) "
    rf"(?:\w+ ){{0,2}}?{_UNIT})\b",
    re.I,
)
_CLOCK = re.compile(
    r"now|today|yesterday|tomorrow|cur(?:date|time)|get(?:utc)?date|sys(?:utc)?date(?:time)?|utc_\w+|"
    r"(?:get_)?current_\w+|local_?time(?:stamp)?|(?:clock|transaction|statement)_timestamp",
    re.I,
)
"""Functions that give the time that it is, and words that others take for it."""
_CLOCK_ALONE = re.compile("date|time|datetime|julianday|unixepoch|unix_timestamp", re.I)
"""Functions that give it when they are given nothing."""
_YEAR = re.compile(r"(?<![\d.])((?:19|20)\d\d)(?:[01]\d(?:[0-3]\d)?)?(?![\d.])")
"""A year, also in a date and in one without separators."""
_WHOLE_YEAR = re.compile(r"(\d{4})(?:-01-01|-12-31|-?%)")
_OF_TIME = re.compile(r"(?<![a-z])(?:year|quarter|month|week|day|date|season|semester|term|time_to_str)(?![a-z])")
"""What a part of a time is compared with: a column or a function called so."""


def fixed_time(question: str, query: GuardedQuery, schema: Schema) -> str:
    """A sentence about a time that is fixed in the query and not in the question; empty when there is none."""
    relative = _RELATIVE.search(re.sub(r"[\s-]+", " ", question))
    if relative is None or reads_clock(query.expression):
        return ""
    fixed = dict.fromkeys(_unsaid(question, query, schema))
    if not fixed:
        return ""
    return (
        f"The question says “{relative[0]}”, but the verified query holds {', '.join(fixed)}, which stays as it is. "
        "Take the time from the current date, or name it in the question."
    )


def reads_clock(tree: exp.Expr) -> bool:
    """Whether a query asks what time it is."""
    from sqlglot import exp

    def reads(node: exp.Expr) -> bool:
        if not isinstance(node, exp.Func):
            return isinstance(node.parent, exp.Func) and bool(_CLOCK.fullmatch(node.name))
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        return bool(_CLOCK.fullmatch(name) or (_CLOCK_ALONE.fullmatch(name) and not list(node.iter_expressions())))

    return any(reads(node) for node in tree.find_all(exp.Func, exp.Literal))


def _unsaid(question: str, query: GuardedQuery, schema: Schema) -> Iterator[str]:
    said = f" {normal(question)} "
    for literal in literals_of(query.expression, schema):
        compared = literal.role not in ("", LIMIT, CONSTANT, POSITION) and re.search(r"\w", literal.text)
        of_time = _YEAR.search(literal.text) or (compared and _OF_TIME.search(literal.role))
        whole = _WHOLE_YEAR.fullmatch(literal.text)
        if of_time and literal.role != LIMIT and f" {normal(whole[1] if whole else literal.text)} " not in said:
            yield literal.node.sql()
