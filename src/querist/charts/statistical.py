"""Charts of what statistics found: courses, points and boxes. Which numbers are drawn, and what the title says of them,
is decided by whoever computed them; no more points are drawn than `POINTS`.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from math import isfinite
from operator import itemgetter
from typing import Any

from querist.charts.case import Row
from querist.charts.chart import Chart, Kind, Spec
from querist.charts.columns import moment
from querist.charts.histogram import histogram_spec
from querist.charts.style import HEIGHT, OTHER, PALETTE, WIDTH, finished, number_axis, time_axis
from querist.charts.thinning import OUTLINED, POINTS, SMALL, outline, sample

REST = "others"
"""The name of marks that stand in grey behind those that matter."""
BOX_STEP = 34
"""Height of one box, in pixels."""
_BLACK = "#333333"


def histogram(values: Sequence[float], axis: str, title: str) -> Chart:
    """How often values occur; `axis` is what they are."""
    return Chart(finished(histogram_spec(values, axis), title, ()), "histogram")


def course(
    lines: Mapping[str, Sequence[tuple[str, float]]],
    axis: str,
    title: str,
    band: Sequence[tuple[str, float, float]] = (),
) -> Chart:
    """Lines over time, by name.

    Args:
        lines: each of pairs of an ISO date and a value.
        band: date, lower and upper end of the interval that the last line has.
    """
    names = list(lines)
    known = {name: [point for point in points if isfinite(point[1])] for name, points in lines.items()}
    rows: list[Row] = [
        {"when": moment(when), "value": value, "line": name}
        for name, points in known.items()
        for when, value in outline(points, itemgetter(1), POINTS)
    ]
    held = sum(map(len, known.values()))
    notes = [OUTLINED.format(held, len(rows))] if len(rows) < held else []
    ends = [
        {"when": moment(when), "low": low, "high": high, "line": names[-1]}
        for when, low, high in band
        if isfinite(high - low)
    ]
    values = [row["value"] for row in rows] + [end[side] for end in ends for side in ("low", "high")]
    y: Spec = {"field": "value", "type": "quantitative", "title": axis, "axis": number_axis(values),
               "scale": {"zero": min(values) < 0.5 * max(values)}}  # fmt: skip
    encoding: Spec = {
        "x": time_axis("when", (row["when"] for row in rows)),
        "y": y,
        "color": _colours("line", names),
    }
    layers: list[Spec] = [{"mark": {"type": "line", "strokeWidth": 2, "point": len(rows) <= 60, "tooltip": True}}]
    if ends:
        area = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
        layers.insert(0, {"data": {"values": ends}, "mark": {"type": "area", "opacity": 0.25}, "encoding": area})
    return _chart("line", rows, encoding, layers, title, notes)


def points(
    marks: Sequence[tuple[float, float, str]],
    axes: tuple[str, str],
    title: str,
    *,
    names: Sequence[str] = (),
    lines: Sequence[Sequence[tuple[float, float]]] = (),
    notes: Sequence[str] = (),
) -> Chart:
    """Points in the colours of their groups.

    Args:
        marks: across, up, and the name of the group.
        names: the groups in the order of their colours; none for one colour.
        lines: to hold the points against, dashed.
    """
    groups = [name for _, _, name in marks]
    rows: list[Row] = [{"x": x, "y": y, "group": name} for x, y, name in sample(marks, groups)]
    if len(rows) < len(marks):
        notes = (*notes, f"Of {len(marks):,} points {len(rows):,} are drawn.")
    encoding: Spec = {
        side: {"field": side, "type": "quantitative", "title": axis, "scale": {"zero": False},
               "axis": number_axis(row[side] for row in rows)}
        for side, axis in zip(("x", "y"), axes, strict=True)
    }  # fmt: skip
    opacity = 0.8 if len(rows) <= SMALL or names else 0.4
    colour = {"encoding": {"color": _colours("group", names)}} if names else {}
    layers: list[Spec] = [{"mark": {"type": "point", "filled": True, "opacity": opacity, "tooltip": True}, **colour}]
    for line in lines:
        ends = {"values": [{"x": x, "y": y} for x, y in line]}
        layers.append({"data": ends, "mark": {"type": "line", "strokeDash": [6, 4], "color": _BLACK, "strokeWidth": 1}})
    return _chart("scatter", rows, encoding, layers, title, notes)


def boxes(groups: Mapping[str, Sequence[float]], axes: tuple[str, str], title: str) -> Chart:
    """A box for each group, after Tukey: from quartile to quartile, with whiskers to the last values within 1.5 of its
    lengths, the median, and the mean.

    Args:
        groups: the values of each, two at least.
        axes: what the values are, and what the groups are.
    """
    rows: list[Row] = []
    outside = 0
    for name, values in groups.items():
        ordered = sorted(values)
        q1, median, q3 = statistics.quantiles(ordered, method="inclusive")
        first = bisect_left(ordered, q1 - 1.5 * (q3 - q1))
        last = bisect_right(ordered, q3 + 1.5 * (q3 - q1)) - 1
        outside += len(ordered) - (last - first + 1)
        parts = {"low": ordered[first], "q1": q1, "median": median, "q3": q3, "high": ordered[last]}
        rows.append({"group": name, **parts, "mean": statistics.fmean(ordered)})
    x: Spec = {"type": "quantitative", "title": axes[0], "scale": {"zero": False},
               "axis": number_axis(row[part] for row in rows for part in ("low", "high"))}  # fmt: skip
    encoding = {"y": {"field": "group", "type": "nominal", "title": axes[1], "sort": list(groups)}}

    def layer(mark: Spec, start: str, end: str = "") -> Spec:
        to = {"x2": {"field": end}} if end else {}
        return {"mark": {"tooltip": True, **mark}, "encoding": {"x": {**x, "field": start}, **to}}

    layers = [
        layer({"type": "rule", "color": _BLACK}, "low", "high"),
        layer({"type": "bar", "size": BOX_STEP * 0.55, "color": PALETTE[4]}, "q1", "q3"),
        layer({"type": "tick", "size": BOX_STEP * 0.55, "thickness": 3, "color": _BLACK}, "median"),
        layer(
            {"type": "point", "filled": True, "shape": "diamond", "size": 60, "opacity": 1, "color": PALETTE[5]}, "mean"
        ),
    ]
    beyond = f" Further out, not drawn: {outside:,}." if outside else ""
    notes = (f"Box: the middle half with the median; whiskers: up to 1.5 boxes on; diamond: the mean.{beyond}",)
    return _chart("box", rows, encoding, layers, title, notes, height={"step": BOX_STEP})


def _colours(field: str, names: Sequence[str]) -> Spec:
    told = [name for name in names if name != REST]
    rest = REST in names
    scale = {"domain": told + [REST] * rest, "range": PALETTE[: len(told)] + [OTHER] * rest}
    return {"field": field, "type": "nominal", "title": None, "scale": scale, "legend": {"symbolOpacity": 1}}


def _chart(
    kind: Kind,
    rows: Sequence[Row],
    encoding: Spec,
    layers: Sequence[Spec],
    title: str,
    notes: Sequence[str] = (),
    height: Any = HEIGHT,
) -> Chart:
    data = {"values": list(rows)}
    spec: Spec = {"width": WIDTH, "height": height, "data": data, "encoding": encoding, "layer": list(layers)}
    return Chart(finished(spec, title, notes), kind, tuple(notes))
