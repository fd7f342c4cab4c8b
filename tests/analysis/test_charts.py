"""Each technique draws what it found: the title says it, and the chart is a valid one of few rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from querist.analysis.findings import merged
from querist.analysis.techniques import techniques
from querist.charts.chart import Chart
from querist.charts.check import validate
from tests.analysis.test_techniques import found

SERIES = {"date": "sown", "value": "rain_mm"}
BOTH = ["rain_mm", "Yield kg"]


def drawn(name: str, frame: pd.DataFrame, **params: Any) -> Chart:
    chart = found(name, frame, **params).chart
    assert chart is not None
    return chart


@pytest.mark.parametrize(
    ("name", "params", "kind", "title"),
    [
        ("describe", {"columns": BOTH, "statistics": ["mean"]}, "histogram", "Distribution of Rain (mm)"),
        ("describe", {"columns": BOTH, "statistics": ["mean"], "by": "region"}, "box", "Rain (mm) by Region"),
        ("describe", {"columns": ["region"], "statistics": ["mode"]}, "bar", "Rows by Region"),
        ("correlation", {"columns": BOTH}, "scatter", "Yield (kg) against Rain (mm): r = {r:.2f}, p < 0.001"),
        ("correlation", {"columns": BOTH, "by": "region"}, "scatter", "Yield (kg) against Rain (mm) by Region"),
        ("normality", {"columns": ["price"]}, "histogram", "Distribution of Price: Shapiro, p < 0.001"),
        (
            "outliers",
            {"column": "price"},
            "scatter",
            "Outliers of Price: {outlier_count} of 200 (z-score, threshold 3)",
        ),
        (
            "compare_groups",
            {"column": "rain_mm", "by": "irrigated"},
            "box",
            "Rain (mm) by Irrigated: t-test, p = {p_value:.2g}",
        ),
        (
            "compare_groups",
            {"column": "region", "by": "irrigated"},
            "bar",
            "Region by Irrigated: chi-squared, p = {p_value:.2g}",
        ),
        (
            "regression",
            {"target": "Yield kg", "features": ["rain_mm", "irrigated"]},
            "scatter",
            "Yield (kg), predicted against observed: R² = {r2:.2f} on all rows",
        ),
        (
            "regression",
            {"target": "irrigated", "features": BOTH, "kind": "logistic"},
            "box",
            "Irrigated, predicted against observed: {accuracy:.0%} right on all rows",
        ),
        ("missing_values", {"columns": BOTH}, "bar", "Missing values of 200 rows, by column"),
        ("trend", SERIES, "line", "Rain (mm) by month: no clear trend, p = {p_value:.2g}"),
        ("forecast", SERIES, "line", "Rain (mm) by month: forecast with its 95% interval"),
        (
            "clusters",
            {"columns": [*BOTH, "price"], "count": 3},
            "scatter",
            "3 clusters of rows (silhouette {silhouette:.2f})",
        ),
        (
            "clusters",
            {"columns": ["price"], "count": 12},
            "scatter",
            "12 clusters of rows (silhouette {silhouette:.2f})",
        ),
    ],
)
def test_what_was_found_is_drawn(plots: pd.DataFrame, name: str, params: dict[str, Any], kind: str, title: str) -> None:
    result = found(name, plots, **params)
    assert result.chart is not None
    validate(result.chart.spec)
    said = title.format(**{value.name: value.value for value in result.values})
    assert (result.chart.kind, result.chart.title) == (kind, said)


def test_every_technique_draws_something_and_keeps_it_out_of_its_json(plots: pd.DataFrame) -> None:
    result = found("outliers", plots, column="price")
    assert "chart" not in result.model_dump()
    assert all("Chart" not in str(technique.output_schema()) for technique in techniques(plots))


def test_outliers_stand_apart_between_their_bounds() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0, 100.0]})
    chart = drawn("outliers", frame, column="x", method="iqr", threshold=1.5)
    marked = [(row["x"], row["y"]) for row in chart.spec["data"]["values"] if row["group"] == "outlier"]
    assert marked == [(6, 100.0)]
    assert [line["data"]["values"][0]["y"] for line in chart.spec["layer"][1:]] == [-1.5, 8.5]


def test_words_are_drawn_as_shares_of_each_group() -> None:
    frame = pd.DataFrame({"kind": list("aaabab"), "place": list("xxxxyy")})
    rows = drawn("compare_groups", frame, column="kind", by="place").spec["data"]["values"]
    assert [tuple(row.values()) for row in rows] == [("x", "a", 75), ("x", "b", 25), ("y", "a", 50), ("y", "b", 50)]


def test_the_strongest_of_several_pairs_is_drawn_and_that_is_told(plots: pd.DataFrame) -> None:
    chart = drawn("correlation", plots, columns=["price", *BOTH])
    assert chart.title.startswith("Yield (kg) against Rain (mm): r = ")
    assert chart.notes == ("The strongest of 3 pairs is drawn.",)


def test_a_column_may_be_called_as_parts_of_a_chart_are() -> None:
    frame = pd.DataFrame({"group": [1, 2, 3, 4], "x": [2, 4, 6, 9], "y": ["a", "a", "a", "b"]})
    rows = drawn("correlation", frame, columns=["group", "x"], by="y").spec["data"]["values"]
    assert rows[-1] == {"x": 4.0, "y": 9.0, "group": "b"}


def test_of_many_clusters_the_small_ones_are_grey(plots: pd.DataFrame) -> None:
    chart = drawn("clusters", plots, columns=["price"], count=12)
    assert len(chart.spec["layer"][0]["encoding"]["color"]["scale"]["domain"]) == 9


def test_what_cannot_be_seen_has_no_chart(plots: pd.DataFrame) -> None:
    assert found("describe", plots, columns=["plot"], statistics=["distinct"]).chart is None
    assert found("missing_values", plots, columns=["price"]).chart is None
    far = pd.DataFrame({"x": [1e308, -1e308, 5e-324], "g": ["a", "a", "b"]})
    assert found("describe", far, columns=["x"], statistics=["count"], by="g").chart is None


def test_of_several_techniques_the_first_chart_is_kept(plots: pd.DataFrame) -> None:
    parts = [found("missing_values", plots, columns=["price"]), found("outliers", plots, column="price")]
    assert merged(parts).chart == parts[1].chart
