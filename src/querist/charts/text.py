"""A chart in a terminal: bars, or a line of blocks. The table itself is beside it, so this only shows its shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

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
        body = _histogram(rows, encoding["x"]["field"], width)
    elif chart.kind in ("bar", "pie"):
        body = _bars(rows, encoding, width)
    else:
        body = [f"(a {chart.kind} of {len(rows)} points; save it as a picture to see it)"]
    return "\n".join(line for line in (chart.title, *body, *chart.notes) if line)


def _bars(rows: Sequence[dict[str, Any]], encoding: dict[str, Any], width: int) -> list[str]:
    if "theta" in encoding:
        label, value = encoding["color"]["field"], encoding["theta"]["field"]
    else:
        sides = sorted((encoding["x"], encoding["y"]), key=lambda side: side.get("type") == "quantitative")
        label, value = sides[0]["field"], sides[1]["field"]
    second = encoding.get("color", {}).get("field", label)
    pairs = [
        (str(row[label]) if second == label else f"{row[label]}, {row[second]}", float(row[value] or 0)) for row in rows
    ]
    if "sort" not in encoding.get("y", {}) or encoding["y"]["sort"]:
        pairs.sort(key=lambda pair: -pair[1])
    more = len(pairs) - MOST_BARS
    lines = _bar_lines(pairs[:MOST_BARS], width)
    return [*lines, f"… and {more} more"] if more > 0 else lines


def _bar_lines(pairs: Sequence[tuple[str, float]], width: int) -> list[str]:
    if not pairs:
        return []
    names = max(len(_cut(name, width // 3)) for name, _ in pairs)
    shown = [f"{value:,.6g}" for _, value in pairs]
    room = max(NARROWEST, width - names - max(map(len, shown)) - 2)
    largest = max((abs(value) for _, value in pairs), default=0) or 1
    lines = []
    for (name, value), number in zip(pairs, shown, strict=True):
        eighths = round(8 * room * abs(value) / largest)
        bar = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
        lines.append(f"{_cut(name, width // 3):<{names}} {bar} {number}")
    return lines


def _lines(rows: Sequence[dict[str, Any]], encoding: dict[str, Any], width: int) -> list[str]:
    x, y = encoding["x"]["field"], encoding["y"]["field"]
    colour = encoding.get("color", {}).get("field")
    series: dict[str, list[tuple[str, float]]] = {}
    for row in rows:
        if row[y] is not None:
            series.setdefault(str(row[colour]) if colour else "", []).append((str(row[x]), float(row[y])))
    names = max((len(_cut(name, width // 4)) for name in series), default=0)
    lines = []
    for name, points in series.items():
        points.sort()
        values = _fitted([value for _, value in points], width - names - 26)
        low, high = min(values), max(values)
        blocks = "".join(BLOCKS[round(7 * (v - low) / (high - low)) if high > low else 3] for v in values)
        lines.append(f"{_cut(name, width // 4):<{names}} {blocks} {_number(low)} to {_number(high)}".strip())
    ends = sorted(point[0] for points in series.values() for point in points)
    return [*lines, f"{ends[0]} … {ends[-1]}"] if ends else lines


def _fitted(values: Sequence[float], most: int) -> list[float]:
    """No more values than fit, each the mean of those that it stands for."""
    most = max(NARROWEST, most)
    if len(values) <= most:
        return list(values)
    edges = [round(i * len(values) / most) for i in range(most + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges) if b > a]


def _histogram(rows: Sequence[dict[str, Any]], name: str, width: int) -> list[str]:
    values = [float(row[name]) for row in rows if row[name] is not None]
    low, high = min(values), max(values)
    bins = 12
    size = (high - low) / bins or 1
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / size))] += 1
    return _bar_lines([(_number(low + i * size), float(count)) for i, count in enumerate(counts)], width)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
