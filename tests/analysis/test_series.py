"""Series say no more than is known: no trend of noise, no season of chance, no narrow interval, no part of a month."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_techniques import found


def monthly(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"date": pd.date_range("2015-01-01", periods=len(values), freq="MS"), "v": values})


def drifting(random: np.random.Generator, number: int, likeness: float) -> np.ndarray:
    """Noise in which each value is partly the one before it, and which rises and falls nowhere."""
    values = random.normal(size=number + 50)
    for place in range(1, len(values)):
        values[place] += likeness * values[place - 1]
    return values[50:]


def test_noise_that_drifts_has_a_trend_as_rarely_as_chance_has_it() -> None:
    random = np.random.default_rng(5)
    results = [found("trend", monthly(drifting(random, 30, 0.5)), date="date", value="v") for _ in range(40)]
    assert sum(result.value("trend") != "none" for result in results) <= 4
    assert sum(float(result.value("p_value_unadjusted")) < 0.05 for result in results) >= 8  # type: ignore[arg-type]
    assert any("much like the one before it: 30 months tell as much" in " ".join(r.warnings) for r in results)


def test_few_periods_are_told_where_they_rise() -> None:
    result = found("trend", monthly(np.array([1.0, 2, 3, 4.2, 5, 6])), date="date", value="v")
    assert result.value("trend") == "rising"
    assert "In only 6 months a drift may look like a trend." in result.warnings


def test_a_trend_is_seen_through_a_season() -> None:
    place = np.arange(48)
    values = 0.1 * place + 3 * np.sin(place * np.pi / 6) + np.random.default_rng(1).normal(0, 1, 48)
    result = found("trend", monthly(values), date="date", value="v")
    assert result.value("trend") == "rising"
    assert float(result.value("season_p_value")) < 0.001  # type: ignore[arg-type]
    assert result.chart is not None
    assert ", season 0." in result.chart.title


def test_a_season_is_none_where_chance_would_do_or_there_are_two() -> None:
    noise = np.random.default_rng(2).normal(size=36)
    result = found("trend", monthly(noise), date="date", value="v")
    assert result.chart is not None
    assert "season" not in result.chart.title
    assert "its strength is that of chance" in result.warnings[-1]
    two = found("trend", monthly(noise[:26]), date="date", value="v")
    assert "26 months are too few to see a season, which takes 36." in two.warnings
    assert all(finding.name != "seasonal_strength" for finding in two.values)


@pytest.mark.parametrize("values", [np.full(40, 5.3), np.full(4, 0.0)])
def test_what_never_changes_has_no_trend(values: np.ndarray) -> None:
    result = found("trend", monthly(values), date="date", value="v")
    assert (result.value("trend"), result.value("p_value")) == ("none", pytest.approx(1, abs=1e-3))
    assert found("forecast", monthly(values), date="date", value="v").values[0].value == pytest.approx(values[0])


def test_an_interval_is_as_wide_as_the_noise_and_what_fitting_takes_from_it() -> None:
    random = np.random.default_rng(3)
    widths = []
    for _ in range(6):
        result = found("forecast", monthly(random.normal(100, 10, 26)), date="date", value="v", ahead=1)
        _, low, high = (float(finding.value) for finding in result.values)  # type: ignore[arg-type]
        widths.append((high - low) / 2)
    assert 19 < np.mean(widths) < 25  # 1.96 deviations are 19.6, were all but the noise known


def test_a_season_that_is_there_is_gone_by() -> None:
    place = np.arange(39)
    season = 30 * np.sin(place * np.pi / 6)
    values = 100 + season + np.random.default_rng(4).normal(0, 5, 39)
    result = found("forecast", monthly(values[:36]), date="date", value="v", ahead=3)
    expected = [float(finding.value) for finding in result.values if finding.name.startswith("forecast")]  # type: ignore[arg-type]
    assert expected == pytest.approx(100 + season[36:], abs=12)


DAILY = pd.DataFrame({"date": pd.date_range("2024-02-10", "2024-12-05"), "v": 10.0})


def test_sums_are_of_whole_months() -> None:
    result = found("forecast", DAILY, date="date", value="v", aggregate="sum", ahead=2)
    assert result.value("forecast_2025_01_01") == pytest.approx(305, abs=10)
    assert result.warnings[:2] == [
        "The first month is left out of the sums: its dates begin only on 2024-02-10.",
        "The last month is left out of the sums: its dates end on 2024-12-05 already.",
    ]
    trend = found("trend", DAILY, date="date", value="v", aggregate="sum")
    assert trend.value("lowest_value") == 300
    assert found("trend", DAILY, date="date", value="v").value("last") == 10


@pytest.mark.parametrize(
    ("dates", "period"),
    [
        (pd.bdate_range("2023-01-02", "2023-12-29"), "month"),
        (pd.date_range("2020-01-31", periods=12, freq="ME"), "month"),
        (pd.date_range("2020-01-01", periods=24, freq="MS"), "quarter"),
        (pd.date_range("2010-01-01", periods=8, freq="YS"), "year"),
        (pd.date_range("2024-01-01 09:00", "2024-01-09 17:00", freq="2h"), "day"),
    ],
)
def test_periods_that_are_whole_are_kept(dates: pd.DatetimeIndex, period: str) -> None:
    frame = pd.DataFrame({"date": dates, "v": 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = found("trend", frame, date="date", value="v", aggregate="sum", period=period)
    assert not any("left out" in warning for warning in result.warnings)
