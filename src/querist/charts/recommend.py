"""Which chart shows a table: decided by the parts its columns can play and by words of the question, not by a model.

No more is drawn than can be read; what is left out, or drawn instead of what was asked for, stands in the notes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from querist.charts.chart import Chart, Kind, Spec
from querist.charts.columns import ChartColumn, calendar_order, chart_columns, field_names, is_finite
from querist.charts.style import BAR_STEP, HEIGHT, OTHER, PALETTE, WIDTH, finished, number_axis
from querist.sources.table import Table, Value, json_cell

BARS = 25
"""More bars are too many: the largest are drawn."""
SERIES = 7
"""More lines or colours are too many to tell apart: the largest are drawn."""
PIE_SLICES = 6
BINS = 30
POINTS = 2_000
CELLS = 40
"""Most rows or columns of a heat map."""
MOST_OTHER = 0.5
"""Share of the whole up to which the rest is drawn as one mark; a larger one would hide the others."""
MISSING = "(missing)"

_OTHER = re.compile(r"Other \([\d,]+ more\)")
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
    averaged: bool = False

    def of(self, role: str) -> list[ChartColumn]:
        return [column for column in self.columns if column.role == role]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def recommend(
    table: Table, question: str = "", *, kind: Kind | None = None, title: str = "", sql: str = ""
) -> Chart | None:
    """The chart that suits a table best; None for one that no chart shows better than its text (a single value, names).

    Args:
        question: what was asked; its words decide between charts that are possible, and it is the title by default.
        kind: the chart that is wanted. Where it cannot show the table, another is drawn, and a note says so.
        sql: the query whose result the table is; it tells which columns may be summed. Without it their names do.
    """
    case = _Case(values_of(table), chart_columns(table, sql), question)
    wanted = kind or next((name for name, words in _WORDS if re.search(words, question, re.I)), None)
    order = [*([wanted] if wanted else []), *_natural(case)]
    for name in order:
        draw = _DRAW.get(name)  # none of boxes: a result seldom holds the single values that they stand for
        spec = draw(case) if draw else None
        if spec is None:
            continue
        if kind and name != kind and not case.notes:
            case.note(f"A {kind} chart cannot show these columns; a {name} chart is drawn instead.")
        if table.truncated:
            case.note(table.truncated)
        return Chart(finished(spec, title or question, case.notes), name, tuple(case.notes))
    return None


def values_of(table: Table) -> list[Row]:
    """The rows as Vega-Lite reads them: JSON values under names that it does not take for paths."""
    names = field_names(table.unique_names())
    return [dict(zip(names, (_cell(value) for value in row), strict=True)) for row in table.rows]


def _cell(value: Value) -> Any:
    if not is_finite(value):
        return None
    if isinstance(value, decimal.Decimal) or (isinstance(value, int) and abs(value) > 2**53):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    cell = json_cell(value)
    return cell if cell is None or isinstance(cell, (bool, int, float, str)) else json.dumps(cell, ensure_ascii=False)


def _natural(case: _Case) -> list[Kind]:
    """Charts in the order in which they suit these columns."""
    amounts, times, categories = case.of("amount"), case.of("time"), case.of("category")
    if times and amounts and case.rows:
        return ["line", "bar"]
    if len(categories) >= 2 and amounts and categories[0].distinct > 3 and categories[1].distinct > SERIES:
        return ["heatmap", "bar"]
    if amounts and any(column.ordered and column.distinct > 2 for column in categories):
        return ["line", "bar"]
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
        colour, y = rest[0], amounts[0]
    elif len(amounts) > 1 and _alike(amounts):
        rows, y, colour = _folded(rows, along, amounts[:SERIES])
    else:
        y = amounts[0]
        if len(amounts) > 1:
            case.note(f"Only {y.title} is drawn: {amounts[1].title} is of another size.")
    rows = _averaged(case, [row for row in rows if row[along.name] is not None], [along, *_some(colour)], y)
    if not rows:
        return None
    if colour:
        rows = _largest(case, rows, colour, y, SERIES, [along])
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
        names = _by_size(rows, colour, y)
        if _OTHER.fullmatch(str(names[-1])):
            encoding["color"]["scale"] = {"domain": names, "range": [*PALETTE[: len(names) - 1], OTHER]}
    mark: Spec = {"type": "line", "point": len(rows) <= 40, "strokeWidth": 2, "tooltip": True}
    return _spec(rows, mark, encoding)


def _bar(case: _Case) -> Spec | None:
    categories = case.of("category") or case.of("time")
    amounts = case.of("amount")
    if not categories or not case.rows:
        return None
    along = categories[0]
    if along.role == "time":
        case.rows = [row for row in case.rows if row[along.name] is not None]
    if not amounts:
        return next((spec for column in categories if (spec := _counted(case, column))), None)
    if len(case.rows) < 2:
        return None
    second = next((c for c in categories[1:] if 1 < c.distinct <= SERIES), None)
    y = amounts[0]
    rows = case.rows
    if second is None and len(amounts) > 1 and _alike(amounts) and along.distinct <= BARS:
        rows, y, second = _folded(rows, along, amounts[:SERIES])
    rows = _averaged(case, rows, [along, *_some(second)], y)
    if not rows:
        return None
    rows = _largest(case, rows, along, y, BARS, _some(second))
    size: Spec = {"step": BAR_STEP if second is None else BAR_STEP * 0.6}
    sort = _order(along, rows) if along.ordered else _by_size(rows, along, y)
    height = BAR_STEP * len({row[along.name] for row in rows})
    encoding: Spec = {
        "y": {"field": along.name, "type": "ordinal" if along.ordered else "nominal", "title": along.title,
              "sort": sort, "axis": {"titleLimit": max(60, height)}},
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
    why = (
        "negative parts" if y.lowest is not None and y.lowest < 0
        else f"more than {PIE_SLICES} slices" if along.distinct > PIE_SLICES
        else "several rows for a slice" if len(case.rows) != along.distinct
        else ""
    )  # fmt: skip
    if why:
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
    return histogram_spec([float(row[x.name]) for row in case.rows if row[x.name] is not None], x.title)


def histogram_spec(values: Sequence[float], title: str) -> Spec:
    """Bars of how many values lie in each of at most `BINS` classes of equal width; `title` is that of their axis."""
    step = _nice(max(values) / BINS - min(values) / BINS)
    counts = Counter(math.floor(value / step) for value in values)
    rows = [{"_from": n * step, "_to": (n + 1) * step, "_rows": count} for n, count in sorted(counts.items())]
    encoding: Spec = {
        "x": {"field": "_from", "type": "quantitative", "bin": {"binned": True, "step": step}, "title": title,
              "axis": number_axis(values)},
        "x2": {"field": "_to"},
        "y": {"field": "_rows", "type": "quantitative", "title": "Rows"},
    }  # fmt: skip
    return _spec(rows, {"type": "bar", "tooltip": True}, encoding)


def _nice(width: float) -> float:
    """The next of 1, 2 and 5 times a power of ten; 1 where there is hardly a width."""
    if width < 1e-300:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(width))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width * 0.999)


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


def _colour(column: ChartColumn) -> Spec:
    return {"field": column.name, "type": "ordinal" if column.ordered else "nominal", "title": column.title,
            "scale": {"range": "category"}}  # fmt: skip


def _axis(rows: Sequence[Row], column: ChartColumn) -> Spec:
    return number_axis(row[column.name] for row in rows)


def _order(column: ChartColumn, rows: Sequence[Row]) -> list[Any] | str:
    """Days and months in the order of the calendar, other values in their own."""
    return calendar_order({row[column.name] for row in rows}) or "ascending"


def _counted(case: _Case, along: ChartColumn) -> Spec | None:
    """Bars of how often each value occurs, where values repeat and there is nothing else to measure."""
    counts: dict[Any, int] = {}
    for row in case.rows:
        counts[row[along.name]] = counts.get(row[along.name], 0) + 1
    if len(counts) == len(case.rows) or len(counts) < 2:
        return None
    amount = ChartColumn("_rows", "amount", "Rows", False, 0, 0, additive=True)
    rows = [{along.name: value, "_rows": count} for value, count in counts.items()]
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
    value = ChartColumn("_value", "amount", f"Value{unit[0] if unit else ''}", False, 0, 0, lowest)
    which = ChartColumn("_measure", "category", "", False, len(amounts), 0)
    long = [{along.name: row[along.name], "_measure": c.title, "_value": row[c.name]} for row in rows for c in amounts]
    return long, value, which


def _averaged(case: _Case, rows: Sequence[Row], by: Sequence[ChartColumn], y: ChartColumn) -> list[Row]:
    """One row for each group: where there are several, their mean, and a note of it."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        if row[y.name] is not None:
            key = tuple(MISSING if row[c.name] is None else row[c.name] for c in by)
            groups.setdefault(key, []).append(row[y.name])
    used = sum(map(len, groups.values()))
    if used > len(groups):
        case.note(f"Each mark is the mean of {y.title} over several rows.")
        case.averaged = True
    if used < len(rows):
        case.note(f"Rows without {y.title} are left out: {len(rows) - used:,}.")
    return [
        {**dict(zip((c.name for c in by), key, strict=True)), y.name: sum(values) / len(values)}
        for key, values in groups.items()
    ]


