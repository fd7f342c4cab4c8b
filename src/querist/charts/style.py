"""How charts look: sizes, and colours that people with any kind of colour vision can tell apart."""

from __future__ import annotations

from typing import Any

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
             "labelLimit": 220, "titleLimit": 400, "domainColor": "#999999", "tickColor": "#999999"},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 160,
               "titleLimit": 160},
    "title": {"fontSize": 15, "fontWeight": "bold", "anchor": "start", "offset": 12, "limit": 900,
              "subtitleFontSize": 11, "subtitleColor": "#555555"},
    "view": {"stroke": None},
}  # fmt: skip
