"""Describe: statistics of columns, of the whole table or for each group."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering, plain
from querist.analysis.frame import LARGEST, numbers, present
from querist.analysis.phrases import figure, listed, ranked
from querist.analysis.techniques.base import (
    MAX_GROUPS,
    Column,
    Grouping,
    Params,
    Technique,
    groups,
    named,
    tell_ungrouped,
)
from querist.charts.chart import Chart
from querist.charts.columns import title
from querist.charts.recommend import recommend
from querist.charts.statistical import boxes, histogram
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import pandas as pd

Statistic = Literal[
    "mean", "median", "std", "population_std", "variance", "min", "max", "range", "sum", "count", "mode", "q1", "q3",
    "iqr", "skewness", "population_skewness", "kurtosis", "population_kurtosis", "distinct", "within_one_std",
    "pearson_first_skewness",
]  # fmt: skip
_OF_THE_MODE = {"mode", "pearson_first_skewness"}
_WORDS = {"std": "standard deviation", "population_std": "population standard deviation", "q1": "lower quartile"}
_WORDS |= {"q3": "upper quartile", "iqr": "interquartile range", "distinct": "different values"}
_WORDS |= {"within_one_std": "values within one standard deviation"}


class DescribeParams(Params):
    columns: list[Column] = Field(min_length=1, max_length=10)
    statistics: list[Statistic] = Field(min_length=1, max_length=8)
    by: Grouping = ""


class Describe(Technique[DescribeParams]):
    name = "describe"
    description = "Statistics of columns (mean, median, std, count, skewness, …), of all rows or for each group."

    def wanted(self, params: DescribeParams) -> tuple[str, ...]:
        each = f" for each {params.by}" if params.by else ""
        return tuple(f"{_WORDS.get(name, name.replace('_', ' '))}{each}" for name in params.statistics)

    def compute(self, params: DescribeParams) -> Findings:
        found = Gathering(self.name)
        whole: dict[str, dict[str, Any]] = {column: {} for column in params.columns}
        for statistic in params.statistics:
            word = _WORDS.get(statistic, statistic.replace("_", " "))
            for column in params.columns:
                values: dict[str, Any] = {}
                for group, part in groups(self.frame, params.by):
                    values[group] = _measure(statistic, part, column)
                    key, meaning = named(statistic, column, params.by, group)
                    found.add(key, values[group], meaning)
                if params.by:
                    _extremes(found, statistic, column, params.by, values)
                    parts = {g: v for g, v in values.items() if isinstance(v, (int, float)) and v == v}
                    if parts:
                        told = f"{word.capitalize()} of {column} by {params.by}, from highest to lowest"
                        found.say(f"{told}: {ranked(parts)}.")
                elif values[""] is not None and values[""] == values[""]:
                    whole[column][word] = values[""]
                lacking = [group for group, value in values.items() if value is None or value != value]
                if lacking:
                    groups_of = f" where {params.by} is {', '.join(lacking[:5])}" if params.by else ""
                    found.warn(f"{column} has too few or too similar values for its {statistic}{groups_of}.")
        for column, measured in whole.items():
            if measured:
                found.say(f"{column}: {listed([f'{word} {_told(value)}' for word, value in measured.items()])}.")
        tell_ungrouped(found, self.frame, params.by)
        for column in params.columns:
            found.left_out(len(self.frame) - len(present(self.frame, column)), f"a value of {column}")
            if _OF_THE_MODE & {*params.statistics}:
                _tell_modes(found, self.frame, column, params.by)
        found.chart = _picture(self.frame, params.columns[0], params.by)
        return found.done()


def _told(value: Any) -> str:
    return figure(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(plain(value))


def _picture(frame: pd.DataFrame, column: str, by: str) -> Chart | None:
    """How the values of a column are distributed; None for words of many kinds, and for numbers out of reach."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = present(frame, column)
    if not is_numeric_dtype(values) or is_bool_dtype(values):
        counts = values.astype(str).value_counts()
        if len(counts) > MAX_GROUPS:
            return None
        table = Table((ResultColumn(column), ResultColumn("rows")), tuple((k, int(n)) for k, n in counts.items()))
        return recommend(table, kind="bar", title=f"Rows by {title(column)}")
    if values.abs().max() > LARGEST:
        return None
    parts = {name: values[values.index.intersection(part.index)].tolist() for name, part in groups(frame, by)}
    parts = {name: numbers for name, numbers in parts.items() if len(numbers) > 1}
    if not parts:
        return None
    if by:
        return boxes(parts, (title(column), title(by)), f"{title(column)} by {title(by)}")
    return histogram(parts[""], title(column), f"Distribution of {title(column)}")


