"""Charts of what statistics found hold what was computed, few points, and say what they leave out."""

from __future__ import annotations

import numpy as np
import pytest

from querist.charts.check import validate
from querist.charts.statistical import REST, boxes, course, points
from querist.charts.style import OTHER, PALETTE
from querist.charts.thinning import POINTS, SMALL


def test_of_many_points_some_are_drawn_and_of_a_small_group_all() -> None:
    marks = [(float(n), float(n % 7), "rare" if n % 500 == 0 else "usual") for n in range(50_000)]
    chart = points(marks, ("Row", "Price"), "Outliers", names=["usual", "rare"])
    drawn = [row["group"] for row in chart.spec["data"]["values"]]
    assert drawn.count("rare") == 100 < SMALL
    assert len(drawn) <= POINTS + SMALL
    assert chart.notes == (f"Of 50,000 points {len(drawn):,} are drawn.",)


def test_what_is_none_of_the_named_groups_is_grey() -> None:
    chart = points([(1, 2, "a"), (2, 3, REST)], ("x", "y"), "Groups", names=[REST, "a"])
    scale = chart.spec["layer"][0]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["a", REST], "range": [PALETTE[0], OTHER]}


def test_boxes_are_tukeys() -> None:
    values = [1.0, 2.0, 3.0, 4.5, 5.0, 6.0, 40.0]
    chart = boxes({"a": values, "b": [2.0, 2.0]}, ("Price", "Kind"), "Price by kind")
    box, alike = chart.spec["data"]["values"]
    assert [box["q1"], box["median"], box["q3"]] == np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    assert (box["low"], box["high"], box["mean"]) == (1.0, 6.0, pytest.approx(np.mean(values)))
    assert (alike["low"], alike["high"]) == (2.0, 2.0)
    assert chart.notes[0].endswith("Further out, not drawn: 1.")
    validate(chart.spec)
    assert chart.text(24).splitlines()[1:3] == ["a ──────▒▒▒▒▒▒▒▒┃▒▒▒▒──", "b     ┃"]


def test_a_course_has_its_interval_as_a_band_and_its_dates_below() -> None:
    past = [("2024-01-01T00:00:00", 5.0), ("2024-02-01T00:00:00", 7.0)]
    ahead = [past[-1], ("2024-03-01T00:00:00", 8.0)]
    band = [("2024-03-01T00:00:00", 6.0, float("inf")), ("2024-03-01T00:00:00", 6.0, 11.0)]
    chart = course({"observed": past, "forecast": ahead}, "Sold", "Forecast", band)
    area, line = chart.spec["layer"]
    assert area["data"]["values"] == [{"when": "2024-03-01T00:00:00", "low": 6.0, "high": 11.0, "line": "forecast"}]
    assert line["mark"]["type"] == "line"
    assert chart.text(60).splitlines()[-1] == "2024-01-01 … 2024-03-01"
    validate(chart.spec)


def test_of_a_long_course_the_peaks_are_drawn_and_the_rest_is_told() -> None:
    days = [
        (f"{2000 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}", 500.0 if n == 2001 else n % 7) for n in range(4000)
    ]
    chart = course({"observed": days}, "Sold", "Course")
    drawn = chart.spec["data"]["values"]
    assert {row["value"] for row in drawn} >= {0, 6, 500.0}
    assert drawn[0]["when"] == "2000-01-01T00:00:00"
    assert chart.notes == (f"Of 4,000 points {len(drawn):,} are drawn: the lowest and the highest of each stretch.",)
