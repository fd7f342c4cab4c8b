"""`statistical_analyzer`: descriptions, correlations and outliers of rows. More techniques are in `analysis`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.data.given import MAX_ROWS, Row
from querist.tools.tool import ThreadTool, ToolInput, require

if TYPE_CHECKING:
    import pandas as pd


class StatisticalAnalyzerInput(ToolInput):
    data: list[Row] | list[float | None] = Field(description="Rows, or the numbers of one column.", max_length=MAX_ROWS)
    analyses: list[Literal["descriptive_stats", "correlation_matrix", "outlier_detection"]] = Field(
        default=["descriptive_stats"], description="What to tell.", min_length=1
    )
    columns: list[str] = Field(default=[], description="Those to analyse; all with numbers when left out.")
    confidence_level: float = Field(default=0.95, description="Of the interval of the mean.", gt=0, lt=1)
    method: Literal["pearson", "spearman", "kendall"] = Field(default="pearson", description="Of correlations.")
    outliers: Literal["iqr", "zscore"] = Field(
        default="iqr", description="Outside of 1.5 times the quartiles' distance (Tukey), or beyond 3 deviations."
    )


class Described(BaseModel):
    column: str
    count: int
    missing: int
    mean: float
    mean_low: float | None = Field(description="Of the interval of confidence, by Student's t.")
    mean_high: float | None
    std: float | None = Field(description="Of the sample, with n - 1.")
    min: float
    quartile_1: float
    median: float
    quartile_3: float
    max: float
    skewness: float | None
    kurtosis: float | None = Field(description="Excess: 0 for the normal distribution.")


class Correlation(BaseModel):
    a: str
    b: str
    coefficient: float | None = Field(description="None where a column does not vary.")
    p_value: float | None
    count: int = Field(description="Rows in which both have a value.")


class Outliers(BaseModel):
    column: str
    low: float = Field(description="Below this a value is an outlier.")
    high: float
    rows: list[int] = Field(description="Rows from 0; a thousand at most.")
    count: int


class Statistics(BaseModel):
    descriptive_stats: list[Described] = []
    correlation_matrix: list[Correlation] = Field(default=[], description="One for each pair.")
    outlier_detection: list[Outliers] = []


class StatisticalAnalyzer(ThreadTool[StatisticalAnalyzerInput, Statistics]):
    name = "statistical_analyzer"
    description = "Describe columns of numbers, correlate them, and find their outliers."

    def work(self, input: StatisticalAnalyzerInput, context: RunContext) -> Statistics:
        for package in ("pandas", "scipy"):
            require(package, "calculate statistics", "analysis")
        frame = _numbers(input)
        return Statistics(
            descriptive_stats=[_described(frame[name], input.confidence_level) for name in frame]
            if "descriptive_stats" in input.analyses
            else [],
            correlation_matrix=_correlations(frame, input.method) if "correlation_matrix" in input.analyses else [],
            outlier_detection=[_outliers(frame[name], input.outliers) for name in frame]
            if "outlier_detection" in input.analyses
            else [],
        )


def _numbers(input: StatisticalAnalyzerInput) -> pd.DataFrame:
    import pandas as pd

    rows: list[Any] = list(input.data)
    frame = pd.DataFrame(rows if rows and isinstance(rows[0], dict) else {"value": rows})
    if missing := [name for name in input.columns if name not in frame]:
        raise ComponentInputError(f"There is no column {missing[0]!r}.", hint=f"There are {', '.join(frame)}.")
    frame = frame[input.columns or list(frame)]
    truths = [name for name in frame if frame[name].dropna().map(lambda value: isinstance(value, bool)).any()]
    try:
        frame = frame.drop(columns=truths).apply(pd.to_numeric, errors="raise" if input.columns else "coerce")
    except (TypeError, ValueError) as error:
        told = f"The columns that are asked for do not all hold numbers: {error}."
        raise ComponentInputError(told, hint="Leave `columns` out to take those that do.") from error
    frame = frame.astype(float).replace([float("inf"), float("-inf")], float("nan")).dropna(axis="columns", how="all")
    if frame.empty:
        raise ComponentInputError("The data have no numbers.")
    return frame


def _described(column: pd.Series, confidence: float) -> Described:
    from scipy import stats

    values = column.dropna()
    n, mean, std = len(values), float(values.mean()), float(values.std())
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * std / n**0.5 if n > 1 else None
    return Described(
        column=str(column.name),
        count=n,
        missing=len(column) - n,
        mean=mean,
        mean_low=None if half is None else mean - half,
        mean_high=None if half is None else mean + half,
        std=std if n > 1 else None,
        min=values.min(),
        quartile_1=values.quantile(0.25),
        median=values.median(),
        quartile_3=values.quantile(0.75),
        max=values.max(),
        skewness=_finite(values.skew()),
        kurtosis=_finite(values.kurt()),
    )


def _correlations(frame: pd.DataFrame, method: str) -> list[Correlation]:
    from scipy import stats

    test = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[method]
    found, names = [], list(frame)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            both = frame[[a, b]].dropna()
            coefficient = p = None
            if len(both) > 2 and both[a].nunique() > 1 and both[b].nunique() > 1:
                coefficient, p = map(_finite, test(both[a], both[b])[:2])
            found.append(Correlation(a=a, b=b, coefficient=coefficient, p_value=p, count=len(both)))
    return found


def _outliers(column: pd.Series, method: str) -> Outliers:
    values = column.dropna()
    if method == "iqr":
        first, third = values.quantile(0.25), values.quantile(0.75)
        low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
    else:
        spread = 3 * values.std() if len(values) > 1 else 0.0
        low, high = values.mean() - spread, values.mean() + spread
    rows = values.index[(values < low) | (values > high)].tolist()
    return Outliers(column=str(column.name), low=low, high=high, rows=rows[:1000], count=len(rows))


def _finite(value: Any) -> float | None:
    return float(value) if value == value and abs(value) != float("inf") else None
