"""Preparing a data frame before it is analysed: new columns, conditions, missing values, outliers, scaling.

Steps are data, not code, and each says what it did. The data that were given never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from querist.analysis.expressions import add_column, keep_rows
from querist.analysis.frame import numbers, present
from querist.analysis.techniques.base import Column, Params
from querist.analysis.techniques.outliers import Method, is_outlier
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Columns = Annotated[list[Column], Field(min_length=1, max_length=20)]


class StepParams(Params):
    """`asked`: words of which a question in plain words has one, for the step to be taken; empty for none."""

    asked: ClassVar[str] = ""


class NewColumn(StepParams):
    do: Literal["new_column"]
    name: Annotated[str, Field(json_schema_extra={"x-column": "new"})]
    sql: str = Field(max_length=400)


class KeepRows(StepParams):
    do: Literal["keep_rows"]
    sql: str = Field(max_length=400)


class DropMissing(StepParams):
    asked = r"missing|empty|null|\bcomplete\b|without a"
    do: Literal["drop_missing"]
    columns: Columns


class FillMissing(StepParams):
    asked = r"fill|imput|replac|missing"
    do: Literal["fill_missing"]
    columns: Columns
    using: Literal["mean", "median", "mode", "zero"]


class DropOutliers(StepParams):
    asked = r"outlier|exclud|remov|without|leav\w+ out|drop"
    do: Literal["drop_outliers"]
    column: Column
    method: Method
    threshold: float = Field(gt=0, le=10)


class Scale(StepParams):
    asked = r"scal|normali[sz]|standardi[sz]|z-?score|min-?max"
    do: Literal["scale"]
    columns: Columns
    method: Literal["minmax", "zscore"]


class DropDuplicates(StepParams):
    asked = r"duplicat|repeat|unique|distinct|\bonce\b"
    do: Literal["drop_duplicates"]


Step = NewColumn | KeepRows | DropMissing | FillMissing | DropOutliers | Scale | DropDuplicates


def prepare(frame: pd.DataFrame, steps: Sequence[Step]) -> tuple[pd.DataFrame, list[str]]:
    """The frame after all steps, and a sentence for each.

    Raises:
        UsageError, GuardError, QueryError: a step that cannot be taken, or that leaves no row.
    """
    notes: list[str] = []
    for step in steps:
        frame, told = _take(frame, step)
        notes += told
        if frame.empty:
            raise UsageError(f"No row is left: {told[-1] if told else step.do}", hint="Loosen the condition.")
    return frame, notes


def _take(frame: pd.DataFrame, step: Step) -> tuple[pd.DataFrame, list[str]]:
    rows = len(frame)
    if isinstance(step, NewColumn):
        frame, notes = add_column(frame, step.name, step.sql)
        return frame, [*notes, f"New column {step.name}: {step.sql}."]
    if isinstance(step, KeepRows):
        frame, notes = keep_rows(frame, step.sql)
        return frame, [*notes, f"Kept {len(frame):,} of {rows:,} rows where {step.sql}."]
    if isinstance(step, DropMissing):
        for column in step.columns:
            present(frame, column)
        frame = frame.dropna(subset=step.columns)
        return frame, [f"Left out {rows - len(frame):,} rows without {', '.join(step.columns)}."]
    if isinstance(step, FillMissing):
        return _fill(frame, step)
    if isinstance(step, DropOutliers):
        out = is_outlier(numbers(frame, step.column), step.method, step.threshold)
        frame = frame.drop(index=out[out].index)
        told = f"Left out {rows - len(frame):,} outliers of {step.column} ({step.method}, {step.threshold:g})."
        return frame, [told]
    if isinstance(step, Scale):
        return _scale(frame, step)
    frame = frame.drop_duplicates()
    return frame, [f"Left out {rows - len(frame):,} repeated rows."]


def _fill(frame: pd.DataFrame, step: FillMissing) -> tuple[pd.DataFrame, list[str]]:
    notes = []
    for column in step.columns:
        values = present(frame, column)
        count = len(frame) - len(values)
        if not count:
            continue
        if step.using == "zero":
            value: object = 0
        elif step.using == "mode" or values.empty:
            value = values.mode().iloc[0] if len(values) else None
        else:
            value = getattr(numbers(frame, column), step.using)()
        frame = frame.assign(**{column: frame[column].where(frame.index.isin(values.index), value)})
        notes.append(f"Filled {count:,} missing values of {column} with the {step.using}, {value}.")
    return frame, notes


def _scale(frame: pd.DataFrame, step: Scale) -> tuple[pd.DataFrame, list[str]]:
    for column in step.columns:
        values = numbers(frame, column)
        if values.nunique() < 2:  # the deviation of equal values may be a rounding error
            raise UsageError(f"{column!r} has one value only and cannot be scaled.")
        spread = values.max() - values.min() if step.method == "minmax" else values.std(ddof=0)
        start = values.min() if step.method == "minmax" else values.mean()
        frame = frame.assign(**{column: (values - start) / spread})
    return frame, [f"Scaled {', '.join(step.columns)} ({step.method})."]
