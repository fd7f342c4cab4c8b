"""Outliers of a column, by z-score or interquartile range, and what is left without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import numbers, present
from querist.analysis.phrases import figure, listed
from querist.analysis.techniques.base import (
    BY,
    Amount,
    Grouping,
    Params,
    Technique,
    groups,
    named,
    tell_ungrouped,
    when_asked,
)
from querist.charts.chart import Chart
from querist.charts.columns import title
from querist.charts.statistical import points

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["zscore", "iqr"]
_RULE = r"z-?score|iqr|quartile|deviations?|sigma"
LISTED = 100
"""Outliers that are listed; more are only counted."""


class OutliersParams(Params):
    column: Amount
    method: Annotated[Method, when_asked(_RULE)] = "zscore"
    threshold: Annotated[float, when_asked(rf"{_RULE}|threshold")] = Field(default=3.0, gt=0, le=10)
    by: Annotated[Grouping, when_asked(BY)] = ""


class Outliers(Technique[OutliersParams]):
    name = "outliers"
    description = "Find outliers of a column (zscore or iqr): their count and mean, and the statistics without them."

    def wanted(self, params: OutliersParams) -> tuple[str, ...]:
        return (f"number of outliers by {params.method}",)

    def compute(self, params: OutliersParams) -> Findings:
        found = Gathering(self.name)
        marks: list[tuple[float, float, str]] = []
        place = {row: number for number, row in enumerate(self.frame.index, start=1)}
        for group, frame in groups(self.frame, params.by):
            where = f" where {params.by} = {group}" if group else ""
            if group and present(frame, params.column).empty:
                found.left_out(len(frame), f"a value of {params.column}{where}")
                continue
            values = numbers(frame, params.column)
            found.left_out(len(frame) - len(values), f"a value of {params.column}{where}")
            low, high = bounds(values, params.method, params.threshold)
            out = is_outlier(values, params.method, params.threshold)
            apart, rest = values[out], values[~out]
            marks += [
                (place[row], value, "outlier" if odd else "within bounds")
                for row, value, odd in zip(values.index, values.tolist(), out.tolist(), strict=True)
            ]
            for name, value in (
                ("outlier_count", len(apart)),
                ("outlier_mean", apart.mean()),
                ("outlier_median", apart.median()),
                ("outlier_values", sorted(apart.tolist()) if len(apart) <= LISTED else None),
                ("count_without_outliers", len(rest)),
                ("rows_without_outliers", len(frame) - len(apart)),
                ("mean_without_outliers", rest.mean()),
                ("median_without_outliers", rest.median()),
                ("std_without_outliers", rest.std()),
                ("population_std_without_outliers", rest.std(ddof=0)),
                ("min_without_outliers", rest.min()),
                ("max_without_outliers", rest.max()),
                ("mean_before", values.mean()),
                ("std_before", values.std()),
                ("lower_bound", low),
                ("upper_bound", high),
            ):
                key, meaning = named(name, params.column, params.by, group)
                found.add(key if group else name, value, meaning)
            found.say(_sentence(f"{params.column}{where}", apart.tolist(), len(rest), (low, high)))
            if params.method == "zscore" and len(values) <= params.threshold**2 + 1:
                found.warn(f"Among {len(values)} values no z-score can be above {params.threshold:g}{where}: use iqr.")
            if params.method == "iqr" and low == high:
                found.warn(f"Half of the values or more are {low:g}{where}: any other counts as an outlier.")
        tell_ungrouped(found, self.frame, params.by)
        found.warn(f"Outliers are by {params.method} with the threshold {params.threshold:g}.")
        if marks:
            found.chart = _picture(marks, params, () if params.by else (low, high))
        return found.done()


def _sentence(column: str, apart: list[float], rest: int, bounds: tuple[float, float]) -> str:
    low, high = map(figure, bounds)
    if not apart:
        return f"No value of {column} is an outlier: all lie between {low} and {high}."
    middle = sum(bounds) / 2
    furthest = [figure(value) for value in sorted(apart, key=lambda value: -abs(value - middle))]
    are, lie = ("value is an outlier", "lies") if len(apart) == 1 else ("values are outliers", "lie")
    return f"{len(apart):,} {are} of {column}, {rest:,} are none: {listed(furthest)} {lie} outside {low} to {high}."


def _picture(marks: list[tuple[float, float, str]], params: OutliersParams, bounds: Sequence[float]) -> Chart:
    """The values in the order of their rows, with the bounds that hold for all."""
    number = sum(name == "outlier" for *_, name in marks)
    by = f" by {title(params.by)}" if params.by else ""
    rule = f"{'IQR' if params.method == 'iqr' else 'z-score'}, threshold {params.threshold:g}"
    told = f"Outliers of {title(params.column)}{by}: {number:,} of {len(marks):,} ({rule})"
    ends = (min(place for place, *_ in marks), max(place for place, *_ in marks))
    lines = [[(end, bound) for end in ends] for bound in bounds]
    axes = ("Row", title(params.column))
    return points(marks, axes, told, names=["within bounds", "outlier"], lines=lines)


def bounds(values: pd.Series[float], method: Method, threshold: float) -> tuple[float, float]:
    """The least and the greatest value that is no outlier."""
    if method == "zscore":
        middle, spread = float(values.mean()), float(values.std(ddof=0))
        return middle - threshold * spread, middle + threshold * spread
    low, high = float(values.quantile(0.25)), float(values.quantile(0.75))
    return low - threshold * (high - low), high + threshold * (high - low)


def is_outlier(values: pd.Series[float], method: Method, threshold: float) -> pd.Series[bool]:
    low, high = bounds(values, method, threshold)
    return (values < low) | (values > high)
