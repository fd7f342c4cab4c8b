"""Which technique tells whether columns go together is for their types to say, and not for a model to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.analysis.frame import present
from querist.analysis.techniques.base import MAX_GROUPS, Params
from querist.analysis.techniques.comparison import ComparisonParams
from querist.analysis.techniques.correlation import CorrelationParams
from querist.analysis.techniques.regression import RegressionParams

if TYPE_CHECKING:
    import pandas as pd

LEVELS = 12
"""More different numbers than these are amounts, and make no groups."""


def fitted(params: Params, frame: pd.DataFrame) -> Params:
    """The parameters of the technique that the columns take, where those given cannot be meant; else the same."""
    if isinstance(params, CorrelationParams) and len(set(params.columns)) == 2 and not params.by:
        words = [column for column in params.columns if not _amounts(frame, column)]
        amounts = [column for column in params.columns if column not in words]
        if words and all(present(frame, column).nunique() <= MAX_GROUPS for column in words):
            column, by = (*amounts, *words)
            return ComparisonParams(column=column, by=by)
    if (
        isinstance(params, ComparisonParams)
        and _amounts(frame, params.column)
        and _amounts(frame, params.by)
        and present(frame, params.by).nunique() > LEVELS
    ):
        return CorrelationParams(columns=[params.by, params.column])
    if isinstance(params, RegressionParams):
        return _regression(params, frame)
    return params


def _regression(params: RegressionParams, frame: pd.DataFrame) -> Params:
    levels = present(frame, params.target).nunique()
    if params.kind == "logistic" and levels > 2 and _amounts(frame, params.target):
        return params.model_copy(update={"kind": "linear"})
    if params.kind == "linear" and levels == 2 and not _amounts(frame, params.target):
        return params.model_copy(update={"kind": "logistic"})
    return params


def _amounts(frame: pd.DataFrame, column: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = present(frame, column).infer_objects()
    return bool(is_numeric_dtype(values) and not is_bool_dtype(values))