def _largest(
    case: _Case, rows: list[Row], of: ChartColumn, y: ChartColumn, most: int, by: Sequence[ChartColumn]
) -> list[Row]:
    """No more than `most` values of a category: the largest, and where amounts may be summed the others as one.

    Args:
        by: what the rows are told apart by besides.
    """
    totals: dict[Any, float] = {}
    for row in rows:
        totals[row[of.name]] = totals.get(row[of.name], 0.0) + abs(row[y.name])
    if len(totals) <= most:
        return rows
    ranked = sorted(totals, key=lambda key: -totals[key])
    whole = sum(totals.values()) or 1
    summed = y.additive and not case.averaged and not of.ordered
    joined = summed and sum(totals[key] for key in ranked[most - 1 :]) <= MOST_OTHER * whole
    kept = set(ranked[: most - joined])
    drawn = [row for row in rows if row[of.name] in kept]
    if not joined:
        rest = sum(totals[key] for key in ranked[most:]) / whole
        beside = f" The others hold {rest:.0%} of the whole." if summed else ""
        case.note(f"The {most} largest of {len(totals):,} are drawn.{beside}")
        return drawn
    other = f"Other ({len(totals) - len(kept):,} more)"
    sums: dict[tuple[Any, ...], float] = {}
    for row in rows:
        if row[of.name] not in kept:
            key = tuple(row[c.name] for c in by)
            sums[key] = sums.get(key, 0) + row[y.name]
    case.note(f"The {len(kept)} largest of {len(totals):,} are drawn, and the others as one.")
    names = [c.name for c in by]
    others = [{of.name: other, y.name: total, **dict(zip(names, key, strict=True))} for key, total in sums.items()]
    return drawn + others


def _by_size(rows: Sequence[Row], along: ChartColumn, y: ChartColumn) -> list[Any]:
    """The values of a category from the largest to the smallest; what stands for others comes last."""
    totals: dict[Any, float] = {}
    for row in rows:
        totals[row[along.name]] = totals.get(row[along.name], 0.0) + row[y.name]
    return sorted(totals, key=lambda key: (bool(_OTHER.fullmatch(str(key))), -totals[key]))


def _some(column: ChartColumn | None) -> list[ChartColumn]:
    return [column] if column else []


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
