"""Checks of units: kilograms added to pounds, amounts of several currencies added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.answer.checks.case import Case, Finding, check, told
from querist.answer.checks.selects import Resolved, Select
from querist.answer.context import show
from querist.answer.scopes import own
from querist.sources.base import Column
from querist.sources.joins import words_of

if TYPE_CHECKING:
    from sqlglot import exp

_DIMENSIONS = {
    "mass": "mg g kg t tonne ton lb lbs pound oz ounce gram kilogram",
    "length": "mm cm m km inch ft foot feet yd yard mi mile meter metre kilometer kilometre",
    "volume": "ml l liter litre gal gallon pint barrel",
    "money": "usd eur gbp jpy chf cny inr cad aud nzd sek nok dkk pln czk huf brl mxn zar dollar euro yen cent",
    "time": "ms s sec second min minute hour hr day week month",
    "temperature": "c f k celsius fahrenheit kelvin",
    "area": "sqm sqft sqkm acre hectare ha",
    "data": "byte kb mb gb tb",
    "energy": "wh kwh mwh joule kj kcal",
}
_UNITS = {unit: dimension for dimension, units in _DIMENSIONS.items() for unit in units.split()}
_COUNTED = frozenset("piece pc pcs box bag bottle can dozen pack pallet each unit item ea".split())
_UNIT_WORDS = frozenset(["unit", "uom", "currency"])
_MONEY = frozenset(
    "price amount cost total value revenue salary fee budget payment balance sale income profit spend wage".split()
)
_MEASURED = frozenset(
    "quantity qty amount value weight mass volume size length width height distance measurement reading result "
    "level dose stock total".split()
)


@check(severity="warn")
def unit_mixture(case: Case) -> Finding | None:
    """Figures in different units are added up, averaged or compared."""
    from sqlglot import exp

    applies = False
    messages = []
    for select in case.selects:
        for aggregate in select.aggregates:
            known = select.resolve(aggregate.this) if isinstance(aggregate, (exp.Sum, exp.Avg)) else None
            unit = _unit_column(case, known) if known else None
            if known is None or unit is None:
                continue
            applies = True
            if not _separated(select, known.alias, unit) and (found := _units(case, select, known, unit)):
                messages.append(
                    f"{aggregate.sql(dialect=case.dialect)} mixes units: {known.table.name}.{unit.name} is {found} "
                    "in the rows that it takes."
                )
        for node in own(select.node, exp.Binary):
            if isinstance(node, (exp.Add, exp.Sub, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ)):
                left, right = _suffix(select, node.left), _suffix(select, node.right)
                if left and right:
                    applies = True
                    if left != right and _UNITS[left] == _UNITS[right]:
                        messages.append(f"{node.sql(dialect=case.dialect)} mixes units: {left} and {right}.")
    return told(applies, messages)


def _unit_column(case: Case, known: Resolved) -> Column | None:
    """The column beside a figure that says in which unit it is, when it does not say the same in all rows."""
    figure = words_of(known.column.name)
    for column in known.table.columns:
        words = [w for w in words_of(column.name) if w not in ("code", "of", "measure", "name")]
        if column.kind != "text" or not words or words[-1] not in _UNIT_WORDS:
            continue
        stem = words[:-1]
        money = words[-1] == "currency"
        meant = set(stem) <= set(figure) if stem else bool((_MONEY if money else _MEASURED).intersection(figure))
        profile = case.profile_of(known.table, column.name)
        if meant and profile is not None and profile.distinct > 1:
            texts = [v for v in profile.examples if isinstance(v, str)]
            if sum(_is_unit(v, money) for v in texts) >= 2:
                return column
    return None


def _is_unit(text: str, money: bool) -> bool:
    word = (words_of(text) or [text])[-1]
    if money:
        return (len(text) == 3 and text.isalpha()) or text in ("$", "€", "£", "¥") or _UNITS.get(word) == "money"
    return word in _UNITS or word in _COUNTED or text.lower() in _UNITS


def _separated(select: Select, alias: str, unit: Column) -> bool:
    """Does the query look at the unit in a condition, a CASE or its groups?"""
    from sqlglot import exp

    for column in own(select.node, exp.Column):
        known = select.resolve(column)
        if known and known.place == (alias, unit.name.lower()):
            above = column.find_ancestor(exp.Where, exp.Group, exp.Case, exp.If, exp.Join, exp.Having, exp.Filter)
            if above is not None:
                return True
    keys = [select.resolve(key) for key in select.grouped or []]
    return any(key is not None and key.place == (alias, unit.name.lower()) for key in keys)


def _units(case: Case, select: Select, known: Resolved, unit: Column) -> str:
    """The first units of the rows that the query takes, when they are several."""
    if not select.standalone or select.scope.opaque:
        return ""
    query = select.rows(select.column(known.alias, unit.name)).distinct().limit(4)
    found = [row[0] for row in case.probe(query).rows if row[0] is not None]
    return ", ".join(show(v) for v in found[:3]) + (", …" if len(found) > 3 else "") if len(found) > 1 else ""


def _suffix(select: Select, node: exp.Expr) -> str:
    """The unit that the name of a column, or of an aggregate over one, ends with."""
    from sqlglot import exp

    while isinstance(node, (exp.Paren, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Coalesce, exp.Round)):
        node = node.this
    known = select.resolve(node)
    words = words_of(known.column.name) if known else []
    return words[-1] if len(words) > 1 and words[-1] in _UNITS else ""
