"""Which chart shows a table: decided by the parts its columns can play and by words of the question, not by a model.

No more is drawn than can be read; what is left out, or drawn instead of what was asked for, stands in the notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from querist.charts.additive import is_part
from querist.charts.case import Case, Row, by_size, is_rest, values_of
from querist.charts.chart import Chart, Kind, Spec
from querist.charts.columns import ChartColumn, calendar_order, chart_columns, day_of
from querist.charts.histogram import histogram_spec
from querist.charts.style import BAR_STEP, HEIGHT, OTHER, PALETTE, WIDTH, finished, number_axis, time_axis
from querist.sources.table import Table

BARS = 25
"""More bars are too many: the largest are drawn."""
SERIES = 7
"""More lines or colours are too many to tell apart: the largest are drawn."""
PIE_SLICES = 6
CELLS = 40
"""Most rows or columns of a heat map."""
_WORDS: tuple[tuple[Kind, str], ...] = (
    ("pie", r"\b(pie|donut|doughnut)\b"),
    ("histogram", r"\b(histogram|distribut\w+)\b"),
    ("scatter", r"\b(scatter\w*|correlat\w+|relationship|against|versus|vs)\b"),
    ("heatmap", r"\bheat ?map\b"),
    ("line", r"\b(line chart|over time|trend|develop\w*|course)\b"),
    ("bar", r"\bbars?( chart)?\b"),
)


def recommend(
    table: Table, question: str = "", *, kind: Kind | None = None, title: str = "", sql: str = ""
) -> Chart | None:
    """The chart that suits a table best; None for one that no chart shows better than its text (a single value, names).

    Args:
        question: what was asked; its words decide between charts that are possible, and it is the title by default.
        kind: the chart that is wanted. Where it cannot show the table, another is drawn, and a note says so.
        sql: the query whose result the table is; it tells which columns may be summed. Without it their names do.
    """
    columns = chart_columns(table, sql)
    partial = bool(table.truncated) or is_part(sql, len(table.rows))
    case = Case(values_of(table, columns), columns, partial)
    meant = next((name for name, words in _WORDS if re.search(words, question, re.I)), None)
    return draw(case, title or question, kind or meant, tell=bool(kind), cut=table.truncated)


def draw(case: Case, title: str, wanted: Kind | None, *, tell: bool = True, cut: str | None = None) -> Chart | None:
    """The chart that is wanted, or else one that suits; None where none shows more than the text.

    Args:
        tell: whether a note tells of another chart than the wanted one.
        cut: what says that there are more rows.
    """
    told, refused = len(case.notes), False
    for kind in ([wanted] if wanted else []) + _natural(case):
        way = _DRAW.get(kind)
        spec = way(case) if way else None
        if spec is None:
            refused |= tell and kind == wanted and len(case.notes) == told
            continue
        if refused:
            case.note(f"A {wanted} chart cannot show these columns; a {kind} chart is drawn instead.")
        if cut:
            case.note(cut)
        return Chart(finished(spec, title, case.notes), kind, tuple(case.notes))
    return None


def _natural(case: Case) -> list[Kind]:
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


def _line(case: Case) -> Spec | None:
    amounts = case.of("amount")
    along = next(iter(case.of("time")), None) or next((c for c in case.of("category") if c.ordered), None)
    if along is None or not amounts or along.distinct < 3:
        return None
    colour = next((c for c in case.of("category") if c is not along and c.distinct > 1), None)
    rows, y, drawn = case.rows, amounts[0], amounts[:1]
    if colour is None and len(amounts) > 1 and _alike(amounts):
        drawn = amounts[:SERIES]
        rows, y, colour = _folded(rows, along, drawn)
    case.only(*drawn)
    given = case.known(rows, along)
    rows = case.averaged(given, [along, *_some(colour)], y)
    if not rows:
        return None
    if colour:
        rows = case.largest(rows, colour, y, SERIES, [along])
    gaps = _gaps(given, rows, along, y, colour)
    rows = case.outlined(rows, along, y, colour)
    encoding: Spec = {
        "x": _along(along, [*rows, *gaps]),
        "y": {"field": y.name, "type": "quantitative", "title": y.title, "axis": _axis(rows, y)},
    }
    if y.lowest is not None and y.lowest > 0:
        encoding["y"]["scale"] = {"zero": _near_zero(rows, y.name)}
    if colour:
        encoding["color"] = _colour(colour)
        names = by_size(rows, colour, y)
        if is_rest(names[-1]):
            encoding["color"]["scale"] = {"domain": names, "range": [*PALETTE[: len(names) - 1], OTHER]}
    mark: Spec = {"type": "line", "point": len(rows) <= 40 or bool(gaps), "strokeWidth": 2, "tooltip": True}
    return _spec([*rows, *gaps], mark, encoding)


def _gaps(
    given: Sequence[Row], drawn: Sequence[Row], along: ChartColumn, y: ChartColumn, colour: ChartColumn | None
) -> list[Row]:
    """Rows without a value: a line breaks there, and does not run straight to the next."""
    names = [column.name for column in (along, *_some(colour))]
    held = {tuple(row[name] for name in names) for row in drawn}
    lines = {place[1:] for place in held}
    places = dict.fromkeys(tuple(row[name] for name in names) for row in given if row[y.name] is None)
    gaps = [place for place in places if place not in held and place[1:] in lines]
    return [{**dict(zip(names, place, strict=True)), y.name: None} for place in gaps]


def _along(column: ChartColumn, rows: Sequence[Row]) -> Spec:
    """The axis that lines run along: numbers stand as far apart as they are."""
    if column.role == "time":
        return time_axis(column.name, (row[column.name] for row in rows))
    axis: Spec = {"field": column.name, "title": column.title}
    if all(isinstance(row[column.name], (int, float)) for row in rows):
        ticks = {"format": "~r" if any(row[column.name] % 1 for row in rows) else "d", "tickMinStep": 1}
        return {**axis, "type": "quantitative", "axis": ticks, "scale": {"zero": False, "nice": False}}
    labels = {"labelAngle": 0, "labelOverlap": True}
    return {**axis, "type": "ordinal", "sort": _order(column, rows), "axis": labels}


def _bar(case: Case) -> Spec | None:
    categories = case.of("category") or case.of("time")
    amounts = case.of("amount")
    if not categories or not case.rows:
        return None
    along = categories[0]
    if along.role == "time":  # as words, so that no two moments share a bar
        case.rows = [{**row, along.name: day_of(row[along.name])} for row in case.known(case.rows, along)]
    if not amounts:
        return next((spec for column in categories if (spec := _counted(case, column))), None)
    if len(case.rows) < 2:
        return None
    second = next((c for c in categories[1:] if 1 < c.distinct <= SERIES), None)
    rows, y, drawn = case.rows, amounts[0], amounts[:1]
    if second is None and len(amounts) > 1 and _alike(amounts) and along.distinct <= BARS:
        drawn = amounts[:SERIES]
        rows, y, second = _folded(rows, along, drawn)
    case.only(*drawn)
    rows = case.averaged(rows, [along, *_some(second)], y)
    if not rows:
        return None
    rows = case.largest(rows, along, y, BARS, _some(second))
    size: Spec = {"step": BAR_STEP if second is None else BAR_STEP * 0.6}
    sort = _order(along, rows) if along.ordered else by_size(rows, along, y)
    height = BAR_STEP * len({row[along.name] for row in rows})
    encoding: Spec = {
        "y": {"field": along.name, "type": "ordinal" if along.ordered else "nominal", "title": along.title,
              "sort": sort, "axis": {"titleLimit": max(60, height)}},
        "x": {"field": y.name, "type": "quantitative", "title": y.title, "scale": {"zero": True},
              "axis": _axis(rows, y)},
    }  # fmt: skip
    if second:
        encoding["color"] = _colour(second)
        encoding["yOffset"] = {"field": second.name}
    return {**_spec(rows, {"type": "bar", "tooltip": True}, encoding), "height": size}


def _pie(case: Case) -> Spec | None:
    categories, amounts = case.of("category"), case.of("amount")
    if not categories or not amounts or len(case.rows) < 2:
        return None
    along, y = categories[0], amounts[0]
    slices = {row[along.name] for row in case.rows}
    why = (
        "with negative parts" if y.lowest is not None and y.lowest < 0
        else f"with more than {PIE_SLICES} slices" if len(slices) > PIE_SLICES
        else "with several rows for a slice" if len(slices) < len(case.rows)
        else "of some rows only" if case.partial
        else f"of {y.title}, which may not add up," if not y.additive
        else ""
    )  # fmt: skip
    if why:
        case.note(f"A pie {why} cannot be read; bars are drawn instead.")
        return None
    encoding: Spec = {
        "theta": {"field": y.name, "type": "quantitative", "title": y.title, "stack": True},
        "color": {**_colour(along), "sort": {"field": y.name, "order": "descending"}},
        "order": {"field": y.name, "sort": "descending"},
    }
    rows = case.averaged(case.rows, [along], y)
    return {**_spec(rows, {"type": "arc", "tooltip": True, "stroke": "white"}, encoding), "width": HEIGHT}


def _scatter(case: Case) -> Spec | None:
    amounts = case.of("amount")
    if len(amounts) < 2 or len(case.rows) < 3:
        return None
    x, y = amounts[:2]
    case.only(x, y)
    colour = next((c for c in case.of("category") if 1 < c.distinct <= SERIES), None)
    rows = case.sampled(case.known(case.rows, x, y), colour)
    encoding: Spec = {
        side: {"field": c.name, "type": "quantitative", "title": c.title, "scale": {"zero": False},
               "axis": _axis(rows, c)}
        for side, c in (("x", x), ("y", y))
    }  # fmt: skip
    if colour:
        encoding["color"] = _colour(colour)
    opacity = 0.8 if len(rows) <= 200 else 0.4
    return _spec(rows, {"type": "point", "filled": True, "opacity": opacity, "tooltip": True}, encoding)


def _histogram(case: Case) -> Spec | None:
    amounts = case.of("amount")
    if not amounts or len(case.rows) < 5:
        return None
    x = amounts[-1] if len(case.of("category")) else amounts[0]
    return histogram_spec([float(row[x.name]) for row in case.known(case.rows, x)], x.title)


def _heatmap(case: Case) -> Spec | None:
    categories, amounts = case.of("category"), case.of("amount")
    if len(categories) < 2 or not amounts or max(c.distinct for c in categories[:2]) > CELLS:
        return None
    down, across = categories[:2]
    case.only(amounts[0])
    rows = case.averaged(case.rows, [down, across], amounts[0])
    encoding: Spec = {
        "y": {"field": down.name, "type": "ordinal", "title": down.title, "sort": _order(down, rows)},
        "x": {"field": across.name, "type": "ordinal", "title": across.title, "sort": _order(across, rows),
              "axis": {"labelOverlap": True, "labelAngle": 0 if across.distinct <= CELLS // 2 else -90}},
        "color": {"field": amounts[0].name, "type": "quantitative", "title": amounts[0].title},
    }  # fmt: skip
    return {**_spec(rows, {"type": "rect", "tooltip": True}, encoding), "height": {"step": BAR_STEP}}


_DRAW: dict[Kind, Callable[[Case], Spec | None]] = {  # no boxes: results seldom hold the values they stand for
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


def _counted(case: Case, along: ChartColumn) -> Spec | None:
    """Bars of how often each value occurs, where values repeat and there is nothing else to measure."""
    counts: dict[Any, int] = {}
    for row in case.rows:
        counts[row[along.name]] = counts.get(row[along.name], 0) + 1
    if len(counts) == len(case.rows) or len(counts) < 2:
        return None
    amount = ChartColumn("_rows", "amount", "Rows", False, 0, 0, additive=True)
    rows = [{along.name: value, "_rows": count} for value, count in counts.items()]
    counted = Case(rows, [along, amount], case.partial, case.notes)
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


def _some(column: ChartColumn | None) -> list[ChartColumn]:
    return [column] if column else []


def _near_zero(rows: Sequence[Row], name: str) -> bool:
    """Whether an axis of lines should start at zero: it does when that takes little of its height."""
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and min(values) < 0.5 * max(values)
