"""What part the columns of a table can play in a chart: time, amount or category, with a title and a unit."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from querist.charts.additive import is_sum, is_whole, sums_of, words_of
from querist.sources.table import Table, Value

Role = Literal["time", "amount", "category"]
LONGEST = 60
"""Characters of a title."""
UNITS = {
    "usd": "USD", "eur": "EUR", "chf": "CHF", "gbp": "GBP", "kg": "kg", "km": "km", "mm": "mm", "cm": "cm", "m2": "m²",
    "pct": "%", "percent": "%", "percentage": "%", "seconds": "s", "minutes": "min", "hours": "h", "days": "days",
    "ms": "ms", "mb": "MB", "gb": "GB", "celsius": "°C", "kwh": "kWh",
}  # fmt: skip
"""Last words of a column's name that are units, and how they are written."""
_SAID = {"avg": "average", "sum": "total", "min": "lowest", "max": "highest", "count": "count", "median": "median"}
_NAMED_KEY = re.compile(r"(^|_|\s)(id|key|code|no|nr|zip|postcode)$", re.I)
_OBJECT = ("constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "toLocaleString")
"""Names that every object of JavaScript has already."""
_ORDERED_WORDS = {"month", "quarter", "week", "day", "hour", "weekday", "dow"}
_CALENDAR = (
    "monday tuesday wednesday thursday friday saturday sunday".split(),
    "january february march april may june july august september october november december".split(),
)
_ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?)?")
_PERIOD = re.compile(r"\d{4}[- ]?([QH]\d|W\d\d)")
"""Quarters, halves and weeks: in the order of their letters."""


@dataclass(frozen=True)
class ChartColumn:
    """One column as a chart uses it.

    Attributes:
        name: its field in the data of a chart.
        title: for people: `revenue_usd` is "Revenue (USD)".
        ordered: a category whose values have an order of their own, such as month numbers.
        distinct: number of different values.
        additive: its values may be summed, as counts and totals may, and means may not.
    """

    name: str
    role: Role
    title: str
    ordered: bool
    distinct: int
    place: int
    lowest: float | None = None
    additive: bool = False


def chart_columns(table: Table, sql: str = "") -> list[ChartColumn]:
    """The columns that hold something to draw. `sql`: the query whose result the table is, where one is known."""
    found = []
    names = table.unique_names()
    summed = sums_of(sql, len(names)) if sql else list(map(is_sum, names))
    for place, (name, field) in enumerate(zip(names, field_names(names), strict=True)):
        values = [row[place] for row in table.rows if row[place] is not None and is_finite(row[place])]
        if not values:
            continue
        role, ordered = _role(name, values)
        amounts = [float(v) for v in values] if role == "amount" else []
        lowest = min(amounts) if amounts else None
        distinct = len({str(v) for v in values})
        additive = summed[place] or is_whole(name, amounts)
        found.append(ChartColumn(field, role, title(name), ordered, distinct, place, lowest, additive))
    return found


def field_names(names: Sequence[str]) -> list[str]:
    """Names of columns as fields, each once: Vega-Lite takes `a.b` for the part b of a, and some for its own."""
    fields: list[str] = []
    for name in names:
        field = re.sub(r"[.\[\]\\'\"]|[^\x20-\U0010ffff]", "_", name).strip("_ ") or "column"
        number = 1
        while (unique := field if number == 1 else f"{field}_{number}") in (*fields, *_OBJECT):
            number += 1
        fields.append(unique)
    return fields


def is_finite(value: Value) -> bool:
    """Whether it is no number, or one that can be drawn."""
    return not isinstance(value, (float, decimal.Decimal)) or math.isfinite(value)


def _role(name: str, values: list[Value]) -> tuple[Role, bool]:
    words = words_of(name)
    if all(moment(v) for v in values):
        return "time", True
    if all(isinstance(v, (int, float, decimal.Decimal)) and not isinstance(v, bool) for v in values):
        whole = all(v == int(v) for v in values)
        if whole and "year" in words and all(1000 <= v <= 2999 for v in values):
            return "category", True
        if whole and words and words[-1] in _ORDERED_WORDS and len(set(values)) <= 53:
            return "category", True
        if _NAMED_KEY.search(name):
            return "category", False
        return "amount", False
    return "category", calendar_order(values) is not None or all(_PERIOD.fullmatch(str(v)) for v in values)


def moment(value: Value) -> str | None:
    """A date, a month or a time as a local time in full; None for what is none of them.

    Vega-Lite takes a date alone for midnight in Greenwich, and shows it a day early west of there.
    """
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            value = dt.datetime.fromisoformat(value if len(value) > len("2024-03") else f"{value}-01")
        except ValueError:
            return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    return f"{value.isoformat()}T00:00:00" if isinstance(value, dt.date) else None


def day_of(moment: str) -> str:
    """For people: the day, and the time where there is one."""
    return moment.removesuffix("T00:00:00").replace("T", " ")


def calendar_order(values: Collection[Value]) -> list[Value] | None:
    """These names of days or months in the order of the calendar; None when they are not all such names."""
    for names in _CALENDAR:
        places = {name: place for place, full in enumerate(names) for name in (full, full[:3])}
        if values and all(isinstance(value, str) and value.lower() in places for value in values):
            return sorted(set(values), key=lambda value: places[value.lower()])
    return None


def title(name: str) -> str:
    """`avg(unit_price_usd)` as "Average unit price (USD)"."""
    text = re.sub(r"\bcount\s*\(\s*\*\s*\)", "count", name, flags=re.I)
    text = re.sub(r"\bcount\s*\(\s*distinct\s+(.*?)\)", r"different \1", text, flags=re.I)
    for word, said in _SAID.items():
        text = re.sub(rf"\b{word}\s*\((.*?)\)", rf"{said} \1", text, flags=re.I)
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    if "(" in text:  # the name says its unit itself, or is an expression
        return text[:1].upper() + text[1:]
    words = [word for word in re.split(r"[_\s.\"]+", text) if word]
    unit = UNITS.get(words[-1].lower()) if len(words) > 1 else None
    said = " ".join(words[:-1] if unit else words) or name
    return said[:1].upper() + said[1:] + (f" ({unit})" if unit else "")
