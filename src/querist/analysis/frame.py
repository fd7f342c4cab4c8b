"""From a table to a data frame with the types that statistics need. Not for cleaning: text stays text."""

from __future__ import annotations

import decimal
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from querist.errors import MissingExtraError, UsageError
from querist.sources.table import Table, json_cell

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e150
"""The square of a larger number is infinite."""
_NESTED = (list, tuple, dict)


def to_frame(table: Table) -> pd.DataFrame:
    """The table with columns named as it names them (repeated names numbered), decimals as floats, dates as dates.

    Lists and records become JSON text: pandas cannot compare or count them.
    """
    require()
    import pandas as pd

    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    return pd.DataFrame({name: _series(values) for name, values in zip(table.unique_names(), columns, strict=True)})


def _series(values: Sequence[object]) -> pd.Series[object]:
    import datetime as dt

    import pandas as pd

    values = [json.dumps(json_cell(v), ensure_ascii=False) if isinstance(v, _NESTED) else v for v in values]
    filled = [v for v in values if v is not None]
    if filled and all(isinstance(v, (int, float, decimal.Decimal)) and not isinstance(v, bool) for v in filled):
        if len(filled) == len(values) and all(isinstance(v, int) and abs(v) < 2**63 for v in filled):
            return pd.Series(values, dtype="int64")
        return pd.Series([float("nan") if v is None else float(v) for v in values], dtype="float64")  # type: ignore[arg-type]
    if filled and all(isinstance(v, dt.date) for v in filled):
        return pd.to_datetime(pd.Series(values), errors="coerce", utc=False)
    return pd.Series(values, dtype="bool" if filled and _all_bool(values) else "object")


def _all_bool(values: Sequence[object]) -> bool:
    return all(isinstance(v, bool) for v in values)


def numbers(frame: pd.DataFrame, column: str) -> pd.Series[float]:
    """The column as numbers, without missing and infinite values.

    Raises:
        UsageError: there is no such column, it holds no numbers, or numbers that are too large to compute with.
    """
    import pandas as pd

    series = present(frame, column)
    if series.empty:
        raise UsageError(f"The column {column!r} has no values.", hint="Choose another column.")
    if series.dtype == bool:
        return series.astype(float)
    converted = pd.to_numeric(series, errors="coerce")
    is_date = pd.api.types.is_datetime64_any_dtype(series)
    if is_date or converted.isna().any():
        odd = series.iloc[0] if is_date else series[converted.isna()].iloc[0]
        raise UsageError(
            f"The column {column!r} does not hold numbers only: {str(odd)[:40]!r} is none.",
            hint="Choose a numeric column, or make one with an expression.",
        )
    finite = converted.astype(float)
    finite = finite[finite.abs() < float("inf")]
    if finite.abs().max() > LARGEST:
        raise UsageError(
            f"The column {column!r} holds {finite.abs().max():.3g}, which is too large to compute with.",
            hint="Leave such values out with a condition.",
        )
    return finite


def present(frame: pd.DataFrame, column: str) -> pd.Series[object]:
    """The column without missing and infinite values; UsageError when there is no such column."""
    if column not in frame.columns:
        known = ", ".join(map(str, frame.columns[:20]))
        raise UsageError(f"There is no column {column!r}.", hint=f"Columns: {known}.")
    values = frame[column].dropna()
    return values[values.abs() < float("inf")] if values.dtype.kind == "f" else values


def complete(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The rows in which all these columns have a value, with the columns as numbers."""
    import pandas as pd

    names = list(dict.fromkeys(columns))
    return pd.DataFrame({name: numbers(frame, name) for name in names}).dropna()


def require() -> None:
    """Raise MissingExtraError unless the libraries of the extra `analysis` are there."""
    import importlib.util

    for package in ("pandas", "scipy", "statsmodels", "sklearn"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "analysis", "analyse data")
