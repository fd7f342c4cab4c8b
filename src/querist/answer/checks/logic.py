"""Checks of logic that SQL words differently from people: none of something, both of two things, either of two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.filters import denied_by
from querist.answer.checks.selects import Select
from querist.answer.context import show
from querist.answer.scopes import own
from querist.answer.values import normal
from querist.sources.joins import words_of

if TYPE_CHECKING:
    from sqlglot import exp

_NONE = re.compile(r"\b(?:no|not|never|without|neither|nor|none)\b|n't\b")
_NOT_SO = re.compile(r"\b(\w+) (?:that|which|who) (?:(?:\w+ )?(?:not|never)\b|\w+n't\b)")
_BOTH = re.compile(r"\bboth\b|\band also\b|\bas well as\b")
_EITHER = re.compile(r"\bor\b(?! (?:more|less|fewer|not|no|equal|above|below|over|under|before|after|later|earlier)\b)")

_ONE_OF = re.compile(r"\bor\b|\beither\b|\bbetween\b|\bany of\b")
_AND = r"\b\W+(?:\w+\W+){0,4}?and\W+(?:\w+\W+){0,4}?\b"
"""What may stand between two values that are named together."""


@check(severity="veto")
def none_as_another(case: Case) -> Finding | None:
    """The question asks for what has none of something, and the query finds what has another one."""
    from sqlglot import exp

    top = case.top
    if top is None or _counts(top) or not _NONE.search(case.question.lower()):
        return None
    shown = {t.name for e in top.node.expressions for c in e.find_all(exp.Column) if (t := top.scope.table_of(c))}
    if len(shown) != 1:
        return None
    one = shown.pop()
    many = {e.left for e in case.joins.into(one) if any(t.name == e.left for t in top.scope.tables.values())}
    many = {name for name in many if not _denied_of(name, case.question.lower())}
    single = {one, *(e.right for e in case.joins.edges if e.left == one)}
    messages = []
    for condition in top.conditions:
        denied = denied_by(condition)
        found = top.resolve(denied.this) if denied is not None else None
        values = [literal.name for literal in condition.find_all(exp.Literal)]
        if many and values and found is not None and found.table.name not in single:
            text = condition.sql(dialect=case.dialect)
            messages.append(
                f"A {one} of which one {found.table.name} fits {text} may have another that does not: "
                f"use NOT IN with those that have {' or '.join(map(show, values))}."
            )
    return told(bool(many), messages)


@check(severity="veto")
def both_as_either(case: Case) -> Finding | None:
    """The question asks for what has both of two things, and the query takes either."""
    from sqlglot import exp

    top = case.top
    if top is None or _counts(top):
        return None
    outputs = [top.resolve(c) for e in top.node.expressions for c in e.find_all(exp.Column)]
    shown = {known.place: known.table.name.lower() for known in outputs if known is not None}
    # Rows that are shown by what they refer to alone stand for that, and there may be several for it.
    references = {(e.left.lower(), e.left_column.lower()) for e in case.joins.edges}
    whole = {alias for (alias, column), table in shown.items() if (table, column) not in references}
    single = case.keys.determined(top, set(shown), whole)[0]
    both, alike = bool(_BOTH.search(case.question.lower())), []
    for column, values, text in _eithers(case, top) if shown or top.node.args.get("joins") else ():
        known = top.resolve(column)
        if known is not None and known.alias not in single:  # else nothing that is shown can have two of them
            if both and not _says_or(case.question, values):
                alike.append(f"The question asks for both, but {text} is fulfilled by either: use INTERSECT.")
            elif not both and shown and _named_together(case.question, values):
                named = " and ".join(map(show, values))
                alike.append(f"{text} is fulfilled by either: if both {named} were meant, say 'both', else 'or'.")
    return told(both, alike, mild=not both)


@check(severity="veto")
def either_as_both(case: Case) -> Finding | None:
    """The question asks for what fits one thing or another, and the query asks for both at once."""
    from sqlglot import exp

    halves = _EITHER.split(case.question.lower())
    if case.tree is None or len(halves) != 2 or case.tree.find(exp.Or, exp.SetOperation, exp.In, exp.Case):
        return None
    before, after = (set(words_of(half)) for half in halves)
    messages = []
    for both in case.tree.find_all(exp.And):
        sides = [side for side in (both.left, both.right) if isinstance(side, exp.Binary)]
        said = [
            {word for literal in side.find_all(exp.Literal) for word in words_of(literal.name.lower())}
            for side in sides
        ]
        if len(said) == 2 and all(said) and said[0] <= before - after and said[1] <= after - before:
            text = both.sql(dialect=case.dialect)
            messages.append(f"The question asks for one or the other, but {text} asks for both: use OR.")
    return told(True, messages)


def _denied_of(table: str, question: str) -> bool:
    """Is it the table's things that are not so, as in `bakers with loaves that are not of rye`?"""
    return any(
        words_of(match[1]) == words_of(table)[-1:] and not _NONE.search(question[: match.start()])
        for match in _NOT_SO.finditer(question)
    )


def _counts(select: Select) -> bool:
    """Whether groups are more than each row once."""
    return bool(select.node.args.get("group") and (select.aggregates or select.node.args.get("having")))


def _eithers(case: Case, select: Select) -> Iterator[tuple[exp.Column, list[str], str]]:
    """The conditions that one of two texts in a column fulfils: the column, the texts, and the condition as written."""
    from sqlglot import exp

    for node in own(select.node, exp.Condition):
        if isinstance(node, exp.In) and len(node.expressions) == 2:
            columns, values = [node.this], node.expressions
        elif isinstance(node, exp.Or) and all(isinstance(s, (exp.EQ, exp.Like)) for s in (node.left, node.right)):
            columns, values = [node.left.this, node.right.this], [node.left.expression, node.right.expression]
        else:
            continue
        if isinstance(columns[0], exp.Column) and all(c == columns[0] for c in columns):
            yield columns[0], [value.name.strip("%") for value in values], node.sql(dialect=case.dialect)


def _says_or(question: str, values: list[str]) -> bool:
    """Does the question itself have an `or` between the two texts? Then it asks for both of something else."""
    said, texts = normal(question), [normal(value) for value in values]
    together = any(all(text in half for text in texts) for half in re.split(r"\bor\b", said))
    return not together and all(text in said for text in texts)


def _named_together(question: str, values: list[str]) -> bool:
    """Does the question say `this … and that …`, and nothing of `or`?"""
    text = question.lower()
    orders = (map(re.escape, map(str.lower, order)) for order in (values, values[::-1]))
    return not _ONE_OF.search(text) and any(re.search(rf"\b{_AND.join(order)}\b", text) for order in orders)
