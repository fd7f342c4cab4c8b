"""Series over time: trend, seasonality, and a simple forecast with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.techniques.base import Column, Params, Technique, label
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["day", "week", "month", "quarter", "year"]
_FREQUENCY = {"day": "D", "week": "W", "month": "MS", "quarter": "QS", "year": "YS"}
_SEASON = {"day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}


class SeriesParams(Params):
    date: Column
    value: Column
    period: Period = "month"
    aggregate: Literal["mean", "sum", "last"] = "mean"


class Trend(Technique[SeriesParams]):
    name = "trend"
    description = "Values over time: highest and lowest period, slope with its p-value, and how strong the season is."

    def compute(self, params: SeriesParams) -> Findings:
        from scipy import stats

        found = Gathering(self.name)
        series = regular(self.frame, params, found)
        fit = stats.linregress(range(len(series)), series.to_numpy())
        found.add("slope", fit.slope, f"change of {params.value} a {params.period}")
        found.add("p_value", fit.pvalue, "p-value of the slope")
        found.add("r2", fit.rvalue**2, "share of the variance that a straight line explains")
        significant = float(fit.pvalue) < 0.05
        word = ("rising" if fit.slope > 0 else "falling") if significant else "none"
        found.add("trend", word, "rising, falling or none, at 0.05")
        for word, when in (("highest", series.idxmax()), ("lowest", series.idxmin())):
            found.add(f"{word}_{params.period}", label(when), f"{params.period} with the {word} {params.value}")
            found.add(f"{word}_value", series[when], f"{params.aggregate} of {params.value} in that {params.period}")
        found.add("mean", series.mean(), f"mean over all {params.period}s")
        found.add("first", series.iloc[0], f"{params.value} in the first {params.period}")
        found.add("last", series.iloc[-1], f"{params.value} in the last {params.period}")
        season = _SEASON[params.period]
        if season > 1 and len(series) >= 2 * season:
            from statsmodels.tsa.seasonal import STL

            parts = STL(series, period=season, robust=True).fit()
            strength = max(0.0, 1 - parts.resid.var() / (parts.resid + parts.seasonal).var())
            found.add("seasonal_strength", strength, f"0 to 1, over {season} {params.period}s")
        else:
            found.warn(f"{len(series)} {params.period}s are too few to see a season.")
        return found.done()


class ForecastParams(SeriesParams):
    ahead: int = Field(default=3, ge=1, le=60, description="How many periods to look ahead")


class Forecast(Technique[ForecastParams]):
    name = "forecast"
    description = "Forecast the next periods by exponential smoothing, each with a 95% interval."

    def compute(self, params: ForecastParams) -> Findings:
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        found = Gathering(self.name)
        series = regular(self.frame, params, found)
        season = _SEASON[params.period]
        seasonal = season > 1 and len(series) >= 2 * season + 2
        model = ETSModel(
            series.astype(float),
            trend="add",
            damped_trend=True,
            seasonal="add" if seasonal else None,
            seasonal_periods=season if seasonal else None,
        )
        expected = model.fit(disp=False).get_prediction(start=len(series), end=len(series) + params.ahead - 1)
        for when, row in expected.summary_frame(alpha=0.05).iterrows():
            day = label(when)
            found.add(f"forecast_{day}", row["mean"], f"{params.value} expected for {day}")
            found.add(f"low_{day}", row["pi_lower"], f"lower end of the 95% interval for {day}")
            found.add(f"high_{day}", row["pi_upper"], f"upper end of the 95% interval for {day}")
        if not seasonal:
            found.warn(f"{len(series)} {params.period}s are too few for a season; the forecast has none.")
        found.warn("The interval holds if the series goes on as before.")
        return found.done()


def regular(frame: pd.DataFrame, params: SeriesParams, found: Gathering) -> pd.Series[float]:
    """One value a period, gaps filled in a straight line.

    Raises:
        UsageError: the column is no date, or there are too few periods.
    """
    import pandas as pd

    from querist.analysis.frame import numbers, present

    dates = pd.to_datetime(present(frame, params.date), errors="coerce", format="mixed")
    if dates.isna().any() or pd.api.types.is_numeric_dtype(present(frame, params.date)):
        raise UsageError(f"{params.date!r} does not hold dates only.", hint="Choose a column of dates.")
    values = numbers(frame, params.value)
    joined = pd.DataFrame({"date": dates, "value": values}).dropna().set_index("date").sort_index()
    series = joined["value"].resample(_FREQUENCY[params.period]).agg(params.aggregate)
    if gaps := int(series.isna().sum()):
        found.warn(f"{gaps:,} {params.period}s without a value are filled in between their neighbours.")
        series = series.interpolate()
    if len(series) < 4:
        raise UsageError(f"There are only {len(series)} {params.period}s, too few to see a course.")
    return series
