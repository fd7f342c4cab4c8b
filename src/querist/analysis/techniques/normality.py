"""Normality: does a column follow a normal distribution?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering, counted
from querist.analysis.frame import numbers
from querist.analysis.phrases import figure, p_text
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
from querist.charts.columns import title
from querist.charts.statistical import histogram
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

FEWEST, FEW = 8, 20
"""Values that a test takes at least; and below which it finds little that is not normal."""


Test = Literal["shapiro", "kolmogorov_smirnov", "anderson", "dagostino"]
_NAMES = {
    "shapiro": "Shapiro-Wilk", "kolmogorov_smirnov": "Kolmogorov-Smirnov", "anderson": "Anderson-Darling",
    "dagostino": "D'Agostino",
}  # fmt: skip


class NormalityParams(Params):
    columns: list[Amount] = Field(min_length=1, max_length=8)
    test: Annotated[Test, when_asked("shapiro|kolmogorov|smirnov|anderson|agostino")] = "shapiro"
    by: Annotated[Grouping, when_asked(BY)] = ""


class Normality(Technique[NormalityParams]):
    name = "normality"
    description = "Test whether columns are normally distributed (Shapiro-Wilk, Kolmogorov-Smirnov, …)."

    def wanted(self, params: NormalityParams) -> tuple[str, ...]:
        return (f"p-value of {_NAMES[params.test]}", "skewness")

    def compute(self, params: NormalityParams) -> Findings:
        found = Gathering(self.name)
        several = len(params.columns) > 1 or bool(params.by)
        for column in params.columns:
            for group, frame in groups(self.frame, params.by):
                values = numbers(frame, column)
                where = f" where {params.by} = {group}" if group else ""
                if len(values) < FEWEST or values.nunique() < 2:
                    raise UsageError(
                        f"{column!r} has {counted(len(values), 'value')}{where}, {values.nunique():,} different: "
                        f"too few different values for a test of normality, which takes {FEWEST} that vary."
                    )
                found.left_out(len(frame) - len(values), f"a value of {column}{where}")
                statistic, p = _test(params.test, values)
                label = params.test.replace("_", "-").capitalize()
                for name, value in (
                    ("statistic", statistic),
                    ("p_value", p),
                    ("is_normal", p >= 0.05),
                    ("skewness", values.skew()),
                    ("kurtosis", values.kurt()),
                ):
                    key, meaning = named(name, column, params.by, group)
                    found.add(key if several else name, value, f"{label} test: {meaning}")
                told = f"Distribution of {title(column)}{where}: {label}, {p_text(p)}"
                normal = "looks normally distributed" if p >= 0.05 else "is not normally distributed"
                shape = f"skewness {figure(values.skew())}, kurtosis {figure(values.kurt())}"
                found.say(f"{column}{where} {normal} ({_NAMES[params.test]}, {p_text(p)}): {shape}.")
                found.chart = found.chart or histogram(values.tolist(), title(column), told)
                if p >= 0.05 and len(values) < FEW:
                    found.warn(f"{len(values)} values of {column}{where} hardly show whether they are normal or not.")
                if params.test == "shapiro" and len(values) > 5000:
                    found.warn(
                        f"The p-value of Shapiro-Wilk is not exact for {len(values):,} values (more than 5,000)."
                    )
                if params.test == "kolmogorov_smirnov":
                    found.warn(
                        "Kolmogorov-Smirnov with the mean and deviation of the values themselves finds too few of them "
                        "not normal; Shapiro-Wilk is surer."
                    )
        tell_ungrouped(found, self.frame, params.by)
        return found.done()


def _test(test: str, values: pd.Series[float]) -> tuple[float, float]:
    """The statistic and its p-value."""
    from scipy import stats

    if test == "shapiro":
        result = stats.shapiro(values)
    elif test == "dagostino":
        result = stats.normaltest(values)
    elif test == "kolmogorov_smirnov":
        # Against a normal distribution with the sample's own mean and deviation.
        result = stats.kstest(values, "norm", args=(values.mean(), values.std()))
    else:
        from statsmodels.stats.diagnostic import normal_ad

        result = normal_ad(values.to_numpy())
    return float(result[0]), float(result[1])
