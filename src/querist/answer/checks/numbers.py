"""Checks of arithmetic: text that is no number or sorts unlike one, division, and averages of averages."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.filters import date_form, sortable
from querist.answer.checks.selects import Resolved, Select, all_of
from querist.answer.context import show
from querist.answer.scopes import own
from querist.sources.joins import words_of

if TYPE_CHECKING:
    from sqlglot import exp

_TRUNCATING = ("sqlite", "postgres", "redshift", "tsql", "trino", "presto", "athena")
"""Engines whose `/` between integers drops the fraction."""
SILENT = ("sqlite", "mysql")
"""Engines that give NULL for a division by zero, and 0 for text that is no number."""
_AVERAGED = frozenset("avg average mean percent percentage pct".split())
_INTENDED = re.compile(r"\b(decade|centur|dozen|quotient|whole|integer division|divided by)", re.IGNORECASE)


@check(severity="veto")
def non_numeric_aggregate(case: Case) -> Finding | None:
    """A sum or an average over text that is no number."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        for aggregate in select.aggregates:
            if not isinstance(aggregate, (exp.Sum, exp.Avg)):
                continue
            applies = True
            argument = aggregate.this
            if isinstance(argument, exp.Distinct) and argument.expressions:
                argument = argument.expressions[0]
            cast = isinstance(argument, exp.Cast) and argument.to.this in exp.DataType.NUMERIC_TYPES
            known = select.resolve(argument.this if cast else argument)
            if known is None or not (reason := _no_number(case, known, cast)):
                continue
            messages.append(f"{aggregate.sql(dialect=case.dialect)} adds up {reason}")
    return told(applies, messages)


def _no_number(case: Case, known: Resolved, cast: bool) -> str:
    """Why a column cannot be added up, to end a sentence; empty when it can."""
    profile = case.profile_of(known.table, known.column.name)
    if profile is None or not profile.distinct or known.column.kind not in ("text", "date", "datetime", "time"):
        return ""
    texts = [v for v in profile.examples if isinstance(v, str)]
    if not texts or (profile.numeric_text and all(re.fullmatch(r"\s*[-+]?[\d.]+([eE][-+]?\d+)?\s*", v) for v in texts)):
        return ""
    if cast:
        if any(re.match(r"\s*-?\d{1,3}(,\d{3})+", v) for v in texts):
            return f"{known.name}, but the cast stops at the comma of values like {show(texts[0])}."
        if any(re.match(r"\s*[-+]?\.?\d", v) for v in texts):
            return ""
    return f"{known.name}, which holds text like {show(texts[0])}, no plain numbers."


@check(severity="warn")
def number_as_text(case: Case) -> Finding | None:
    """Numbers kept as text are ordered or compared as text, where '9' comes after '10'."""
    applies = False
    messages = []
    for select in case.selects:
        for reader, known, how in ordered(case, select):
            profile = case.profile_of(known.table, known.column.name)
            if known.column.kind != "text" or profile is None or not profile.numeric_text:
                continue
            applies = True
            if not _same_width(case, reader, known):
                number = "REAL" if case.dialect == "sqlite" else "DECIMAL"
                messages.append(
                    f"{known.name} holds numbers as text, and {how} takes them as text ('9' comes after '10'); "
                    f"use CAST({known.column.name} AS {number})."
                )
    return told(applies, messages)


@check(severity="warn")
def date_as_text(case: Case) -> Finding | None:
    """Dates kept as text in a form that does not sort are ordered or compared as text."""
    applies = False
    messages = []
    for select in case.selects:
        for _, known, how in [*ordered(case, select), *read_as_date(case, select)]:
            form = date_form(case, known) if known.column.kind in ("text", "date", "datetime") else ""
            if not form:
                continue
            applies = True
            if not sortable(form):
                profile = case.profile_of(known.table, known.column.name)
                example = show(profile.examples[0]) if profile and profile.examples else form
                messages.append(
                    f"{known.name} holds dates as text like {example}, and {how} does not read these as dates."
                )
    return told(applies, messages)


