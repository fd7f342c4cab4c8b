"""Series over time: trend, seasonality, and a simple forecast with an interval."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering, counted
from querist.analysis.techniques.base import Column, Params, Technique, label, p_text
from querist.charts.columns import title
from querist.charts.statistical import course
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["day", "week", "month", "quarter", "year"]
_FREQUENCY = {"day": "D", "week": "W", "month": "MS", "quarter": "QS", "year": "YS"}
_SEASON = {"day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}
FEWEST, MOST = 4, 5_000
"""Periods of a series."""
SURE = 10
"""With fewer periods an interval is told to be too narrow."""


class SeriesParams(Params):
    date: Column
    value: Column
    period: Period = "month"
    aggregate: Literal["mean", "sum", "last"] = "mean"


class Trend(Technique[SeriesParams]):
    name = "trend"
    description = "Values over time: highest and lowest period, slope with its p-value, and how strong the season is."

    def compute(self, params: SeriesParams) -> Findings:
        import numpy as np
        from scipy import stats
        from statsmodels.stats.stattools import durbin_watson

        found = Gathering(self.name)
        series = regular(self.frame, params, found)
        fit = stats.linregress(range(len(series)), series.to_numpy())
        found.add("slope", fit.slope, f"change of {params.value} a {params.period}")
        found.add("p_value", fit.pvalue, "p-value of the slope")
        found.add("r2", fit.rvalue**2, "share of the variance that a straight line explains")
        significant = float(fit.pvalue) < 0.05
        trend = ("rising" if fit.slope > 0 else "falling") if significant else "none"
        found.add("trend", trend, "rising, falling or none, at 0.05")
        for word, when in (("highest", series.idxmax()), ("lowest", series.idxmin())):
            found.add(f"{word}_{params.period}", label(when), f"{params.period} with the {word} {params.value}")
            found.add(f"{word}_value", series[when], f"{params.aggregate} of {params.value} in that {params.period}")
        found.add("mean", series.mean(), f"mean over all {params.period}s")
        found.add("first", series.iloc[0], f"{params.value} in the first {params.period}")
        found.add("last", series.iloc[-1], f"{params.value} in the last {params.period}")
        if series.nunique() == 1:
            found.warn(f"{params.value} does not change.")
            return found.done()
        residuals = series - (fit.intercept + fit.slope * np.arange(len(series)))
        lines = {"observed": _dated(series), "straight line": _dated(series - residuals)}
        if significant and 1 - fit.rvalue**2 > 1e-10 and durbin_watson(residuals) < 1:
            found.warn(f"Each {params.period} is much like the one before it, so that the p-value is too small.")
        season, seasons = _SEASON[params.period], ""
        if season > 1 and len(series) >= 2 * season:
            from statsmodels.tsa.seasonal import STL

            parts = STL(series, period=season, robust=True).fit()
            strength = max(0.0, 1 - parts.resid.var() / (parts.resid + parts.seasonal).var())
            found.add("seasonal_strength", strength, f"0 to 1, over {season} {params.period}s")
            seasons = f", season {strength:.2f} of 1"
        elif season > 1:
            found.warn(f"{counted(len(series), params.period)} are too few to see a season.")
        change = f"{trend} by {abs(fit.slope):,.3g} a {params.period}" if significant else "no clear trend"
        told = f"{title(params.value)} by {params.period}: {change}, {p_text(float(fit.pvalue))}{seasons}"
        found.chart = course(lines, _axis(params), told)
        return found.done()


class ForecastParams(SeriesParams):
    ahead: int = Field(default=3, ge=1, le=60, description="How many periods to look ahead")


class Forecast(Technique[ForecastParams]):
    name = "forecast"
    description = "Forecast the next periods by exponential smoothing, each with a 95% interval."

    def compute(self, params: ForecastParams) -> Findings:
        found = Gathering(self.name)
        series = regular(self.frame, params, found)
        season = _SEASON[params.period]
        seasonal = season > 1 and len(series) >= 2 * season + 2
        expected = _expected(series, season if seasonal else None, params.ahead, found)
        for when, row in expected.iterrows():
            day = label(when)
            found.add(f"forecast_{day}", row["mean"], f"{params.value} expected for {day}")
            found.add(f"low_{day}", row["pi_lower"], f"lower end of the 95% interval for {day}")
            found.add(f"high_{day}", row["pi_upper"], f"upper end of the 95% interval for {day}")
        if not seasonal and season > 1:
            found.warn(f"{len(series)} {params.period}s are too few for a season; the forecast has none.")
        if len(series) < SURE:
            found.warn(f"An interval from only {len(series)} {params.period}s is too narrow.")
        if params.ahead > len(series) / 2:
            found.warn(f"{params.ahead} {params.period}s ahead are many for a series of {len(series)}.")
        found.warn("The interval holds if the series goes on as before.")
        last = _dated(series)[-1]  # where the forecast starts from
        lines = {"observed": _dated(series), "forecast": [last, *_dated(expected["mean"])]}
        interval = expected[["pi_lower", "pi_upper"]].itertuples()
        band = [(*last, last[1]), *((when.isoformat(), low, high) for when, low, high in interval)]
        told = f"{title(params.value)} by {params.period}: forecast with its 95% interval"
        found.chart = course(lines, _axis(params), told, band)
        return found.done()


def _dated(series: pd.Series[float]) -> list[tuple[str, float]]:
    return [(when.isoformat(), value) for when, value in zip(series.index, series.tolist(), strict=True)]


def _axis(params: SeriesParams) -> str:
    return f"{title(params.value)}, {params.aggregate} of each {params.period}"


def _expected(series: pd.Series[float], season: int | None, ahead: int, found: Gathering) -> pd.DataFrame:
    """Mean and 95% interval of the next periods, by exponential smoothing with a damped trend."""
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(
        series, trend="add", damped_trend=True, seasonal="add" if season else None, seasonal_periods=season
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = model.fit(disp=False)
        summary: Any = fit.get_prediction(start=len(series), end=len(series) + ahead - 1).summary_frame(alpha=0.05)
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        found.warn("The smoothing found no best fit; the forecast is uncertain.")
    if not summary["mean"].notna().all():
        raise UsageError("No forecast can be computed for this series.", hint="Try a longer period.")
    return summary


def regular(frame: pd.DataFrame, params: SeriesParams, found: Gathering) -> pd.Series[float]:
    """One value a period, gaps filled in a straight line.

    Raises:
        UsageError: the column is no date, or there are too few periods, too many, or too few with a value.
    """
    import pandas as pd

    from querist.analysis.frame import numbers

    values = numbers(frame, params.value)
    dates = _dates(frame, params.date)
    joined = pd.DataFrame({"date": dates, "value": values}).dropna().set_index("date").sort_index()
    found.left_out(len(frame) - len(joined), f"{params.date} or {params.value}")
    plural, frequency = f"{params.period}s", _FREQUENCY[params.period]
    if joined.empty:
        raise UsageError(f"No row has both {params.date} and {params.value}.")
    length = len(pd.period_range(joined.index[0], joined.index[-1], freq=frequency[0]))
    if length > MOST:
        raise UsageError(f"From first to last there are {length:,} {plural}, too many.", hint="Choose a longer period.")
    groups = joined["value"].resample(frequency)
    counts, series = groups.count(), groups.agg(params.aggregate)
    if len(series) < FEWEST:
        raise UsageError(f"{counted(len(series), params.period)} are too few to see a course.")
    gaps, usual = int((counts == 0).sum()), counts.median()
    if params.aggregate == "sum":
        if gaps:
            found.warn(f"{plural.capitalize()} without rows count as 0: {gaps:,}.")
        if counts.iloc[-1] < usual / 2:
            found.warn(
                f"The last {params.period} has {counts.iloc[-1]} rows of usually {usual:g}: it may not be whole."
            )
        return series.astype(float)
    if gaps > len(series) / 2:
        raise UsageError(
            f"Only {len(series) - gaps} of {len(series)} {plural} have a value.", hint="Choose a longer period."
        )
    if gaps:
        found.warn(f"{plural.capitalize()} without a value are filled in between their neighbours: {gaps:,}.")
    return series.interpolate().astype(float)


def _dates(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column of dates, of dates as ISO text, or of years. Other text could be read in two ways."""
    import pandas as pd

    from querist.analysis.frame import present

    values = present(frame, column)
    if pd.api.types.is_datetime64_any_dtype(values):
        dates = values
    elif pd.api.types.is_numeric_dtype(values) and values.between(1700, 2200).all() and (values % 1 == 0).all():
        dates = pd.to_datetime(values.astype(int).astype(str), format="%Y")
    elif pd.api.types.is_numeric_dtype(values):
        dates = pd.Series([pd.NaT], dtype="datetime64[ns]")
    else:
        dates = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    if values.empty or dates.isna().any():
        raise UsageError(
            f"{column!r} does not hold dates only, or in more than one way to read them.",
            hint="Choose a column of dates, or make one with an expression.",
        )
    return dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
