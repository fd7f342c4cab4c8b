"""Series over time: trend, seasonality, and a simple forecast with an interval."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from pydantic import Field

from querist.analysis.findings import Findings, Gathering, counted
from querist.analysis.phrases import figure, listed, p_text
from querist.analysis.techniques.base import Technique, label
from querist.analysis.techniques.periods import SeriesParams, regular
from querist.charts.columns import title
from querist.charts.statistical import course
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_SEASON = {"day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}
SEASONS = 3
"""Whole seasons from which a season is taken out, or gone by."""
_PARTS: dict[str, Callable[[Any], Any]] = {
    "day": lambda days: days.day_name(),
    "month": lambda days: days.month_name(),
    "quarter": lambda days: days.quarter.map("the {}. quarter".format),
}
MOST_TOLD = 12
"""Periods ahead that are told one by one."""
_TRENDS = ((None, False), ("add", True), ("add", False))
SURE = 20
"""Fewer periods do not show how alike neighbours are: a drift may look like a trend, an interval be too narrow."""


class Trend(Technique[SeriesParams]):
    name = "trend"
    description = "Values over time: highest and lowest period, slope with its p-value, and how strong the season is."

    def wanted(self, params: SeriesParams) -> tuple[str, ...]:
        return (f"slope per {params.period}", "r squared of a straight line")

    def compute(self, params: SeriesParams) -> Findings:
        import numpy as np
        from scipy import stats

        found = Gathering(self.name)
        series = regular(self.frame, params, found)
        fit = stats.linregress(range(len(series)), series.to_numpy())
        line = _line(series, _SEASON[params.period])
        without = "" if line.season_p is None else ", the season taken out"
        found.add("slope", line.slope, f"change of {params.value} a {params.period}{without}")
        found.add("p_value", line.p, f"p-value of the slope, for {params.period}s that may be like those before them")
        found.add("p_value_unadjusted", fit.pvalue, f"p-value of the slope, were all {params.period}s independent")
        found.add("r2", fit.rvalue**2, "share of the variance that a straight line explains")
        significant = line.p < 0.05
        trend = ("rising" if line.slope > 0 else "falling") if significant else "none"
        found.add("trend", trend, "rising, falling or none, at 0.05")
        for word, when in (("highest", series.idxmax()), ("lowest", series.idxmin())):
            found.add(f"{word}_{params.period}", label(when), f"{params.period} with the {word} {params.value}")
            found.add(f"{word}_value", series[when], f"{params.aggregate} of {params.value} in that {params.period}")
        found.add("mean", series.mean(), f"mean over all {params.period}s")
        found.add("first", series.iloc[0], f"{params.value} in the first {params.period}")
        found.add("last", series.iloc[-1], f"{params.value} in the last {params.period}")
        slope = f"{'rises' if line.slope > 0 else 'falls'} by {figure(abs(line.slope))} a {params.period}"
        ends = f"from {figure(series.iloc[0])} in {_named(series.index[0], params)} to {figure(series.iloc[-1])} in "
        ends += _named(series.index[-1], params)
        course_of = f"{slope}, {ends}" if significant else f"shows no clear trend, {ends}"
        found.say(f"{_subject(params, len(self.frame) > len(series))} {course_of} ({p_text(line.p)}).")
        if series.nunique() == 1:
            found.warn(f"{params.value} does not change.")
            return found.done()
        residuals = series - (fit.intercept + fit.slope * np.arange(len(series)))
        lines = {"observed": _dated(series), "straight line": _dated(series - residuals)}
        if line.worth < 0.5:
            count = f"{len(series)} {params.period}s tell as much of a trend as {max(len(series) * line.worth, 1):.0f}"
            found.warn(f"Each {params.period} is much like the one before it: {count} independent ones.")
        if significant and len(series) < SURE:
            found.warn(f"In only {len(series)} {params.period}s a drift may look like a trend.")
        season, seasons = _SEASON[params.period], ""
        if line.season_p is not None:
            from statsmodels.tsa.seasonal import STL

            parts = STL(series, period=season, robust=True).fit()
            strength = max(0.0, 1 - parts.resid.var() / (parts.resid + parts.seasonal).var())
            found.add("seasonal_strength", strength, f"0 to 1, over {season} {params.period}s")
            found.add("season_p_value", line.season_p, "p-value of the season")
            clear = line.season_p < 0.05
            peaks = _peaks(parts.seasonal, params, found) if clear else ""
            whether = "a season" if clear else "no clear season"
            found.say(f"It has {whether} (strength {strength:.3g}, {p_text(line.season_p)}){peaks}.")
            if line.season_p < 0.05:
                seasons = f", season {strength:.2f} of 1"
            else:
                found.warn(f"No season is clear ({p_text(line.season_p)}); its strength is that of chance.")
        elif season > 1:
            enough = SEASONS * season
            found.warn(f"{counted(len(series), params.period)} are too few to see a season, which takes {enough}.")
        change = f"{trend} by {abs(line.slope):,.3g} a {params.period}" if significant else "no clear trend"
        told = f"{title(params.value)} by {params.period}: {change}, {p_text(line.p)}{seasons}"
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
        seasonal = season > 1 and len(series) >= SEASONS * season
        expected = _expected(series, season if seasonal else None, params.ahead, found)
        for when, row in expected.iterrows():
            day = label(when)
            where = f"where {params.period} = {day}"
            found.add(f"forecast_{day}", row["mean"], f"{params.value} expected {where}")
            found.add(f"low_{day}", row["pi_lower"], f"lower end of the 95% interval {where}")
            found.add(f"high_{day}", row["pi_upper"], f"upper end of the 95% interval {where}")
        values = [
            f"{figure(row['mean'])} ({figure(row['pi_lower'])} to {figure(row['pi_upper'])}) in {_named(when, params)}"
            for when, row in expected.iterrows()
        ]
        subject = _subject(params, len(self.frame) > len(series))
        found.say(f"{subject} is expected to be, with 95% intervals: {listed(values, ';', MOST_TOLD)}.")
        if not seasonal and season > 1:
            found.warn(f"{len(series)} {params.period}s are too few for a season; the forecast has none.")
        if len(series) < SURE:
            found.warn(f"An interval from only {len(series)} {params.period}s may be too narrow.")
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


@dataclass(frozen=True)
class _Line:
    """What a straight line through a series is worth.

    Attributes:
        slope: change from one period to the next.
        p: p-value of its slope.
        worth: how much a period says about it, beside one that is independent of those before it.
        season_p: p-value of the season that was taken out; None where there are too few of them.
    """

    slope: float
    p: float
    worth: float = 1.0
    season_p: float | None = None


def _line(series: pd.Series[float], season: int) -> _Line:
    """Least squares with seasons taken out, and the p-value of the slope for residuals that are like those before them.

    Where they go together by r, they are worth (1 - r) / (1 + r) of as many independent ones (Santer et al. 2000). The
    fit makes r too small; what it takes away, about (2 + 4r) / n, is given back (Marriott and Pope 1954).
    """
    import numpy as np
    import statsmodels.api as sm
    from scipy import stats

    number = len(series)
    place = np.arange(number)
    parts = range(1, season) if season > 1 and number >= SEASONS * season else ()
    inputs = np.column_stack([place == place, place, *(place % season == part for part in parts)]).astype(float)
    fit = sm.OLS(series.to_numpy(), inputs).fit()
    # What is less is rounding.
    noise = max(fit.ssr, 1e-10 * fit.centered_tss, 1e-20 * fit.uncentered_tss) or 1.0
    r = float(fit.resid[1:] @ fit.resid[:-1] / noise)
    r = min(max((number * r + 2) / max(number - 4, 1), 0.0), 0.99) if fit.ssr == noise else 0.0
    worth = (1 - r) / (1 + r)
    t = fit.params[1] / (fit.normalized_cov_params[1, 1] * noise / fit.df_resid / worth) ** 0.5
    p = float(2 * stats.t.sf(abs(t), max(fit.df_resid * worth, 1)))
    if not parts:
        return _Line(float(fit.params[1]), p, worth)
    explained = sm.OLS(series.to_numpy(), inputs[:, :2]).fit().ssr - fit.ssr
    f = (explained / len(parts)) / (noise / fit.df_resid)
    return _Line(float(fit.params[1]), p, worth, float(stats.f.sf(f, len(parts), fit.df_resid)))


def _expected(series: pd.Series[float], season: int | None, ahead: int, found: Gathering) -> pd.DataFrame:
    """Mean and 95% interval of the next periods, by the exponential smoothing that is expected to predict best.

    With no trend, a damped or a straight one, with and without a season. To fit k numbers to n periods makes errors too
    small: the variance is judged, and the interval widened, by (n + k) / (n - k), the final prediction error (Akaike
    1969), and Student's t.
    """
    from scipy import stats
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    number = len(series)
    fits = []
    trends = _TRENDS if number >= SURE else _TRENDS[:-1]  # half a season looks like a straight line
    for (trend, damped), of in product(trends, (None, season) if season else (None,)):
        taken = 2 + 2 * bool(trend) + damped + (of or 0)
        if number <= taken:
            continue
        how = {"trend": trend, "damped_trend": damped, "seasonal": "add" if of else None, "seasonal_periods": of}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = ETSModel(series, **how, initialization_method="heuristic" if of else "estimated").fit(disp=False)
        unsettled = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        fits.append((fit.sse * (number + taken) / (number - taken), taken, unsettled, fit))
    _, taken, unsettled, fit = min(fits, key=lambda tried: tried[0])
    if unsettled:
        found.warn("The smoothing found no best fit; the forecast is uncertain.")
    if season and not fit.has_seasonal:
        found.warn("The forecast has no season: none makes it better.")
    summary: pd.DataFrame = fit.get_prediction(start=number, end=number + ahead - 1).summary_frame(alpha=0.05)
    if not summary["mean"].notna().all():
        raise UsageError("No forecast can be computed for this series.", hint="Try a longer period.")
    free = number - taken
    wider = ((number + taken) / free) ** 0.5 * stats.t.ppf(0.975, free) / stats.norm.ppf(0.975)
    for end in ("pi_lower", "pi_upper"):
        summary[end] = summary["mean"] + (summary[end] - summary["mean"]) * wider
    return summary


def _dated(series: pd.Series[float]) -> list[tuple[str, float]]:
    return [(when.isoformat(), value) for when, value in zip(series.index, series.tolist(), strict=True)]


def _peaks(seasonal: pd.Series[float], params: SeriesParams, found: Gathering) -> str:
    """When the season is highest and lowest, in words, where its parts have names."""
    if params.period not in _PARTS:
        return ""
    means = seasonal.groupby(_PARTS[params.period](seasonal.index)).mean()
    for word, part in (("highest", means.idxmax()), ("lowest", means.idxmin())):
        found.add(f"season_{word}", part, f"part of the season with the {word} {params.value}")
    when = "on" if params.period == "day" else "in"
    return f", highest {when} {means.idxmax()} and lowest {when} {means.idxmin()}"


def _named(when: pd.Timestamp, params: SeriesParams) -> str:
    """A period as people write it: `2024`, `2024 Q1`, `2024-03`, `the week to 2024-03-17`, `2024-03-18`."""
    if params.period == "quarter":
        return f"{when:%Y} Q{when.quarter}"
    week = "the week to " if params.period == "week" else ""
    return week + f"{when:%Y-%m-%d}"[: {"year": 4, "month": 7}.get(params.period, 10)]


def _subject(params: SeriesParams, several: bool) -> str:
    """What a value of the series is called: `several` rows make one."""
    return f"The {params.aggregate} of {params.value}" if several else params.value


def _axis(params: SeriesParams) -> str:
    return f"{title(params.value)}, {params.aggregate} of each {params.period}"