def ordered(case: Case, select: Select) -> Iterator[tuple[Select, Resolved, str]]:
    """Columns whose order matters to the query, with the SELECT that reads each and what makes it matter."""
    from sqlglot import exp

    for node in own(select.node, exp.Expr):
        pairs: list[tuple[exp.Expr, str]] = []
        if isinstance(node, (exp.Min, exp.Max)):
            pairs = [(node.this, node.sql(dialect=case.dialect))]
        elif isinstance(node, exp.Ordered):
            pairs = [(node.this, "ORDER BY")]
        elif isinstance(node, (exp.LT, exp.LTE, exp.GT, exp.GTE)):
            sides = (node.this, node.expression), (node.expression, node.this)
            pairs = [(a, node.sql(dialect=case.dialect)) for a, b in sides if isinstance(b, (exp.Literal, exp.Neg))]
        elif isinstance(node, exp.Between):
            pairs = [(node.this, "BETWEEN")]
        for expression, how in pairs:
            if origin := case.origin(select, expression):
                yield *origin, how


def read_as_date(case: Case, select: Select) -> Iterator[tuple[Select, Resolved, str]]:
    """Columns that SQLite's date functions read; they give NULL for any other form than ISO's."""
    from sqlglot import exp

    if case.dialect != "sqlite":
        return
    for node in own(select.node, exp.Func):
        named = isinstance(node, exp.Anonymous) and node.name.lower() in ("julianday", "unixepoch", "datetime")
        if named or isinstance(node, (exp.TimeToStr, exp.Date)):
            for column in node.find_all(exp.Column):
                if origin := case.origin(select, column):
                    yield *origin, node.sql(dialect=case.dialect)


def _same_width(case: Case, select: Select, known: Resolved) -> bool:
    """All values are equally long, so that they sort as text like they sort as numbers."""
    from sqlglot import exp

    length = exp.Length(this=select.column(known.alias, known.column.name))
    query = exp.select(exp.Min(this=length), exp.Max(this=length.copy())).from_(select.source(known.alias))
    shortest, longest = case.probe(query).rows[0]
    return bool(shortest == longest)


@check(severity="veto")
def text_against_number(case: Case) -> Finding | None:
    """What a function gives as text is compared with a number, which SQLite never takes for equal."""
    from sqlglot import exp

    if case.dialect != "sqlite":
        return None
    texts = (exp.TimeToStr, exp.Date, exp.Substring, exp.Lower, exp.Upper, exp.Trim, exp.DPipe)
    compared: list[tuple[exp.Expr, exp.Expr]] = []
    for node in (n for select in case.selects for n in own(select.node, exp.Predicate)):
        if isinstance(node, exp.Between):
            compared += [(node.this, node.args["low"]), (node.this, node.args["high"])]
        elif isinstance(node, exp.In):
            compared += [(node.this, e) for e in node.expressions]
        elif isinstance(node, exp.Binary) and not isinstance(node, exp.Like):
            compared += [(node.left, node.right), (node.right, node.left)]
    pairs = [(text.unnest(), number) for text, number in compared if isinstance(text.unnest(), texts)]
    return told(
        bool(pairs),
        [
            f"{text.sql(dialect=case.dialect)} is text, which is above every number and equal to none: "
            f"compare it with text, or as CAST({text.sql(dialect=case.dialect)} AS INTEGER) with {number}."
            for text, number in pairs
            if isinstance(number, exp.Neg) or (isinstance(number, exp.Literal) and not number.is_string)
        ],
    )


@check(severity="veto")
def condition_counted(case: Case) -> Finding | None:
    """COUNT of a condition, which counts the rows where it does not hold too."""
    from sqlglot import exp

    messages = []
    counts = [count for select in case.selects for count in own(select.node, exp.Count)]
    for count in (c for c in counts if isinstance(c.this, exp.Expr)):
        other = {exp.Case: "default", exp.If: "false"}.get(type(count.this), "")
        if isinstance(count.this.args.get(other), exp.Literal) or isinstance(count.this, exp.Predicate):
            sql = count.sql(dialect=case.dialect)
            messages.append(f"{sql} counts the rows where the condition does not hold too; use SUM in its place.")
    return told(bool(counts), messages)


