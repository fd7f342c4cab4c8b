"""The standard techniques: what a model chooses from instead of writing statistics from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from querist.analysis.techniques.base import Technique
from querist.analysis.techniques.clusters import Clusters
from querist.analysis.techniques.comparison import Comparison
from querist.analysis.techniques.correlation import Correlation
from querist.analysis.techniques.describe import Describe
from querist.analysis.techniques.missing import Missing
from querist.analysis.techniques.normality import Normality
from querist.analysis.techniques.outliers import Outliers
from querist.analysis.techniques.regression import Regression
from querist.analysis.techniques.series import Forecast, Trend

if TYPE_CHECKING:
    import pandas as pd

TECHNIQUES: tuple[type[Technique[Any]], ...] = (
    Describe,
    Correlation,
    Normality,
    Outliers,
    Comparison,
    Regression,
    Missing,
    Trend,
    Forecast,
    Clusters,
)


def techniques(frame: pd.DataFrame) -> list[Technique[Any]]:
    """All techniques over one data frame: components that can be run, or offered to a model as tools."""
    return [kind(frame) for kind in TECHNIQUES]
