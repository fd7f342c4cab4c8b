"""Which chart shows a table: decided by the parts its columns can play and by words of the question, not by a model.

No more is drawn than can be read; what is left out, or drawn instead of what was asked for, stands in the notes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from querist.charts.chart import Chart, Kind, Spec
from querist.charts.columns import ChartColumn, calendar_order, chart_columns
from querist.charts.style import BAR_STEP, CONFIG, HEIGHT, WIDTH
from querist.sources.table import Table, Value, json_cell

BARS = 25
"""More bars are too many: the largest are drawn."""
SERIES = 7
"""More lines or colours are too many to tell apart: the largest are drawn."""
PIE_SLICES = 6
POINTS = 2_000
CELLS = 40
"""Most rows or columns of a heat map."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

Row = dict[str, Any]
_WORDS: tuple[tuple[Kind, str], ...] = (
    ("pie", r"\b(pie|donut|doughnut)\b"),
    ("histogram", r"\b(histogram|distribut\w+)\b"),
    ("scatter", r"\b(scatter\w*|correlat\w+|relationship|against|versus|vs)\b"),
    ("heatmap", r"\bheat ?map\b"),
    ("line", r"\b(line chart|over time|trend|develop\w*|course)\b"),
    ("bar", r"\bbars?( chart)?\b"),
)


@dataclass
class _Case:
    """A table on its way to a chart."""

    rows: list[Row]
    columns: list[ChartColumn]
    question: str
    notes: list[str] = field(default_factory=list)

    def of(self, role: str) -> list[ChartColumn]:
        return [column for column in self.columns if column.role == role]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def recommend(table: Table, question: str = "", *, kind: Kind | None = None, title: str = "") -> Chart | None:
    """The chart that suits a table best; None for one that no chart shows better than its text (a single value, names).

    Args:
        question: what was asked; its words decide between charts that are possible, and it is the title by default.
        kind: the chart that is wanted. Where it cannot show the table, another is drawn, and a note says so.
    """
    columns = chart_columns(table)
    case = _Case(values_of(table), [_renamed(column) for column in columns], question)
    wanted = kind or next((name for name, words in _WORDS if re.search(words, question, re.I)), None)
    order = [*([wanted] if wanted else []), *_natural(case)]
    for name in order:
        spec = _DRAW[name](case)
        if spec is None:
            continue
        if kind and name != kind and not case.notes:
            case.note(f"A {kind} chart cannot show these columns; a {name} chart is drawn instead.")
        if table.truncated:
            case.note(table.truncated)
        whole = {"$schema": SCHEMA, "title": _title(title or question, case.notes), "config": CONFIG, **spec}
        return Chart(whole, name, tuple(case.notes))
    return None


def values_of(table: Table) -> list[Row]:
    """The rows as Vega-Lite reads them: JSON values under names that it does not take for paths."""
    names = [field_name(name) for name in table.unique_names()]
    return [dict(zip(names, (_cell(value) for value in row), strict=True)) for row in table.rows]


def field_name(name: str) -> str:
    """A column's name as a field: `a.b` would be the part b of a."""
    return re.sub(r"[.\[\]\\'\"]", "_", name)


def _cell(value: Value) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    return json_cell(value)


def _renamed(column: ChartColumn) -> ChartColumn:
    return replace(column, name=field_name(column.name))


def _natural(case: _Case) -> list[Kind]:
    """Charts in the order in which they suit these columns."""
    amounts, times, categories = case.of("amount"), case.of("time"), case.of("category")
    if times and amounts and case.rows:
        return ["line", "bar"]
    if amounts and any(column.ordered and column.distinct > 2 for column in categories):
        return ["line", "bar"]
    if len(categories) >= 2 and amounts and categories[0].distinct > 3 and categories[1].distinct > SERIES:
        return ["heatmap", "bar"]
    if categories and amounts and len(case.rows) <= 20 * categories[0].distinct:
        return ["bar"]
    if len(amounts) >= 2:
        return ["scatter", "histogram"]
    return ["bar", "histogram"]


