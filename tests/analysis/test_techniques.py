"""The techniques say what the libraries say, name what they found, and warn when an assumption fails."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

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
    spread = plots[plots["irrigated"] == "no"]["Yield kg"].std(ddof=0)
    assert result.value("population_std_Yield_kg_no") == pytest.approx(spread)
    assert "Rows without a value of Yield kg are left out: 5." in result.warnings


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


def test_regression_finds_the_coefficients_and_tests_on_a_split(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="Yield kg", features=["rain_mm", "irrigated"], test_share=0.25)
    assert result.value("coef_rain_mm") == pytest.approx(2, abs=0.1)
    assert result.value("coef_irrigated_yes") == pytest.approx(120, abs=10)
    assert result.value("test_rows") == 49
    assert result.value("test_rmse") == pytest.approx(25, abs=6)


def test_a_share_to_train_on_is_read_as_such(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="Yield kg", features=["rain_mm"], test_share=0.75)
    assert result.value("test_rows") == 49
    assert "Tested on 25% of the rows, and trained on the others." in result.warnings


def test_logistic_regression_predicts_one_of_two(plots: pd.DataFrame) -> None:
    result = found("regression", plots, target="irrigated", features=["rain_mm", "Yield kg"], kind="logistic")
    assert result.value("accuracy") > 0.9  # type: ignore[operator]
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
    low, high = forecast.value("low_2021_03_02"), forecast.value("high_2021_03_02")
    assert low < 60 + 1 and high > 60 - 1  # type: ignore[operator]


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
