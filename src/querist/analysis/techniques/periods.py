"""From rows with dates to one value a period: what series are made of. Not for what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from querist.analysis.findings import Gathering, counted
from querist.analysis.frame import numbers, present
from querist.analysis.techniques.base import Amount, Date, Params
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["day", "week", "month", "quarter", "year"]
_FREQUENCY = {"day": "D", "week": "W", "month": "MS", "quarter": "QS", "year": "YS"}
FEWEST, MOST = 4, 5_000
"""Periods of a series."""
SLACK = 0.05
"""Share of a period that may lack at its edge, beyond the usual gap between dates."""


class SeriesParams(Params):
    date: Date
    value: Amount
    period: Period = "month"
    aggregate: Literal["mean", "sum", "last"] = "mean"


def regular(frame: pd.DataFrame, params: SeriesParams, found: Gathering) -> pd.Series[float]:
    """One value a period, gaps filled in a straight line; sums of whole periods only.

    Raises:
        UsageError: the column is no date, or there are too few periods, too many, or too few with a value.
    """
    import pandas as pd

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
    if params.aggregate == "sum":
        whole = _whole(joined.index, params.period, found)
        counts, series = counts[whole], series[whole]
    if len(series) < FEWEST:
        raise UsageError(f"{counted(len(series), f'whole {params.period}')} are too few to see a course.")
    gaps, usual = int((counts == 0).sum()), counts.median()
    if params.aggregate == "sum":
        if gaps:
            found.warn(f"{plural.capitalize()} without rows count as 0: {gaps:,}.")
        for word, rows in (("first", counts.iloc[0]), ("last", counts.iloc[-1])):
            if rows < usual / 2:
                found.warn(f"The {word} {params.period} has {rows} rows of usually {usual:g}: it may not be whole.")
        return series.astype(float)
    if gaps > len(series) / 2:
        raise UsageError(
            f"Only {len(series) - gaps} of {len(series)} {plural} have a value.", hint="Choose a longer period."
        )
    if gaps:
        found.warn(f"{plural.capitalize()} without a value are filled in between their neighbours: {gaps:,}.")
    return series.interpolate().astype(float)


def _whole(dates: pd.Index[Any], period: Period, found: Gathering) -> slice:
    """Which periods to keep: a first or last one is not whole where more lacks at its edge than lies between dates."""
    import pandas as pd

    days = pd.DatetimeIndex(dates).normalize().unique()
    if period == "day" or len(days) < 2:
        return slice(None)
    first, last = (day.to_period(_FREQUENCY[period][0]) for day in (days[0], days[-1]))
    usual = days.to_series().diff().quantile(0.99) + SLACK * ((last + 1).start_time - last.start_time)
    late, early = days[0] - first.start_time > usual, (last + 1).start_time - days[-1] > usual
    if late:
        found.warn(f"The first {period} is left out of the sums: its dates begin only on {days[0].date()}.")
    if early:
        found.warn(f"The last {period} is left out of the sums: its dates end on {days[-1].date()} already.")
    return slice(1 if late else None, -1 if early else None)


def _dates(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column of dates, of dates as ISO text, or of years. Other text could be read in two ways."""
    import pandas as pd

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
