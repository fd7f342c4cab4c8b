"""Checks of conditions: literals that the data do not hold, dates in another form, and NOT IN over NULLs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.selects import Resolved, Select, all_of, any_of
from querist.answer.context import LISTED, show
from querist.answer.scopes import own
from querist.answer.values import MAX_LENGTH, ValueIndex

if TYPE_CHECKING:
    from sqlglot import exp

PROBES = 4
"""Absent literals that are looked up in the data themselves, at most."""

_DATE_FORMS = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}|\d{1,2}\.? [A-Za-z]{3,9}\.? \d{4}"
)
"""Text that is a date and hardly anything else."""


@dataclass(frozen=True)
class _Text:
    """A text that a column is compared with; `folds` when the comparison does not tell case and outer blanks apart."""

    select: Select
    column: Resolved
    text: str
    folds: bool

    def held(self, values: ValueIndex) -> bool:
        """Does the column hold just this?"""
        return self.text in values.written(self.column.table.name, self.column.column.name, self.text)

    def nearest(self, values: ValueIndex) -> str | None:
        """The value of the column that it seems to mean."""
        return values.in_column(self.column.table.name, self.column.column.name, self.text)


@check(severity="repair")
def literal_absent(case: Case) -> Finding | None:
    """A condition compares a column with a text that it does not hold."""
    if case.values is None:
        return None
    applies = False
    absent: list[_Text] = []
    for select in case.selects:
        for alternatives in _compared_texts(select, case.dialect):
            if not all(case.values.covers(t.column.table.name, t.column.column.name) for t in alternatives):
                continue
            applies = True
            # Of several ways to write a value, it is enough that one is right.
            if not any(t.held(case.values) for t in alternatives):
                absent += alternatives
    messages = [_absent(case.values, case, t) for t in absent[:PROBES] if not _in_data(case, t)]
    return told(applies, messages, mild=not case.blank)


def _compared_texts(select: Select, dialect: str) -> Iterator[list[_Text]]:
    """The texts that columns are compared with; one list for each condition that any of its texts can satisfy."""
    from sqlglot import exp

    alternatives: dict[int, list[_Text]] = {}
    for node in own(select.node, exp.Predicate):
        found = []
        for asked, value in _comparisons(node):
            column = _folded(asked)
            text, like = value.name, isinstance(node, (exp.Like, exp.ILike))
            known = select.resolve(column) if value.is_string and text.strip() and len(text) <= MAX_LENGTH else None
            if known and known.column.kind == "text" and not (like and re.search(r"[%_]", text)):
                found.append(_Text(select, known, text, like or column is not asked or dialect == "mysql"))
        if found:
            alternatives.setdefault(id(any_of(node)), []).extend(found)
    yield from alternatives.values()


def _comparisons(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Literal]]:
    """What a predicate asks for equality with a literal, and the literal."""
    from sqlglot import exp

    if isinstance(node, (exp.EQ, exp.NEQ, exp.Like, exp.ILike)):
        for one, other in ((node.this, node.expression), (node.expression, node.this)):
            if isinstance(other, exp.Literal):
                yield one, other
    elif isinstance(node, exp.In):
        yield from ((node.this, e) for e in node.expressions if isinstance(e, exp.Literal))


def _folded(node: exp.Expr) -> exp.Expr:
    """The column below LOWER, UPPER or TRIM."""
    from sqlglot import exp

    while isinstance(node, (exp.Lower, exp.Upper, exp.Trim, exp.Paren)):
        node = node.this
    return node


def _in_data(case: Case, asked: _Text) -> bool:
    """Does the engine find it all the same, because it folds case or blanks, or the index is not up to date?"""
    from sqlglot import exp

    column: exp.Expr = asked.select.column(asked.column.alias, asked.column.column.name)
    text = asked.text.strip().lower() if asked.folds else asked.text
    if asked.folds:
        column = exp.Lower(this=exp.Trim(this=column))
    query = exp.select("1").from_(asked.select.source(asked.column.alias)).limit(1)
    return bool(case.probe(query.where(exp.EQ(this=column, expression=exp.Literal.string(text)))).rows)


def _absent(values: ValueIndex, case: Case, asked: _Text) -> str:
    near = asked.nearest(values)
    profile = case.profile_of(asked.column.table, asked.column.column.name)
    message = f"{asked.column.name} holds no {show(asked.text)}"
    if near is not None:
        return f"{message}; the nearest value is {show(near)}."
    elsewhere = [f"{m.table}.{m.column} (as {show(m.value)})" for m in values.columns_with(asked.text)][:3]
    if elsewhere:
        message += f", but {' and '.join(elsewhere)} does"
    if profile and 0 < profile.distinct <= len(profile.examples):
        more = "" if profile.distinct <= LISTED else ", …"
        message += f"; its values are {', '.join(show(v) for v in profile.examples[:LISTED])}{more}"
    elif profile and profile.examples:
        message += f"; its values look like {', '.join(show(v) for v in profile.examples[:3])}"
    return message + "."


@check(severity="repair")
def date_literal(case: Case) -> Finding | None:
    """A date in a condition is written otherwise than the dates of its column."""
    applies = False
    messages = []
    for select in case.selects:
        for column, text in _dated_literals(select):
            form = date_form(case, column)
            if not form:
                continue
            applies = True
            if _DATE_FORMS.fullmatch(text.strip()) and not _fits(text, form):
                profile = case.profile_of(column.table, column.column.name)
                example = show(profile.examples[0]) if profile and profile.examples else form
                messages.append(
                    f"{column.name} holds dates as text like {example}; {show(text)} is not written like that."
                )
    return told(applies, messages)


def _dated_literals(select: Select) -> Iterator[tuple[Resolved, str]]:
    from sqlglot import exp

    for node in own(select.node, exp.Predicate):
        pairs = list(_comparisons(node)) if isinstance(node, (exp.EQ, exp.NEQ, exp.In)) else []
        if isinstance(node, exp.Between):
            pairs = [(node.this, v) for v in (node.args["low"], node.args["high"])]
        elif isinstance(node, (exp.LT, exp.LTE, exp.GT, exp.GTE)):
            pairs = [(node.this, node.expression), (node.expression, node.this)]
        for column, value in pairs:
            if isinstance(value, exp.Literal) and value.is_string and (known := select.resolve(column)):
                yield known, value.name


def date_form(case: Case, column: Resolved) -> str:
    """The strftime format in which a column holds dates as text; empty when it does not."""
    profile = case.profile_of(column.table, column.column.name)
    return profile.date_format if profile is not None else ""


def _fits(text: str, form: str) -> bool:
    """Is the text a date in this format, or its date part?"""
    day = re.split(r"[ T]%[HI]", form)[0]
    for candidate in (form, day):
        try:
            read = dt.datetime.strptime(text.strip(), candidate)
        except ValueError:
            continue
        if not sortable(form) or read.strftime(candidate) == text.strip():
            return True
    return sortable(day) and day.startswith("%Y-%m-%d") and bool(re.match(r"\d{4}-\d\d-\d\d[ T]", text))


def sortable(form: str) -> bool:
    """Do dates in this format sort as text like they sort as dates?"""
    directives = "".join(re.findall(r"%(-?[A-Za-z])", form))
    return bool(directives) and "YmdHMSf".startswith(directives)


@check(severity="repair")
def null_in_not_in(case: Case) -> Finding | None:
    """NOT IN over a query that yields a NULL, so that no row can satisfy it."""
    from sqlglot import exp

    by_node = {id(s.node): s for s in case.selects}
    applies = False
    messages = []
    for node in case.tree.find_all(exp.In) if case.tree is not None else ():
        query = node.args.get("query")
        inner = by_node.get(id(query.unnest())) if query is not None else None
        if inner is None or not isinstance(node.parent, exp.Not) or len(inner.node.expressions) != 1:
            continue
        applies = True
        output = inner.node.expressions[0].unalias()
        if not inner.standalone or _never_null(case, inner, output):
            continue
        yielded = inner.alone()
        yielded.set("expressions", [exp.alias_(output.copy(), "v")])
        if case.probe(exp.select("1").from_(yielded.subquery("q")).where("v IS NULL").limit(1)).rows:
            name = output.sql(dialect=case.dialect)
            messages.append(
                f"NOT IN is never true here, because the query in it also yields NULL for {name}; "
                f"leave these out with {name} IS NOT NULL."
            )
    return told(applies, messages)


def _never_null(case: Case, select: Select, output: exp.Expr) -> bool:
    known = select.resolve(output)
    if known is None or any(j.side for j in select.node.args.get("joins") or []):
        return False
    profile = case.profile_of(known.table, known.column.name)
    sampled = (table := case.table_profile(known.table)) is not None and table.sampled
    in_key = known.table.primary_key == (known.column.name,)
    return in_key or (profile is not None and profile.nulls == 0 and not sampled)


@check(severity="warn")
def null_in_negation(case: Case) -> Finding | None:
    """A condition that something is not so also leaves out the rows where nothing is known of it."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        where = select.node.args.get("where")
        conditions = all_of(where.this) if where is not None and select.standalone else []
        asked = [select.resolve(test.this) for test in own(select.node, exp.Is)]
        for condition in conditions:
            denied = denied_by(condition)
            known = select.resolve(denied.this) if denied is not None else None
            if denied is None or known is None or known in asked:
                continue
            applies = True
            if not _never_null(case, select, denied.this) and (count := _unknown(case, select, condition, known)):
                messages.append(
                    f"{condition.sql(dialect=case.dialect)} also leaves out {count} row{'s' if count > 1 else ''} "
                    f"where {known.name} is empty (NULL)."
                )
    return told(applies, messages)


def denied_by(condition: exp.Expr) -> exp.Expr | None:
    """The comparison that a condition denies: `a <> 1` itself, and what stands in NOT."""
    from sqlglot import exp

    denied = condition.this.unnest() if isinstance(condition, exp.Not) else condition
    whole = isinstance(condition, exp.Not) or denied.args.get("negate")  # of LIKE, NOT is a part
    kinds = (exp.EQ, exp.In, exp.Like, exp.Between) if whole else exp.NEQ
    return denied if isinstance(denied, kinds) and not denied.find(exp.Query) else None


def _unknown(case: Case, select: Select, condition: exp.Expr, known: Resolved) -> int:
    """How many rows fit the other conditions and have no value in the column."""
    from sqlglot import exp

    others = [c for c in all_of(select.node.args["where"].this) if c is not condition]
    query = select.rows(exp.Count(this=exp.Star()))
    query.set("where", None)
    empty = exp.Is(this=select.column(known.alias, known.column.name), expression=exp.Null())
    return int(case.probe(query.where(empty, *others)).rows[0][0])