def _line(case: _Case) -> Spec | None:
    amounts = case.of("amount")
    along = next(iter(case.of("time")), None) or next((c for c in case.of("category") if c.ordered), None)
    if along is None or not amounts or along.distinct < 3:
        return None
    rest = [c for c in case.of("category") if c is not along and c.distinct > 1]
    rows, colour = case.rows, None
    if rest:
        rows, colour = _series(case, rest[0], amounts[0]), rest[0]
        y = amounts[0]
    elif len(amounts) > 1 and _alike(amounts):
        rows, y, colour = _folded(rows, along, amounts[:SERIES])
    else:
        y = amounts[0]
        if len(amounts) > 1:
            case.note(f"Only {y.title} is drawn: {amounts[1].title} is of another size.")
    rows = _averaged(case, rows, [along, *([colour] if colour else [])], y)
    rows = _thinned(case, rows)
    kind = "temporal" if along.role == "time" else "ordinal"
    encoding: Spec = {
        "x": {"field": along.name, "type": kind, "title": None if kind == "temporal" else along.title},
        "y": {"field": y.name, "type": "quantitative", "title": y.title, "axis": _axis(rows, y)},
    }
    if kind == "ordinal":
        encoding["x"].update(sort=_order(along, rows), axis={"labelAngle": 0, "labelOverlap": True})
    if y.lowest is not None and y.lowest > 0:
        encoding["y"]["scale"] = {"zero": _near_zero(rows, y.name)}
    if colour:
        encoding["color"] = _colour(colour)
    mark: Spec = {"type": "line", "point": len(rows) <= 40, "strokeWidth": 2, "tooltip": True}
    return _spec(rows, mark, encoding)


def _bar(case: _Case) -> Spec | None:
    categories = case.of("category") or case.of("time")
    amounts = case.of("amount")
    if not categories or not case.rows:
        return None
    along = categories[0]
    if not amounts:
        return next((spec for column in categories if (spec := _counted(case, column))), None)
    if len(case.rows) < 2:
        return None
    second = next((c for c in categories[1:] if 1 < c.distinct <= SERIES), None)
    y = amounts[0]
    rows = case.rows
    if second is None and len(amounts) > 1 and _alike(amounts) and along.distinct <= BARS:
        rows, y, second = _folded(rows, along, amounts[:SERIES])
    rows = _averaged(case, rows, [along, *([second] if second else [])], y)
    rows = _largest(case, rows, along, y)
    size: Spec = {"step": BAR_STEP if second is None else BAR_STEP * 0.6}
    sort = _order(along, rows) if along.ordered else {"field": y.name, "op": "sum", "order": "descending"}
    encoding: Spec = {
        "y": {"field": along.name, "type": "ordinal" if along.ordered else "nominal", "title": along.title,
              "sort": sort},
        "x": {"field": y.name, "type": "quantitative", "title": y.title, "scale": {"zero": True},
              "axis": _axis(rows, y)},
    }  # fmt: skip
    if along.role == "time":
        encoding["y"]["timeUnit"] = "yearmonthdate"
    if second:
        encoding["color"] = _colour(second)
        encoding["yOffset"] = {"field": second.name}
    return {**_spec(rows, {"type": "bar", "tooltip": True}, encoding), "height": size}


def _pie(case: _Case) -> Spec | None:
    categories, amounts = case.of("category"), case.of("amount")
    if not categories or not amounts or len(case.rows) < 2:
        return None
    along, y = categories[0], amounts[0]
    if along.distinct > PIE_SLICES or (y.lowest is not None and y.lowest < 0) or len(case.rows) != along.distinct:
        why = "negative parts" if y.lowest is not None and y.lowest < 0 else f"more than {PIE_SLICES} slices"
        case.note(f"A pie with {why} cannot be read; bars are drawn instead.")
        return None
    encoding: Spec = {
        "theta": {"field": y.name, "type": "quantitative", "title": y.title, "stack": True},
        "color": {**_colour(along), "sort": {"field": y.name, "order": "descending"}},
        "order": {"field": y.name, "sort": "descending"},
    }
    return {**_spec(case.rows, {"type": "arc", "tooltip": True, "stroke": "white"}, encoding), "width": HEIGHT}


