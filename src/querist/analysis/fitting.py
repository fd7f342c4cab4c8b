"""Which technique tells whether columns go together is for their types to say, and not for a model to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from querist.analysis.frame import present
from querist.analysis.techniques.base import MAX_GROUPS, Params
from querist.analysis.techniques.comparison import ComparisonParams
from querist.analysis.techniques.correlation import CorrelationParams
from querist.analysis.techniques.regression import RegressionParams

if TYPE_CHECKING:
    import pandas as pd

LEVELS = 12
"""More different fractions than these are amounts, and make no groups; whole numbers may be codes."""


def fitted(params: Params, frame: pd.DataFrame) -> Params:
    """The parameters of the technique that the columns take, where those given cannot be meant; else the same."""
    if isinstance(params, CorrelationParams) and len(set(params.columns)) == 2 and not params.by:
        words = [column for column in params.columns if not _amounts(frame, column)]
        amounts = [column for column in params.columns if column not in words]
        if words and all(present(frame, column).nunique() <= MAX_GROUPS for column in words):
            column, by = (*amounts, *words)
            return ComparisonParams(column=column, by=by)
    if isinstance(params, ComparisonParams) and params.test == "auto" and _amounts(frame, params.column):
        by = present(frame, params.by)
        codes = by.nunique() <= (MAX_GROUPS if _whole(by) else LEVELS)
        if _amounts(frame, params.by) and not codes:
            return CorrelationParams(columns=[params.by, params.column])
    if isinstance(params, RegressionParams) and params.kind == "linear" and not _amounts(frame, params.target):
        two = present(frame, params.target).nunique() == 2
        return params.model_copy(update={"kind": "logistic"}) if two else params
    return params


def _whole(values: pd.Series[Any]) -> bool:
    return values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool((values % 1 == 0).all()))


def _amounts(frame: pd.DataFrame, column: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = present(frame, column).infer_objects()
    return bool(is_numeric_dtype(values) and not is_bool_dtype(values))