@check(severity="repair")
def integer_division(case: Case) -> Finding | None:
    """A division of integers that drops the fraction."""
    from sqlglot import exp

    if case.dialect not in _TRUNCATING or _INTENDED.search(case.question):
        return None
    applies = False
    messages = []
    for select in case.selects:
        for division in own(select.node, exp.Div):
            whole = [_is_whole(case, select, side) for side in (division.this, division.expression)]
            if _is_meant_whole(division) or None in whole:
                continue
            applies = True
            rest = exp.Mod(this=exp.paren(division.this.copy()), expression=exp.paren(division.expression.copy()))
            drops = exp.NEQ(this=rest, expression=exp.Literal.number(0))
            if _some_row(case, select, division, exp.and_(*(w for w in whole if w is not None), drops)):
                sql = division.sql(dialect=case.dialect)
                messages.append(f"{sql} divides integers and drops the fraction; multiply one side by 1.0 first.")
    return told(applies, messages)


def _is_whole(case: Case, select: Select, side: exp.Expr) -> exp.Expr | None:
    """The condition under which a side of a division is an integer; None where it never is."""
    from sqlglot import exp

    if _integer(case, select, side):
        return exp.true()
    # SQLite keeps whole numbers as integers in columns of most types, so that the type does not tell.
    if case.dialect != "sqlite" or _fraction(side):
        return None
    return exp.EQ(this=exp.Typeof(this=side.copy()), expression=exp.Literal.string("integer"))


def _fraction(node: exp.Expr) -> bool:
    """Does the expression make a number with a fraction, whatever goes in?"""
    from sqlglot import exp

    if isinstance(node, exp.Cast):
        return node.to.this in exp.DataType.REAL_TYPES
    if isinstance(node, (exp.Paren, exp.Neg, exp.Abs, exp.Sum)):
        return isinstance(node.this, exp.Expr) and _fraction(node.this)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        return _fraction(node.this) or _fraction(node.expression)
    return isinstance(node, (exp.Avg, exp.Round)) or (isinstance(node, exp.Literal) and not node.is_int)


def _is_meant_whole(division: exp.Div) -> bool:
    """`CAST(a / b AS INTEGER)` and `a / 10 * 10` drop the fraction on purpose."""
    from sqlglot import exp

    outer = division.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    if isinstance(outer, exp.Mul):
        return division.expression in (outer.this, outer.expression)
    return isinstance(outer, exp.Cast) and outer.to.this in exp.DataType.INTEGER_TYPES


def _integer(case: Case, select: Select, node: exp.Expr) -> bool:
    """Is the value an integer for sure?"""
    from sqlglot import exp

    if isinstance(node, (exp.Literal, exp.Cast)):
        return bool(node.is_int) if isinstance(node, exp.Literal) else node.to.this in exp.DataType.INTEGER_TYPES
    if isinstance(node, (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank)):
        return True
    if (within := case.yielded(select, node)) is not None:
        return _integer(case, *within)
    if isinstance(node, exp.Column):
        known = select.resolve(node)
        return known is not None and known.column.kind == "integer"
    parts: list[exp.Expr] = []
    if isinstance(node, (exp.Paren, exp.Neg, exp.Sum, exp.Min, exp.Max, exp.Abs, exp.Nullif, exp.Window, exp.Filter)):
        parts = [node.this]
    elif isinstance(node, (exp.Distinct, exp.Coalesce)):
        parts = [p for p in (node.this, *node.expressions) if p is not None]
    elif isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        parts = [node.this, node.expression]
    elif isinstance(node, exp.Case):
        parts = [i.args["true"] for i in node.args["ifs"]] + ([d] if (d := node.args.get("default")) else [])
    elif isinstance(node, exp.If):
        parts = [p for p in (node.args["true"], node.args.get("false")) if p is not None]
    return bool(parts) and all(isinstance(part, exp.Expr) and _integer(case, select, part) for part in parts)