def _scatter(case: _Case) -> Spec | None:
    amounts = case.of("amount")
    if len(amounts) < 2 or len(case.rows) < 3:
        return None
    x, y = amounts[:2]
    colour = next((c for c in case.of("category") if 1 < c.distinct <= SERIES), None)
    rows = _thinned(case, case.rows)
    encoding: Spec = {
        side: {"field": c.name, "type": "quantitative", "title": c.title, "scale": {"zero": False},
               "axis": _axis(rows, c)}
        for side, c in (("x", x), ("y", y))
    }  # fmt: skip
    if colour:
        encoding["color"] = _colour(colour)
    opacity = 0.8 if len(rows) <= 200 else 0.4
    return _spec(rows, {"type": "point", "filled": True, "opacity": opacity, "tooltip": True}, encoding)


def _histogram(case: _Case) -> Spec | None:
    amounts = case.of("amount")
    if not amounts or len(case.rows) < 5:
        return None
    x = amounts[-1] if len(case.of("category")) else amounts[0]
    encoding: Spec = {
        "x": {"field": x.name, "type": "quantitative", "bin": {"maxbins": 30}, "title": x.title,
              "axis": _axis(case.rows, x)},
        "y": {"aggregate": "count", "type": "quantitative", "title": "Rows"},
    }  # fmt: skip
    rows = [{x.name: row[x.name]} for row in case.rows]
    return _spec(rows, {"type": "bar", "tooltip": True}, encoding)


