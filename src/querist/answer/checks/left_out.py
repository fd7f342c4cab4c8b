"""Checks of what the question says and the query does not: numbers and values that are left out."""

from __future__ import annotations

import datetime as dt
import re

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.selects import Select
from querist.answer.context import show
from querist.answer.periods import day_in
from querist.answer.values import normal
from querist.sources.joins import words_of

NUMBER_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
"""Numbers written as words that a query must take up; `one` is too often no number at all."""
_BY = re.compile(
    r"(?<!sorted )(?<!ordered )(?<!ranked )\b"
    r"(?P<how>by|per|(?:for |of |in |at )?(?:each|every)|for all(?: the)? different) "
    r"(?!an? |the |each |every |all )(?:different |single |kind of |type of )?(?P<noun>\w+)"
)
"""What a figure is asked for by: `per region`, `for each kind of fruit`; not `sorted by price`, not `by the author`."""
_NUMBER_ON_AVERAGE = re.compile(r"\b(?:average|avg|mean) (?:number|count)\b|\bon average\b")


@check(severity="repair")
def number_left_out(case: Case) -> Finding | None:
    """The question names a number that the query does not use."""
    from sqlglot import exp

    if case.tree is None:
        return None
    asked = {float(n.replace(",", "")) for n in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w%])", case.question)}
    asked |= {float(NUMBER_WORDS[word]) for word in normal(case.question).split() if word in NUMBER_WORDS}
    literals = [literal.name for literal in case.tree.find_all(exp.Literal)]
    # Until the 31st is before the 1st.
    literals += [str(day - dt.timedelta(1)) for text in literals if (day := day_in(text)) is not None]
    used = {float(n) for text in literals for n in re.findall(r"\d+(?:\.\d+)?", text)}
    names = {
        n for t in case.schema.tables for c in (t.name, *(c.name for c in t.columns)) for n in re.findall(r"\d+", c)
    }
    missing = [n for n in sorted(asked) if not {n, n - 1, n + 1, n * 100, n / 100} & used and f"{n:g}" not in names]
    return told(bool(asked), [f"The question says {n:g}, but the query does not use that number." for n in missing])


@check(severity="veto")
def grouping_left_out(case: Case) -> Finding | None:
    """The question asks for a figure by something, and the query gives one figure for all."""
    from sqlglot import exp

    if case.top is None or case.top.node.args.get("group"):
        return None
    shown = case.top.node.expressions
    if not shown or not all(e.find(exp.AggFunc) and not e.find(exp.Window, exp.Query) for e in shown):
        return None
    known = {word for t in case.schema.tables for n in (t.name, *(c.name for c in t.columns)) for word in words_of(n)}
    for match in _BY.finditer(case.question.lower()):
        noun = match["noun"]
        if known & set(words_of(noun)) and not _averages_over(case, case.top, match, known):
            said = f"The question asks for it {match['how']} {noun}, but the query gives one figure for all: group it."
            return told(True, [said])
    return told(True, [])


def _averages_over(case: Case, top: Select, asked: re.Match[str], known: set[str]) -> bool:
    """Is one average what is asked for: of how many there are in each group, or of rows: `average amount per order`?"""
    from sqlglot import exp

    if _NUMBER_ON_AVERAGE.search(asked.string):
        different = any(isinstance(a, exp.Count) and isinstance(a.this, exp.Distinct) for a in top.aggregates)
        return different or any(select.node.args.get("group") for select in case.selects)
    noun, following = words_of(asked["noun"]), words_of(asked.string[asked.end() :])[:1]
    rows = any(noun == words_of(table.name)[-1:] for table in top.scope.tables.values())
    averages = all(isinstance(aggregate, exp.Avg) for aggregate in top.aggregates)
    return asked["how"] == "per" and rows and averages and not known.intersection(following)


@check(severity="veto")
def all_but_one_left_out(case: Case) -> Finding | None:
    """The question asks for something of each, and the query shows one row only."""
    from sqlglot import exp

    each = re.search(r"\b(?:each|every)\b(?! of\b)", case.question.lower())
    limit = case.tree.args.get("limit") if case.tree is not None else None
    if each is None or limit is None or not isinstance(limit.expression, exp.Literal):
        return None
    one = limit.expression.name == "1"
    return told(True, ["The question asks for each of several, but LIMIT 1 shows one of them."] if one else [])


@check(severity="repair")
def value_left_out(case: Case) -> Finding | None:
    """The question names a value of the data that the query does not use."""
    from sqlglot import exp

    if case.tree is None or case.values is None:
        return None
    named = {
        word for t in case.schema.tables for name in (t.name, *(c.name for c in t.columns)) for word in words_of(name)
    }
    asked = {
        m.phrase: m for m in case.values.mentions(case.question) if m.exact and not named & set(words_of(m.phrase))
    }
    used = " | ".join(normal(literal.name) for literal in case.tree.find_all(exp.Literal))
    missing = [m for phrase, m in asked.items() if normal(m.value) not in used and phrase not in used]
    return told(
        bool(asked),
        [f"The question names {show(m.value)} ({m.table}.{m.column}), but the query does not use it." for m in missing],
    )
