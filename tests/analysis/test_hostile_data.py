"""Data as they come: what is computed is what the libraries compute, what does not suffice is refused with a reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.api import OLS

from querist.analysis.findings import Findings
from querist.analysis.techniques import techniques
from querist.errors import UsageError

RANDOM = np.random.default_rng(7)
N = 40
DATA = pd.DataFrame(
    {
        "x": RANDOM.normal(5, 2, N).round(1),
        "wide": RANDOM.normal(0, 9, N),
        "one": [1.0] * N,
        "none": [math.nan] * N,
        "group": [f"g{n % 3}" for n in range(N)],
        "half": ["a", "b"] * (N // 2),
        "rare": ["yes"] * 5 + ["no"] * (N - 5),
        "month": pd.date_range("2021-01-01", periods=N, freq="MS"),
        "day": ["01/02/2024", "02/03/2024"] * (N // 2),
        "endless": [math.inf, -math.inf, *RANDOM.normal(0, 1, N - 2)],
        "huge": [1e200] * N,
        "mixed": [1, "2", "three", 4] * (N // 4),
    }
)
DATA["twice"] = 2 * DATA["x"] + 1
DATA["y"] = 3 * DATA["x"] + RANDOM.normal(0, 1, N)


def found(name: str, frame: pd.DataFrame = DATA, **params: Any) -> Findings:
    technique = next(technique for technique in techniques(frame) if technique.name == name)
    return technique.compute(technique.input_type.model_validate(params))


@pytest.mark.parametrize(
    ("name", "params", "why"),
    [
        ("describe", {"columns": ["mixed"], "statistics": ["mean"]}, "'three' is none"),
        ("describe", {"columns": ["huge"], "statistics": ["std"]}, "too large to compute with"),
        ("correlation", {"columns": ["x", "one"]}, "too few different values"),
        ("correlation", {"columns": ["x", "none"]}, "too few different values"),
        ("normality", {"columns": ["one"]}, "too few different values"),
        ("outliers", {"column": "none"}, "has no values"),
        ("compare_groups", {"column": "one", "by": "half"}, "nothing to compare"),
        ("compare_groups", {"column": "x", "by": "one"}, "does not make two groups"),
        ("compare_groups", {"column": "x", "by": "y"}, "too many groups"),
        ("compare_groups", {"column": "y", "by": "half", "test": "chi_squared"}, "too many for a chi-squared"),
        ("compare_groups", {"column": "x", "by": "group", "test": "t_test"}, "compares two groups"),
        ("regression", {"target": "y", "features": ["one"]}, "No feature varies"),
        ("regression", {"target": "one", "features": ["x"]}, "does not vary"),
        ("regression", {"target": "y", "features": ["none"]}, "does not vary in 0 complete rows"),
        ("regression", {"target": "half", "features": ["x"]}, "not numeric"),
        ("trend", {"date": "day", "value": "x"}, "more than one way to read"),
        ("trend", {"date": "month", "value": "x", "period": "day"}, "Only 40 of 1187 days"),
        ("forecast", {"date": "x", "value": "y"}, "does not hold dates"),
        ("clusters", {"columns": ["x"], "count": 1}, "all rows"),
        ("clusters", {"columns": ["one"]}, "too few for clusters"),
    ],
)
def test_data_that_do_not_suffice_are_refused_with_a_reason(name: str, params: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        found(name, **params)


@pytest.mark.parametrize("name", ["describe", "correlation", "normality", "outliers", "regression", "clusters"])
def test_two_rows_are_refused_or_told(name: str) -> None:
    special: dict[str, dict[str, Any]] = {
        "describe": {"columns": ["x"], "statistics": ["skewness"]},
        "outliers": {"column": "x"},
        "regression": {"target": "y", "features": ["x"]},
    }
    try:
        assert found(name, DATA.head(2), **special.get(name, {"columns": ["x", "y"]})).warnings
    except UsageError as error:
        assert "too few" in error.message


@pytest.mark.parametrize(
    ("name", "params", "warning"),
    [
        ("describe", {"columns": ["wide"], "statistics": ["mode"]}, "most frequent alike"),
        ("describe", {"columns": ["wide"], "statistics": ["mode"], "by": "half"}, "wide where half = b are the most"),
        ("describe", {"columns": ["wide"], "statistics": ["pearson_first_skewness"]}, "the mode is the first of them"),
        ("describe", {"columns": ["one"], "statistics": ["mean"], "by": "half"}, "a, b have the highest mean"),
        ("describe", {"columns": ["one"], "statistics": ["skewness"]}, "too similar values for its skewness"),
        ("correlation", {"columns": ["x", "endless"]}, "without x or endless are left out: 2"),
        ("normality", {"columns": ["x"], "test": "kolmogorov_smirnov"}, "Shapiro-Wilk is surer"),
        ("outliers", {"column": "one", "method": "iqr", "threshold": 1.5}, "any other counts as an outlier"),
        ("regression", {"target": "y", "features": ["x", "twice"]}, "twice is left out: it follows"),
        ("regression", {"target": "twice", "features": ["x"]}, "give twice exactly"),
        ("regression", {"target": "rare", "features": ["wide"], "kind": "logistic"}, "would be right as often"),
        ("clusters", {"columns": ["x", "one"]}, "one has one value only"),
        ("forecast", {"date": "month", "value": "x", "ahead": 30}, "many for a series"),
    ],
)
def test_what_to_know_before_trusting_it_is_told(name: str, params: dict[str, Any], warning: str) -> None:
    assert warning in " ".join(found(name, **params).warnings)


def test_one_value_has_no_spread() -> None:
    result = found("describe", DATA.head(1), columns=["x"], statistics=["std", "within_one_std"])
    assert [finding.value for finding in result.values] == [None, None]


def test_no_z_score_of_few_values_can_be_high() -> None:
    frame = pd.DataFrame({"x": [1.0, 1, 1, 1, 1, 1, 1, 1, 1000]})
    assert "no z-score can be above 3" in found("outliers", frame, column="x").warnings[0]


def test_a_group_without_values_is_named_and_the_others_are_compared() -> None:
    frame = DATA.assign(x=DATA["x"].where(DATA["group"] != "g2"))
    result = found("compare_groups", frame, column="x", by="group", test="t_test")
    parts = [frame["x"][frame["group"] == name] for name in ("g0", "g1")]
    assert result.value("p_value") == pytest.approx(stats.ttest_ind(*parts).pvalue)
    assert "Rows without x or group are left out: 13." in result.warnings
    tiny = pd.concat([DATA[DATA["group"] != "g2"], DATA[DATA["group"] == "g2"].head(2)])
    assert "fewer than 3 values are left out: g2" in found("compare_groups", tiny, column="x", by="group").warnings[0]


def test_a_group_without_values_stops_no_other_group() -> None:
    frame = DATA.assign(x=DATA["x"].where(DATA["half"] != "b"))
    result = found("outliers", frame, column="x", by="half")
    assert result.value("mean_before_x_a") == pytest.approx(frame["x"].mean())
    assert result.warnings[-2] == "Rows without a value of x where half = b are left out: 20."
    related = found("correlation", frame, columns=["x", "y"], by="half")
    assert related.value("r_a") == pytest.approx(frame["x"].corr(frame["y"]))
    assert related.value("r_b") is None


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("describe", {"columns": ["x"], "statistics": ["mean"]}),
        ("correlation", {"columns": ["x", "y"]}),
        ("normality", {"columns": ["x"]}),
        ("outliers", {"column": "x"}),
    ],
)
def test_rows_of_no_group_are_left_out_and_told(name: str, params: dict[str, Any]) -> None:
    frame = DATA.assign(half=DATA["half"].where(DATA.index >= 7))
    assert "Rows without a value of half are left out: 7." in found(name, frame, by="half", **params).warnings


def test_several_groups_of_unequal_variance_are_compared_by_welch() -> None:
    from statsmodels.stats.oneway import anova_oneway

    groups = [RANDOM.normal(0, spread, 40) for spread in (1, 5, 25)]
    frame = pd.DataFrame({"y": np.concatenate(groups), "g": np.repeat(["a", "b", "c"], 40)})
    result = found("compare_groups", frame, column="y", by="g")
    assert result.value("test") == "welch"
    assert result.value("p_value") == pytest.approx(anova_oneway(groups, use_var="unequal").pvalue)


def test_groups_that_do_not_vary_have_no_t_statistic() -> None:
    frame = pd.DataFrame({"y": [1.0] * 5 + [2.0] * 5, "g": ["a"] * 5 + ["b"] * 5})
    with pytest.raises(UsageError, match="does not vary within the groups"):
        found("compare_groups", frame, column="y", by="g", test="t_test")
    assert found("compare_groups", frame, column="y", by="g").value("test") == "mann_whitney"


def test_features_of_other_sizes_are_not_taken_for_dependent_ones() -> None:
    frame = DATA.assign(income=RANDOM.normal(50_000, 900, N), nearly=DATA["x"] + RANDOM.normal(0, 0.01, N))
    assert not any("dependent" in w for w in found("regression", frame, target="y", features=["x", "income"]).warnings)
    assert any("dependent" in w for w in found("regression", frame, target="y", features=["x", "nearly"]).warnings)


def test_a_column_may_be_called_as_the_library_calls_its_own() -> None:
    frame = DATA.rename(columns={"x": "const"}).assign(same=0.1)
    result = found("regression", frame, target="twice", features=["const", "same"])
    assert (result.value("coef_const"), result.value("intercept")) == (pytest.approx(2), pytest.approx(1))
    assert "same is left out: it does not vary." in result.warnings


def test_a_logistic_regression_has_coefficients_where_they_are_bounded() -> None:
    import statsmodels.api as sm

    frame = DATA.assign(sold=(DATA["x"] + RANDOM.normal(0, 2, N) > 5).map({True: "yes", False: "no"}))
    result = found("regression", frame, target="sold", features=["x"], kind="logistic")
    fit = sm.Logit((frame["sold"] == "yes").astype(float), sm.add_constant(frame["x"])).fit(disp=0)
    assert result.value("coef_x") == pytest.approx(fit.params["x"], rel=1e-4)
    assert result.value("p_value_x") == pytest.approx(fit.pvalues["x"], rel=1e-3)
    apart = DATA.assign(sold=DATA["x"] > 5)
    warnings = found("regression", apart, target="sold", features=["x"], kind="logistic").warnings
    assert "tell the values of sold apart completely" in " ".join(warnings)


def test_months_without_rows_are_filled_for_a_mean_and_nothing_for_a_sum() -> None:
    gaps = DATA.drop(index=[5, 6])
    mean = found("trend", gaps, date="month", value="x")
    filled = DATA["x"].mask(DATA.index.isin([5, 6])).interpolate()
    months = pd.get_dummies(pd.Series(range(N)) % 12, dtype=float).assign(place=range(N))
    assert mean.value("slope") == pytest.approx(OLS(filled.to_numpy(), months).fit().params["place"])
    assert "Months without a value are filled in between their neighbours: 2." in mean.warnings
    total = found("trend", gaps, date="month", value="x", aggregate="sum")
    assert (total.value("lowest_value"), total.value("lowest_month")) == (0.0, "2021-06-01")
    assert "Months without rows count as 0: 2." in total.warnings


def test_years_as_numbers_are_dates() -> None:
    frame = pd.DataFrame({"year": range(2000, 2012), "v": [-3.0 * n for n in range(12)]})
    result = found("trend", frame, date="year", value="v", period="year")
    assert result.value("trend") == "falling"
    assert result.value("slope") == pytest.approx(-3)
