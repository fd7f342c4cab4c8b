"""Checks of values that are not clean: spellings apart, dates that do not sort, text among numbers.

What is wrong with a column its profile says; a check speaks up where the query's result is wrong because of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.numbers import SILENT, ordered, read_as_date
from querist.answer.checks.selects import Resolved, Select, any_of
from querist.answer.scopes import own
from querist.sources.base import ColumnProfile
from querist.sources.naming import literal
from querist.sources.spellings import are_words, folded, spellings
from querist.sources.tidy import DOUBTED

if TYPE_CHECKING:
    from sqlglot import exp

SHOWN = 3
"""Spellings, formats or texts that a sentence names."""
_CASE_BLIND = ("sqlite", "mysql")
"""Engines whose LIKE does not tell upper from lower case."""


@dataclass(frozen=True)
class _Spelt:
    """An expression that shows values of a stored column as they are, or through LOWER, UPPER and TRIM."""

    reader: Select
    column: Resolved
    profile: ColumnProfile
    functions: tuple[exp.Expr, ...]
    """The innermost first."""

    def shown(self, text: str) -> str:
        """What it makes of a value of the column."""
        from sqlglot import exp

        for function in self.functions:
            if isinstance(function, exp.Lower):
                text = text.lower()
            elif isinstance(function, exp.Upper):
                text = text.upper()
            elif isinstance(function, exp.Trim) and not function.args.get("position") and not function.expression:
                text = text.strip(" ")
        return text


def _spelt(case: Case, select: Select, node: exp.Expr) -> _Spelt | None:
    """None where it shows something else, or nothing is known of the column."""
    from sqlglot import exp

    functions: list[exp.Expr] = []
    while True:
        node = node.unnest()
        if isinstance(node, (exp.Lower, exp.Upper, exp.Trim)):
            functions.insert(0, node)
            node = node.this
        elif (known := select.resolve(node)) is not None:
            profile = case.profile_of(known.table, known.column.name)
            return _Spelt(select, known, profile, tuple(functions)) if profile else None
        elif (within := case.yielded(select, node)) is not None:
            select, node = within
        else:
            return None


@check(severity="warn")
def last_row_counted(case: Case) -> Finding | None:
    """A figure takes in a last row that may be the sum of the others, or a remark below them."""
    tables = {t.name: t for select in case.selects if select.aggregates for t in select.scope.tables.values()}
    odd = [f"{name}: {note}." for name, table in tables.items() for note in table.notes if note.endswith(DOUBTED)]
    return told(bool(odd), odd)


@check(severity="warn")
def spellings_apart(case: Case) -> Finding | None:
    """Values that differ only in case or blanks are grouped, counted, listed or joined as different ones."""
    applies = False
    messages = []
    for select in case.selects:
        for node, how in _told_apart(select):
            spelt = _spelt(case, select, node)
            if spelt is None or not spelt.profile.spellings or _is_of_a_row(case, select, spelt):
                continue
            applies = True
            taken = _taken(case, spelt.reader, spelt.column, [v for group in spelt.profile.spellings for v in group])
            if groups := [group for group in spellings(taken) if len({spelt.shown(text) for text in group}) > 1]:
                named = "; ".join(" and ".join(map(literal, group[:SHOWN])) for group in groups[:SHOWN])
                messages.append(
                    f"{how} takes spellings of one value in {spelt.column.name} as different ones: {named}."
                )
    return told(applies, messages)


def _told_apart(select: Select) -> Iterator[tuple[exp.Expr, str]]:
    """Expressions whose different values the query takes as different things, and where it does so."""
    from sqlglot import exp

    yield from ((key, "GROUP BY") for key in select.grouped or ())
    if select.node.args.get("distinct"):
        yield from ((output.unalias(), "DISTINCT") for output in select.node.expressions)
    for aggregate in select.aggregates:
        if isinstance(aggregate.this, exp.Distinct):
            yield from ((counted, "DISTINCT") for counted in aggregate.this.expressions)
    for condition in select.conditions:
        if isinstance(condition, exp.EQ) and all(select.resolve(side) for side in (condition.left, condition.right)):
            yield from ((side, "The join") for side in (condition.left, condition.right))


def _is_of_a_row(case: Case, select: Select, spelt: _Spelt) -> bool:
    """Only one value is asked for, or what stands beside it tells the rows of its table apart."""
    if spelt.reader is not select:
        return spelt.column.place in spelt.reader.constants
    beside = select.node.expressions if select.node.args.get("distinct") else select.grouped or ()
    others = {key.place for node in beside if (key := select.resolve(node.unalias()))} - {spelt.column.place}
    return spelt.column.place in select.constants or spelt.column.alias in case.keys.determined(select, others)[0]


def _taken(case: Case, reader: Select, known: Resolved, texts: Sequence[str]) -> list[str]:
    """Those of the texts that the column has in the rows that are read; all where that cannot be asked."""
    from sqlglot import exp

    if not reader.standalone or reader.scope.opaque:
        return [*texts]
    column = reader.column(known.alias, known.column.name)
    wanted = exp.In(this=column, expressions=[exp.Literal.string(text) for text in texts])
    return [str(row[0]) for row in case.probe(reader.rows(column).where(wanted).distinct()).rows]


@check(severity="repair")
def spelling_left_out(case: Case) -> Finding | None:
    """A condition takes some spellings of a value and leaves out others."""
    applies = sure = False
    messages = []
    for select in case.selects:
        for comparisons in _comparisons(case, select):
            column, profile = comparisons[0].spelt.column, comparisons[0].spelt.profile
            for group in profile.spellings:
                taken = [text for text in group if any(c.takes(text) for c in comparisons)]
                left = [text for text in group if text not in taken]
                applies = applies or bool(taken)
                if taken and left:
                    sure = sure or are_words(column.column.name, group)
                    others, meant = ", ".join(map(literal, left[:SHOWN])), literal(folded(taken[0]))
                    messages.append(
                        f"{column.name} also holds {others}, which the condition takes for something else than "
                        f"{literal(taken[0])}; compare LOWER(TRIM({column.column.name})) with {meant}."
                    )
    return told(applies, messages, mild=not sure)


@dataclass(frozen=True)
class _Comparison:
    """A column compared with a text."""

    spelt: _Spelt
    text: str
    like: bool
    blind: bool

    def takes(self, spelling: str) -> bool:
        value = self.spelt.shown(spelling)
        if not self.like:
            return value == self.text
        pattern = re.escape(self.text).replace("%", ".*").replace("_", ".")
        return bool(re.fullmatch(pattern, value, re.DOTALL | (re.IGNORECASE if self.blind else 0)))


def _comparisons(case: Case, select: Select) -> Iterable[list[_Comparison]]:
    """Comparisons of one column that are meant together: alternatives, or all that exclude something."""
    from sqlglot import exp

    found: dict[tuple[object, int], list[_Comparison]] = {}
    for node in own(select.node, exp.Predicate):
        if not isinstance(node, (exp.EQ, exp.NEQ, exp.Like, exp.ILike, exp.In)):
            continue
        values = node.expressions if isinstance(node, exp.In) else [node.expression]
        texts = [value.name for value in values if isinstance(value, exp.Literal) and value.is_string]
        spelt = _spelt(case, select, node.this) if texts else None
        if spelt is None:
            continue
        excludes = isinstance(node, exp.NEQ) or isinstance(node.parent, exp.Not) or bool(node.args.get("negate"))
        like, blind = (
            isinstance(node, (exp.Like, exp.ILike)),
            isinstance(node, exp.ILike) or case.dialect in _CASE_BLIND,
        )
        together = found.setdefault((spelt.column.place, 0 if excludes else id(any_of(node))), [])
        together += [_Comparison(spelt, text, like, blind) for text in texts]
    return found.values()


@check(severity="veto")
def unsorted_dates(case: Case) -> Finding | None:
    """Dates kept as text in several forms, or in one that does not tell their order, are compared or read as text."""
    from sqlglot import exp

    applies = False
    wrong, doubtful = [], []
    for select in case.selects:
        for _, known, how in [*ordered(case, select), *read_as_date(case, select)]:
            if formats := _date_formats(case, known):
                applies = True
                wrong.append(_not_read(known, formats, how))
        for known, user in _users(select):
            formats = _date_formats(case, known)
            if len(formats) > 1 or (formats and user is not None and not isinstance(user, exp.Predicate)):
                applies = True
                how = user.sql(dialect=case.dialect) if user is not None else "GROUP BY"
                doubtful.append(_not_read(known, formats, how))
    return told(applies, wrong or doubtful, mild=not wrong)


def _date_formats(case: Case, known: Resolved) -> tuple[str, ...]:
    profile = case.profile_of(known.table, known.column.name)
    return profile.date_formats if profile is not None else ()


def _not_read(known: Resolved, formats: Sequence[str], how: str) -> str:
    return f"{known.name} holds dates as text ({', '.join(formats[:SHOWN])}), and {how} does not read these as dates."


def _users(select: Select) -> Iterator[tuple[Resolved, exp.Expr | None]]:
    """Columns that are grouped (None), compared or handed to a function; not where a CASE tells forms apart."""
    from sqlglot import exp

    yield from ((known, None) for key in select.grouped or () if (known := select.resolve(key)))
    for column in own(select.node, exp.Column):
        known, user = select.resolve(column), column.parent
        if known is None or column.find_ancestor(exp.Case, exp.Coalesce, exp.If, exp.Select) is not select.node:
            continue
        if isinstance(user, (exp.Predicate, exp.Func)) and not isinstance(user, (exp.Count, exp.Is)):
            yield known, user


@check(severity="warn")
def text_among_numbers(case: Case) -> Finding | None:
    """Text that is no number counts as one, or stands above all numbers."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        for node in own(select.node, exp.Expr):
            if not isinstance(node, (exp.AggFunc, exp.Ordered, exp.GT, exp.GTE, exp.LT, exp.LTE)):
                continue
            silent = case.dialect in SILENT
            argument = node.expression if isinstance(node, (exp.LT, exp.LTE)) else node.this
            cast = isinstance(argument, exp.Cast) and argument.to.this in exp.DataType.NUMERIC_TYPES
            origin = case.origin(select, argument.this if cast else argument)
            profile = case.profile_of(origin[1].table, origin[1].column.name) if origin else None
            if origin is None or profile is None or not profile.not_numbers:
                continue
            texts = [text for text in profile.not_numbers if re.search(r"\d", text)]
            how = node.sql(dialect=case.dialect)
            if silent and (isinstance(node, exp.Avg) or (cast and isinstance(node, exp.Min))):
                texts, what = list(profile.not_numbers), f"{how} takes for 0, or for the number it starts with"
            elif silent and texts and (isinstance(node, exp.Sum) or (cast and isinstance(node, exp.Max))):
                what = f"{how} takes for the number it starts with"
            elif not cast and _sorts(node):
                texts, what = list(profile.not_numbers), f"{how} orders as text, above all numbers"
            else:
                continue
            applies = True
            if found := _taken(case, *origin, texts):
                messages.append(
                    f"{origin[1].name} holds text among its numbers, such as {literal(found[0])}, which {what}."
                )
    return told(applies, messages)


def _sorts(node: exp.Expr) -> bool:
    from sqlglot import exp

    return bool(node.args.get("desc")) if isinstance(node, exp.Ordered) else isinstance(node, (exp.Max, exp.Predicate))
