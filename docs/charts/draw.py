#!/usr/bin/env python3
"""Draws the pictures of docs/charts.md, over invented data and examples/shop: python docs/charts/draw.py"""

from __future__ import annotations

import datetime as dt
import math
import random
from pathlib import Path
from typing import Any

from querist.analysis.cleaning import clean
from querist.analysis.frame import to_frame
from querist.analysis.load import choose, load
from querist.analysis.techniques import techniques
from querist.charts.chart import Chart
from querist.charts.recommend import recommend
from querist.sources.open import open_sources
from querist.sources.table import ResultColumn, Table

HERE = Path(__file__).parent
R = random.Random(3)
MONTHS = [dt.date(2023 + i // 12, i % 12 + 1, 1) for i in range(24)]
PRODUCTS = ["Lamps", "Desks", "Chairs", "Shelves"]
REGIONS = ["North", "South", "East", "West", "Centre"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

PICTURES: dict[str, tuple[str, str, list[tuple[Any, ...]]]] = {
    "bars": ("What was the revenue by region?", "region revenue_usd", [(r, R.randint(1, 9) * 98_765) for r in REGIONS]),
    "many-bars": (
        "How many orders came from each city?",
        "city orders",
        [(f"City {i + 1}", R.randint(10, 900)) for i in range(60)],
    ),
    "other-bars": (
        "How many orders came from each city in total?",
        "city total_orders",
        [(f"City {i + 1}", 4000 // (i + 4)) for i in range(60)],
    ),
    "grouped-bars": (
        "Revenue by region and channel",
        "region channel revenue_usd",
        [(r, c, R.randint(100, 900)) for r in REGIONS[:4] for c in ("Shop", "Web", "Partner")],
    ),
    "line": (
        "How did the revenue develop?",
        "month revenue_eur",
        [(m, 50_000 + i * 1500 + 9000 * math.sin(i / 2)) for i, m in enumerate(MONTHS)],
    ),
    "lines": (
        "Units sold by month and product",
        "month product units",
        [
            (m, p, 200 + 40 * j + i * (j - 2) * 3 + R.randint(0, 30))
            for j, p in enumerate(PRODUCTS)
            for i, m in enumerate(MONTHS)
        ],
    ),
    "years": (
        "Average price by year",
        "year avg(price_chf)",
        [(y, 300 + y % 7 * 9 + (y - 2010) * 12) for y in range(2010, 2024)],
    ),
    "scatter": (
        "Is there a relationship between rain and yield?",
        "rain_mm yield_kg irrigated",
        [(x := R.gauss(400, 60), 2 * x + R.gauss(0, 60) + i % 2 * 120, ("no", "yes")[i % 2]) for i in range(120)],
    ),
    "histogram": ("How are the rents distributed?", "rent_eur", [(R.lognormvariate(6.8, 0.4),) for _ in range(800)]),
    "pie": (
        "Payments as a pie chart",
        "payment share_pct",
        [("Card", 61.5), ("Cash", 22.0), ("Invoice", 12.5), ("Voucher", 4.0)],
    ),
    "no-pie": (
        "Customers by country as a pie",
        "country customers",
        [(f"Country {i + 1}", R.randint(5, 400)) for i in range(12)],
    ),
    "heat-map": (
        "Heat map of visits by weekday and hour",
        "weekday hour visits",
        [(d, h, int(50 + 40 * math.sin(h / 4) + i * 6)) for i, d in enumerate(DAYS) for h in range(24)],
    ),
}

ANALYSES: dict[str, tuple[str, dict[str, Any]]] = {
    "forecast": ("forecast", {"date": "ordered on", "value": "total", "aggregate": "sum", "ahead": 6}),
    "boxes": ("compare_groups", {"column": "total", "by": "status"}),
}
"""Techniques and their parameters, over the orders of the shop."""


def main() -> None:
    for name, (question, columns, rows) in PICTURES.items():
        chart = recommend(Table(tuple(map(ResultColumn, columns.split())), tuple(rows)), question)
        save(chart, name)
    source, assembly = choose("", open_sources([str(HERE.parents[1] / "examples" / "shop")]), "orders")
    orders, _, _ = load(source, assembly)
    frame, _ = clean(to_frame(orders))
    ways = {technique.name: technique for technique in techniques(frame)}
    for name, (technique, params) in ANALYSES.items():
        save(ways[technique].compute(ways[technique].input_type.model_validate(params)).chart, name)


def save(chart: Chart | None, name: str) -> None:
    assert chart is not None
    print(chart.save(HERE / f"{name}.svg").name, chart.kind, *chart.notes)


if __name__ == "__main__":
    main()