def _tell_modes(found: Gathering, frame: pd.DataFrame, column: str, by: str) -> None:
    for group, part in groups(frame, by):
        if (modes := len(present(part, column).mode())) > 1:
            where = f" where {by} = {group}" if by else ""
            alike = f"{modes:,} values of {column}{where} are the most frequent alike"
            found.warn(f"{alike}; the mode is the first of them.")


def _extremes(found: Gathering, statistic: str, column: str, by: str, values: dict[str, Any]) -> None:
    ranked = {g: v for g, v in values.items() if isinstance(v, (int, float)) and v == v}
    if len(ranked) < 2:
        return
    for word, extreme in (("highest", max(ranked.values())), ("lowest", min(ranked.values()))):
        alike = [group for group, value in ranked.items() if value == extreme]
        found.add(f"group_with_{word}_{statistic}_{column}", alike[0], f"{by} with the {word} {statistic}")
        if len(alike) > 1:
            found.warn(f"{', '.join(alike[:5])} have the {word} {statistic} of {column} alike.")


def _measure(statistic: str, frame: pd.DataFrame, column: str) -> Any:
    if statistic in _ANY:
        return _ANY[statistic](present(frame, column))
    if present(frame, column).empty:
        return None
    return _NUMERIC[statistic](numbers(frame, column))


def _mode(values: pd.Series[Any]) -> Any:
    modes = values.mode()
    return modes.iloc[0] if len(modes) else None


def _iqr(values: pd.Series[float]) -> float:
    return float(values.quantile(0.75) - values.quantile(0.25))


def _within_one_std(values: pd.Series[float]) -> int | None:
    if len(values) < 2:
        return None
    return int(values.between(values.mean() - values.std(), values.mean() + values.std()).sum())


def _population_moment(name: str) -> Callable[[pd.Series[float]], float | None]:
    def measure(values: pd.Series[float]) -> float | None:
        from scipy import stats

        return float(getattr(stats, name)(values)) if values.nunique() > 1 else None

    return measure


def _pearson_first(values: pd.Series[float]) -> float | None:
    """(mean - mode) / std, Pearson's first coefficient of skewness."""
    return float((values.mean() - values.mode().iloc[0]) / values.std()) if values.nunique() > 1 else None


_ANY: dict[str, Callable[[pd.Series[Any]], Any]] = {
    "count": len,
    "distinct": lambda v: v.nunique(),
    "mode": _mode,
}
_NUMERIC: dict[str, Callable[[pd.Series[float]], Any]] = {
    "mean": lambda v: v.mean(),
    "median": lambda v: v.median(),
    "std": lambda v: v.std(),
    "population_std": lambda v: v.std(ddof=0),
    "variance": lambda v: v.var(),
    "min": lambda v: v.min(),
    "max": lambda v: v.max(),
    "range": lambda v: v.max() - v.min(),
    "sum": lambda v: v.sum(),
    "q1": lambda v: v.quantile(0.25),
    "q3": lambda v: v.quantile(0.75),
    "iqr": _iqr,
    "skewness": lambda v: v.skew(),
    "population_skewness": _population_moment("skew"),
    "kurtosis": lambda v: v.kurt(),
    "population_kurtosis": _population_moment("kurtosis"),
    "within_one_std": _within_one_std,
    "pearson_first_skewness": _pearson_first,
}
