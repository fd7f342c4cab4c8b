"""A picture for what code computed: of the columns that it reads, as they are before it runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from querist.charts.chart import Chart
from querist.charts.recommend import recommend
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 3
MOST_ROWS = 50_000
"""Of more rows so many are looked at."""


def chart_of_code(code: str, frame: pd.DataFrame, question: str) -> Chart | None:
    """The chart that suits the first columns that the code names; None where it names none, or none can be drawn."""
    columns = columns_read(code, [str(column) for column in frame.columns])[:MOST_COLUMNS]
    if not columns:
        return None
    some = frame[columns]
    if len(frame) > MOST_ROWS:  # not every n-th: rows may take turns
        some = some.sample(MOST_ROWS, random_state=0).sort_index()
    part = some.astype(object)
    rows = part.where(part.notna(), None).itertuples(index=False, name=None)
    chart = recommend(Table(tuple(map(ResultColumn, columns)), tuple(rows)), question)
    if chart is None:
        return None
    told = f"This shows the data that the code read ({', '.join(columns)}), not its result."
    sampled = [f"Of {len(frame):,} rows {len(part):,} were looked at."] if len(part) < len(frame) else []
    return chart.with_notes(told, *sampled)


def columns_read(code: str, columns: list[str]) -> list[str]:
    """The columns that code names, as text or as attributes that are no methods, in the order of first appearance."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return []
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    named = [
        (node.lineno, node.col_offset, name)
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and node not in called and (name := _name(node)) in columns
    ]
    return list(dict.fromkeys(name for _, _, name in sorted(named)))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.attr if isinstance(node, ast.Attribute) else ""
