"""A data frame as a model should see it: its columns, a line each, with types, examples and missing counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LISTED, EXAMPLES, LONGEST = 8, 3, 40
MAX_COLUMNS = 40
"""Of a wider table, the other columns are only named."""


def overview(frame: pd.DataFrame, name: str) -> str:
    """The table's name, size and columns."""
    head = f"{name}, {len(frame):,} rows, columns:"
    lines = [f"{column!s}: {_column(frame[column])}" for column in frame.columns[:MAX_COLUMNS]]
    if more := [str(column) for column in frame.columns[MAX_COLUMNS:]]:
        lines.append("also: " + ", ".join(more))
    return "\n".join([head, *lines])


def _column(values: pd.Series[Any]) -> str:
    from pandas.api import types

    filled = values.dropna()
    missing = f", {len(values) - len(filled):,} missing" if len(filled) < len(values) else ""
    if filled.empty:
        return "always missing"
    if types.is_bool_dtype(filled):
        return f"true or false{missing}"
    if types.is_datetime64_any_dtype(filled):
        return f"date, {_shown(filled.min())} to {_shown(filled.max())}{missing}"
    distinct = filled.nunique()
    if types.is_numeric_dtype(filled):
        if distinct <= LISTED:
            return f"number, one of {', '.join(_shown(v) for v in sorted(filled.unique()))}{missing}"
        return f"number, {_shown(filled.min())} to {_shown(filled.max())}{missing}"
    if distinct <= LISTED:
        return f"text, one of {', '.join(repr(_shown(v)) for v in filled.value_counts().index)}{missing}"
    return f"text, such as {', '.join(repr(_shown(v)) for v in filled.unique()[:EXAMPLES])}{missing}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(str(value).split()).removesuffix(" 00:00:00")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
