"""Each technique says what it found: the right way round, not more than it shows, and with its own numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from querist.analysis.numbers import unsupported
from querist.analysis.techniques import techniques

LENGTH = 200


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(8)
    age, soil = random.integers(20, 80, LENGTH), random.choice(["clay", "loam", "sand"], LENGTH)
    pressure = 100 + 0.5 * age + random.normal(0, 6, LENGTH)
    place = random.integers(0, 2, LENGTH)
    return pd.DataFrame(
        {
            "age": age,
            "pressure": pressure,
            "stamina": 500 - 3.0 * age + random.normal(0, 20, LENGTH),
            "noise": random.normal(50, 5, LENGTH),
            "wait": random.exponential(9, LENGTH),
            "soil": soil,
            "harvest": np.where(soil == "loam", 9.0, 6.0) + random.normal(0, 1, LENGTH),
            "coin": random.choice(["heads", "tails"], LENGTH),
            "ill": np.where(random.random(LENGTH) < age / 90, "yes", "no"),
            "old": np.where(age > 50, "yes", "no"),
            "east": np.where(place, 2.0, 9.0) + random.normal(0, 0.3, LENGTH),
            "north": np.where(place, 7.0, 1.0) + random.normal(0, 0.3, LENGTH),
            "day": pd.date_range("2024-01-01", periods=LENGTH),
            "rising": np.arange(LENGTH) * 2.0 + random.normal(0, 15, LENGTH),
            "falling": 900 - np.arange(LENGTH) * 2.0 + random.normal(0, 15, LENGTH),
            "weekly": np.arange(LENGTH) % 7 * 5.0 + random.normal(0, 1, LENGTH),
            "gappy": np.where(np.arange(LENGTH) < 9, np.nan, 1.0),
        }
    )


@pytest.mark.parametrize(
    ("technique", "params", "said"),
    [
        ("correlation", {"columns": ["age", "pressure"]}, "age and pressure have a strong positive correlation: r = 0"),
        ("correlation", {"columns": ["age", "stamina"]}, "strong negative correlation: r = -0"),
        ("correlation", {"columns": ["age", "noise"]}, "age and noise show no significant correlation: r = "),
        ("correlation", {"columns": ["age", "noise", "wait"]}, "have the strongest correlation, not a significant one"),
        (
            "correlation",
            {"columns": ["age", "stamina", "pressure", "noise"]},
            "a strong negative correlation, the strongest that is significant.* Also significant: age and pressure",
        ),
        ("correlation", {"columns": ["age", "stamina", "noise"]}, "No other pair is significant"),
        ("normality", {"columns": ["noise"]}, r"noise looks normally distributed \(Shapiro-Wilk, p = "),
        ("normality", {"columns": ["wait"]}, r"wait is not normally distributed \(Shapiro-Wilk, p < 0.001\)"),
        ("outliers", {"column": "wait"}, "values are outliers of wait, .* are none: .* lie outside"),
        ("outliers", {"column": "noise", "threshold": 6}, "^No value of noise is an outlier: all lie between"),
        ("compare_groups", {"column": "harvest", "by": "soil"}, "harvest differs .*mean from highest to lowest: loam"),
        ("compare_groups", {"column": "noise", "by": "soil"}, "noise does not differ significantly between the groups"),
        (
            "compare_groups",
            {"column": "ill", "by": "old"},
            "ill and old are associated .* ill is yes in .*% where old is",
        ),
        ("compare_groups", {"column": "coin", "by": "soil"}, "coin and soil show no significant association"),
        ("describe", {"columns": ["noise"], "statistics": ["mean", "std"]}, "^noise: mean .* and standard deviation"),
        (
            "describe",
            {"columns": ["harvest"], "statistics": ["mean"], "by": "soil"},
            "^Mean of harvest by soil, from highest to lowest: loam",
        ),
        ("describe", {"columns": ["soil"], "statistics": ["mode"]}, "^soil: mode (clay|loam|sand)"),
        ("missing_values", {"columns": ["gappy", "age"]}, "^Missing of 200 values: gappy 9.$"),
        ("missing_values", {"columns": ["age"]}, "^No value is missing.$"),
        (
            "regression",
            {"target": "stamina", "features": ["age"]},
            r"^stamina is .* lower per unit of age \(p < 0.001\)",
        ),
        ("regression", {"target": "age", "features": ["noise"]}, "^age does not clearly depend on noise"),
        ("regression", {"target": "harvest", "features": ["soil"]}, "higher with soil_loam .* the others held fixed"),
        (
            "regression",
            {"target": "ill", "features": ["age"], "kind": "logistic"},
            r"ill = yes is more likely per unit of age \(log odds 0.* are predicted right on all rows",
        ),
        ("regression", {"target": "pressure", "features": ["age"], "test_share": 0.2}, "on the test rows"),
        ("clusters", {"columns": ["east", "north"]}, "^2 clusters of rows"),
        ("clusters", {"columns": ["noise", "age"]}, "^No clear clusters; "),
        ("trend", {"date": "day", "value": "rising", "period": "week"}, "^The mean of rising rises by .* a week, from"),
        (
            "trend",
            {"date": "day", "value": "falling", "period": "week"},
            "^The mean of falling falls by .* a week, from",
        ),
        ("trend", {"date": "day", "value": "noise", "period": "day"}, "shows no clear trend.* It has no clear season"),
        (
            "trend",
            {"date": "day", "value": "weekly", "period": "day"},
            r"It has a season .*, highest on Sunday and lowest on Monday\.",
        ),
        ("forecast", {"date": "day", "value": "rising", "period": "month"}, r"with 95% intervals: .* in 2024-0\d"),
    ],
)
def test_what_is_said_is_so(frame: pd.DataFrame, technique: str, params: dict[str, Any], said: str) -> None:
    found = next(kind for kind in techniques(frame) if kind.name == technique)
    result = found.compute(found.input_type.model_validate(params))
    assert re.search(said, result.summary), result.summary
    values = {finding.name: finding.value for finding in result.values}
    # The periods of a series and the number of pairs are no values.
    known = re.findall(r"\d{4}-\d\d(?:-\d\d)?|for \d+ correlations", result.summary)
    assert unsupported(result.summary, values, f"{' '.join(known)} {len(frame)} rows") == []


def test_ranks_are_told_by_medians_unless_these_are_alike() -> None:
    frame = pd.DataFrame({"group": ["a"] * 9 + ["b"] * 9, "x": [1, 1, 1, 1, 1, 2, 2, 2, 9, *[1] * 7, 3, 3]})
    found = next(kind for kind in techniques(frame) if kind.name == "compare_groups")
    told = found.compute(found.input_type.model_validate({"column": "x", "by": "group", "test": "mann_whitney"}))
    assert "mean from highest to lowest: a 2.222 and b 1.444" in told.summary


def test_many_groups_and_outliers_are_not_all_said() -> None:
    frame = pd.DataFrame({"group": [f"g{n % 9}" for n in range(90)], "x": [float(n % 9) for n in range(90)]})
    found = next(kind for kind in techniques(frame) if kind.name == "describe")
    told = found.compute(found.input_type.model_validate({"columns": ["x"], "statistics": ["mean"], "by": "group"}))
    assert (
        told.summary
        == "Mean of x by group, from highest to lowest: g8 8, g7 7, g6 6, g5 5, g4 4, and so on down to g0 0."
    )


def summary(technique: str, frame: pd.DataFrame, **params: Any) -> str:
    found = next(kind for kind in techniques(frame) if kind.name == technique)
    return found.compute(found.input_type.model_validate(params)).summary


def test_a_season_does_not_turn_a_trend_round() -> None:
    months = pd.date_range("2021-01-01", periods=36, freq="MS")
    noise = np.random.default_rng(0).normal(0, 0.5, 36)
    frame = pd.DataFrame({"month": months, "y": [100 + 0.5 * n - 10 * (n % 12) for n in range(36)] + noise})
    assert re.match(r"y rises by 0\.\d+ a month", summary("trend", frame, date="month", value="y"))


def test_columns_that_are_alike_but_for_signs_keep_their_coefficients() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=60), random.normal(size=60)
    y = 5 * one - 3 * other + random.normal(0, 0.1, 60)
    frame = pd.DataFrame({"y": y, "share (%)": one, "share ($)": other})
    told = summary("regression", frame, target="y", features=["share (%)", "share ($)"])
    assert re.search(r"higher per unit of share \(%\) .* lower per unit of share \(\$\)", told)


def test_a_small_group_hides_no_correlation() -> None:
    random = np.random.default_rng(0)
    large = random.normal(size=200)
    x, y = [*large, 1, 2, 3, 4], [*(0.5 * large + random.normal(size=200)), 1, 3, 2, 4]
    frame = pd.DataFrame({"x": x, "y": y, "g": ["big"] * 200 + ["tiny"] * 4})
    assert summary("correlation", frame, columns=["x", "y"], by="g").startswith("x and y where g = big have a ")


def test_groups_without_a_value_are_not_ranked() -> None:
    frame = pd.DataFrame({"g": ["a", "b", "b", "c", "c"], "x": [1.0, 2.0, 4.0, 5.0, 9.0]})
    told = summary("describe", frame, columns=["x"], statistics=["std"], by="g")
    assert told == "Standard deviation of x by g, from highest to lowest: c 2.828 and b 1.414."


def test_quarters_and_days_are_called_so() -> None:
    quarters = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=16, freq="QS"), "x": np.arange(16.0) ** 1.1})
    assert "from 0 in 2020 Q1 to" in summary("trend", quarters, date="day", value="x", period="quarter")