@check(severity="repair")
def division_by_zero(case: Case) -> Finding | None:
    """A division whose divisor is zero in some rows."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        for division in own(select.node, exp.Div):
            divisor = division.expression.unnest()
            if isinstance(divisor, (exp.Literal, exp.Nullif, exp.Case, exp.Count)) or not divisor.find(exp.Column):
                continue
            applies = True
            whole_groups = divisor.find(exp.AggFunc) is not None
            if whole_groups and select is case.top and not _has_gap(case):
                continue
            if _some_row(
                case, select, division, exp.EQ(this=exp.paren(divisor.copy()), expression=exp.Literal.number(0))
            ):
                sql = divisor.sql(dialect=case.dialect)
                gives = "nothing (NULL)" if case.dialect in SILENT else "no usable number"
                messages.append(
                    f"{sql} is 0 in some rows, and dividing by it gives {gives} there; "
                    f"leave these rows out or divide by NULLIF({sql}, 0)."
                )
    return told(applies, messages, mild=case.dialect in SILENT)


def _has_gap(case: Case) -> bool:
    """Is there a cell in the result that a division by zero can have left?"""
    cells = (v for row in case.table.rows for v in row)
    return any(v is None or (isinstance(v, float) and not math.isfinite(v)) for v in cells)


def _some_row(case: Case, select: Select, division: exp.Div, condition: exp.Expr) -> bool:
    """Does the condition hold where the division is done: in some row, or in some group when it divides aggregates?"""
    from sqlglot import exp

    place = division.find_ancestor(exp.Where, exp.Having, exp.Order, exp.Join, exp.Group, exp.Select)
    if not select.standalone or (select.scope.opaque and select.scope.outer is not None):
        return False
    if isinstance(place, (exp.Join, exp.Group)):
        return False
    condition = select.with_outputs(condition) if isinstance(place, exp.Order) else condition.copy()
    query = select.alone()
    for part in ("distinct", "order", "limit", "offset"):
        query.set(part, None)
    if not any(isinstance(n, exp.AggFunc) for n in condition.walk(prune=lambda n: isinstance(n, exp.Query))):
        query.set("group", None)
        query.set("having", None)
        query.set("expressions", [])
    if isinstance(place, exp.Having):
        query.set("having", None)
    if isinstance(place, exp.Where):
        others = [c for c in all_of(place.this) if not any(node is division for node in c.walk())]
        query.set("where", exp.Where(this=exp.and_(*others, copy=True)) if others else None)
    told_apart = exp.Case(ifs=[exp.If(this=condition, true=exp.Literal.number(1))])
    query.select(exp.alias_(told_apart, "holds"), copy=False)
    return bool(case.probe(exp.select("1").from_(query.subquery("q")).where("holds = 1").limit(1)).rows)


@check(severity="warn")
def average_of_averages(case: Case) -> Finding | None:
    """An average over values that are averages or percentages themselves, each counted alike."""
    from sqlglot import exp

    words = words_of(case.question)
    applies = False
    messages = []
    for select in case.selects:
        for aggregate in select.aggregates:
            if not isinstance(aggregate, exp.Avg) or not isinstance(aggregate.this, exp.Column):
                continue
            applies = True
            name = aggregate.this.name
            inner = [w for w in words if w in ("average", "avg", "mean")]
            if _derived_average(case, aggregate.this):
                told_so = len(inner) > 1
            else:
                # Who asks for the average of a stored percentage gets just that.
                told_so = not _AVERAGED.intersection(words_of(name)) or bool(inner)
            if not told_so:
                messages.append(
                    f"{name} is an average or a percentage already; its average counts large and small groups alike."
                )
    return told(applies, messages)


def _derived_average(case: Case, column: exp.Column) -> bool:
    """Is the column an average, or a quotient of aggregates, that a grouped query in this query yields?"""
    from sqlglot import exp

    for select in case.selects:
        output = select.output(column.name)
        if output is None or not select.node.args.get("group") or column.find_ancestor(exp.Select) is select.node:
            continue
        while isinstance(output, (exp.Round, exp.Cast, exp.Paren)):
            output = output.this
        quotient = isinstance(output, exp.Div) and output.this.find(exp.AggFunc) and output.expression.find(exp.AggFunc)
        if isinstance(output, exp.Avg) or quotient:
            return True
    return False
