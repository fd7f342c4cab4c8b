"""The techniques say what the libraries say, name what they found, and warn when an assumption fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from querist.analysis.findings import Findings
from querist.analysis.techniques import TECHNIQUES, techniques
from querist.core.runner import Runner
from querist.errors import ComponentInputError, UsageError


def found(name: str, frame: pd.DataFrame, **params: Any) -> Findings:
    technique = next(technique for technique in techniques(frame) if technique.name == name)
    return technique.compute(technique.input_type.model_validate(params))


def test_describe_gives_each_statistic_of_each_group_and_the_extreme_groups(plots: pd.DataFrame) -> None:
    result = found("describe", plots, columns=["Yield kg"], statistics=["mean", "population_std"], by="irrigated")
    means = plots.groupby("irrigated")["Yield kg"].mean()
    assert result.value("mean_Yield_kg_yes") == pytest.approx(means["yes"])
    assert result.value("group_with_highest_mean_Yield_kg") == "yes"
    assert result.value("group_with_lowest_mean_Yield_kg") == "no"
    spread = plots[plots["irrigated"] == "no"]["Yield kg"].std(ddof=0)
    assert result.value("population_std_Yield_kg_no") == pytest.approx(spread)
    assert "Rows without a value of Yield kg are left out: 5." in result.warnings


def test_each_statistic_is_what_its_name_says() -> None:
    frame = pd.DataFrame({"x": [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]})
    right = {
        "mean": 5, "median": 4.5, "mode": 4, "std": (32 / 7) ** 0.5, "population_std": 2, "variance": 32 / 7,
        "min": 2, "max": 9, "range": 7, "sum": 40, "count": 8, "distinct": 5, "q1": 4, "q3": 5.5, "iqr": 1.5,
        "population_skewness": 0.65625, "skewness": 0.65625 * 56**0.5 / 6, "population_kurtosis": -0.21875,
        "kurtosis": 0.940625, "within_one_std": 6, "pearson_first_skewness": (7 / 32) ** 0.5,
    }  # fmt: skip
    told = {name: found("describe", frame, columns=["x"], statistics=[name]).values[0].value for name in right}
    assert told == pytest.approx(right)


def test_describe_refuses_numbers_of_text_and_too_many_groups(plots: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="does not hold numbers only"):
        found("describe", plots, columns=["region"], statistics=["mean"])
    with pytest.raises(UsageError, match="200 different values"):
        found("describe", plots, columns=["rain_mm"], statistics=["mean"], by="plot")


def test_correlation_leaves_out_rows_that_lack_either_value(plots: pd.DataFrame) -> None:
    result = found("correlation", plots, columns=["rain_mm", "Yield kg"])
    assert result.value("r") == pytest.approx(plots["rain_mm"].corr(plots["Yield kg"]))
    assert result.value("n") == 195
    assert result.value("p") < 0.001  # type: ignore[operator]


@pytest.mark.parametrize(
    ("method", "test"), [("pearson", stats.pearsonr), ("spearman", stats.spearmanr), ("kendall", stats.kendalltau)]
)
def test_correlation_says_what_the_library_says(plots: pd.DataFrame, method: str, test: Callable[..., Any]) -> None:
    result = found("correlation", plots, columns=["rain_mm", "price"], method=method)
    right = test(plots["rain_mm"], plots["price"])
    assert (result.value("r"), result.value("p")) == (pytest.approx(right.statistic), pytest.approx(right.pvalue))
    assert right.pvalue > 0.01


def test_the_strongest_correlation_may_be_the_lowest() -> None:
    frame = pd.DataFrame({"a": range(8), "b": [1, 0, 3, 2, 5, 4, 7, 6], "c": [0, -1, -2, -3, -4, -5, -7, -6]})
    result = found("correlation", frame, columns=["a", "b", "c"])
    assert [result.value(f"{word}_r_pair") for word in ("highest", "lowest", "strongest")] == ["a, b", "a, c", "a, c"]


def test_correlation_of_several_columns_names_the_strongest_pair(plots: pd.DataFrame) -> None:
    result = found("correlation", plots, columns=["rain_mm", "Yield kg", "price"], method="spearman")
    assert result.value("highest_r_pair") == "rain_mm, Yield kg"


@pytest.mark.parametrize("test", ["shapiro", "kolmogorov_smirnov", "anderson", "dagostino"])
def test_normality_tells_normal_from_exponential(plots: pd.DataFrame, test: str) -> None:
    assert found("normality", plots, columns=["rain_mm"], test=test).value("is_normal") is True
    assert found("normality", plots, columns=["price"], test=test).value("is_normal") is False


def test_outliers_are_counted_and_the_rest_described() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0, 100.0]})
    result = found("outliers", frame, column="x", method="iqr", threshold=1.5)
    assert (result.value("outlier_count"), result.value("outlier_values")) == (1, [100.0])
    assert (result.value("mean_without_outliers"), result.value("mean_before")) == (3.0, pytest.approx(19.1667, 1e-4))
    assert result.value("std_without_outliers") == pytest.approx(2.5**0.5)
    assert result.value("population_std_without_outliers") == pytest.approx(2**0.5)


def test_z_scores_are_of_the_whole_population_and_ten_values_have_none_above_3() -> None:
    eleven = pd.DataFrame({"x": [1.0, *[0.0] * 10]})
    result = found("outliers", eleven, column="x", threshold=3.1)
    assert (result.value("outlier_count"), result.value("upper_bound")) == (1, pytest.approx((1 + 3.1 * 10**0.5) / 11))
    assert not any("no z-score" in warning for warning in result.warnings)
    assert "Among 10 values no z-score can be above 3" in found("outliers", eleven.head(10), column="x").warnings[0]


def test_the_test_for_groups_is_chosen_by_its_assumptions(plots: pd.DataFrame) -> None:
    assert found("compare_groups", plots, column="Yield kg", by="irrigated").value("test") == "t_test"
    uneven = pd.DataFrame({"y": [1, 2, 3, 4] * 15 + [10, -40, 60, 0] * 15, "g": ["a"] * 60 + ["b"] * 60})
    assert found("compare_groups", uneven, column="y", by="g").value("test") == "welch"
    small = pd.DataFrame({"y": [1, 1, 1, 1, 50, 2, 2, 3, 2, 90], "g": ["a"] * 5 + ["b"] * 5})
    assert found("compare_groups", small, column="y", by="g").value("test") == "mann_whitney"
    result = found("compare_groups", plots, column="region", by="irrigated")
    assert (result.value("test"), result.value("degrees_of_freedom")) == ("chi_squared", 2)


def test_a_test_that_was_asked_for_is_made_with_a_warning_where_it_does_not_fit() -> None:
    uneven = pd.DataFrame({"y": [1, 2, 3, 4] * 15 + [10, -40, 60, 0] * 15, "g": ["a"] * 60 + ["b"] * 60})
    result = found("compare_groups", uneven, column="y", by="g", test="t_test")
    assert result.value("test") == "t_test"
    assert any("variances" in warning for warning in result.warnings)
    small = pd.DataFrame({"y": [1, 1, 1, 1, 50, 2, 2, 3, 2, 90], "g": ["a"] * 5 + ["b"] * 5})
    warnings = found("compare_groups", small, column="y", by="g", test="t_test").warnings
    assert "A small group is not normally distributed, which t_test expects." in warnings
    words = pd.DataFrame({"kind": list("aabbcc"), "g": list("xyxyxy")})
    warnings = found("compare_groups", words, column="kind", by="g").warnings
    assert "More than a fifth of the expected counts are below 5: the chi-squared test is not reliable." in warnings


@pytest.mark.parametrize("apart", [0, 20])
@pytest.mark.parametrize(
    ("test", "number", "library"),
    [
        ("t_test", 2, stats.ttest_ind),
        ("welch", 2, partial(stats.ttest_ind, equal_var=False)),
        ("mann_whitney", 2, stats.mannwhitneyu),
        ("anova", 3, stats.f_oneway),
        ("kruskal", 3, stats.kruskal),
    ],
)
def test_a_comparison_says_what_the_library_says_and_whether_it_is_significant(
    test: str, number: int, library: Callable[..., Any], apart: int
) -> None:
    parts = [[1.0, 2.0, 3.0, 4.0, 9.0], [2.0, 4.0, 6.0, 8.0, 9.0, 12.0, 15.0], [3.0, 5.0, 5.0, 7.0, 11.0]][:number]
    parts[1] = [value + apart for value in parts[1]]
    frame = pd.DataFrame([(value, name) for name, part in zip("abc", parts, strict=False) for value in part])
    result = found("compare_groups", frame.set_axis(["y", "g"], axis=1), column="y", by="g", test=test)
    right = library(*parts)
    assert result.value("statistic") == pytest.approx(right.statistic)
    assert result.value("p_value") == pytest.approx(right.pvalue)
    assert result.value("significant") is (apart > 0)
    of_a = [result.value(f"{name}_a") for name in ("mean", "median", "std", "count")]
    assert of_a == [pytest.approx(3.8), 3, pytest.approx(9.7**0.5), 5]


def test_regression_finds_the_coefficients_and_tests_on_a_split(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="Yield kg", features=["rain_mm", "irrigated"], test_share=0.25)
    assert result.value("coef_rain_mm") == pytest.approx(2, abs=0.1)
    assert result.value("coef_irrigated_yes") == pytest.approx(120, abs=10)
    assert result.value("test_rows") == 49
    assert result.value("test_rmse") == pytest.approx(25, abs=6)


def test_a_regression_on_one_feature_is_the_straight_line_of_the_library(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="price", features=["rain_mm"])
    line = stats.linregress(plots["rain_mm"], plots["price"])
    mse = float(((plots["price"] - line.intercept - line.slope * plots["rain_mm"]) ** 2).mean())
    right = {
        "intercept": line.intercept, "coef_rain_mm": line.slope, "p_value_rain_mm": line.pvalue,
        "r2": line.rvalue**2, "adjusted_r2": 1 - (1 - line.rvalue**2) * 199 / 198, "p_value": line.pvalue,
        "mse": mse, "rmse": mse**0.5, "n": 200,
    }  # fmt: skip
    assert {finding.name: finding.value for finding in result.values} == pytest.approx(right)
    assert line.pvalue > 0.01


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([n * (1 + (-1) ** n / 2) for n in range(60)], "The residuals spread unevenly (Breusch-Pagan p < 0.05)"),
        ([*(n + n % 3 for n in range(39)), 500], "The residuals are not normally distributed"),
    ],
)
def test_p_values_that_the_residuals_do_not_bear_out_are_told(values: list[float], told: str) -> None:
    frame = pd.DataFrame({"x": range(len(values)), "y": values})
    assert told in " ".join(found("regression", frame, target="y", features=["x"]).warnings)


def test_a_share_to_train_on_is_read_as_such(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="Yield kg", features=["rain_mm"], test_share=0.75)
    assert result.value("test_rows") == 49
    assert "Tested on 25% of the rows, and trained on the others." in result.warnings


def test_logistic_regression_predicts_one_of_two(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="irrigated", features=["rain_mm", "Yield kg"], kind="logistic")
    assert result.value("accuracy") > 0.9  # type: ignore[operator]
    frame = pd.DataFrame({"x": range(12), "sold": ["no"] * 3 + ["yes"] * 7 + ["no"] * 2})
    few = found("regression", frame, target="sold", features=["x"], kind="logistic")
    scores = [few.value(name) for name in ("accuracy", "precision", "recall", "f1")]
    assert scores == pytest.approx([10 / 12, 7 / 9, 1, 7 / 8])
    with pytest.raises(UsageError, match="needs two"):
        found("regression", plots, target="region", features=["rain_mm"], kind="logistic")


def test_missing_values_are_counted_by_column(plots: pd.DataFrame) -> None:
    result = found("missing_values", plots, columns=list(plots.columns))
    assert (result.value("column_with_most_missing"), result.value("most_missing")) == ("Yield kg", 5)
    assert result.value("rows_without_missing") == 195
    endless = pd.DataFrame({"x": [1.0, float("inf"), 3.0], "y": [1.0, 2.0, None]})
    result = found("missing_values", endless, columns=["x", "y"])
    assert (result.value("total_missing"), result.value("rows_without_missing")) == (2, 1)


def test_trend_and_forecast_go_on_as_the_series_did() -> None:
    frame = pd.DataFrame({"day": pd.date_range("2021-01-01", periods=60), "sold": range(60)})
    trend = found("trend", frame, date="day", value="sold", period="day")
    assert (trend.value("trend"), trend.value("slope")) == ("rising", pytest.approx(1))
    forecast = found("forecast", frame, date="day", value="sold", period="day", ahead=2)
    assert [forecast.value(f"{word}_2021_03_02") for word in ("low", "forecast", "high")] == pytest.approx(
        [60, 60, 60], abs=1
    )


def test_a_date_that_is_none_is_refused(plots: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="does not hold dates only"):
        found("trend", plots, date="rain_mm", value="price")


def test_clusters_that_are_apart_are_found_without_being_told_how_many() -> None:
    frame = pd.DataFrame({"x": [0, 0.1, 0.2, 0.1] * 5 + [9, 9.1, 9.2, 9.1] * 5, "y": [1, 1.1] * 10 + [8, 8.1] * 10})
    result = found("clusters", frame, columns=["x", "y"])
    assert (result.value("clusters"), result.value("silhouette")) == (2, pytest.approx(0.98, abs=0.02))


def test_a_cluster_of_one_row_among_many_is_found() -> None:
    frame = pd.DataFrame({"x": [1e6, *(n % 10 for n in range(2999))]})
    result = found("clusters", frame, columns=["x"], count=2)
    assert sorted([result.value("size_0"), result.value("size_1")]) == [1, 2999]  # type: ignore[type-var]


def test_a_techniques_schema_lists_the_columns_there_are(plots: pd.DataFrame) -> None:
    for technique in techniques(plots[["rain_mm", "price"]]):
        assert "'enum': ['rain_mm', 'price'" in str(technique.input_schema())
        assert "x-column" not in str(technique.input_schema())


@pytest.mark.anyio
async def test_a_technique_runs_through_the_door_and_refuses_what_it_does_not_know(plots: pd.DataFrame) -> None:
    describe = TECHNIQUES[0](plots)
    result = await Runner().run(describe, {"columns": ["price"], "statistics": ["count"]})
    assert result.value("count_price") == 200
    with pytest.raises(ComponentInputError, match="statistics"):
        await Runner().run(describe, {"columns": ["price"], "statistics": ["magic"]})


def test_words_by_amounts_are_compared_the_other_way_round_and_that_is_told(plots: pd.DataFrame) -> None:
    slip = found("compare_groups", plots, column="irrigated", by="rain_mm", test="chi_squared")
    meant = found("compare_groups", plots, column="rain_mm", by="irrigated")
    assert slip.values == meant.values
    assert "rain_mm was compared between the groups of irrigated, not the other way round." in slip.warnings
