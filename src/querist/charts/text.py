"""A chart in a terminal: bars, or a line of blocks. The table itself is beside it, so this only shows its shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from querist.charts.columns import day_of

if TYPE_CHECKING:
    from querist.charts.chart import Chart

BLOCKS = "▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉"
MOST_BARS = 20
NARROWEST = 10


def to_text(chart: Chart, width: int = 80) -> str:
    """The chart as lines of at most `width` characters; its title first, its notes last."""
    rows: Sequence[dict[str, Any]] = chart.spec["data"]["values"]
    encoding = chart.spec["encoding"]
    if chart.kind == "line":
        body = _lines(rows, encoding, width)
    elif chart.kind == "histogram":
        body = _histogram(rows, encoding, width)
    elif chart.kind == "box":
        body = _boxes(rows, width)
    elif chart.kind in ("bar", "pie"):
        body = _bars(rows, encoding, width)
    else:
        body = [f"(a {chart.kind} of {len(rows)} points; save it as a picture to see it)"]
    return "\n".join(line for line in (chart.title, *body, *chart.notes) if line)


def _bars(rows: Sequence[dict[str, Any]], encoding: dict[str, Any], width: int) -> list[str]:
    if "theta" in encoding:
        names, sizes = encoding["color"], encoding["theta"]
    else:
        names, sizes = sorted((encoding["x"], encoding["y"]), key=lambda side: side["type"] == "quantitative")
    label, value = names["field"], sizes["field"]
    second = encoding.get("color", {}).get("field", label)
    place = _places(rows, label, names.get("sort"))
    ranked = sorted(rows, key=lambda row: (place(row[label]), -(row[value] or 0)))
    pairs = [
        (str(row[label]) if second == label else f"{row[label]}, {row[second]}", float(row[value] or 0))
        for row in ranked
    ]
    more = len(pairs) - MOST_BARS
    lines = _bar_lines(pairs[:MOST_BARS], width)
    return [*lines, f"… and {more} more"] if more > 0 else lines


def _bar_lines(pairs: Sequence[tuple[str, float]], width: int) -> list[str]:
    if not pairs:
        return []
    names = max(len(_cut(name, width // 3)) for name, _ in pairs)
    shown = [f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.6g}" for _, value in pairs]
    room = max(NARROWEST, width - names - max(map(len, shown)) - 2)
    largest = max((abs(value) for _, value in pairs), default=0) or 1
    lines = []
    for (name, value), number in zip(pairs, shown, strict=True):
        eighths = round(8 * room * (abs(value) / largest))
        bar = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip() if value >= 0 else "░" * (eighths // 8)
        lines.append(f"{_cut(name, width // 3):<{names}} {bar} {number}")
    return lines


def _lines(rows: Sequence[dict[str, Any]], encoding: dict[str, Any], width: int) -> list[str]:
    x, y = encoding["x"]["field"], encoding["y"]["field"]
    colour = encoding.get("color", {}).get("field")
    series: dict[str, list[tuple[str, float]]] = {}
    place = _places(rows, x, encoding["x"].get("sort", "ascending"))
    ordered = sorted((row for row in rows if row[y] is not None), key=lambda row: place(row[x]))
    for row in ordered:
        series.setdefault(str(row[colour]) if colour else "", []).append((str(row[x]), float(row[y])))
    names = max((len(_cut(name, width // 4)) for name in series), default=0)
    lines = []
    for name, points in series.items():
        values = _fitted([value for _, value in points], width - names - 26)
        low, high = min(values), max(values)
        blocks = "".join(BLOCKS[round(7 * (v - low) / (high - low)) if high > low else 3] for v in values)
        lines.append(f"{_cut(name, width // 4):<{names}} {blocks} {_number(low)} to {_number(high)}".strip())
    ends = [day_of(str(row[x])) for row in (*ordered[:1], *ordered[-1:])]
    return [*lines, " … ".join(ends)] if ends else lines


def _places(rows: Sequence[dict[str, Any]], field: str, sort: Any) -> Callable[[Any], int]:
    """Where each value of a field stands on its axis: as a list says, ascending, or all alike."""
    values: list[Any] = []
    if isinstance(sort, list):
        values = sort
    elif sort == "ascending":
        values = sorted({row[field] for row in rows}, key=lambda value: (isinstance(value, str), value))
    places = {value: place for place, value in enumerate(values)}
    return lambda value: places.get(value, len(places))


def _fitted(values: Sequence[float], most: int) -> list[float]:
    """No more values than fit, each the mean of those that it stands for."""
    most = max(NARROWEST, most)
    if len(values) <= most:
        return list(values)
    edges = [round(i * len(values) / most) for i in range(most + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges) if b > a]


def _histogram(rows: Sequence[dict[str, Any]], encoding: dict[str, Any], width: int) -> list[str]:
    start, count = encoding["x"]["field"], encoding["y"]["field"]
    return _bar_lines([(_number(row[start]), float(row[count])) for row in rows], width)


def _boxes(rows: Sequence[dict[str, Any]], width: int) -> list[str]:
    names = max(len(_cut(row["group"], width // 4)) for row in rows)
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    room = max(NARROWEST, width - names - 2)
    lines = []
    for row in rows:
        parts = ("low", "q1", "median", "q3", "high")
        start, left, middle, right, end = (round((row[part] - low) / (high - low or 1) * (room - 1)) for part in parts)
        cells = [
            "┃" if n == middle else "▒" if left <= n <= right else "─" if start <= n <= end else " "
            for n in range(room)
        ]
        lines.append(f"{_cut(row['group'], width // 4):<{names}} {''.join(cells)}".rstrip())
    return [*lines, f"{'':<{names}} {_number(low)} to {_number(high)}"]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
