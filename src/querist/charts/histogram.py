"""Histograms: how many values lie in each of some equal classes, without gaps or peaks that the data do not have."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from querist.charts.chart import Spec
from querist.charts.style import HEIGHT, WIDTH, number_axis

BINS = 30


def histogram_spec(values: Sequence[float], title: str) -> Spec:
    """Bars of how many values lie in each of about `BINS` classes at most; `title` is that of their axis."""
    width = _width(values)
    counts = Counter(math.floor(_steps(value, width)) for value in values)
    rows = [
        {"_from": _edge(n * width), "_to": _edge((n + 1) * width), "_rows": counts[n]}
        for n in range(min(counts), max(counts) + 1)
    ]
    encoding: Spec = {
        "x": {"field": "_from", "type": "quantitative", "bin": {"binned": True, "step": width}, "title": title,
              "axis": number_axis(values)},
        "x2": {"field": "_to"},
        "y": {"field": "_rows", "type": "quantitative", "title": "Rows"},
    }  # fmt: skip
    data = {"values": rows}
    mark = {"type": "bar", "tooltip": True}
    return {"width": WIDTH, "height": HEIGHT, "data": data, "mark": mark, "encoding": encoding}


def _width(values: Sequence[float]) -> float:
    """The width of a class: as many steps of a grid as all others have, where the values lie on one.

    Classes of 0.5 would leave every second one empty among whole numbers, and some of 5 hold three even numbers and
    others two.
    """
    ordered = sorted(set(values))
    width = max(values) / BINS - min(values) / BINS
    if width < 1e-300:
        return 1.0
    grid = float(f"{min(b - a for a, b in pairwise(ordered)):.6g}")
    if any(abs((n := (value - ordered[0]) / grid) - round(n)) > 1e-4 for value in ordered):
        return _nice(width)
    return _edge(grid * _nice(max(1.0, width / grid)))


def _steps(value: float, width: float) -> float:
    """How many classes a value is from zero; what is at an edge but for the error of its last digits lies on it."""
    steps = value / width
    return steps + max(1e-9, 4 * math.ulp(steps))


def _edge(value: float) -> float:
    return float(f"{value:.15g}")


def _nice(width: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(width))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width * 0.999)