def _heatmap(case: _Case) -> Spec | None:
    categories, amounts = case.of("category"), case.of("amount")
    if len(categories) < 2 or not amounts or max(c.distinct for c in categories[:2]) > CELLS:
        return None
    down, across = categories[:2]
    rows = _averaged(case, case.rows, [down, across], amounts[0])
    encoding: Spec = {
        "y": {"field": down.name, "type": "ordinal", "title": down.title, "sort": _order(down, rows)},
        "x": {"field": across.name, "type": "ordinal", "title": across.title, "sort": _order(across, rows),
              "axis": {"labelOverlap": True, "labelAngle": 0 if across.distinct <= CELLS // 2 else -90}},
        "color": {"field": amounts[0].name, "type": "quantitative", "title": amounts[0].title},
    }  # fmt: skip
    return {**_spec(rows, {"type": "rect", "tooltip": True}, encoding), "height": {"step": BAR_STEP}}


_DRAW: dict[Kind, Callable[[_Case], Spec | None]] = {
    "line": _line,
    "bar": _bar,
    "pie": _pie,
    "scatter": _scatter,
    "histogram": _histogram,
    "heatmap": _heatmap,
}


def _spec(rows: Sequence[Row], mark: Spec, encoding: Spec) -> Spec:
    return {"width": WIDTH, "height": HEIGHT, "data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def _title(text: str, notes: Sequence[str]) -> Spec:
    words = " ".join(text.split())
    cut = words if len(words) <= 90 else words[:89] + "…"
    return {"text": cut[:1].upper() + cut[1:], **({"subtitle": list(notes)} if notes else {})}


def _colour(column: ChartColumn) -> Spec:
    return {"field": column.name, "type": "ordinal" if column.ordered else "nominal", "title": column.title,
            "scale": {"range": "category"}}  # fmt: skip


def _axis(rows: Sequence[Row], column: ChartColumn) -> Spec:
    """Few ticks, and thousands as k or M where numbers are long."""
    long = any(abs(row[column.name] or 0) >= 10_000 for row in rows)
    return {"tickCount": 7, "format": "~s" if long else ",~f"}


def _order(column: ChartColumn, rows: Sequence[Row]) -> list[Any] | None:
    """Days and months in the order of the calendar; other values as Vega-Lite sorts them."""
    return calendar_order({row[column.name] for row in rows})


def _counted(case: _Case, along: ChartColumn) -> Spec | None:
    """Bars of how often each value occurs, where values repeat and there is nothing else to measure."""
    counts: dict[Any, int] = {}
    for row in case.rows:
        counts[row[along.name]] = counts.get(row[along.name], 0) + 1
    if len(counts) == len(case.rows) or len(counts) < 2:
        return None
    amount = ChartColumn("rows", "amount", "Rows", False, 0, 0)
    rows = [{along.name: value, "rows": count} for value, count in counts.items()]
    counted = _Case(rows, [along, amount], case.question, case.notes)
    return _bar(counted)


def _alike(amounts: Sequence[ChartColumn]) -> bool:
    """Whether amounts can share an axis: their titles have the same unit, or share a word."""
    units = {m[1] if (m := re.search(r"\((.+)\)$", column.title)) else "" for column in amounts}
    words = [set(column.title.lower().split()) for column in amounts]
    return len(units) == 1 and ("" not in units or bool(set.intersection(*words)))


def _folded(
    rows: Sequence[Row], along: ChartColumn, amounts: Sequence[ChartColumn]
) -> tuple[list[Row], ChartColumn, ChartColumn]:
    """Several amounts as one, with a category that says which."""
    lowest = min((c.lowest for c in amounts if c.lowest is not None), default=None)
    unit = re.search(r" \(.+\)$", amounts[0].title)
    value = ChartColumn("value", "amount", f"Value{unit[0] if unit else ''}", False, 0, 0, lowest)
    which = ChartColumn("measure", "category", "", False, len(amounts), 0)
    long = [{along.name: row[along.name], "measure": c.title, "value": row[c.name]} for row in rows for c in amounts]
    return long, value, which


def _averaged(case: _Case, rows: Sequence[Row], by: Sequence[ChartColumn], y: ChartColumn) -> list[Row]:
    """One row for each group: where there are several, their mean, and a note of it."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        if row[y.name] is not None:
            groups.setdefault(tuple(row[c.name] for c in by), []).append(row[y.name])
    if sum(map(len, groups.values())) > len(groups):
        case.note(f"Each mark is the mean of {y.title} over several rows.")
    return [
        {**dict(zip((c.name for c in by), key, strict=True)), y.name: sum(values) / len(values)}
        for key, values in groups.items()
    ]


def _largest(case: _Case, rows: list[Row], along: ChartColumn, y: ChartColumn) -> list[Row]:
    totals = _totals(rows, along.name, y.name)
    if len(totals) <= BARS:
        return rows
    kept = set(sorted(totals, key=lambda key: -totals[key])[:BARS])
    case.note(f"The {BARS} largest of {len(totals):,} are drawn.")
    return [row for row in rows if row[along.name] in kept]


def _series(case: _Case, colour: ChartColumn, y: ChartColumn) -> list[Row]:
    totals = _totals(case.rows, colour.name, y.name)
    if len(totals) <= SERIES:
        return case.rows
    kept = set(sorted(totals, key=lambda key: -totals[key])[:SERIES])
    case.note(f"The {SERIES} largest of {len(totals):,} lines are drawn.")
    return [row for row in case.rows if row[colour.name] in kept]


def _totals(rows: Sequence[Row], by: str, y: str) -> dict[Any, float]:
    totals: dict[Any, float] = {}
    for row in rows:
        totals[row[by]] = totals.get(row[by], 0.0) + abs(row[y] or 0)
    return totals


def _thinned(case: _Case, rows: list[Row]) -> list[Row]:
    if len(rows) <= POINTS:
        return rows
    step = -(-len(rows) // POINTS)
    case.note(f"One row in {step} is drawn, of {len(rows):,}.")
    return rows[::step]


def _near_zero(rows: Sequence[Row], name: str) -> bool:
    """Whether an axis of lines should start at zero: it does when that takes little of its height."""
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and min(values) < 0.5 * max(values)
