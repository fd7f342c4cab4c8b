"""The check of what was taken for something else: a name or a value that the data do not hold, but one like it."""

from __future__ import annotations

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.context import show
from querist.answer.values import normal


@check(severity="warn")
def guessed(case: Case) -> Finding | None:
    """A name or value that the query or the question gives is not in the data, and one like it was taken."""
    from sqlglot import exp

    used = {normal(literal.name) for literal in case.tree.find_all(exp.Literal)} if case.tree is not None else set()
    like = [
        f"The question says {show(match.phrase)}, which is not in the data; {show(match.value)} was taken instead."
        for match in (case.values.guesses(case.question) if case.values is not None else ())
        if normal(match.value) in used
    ]
    return told(False, [*case.guesses, *like])
