"""How charts look: sizes, titles, axes, and colours that people with any kind of colour vision can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"]
"""Okabe and Ito, "Color Universal Design" (2008), the darker ones first."""
OTHER = "#999999"
"""What stands for many."""
WIDTH, HEIGHT = 560, 320
BAR_STEP = 22
"""Height of one bar in a horizontal bar chart, in pixels."""

CONFIG: dict[str, Any] = {
    "background": "white",
    "font": "sans-serif",
    "range": {"category": PALETTE, "heatmap": {"scheme": "viridis"}, "ramp": {"scheme": "viridis"}},
    "mark": {"color": PALETTE[0]},
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "gridColor": "#e6e6e6",
             "labelLimit": 220, "maxExtent": 260, "labelFlush": False, "titleLimit": 400, "domainColor": "#999999",
             "tickColor": "#999999"},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 160,
               "titleLimit": 160},
    "title": {"fontSize": 15, "fontWeight": "bold", "anchor": "start", "offset": 12, "limit": 900,
              "subtitleFontSize": 11, "subtitleColor": "#555555"},
    "view": {"stroke": None},
}  # fmt: skip


def finished(spec: dict[str, Any], title: str, notes: Sequence[str]) -> dict[str, Any]:
    """The spec as it is drawn: with its title, and the notes below that."""
    words = " ".join(title.split())
    cut = words if len(words) <= 90 else words[:89] + "…"
    heading = {"text": cut[:1].upper() + cut[1:], **({"subtitle": list(notes)} if notes else {})}
    return {"$schema": SCHEMA, "title": heading, "config": CONFIG, **spec}


def number_axis(values: Iterable[float | None]) -> dict[str, Any]:
    """Few ticks, and thousands as k or M where numbers are long."""
    long = any(abs(value or 0) >= 10_000 for value in values)
    return {"tickCount": 7, "format": "~s" if long else ",~f"}


def time_axis(field: str, moments: Iterable[str]) -> dict[str, Any]:
    """The channel of an axis of time: no hours between days, and no label over another."""
    axis: dict[str, Any] = {"labelOverlap": True, "labelSeparation": 6}
    if all(moment.endswith("T00:00:00") for moment in moments):
        axis["tickMinStep"] = 24 * 60 * 60 * 1000
    return {"field": field, "type": "temporal", "title": None, "axis": axis}
