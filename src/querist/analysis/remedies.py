"""Remedies for what often stops generated code and needs no model: missing values, and text where numbers go."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_MISSING = re.compile(r"contains? NaN|missing values|NaN or inf|non-finite|array must not contain infs or NaNs", re.I)
_TEXT = re.compile(r"could not convert string to float|unsupported operand|Cannot convert .* to numeric", re.I)


def remedy(code: str, error: str, frame: pd.DataFrame, values: Sequence[Any] = ()) -> tuple[str, str] | None:
    """Code that begins with what keeps it from failing so, and a note of it; None where nothing is known to help.

    Args:
        error: the last line of the error, empty when it ran.
        values: what it gave; nothing, or what is not a number, among them is a failure, too.
    """
    from pandas.api.types import is_numeric_dtype

    used = [column for column in _texts(code) if column in frame.columns]
    lacking = [column for column in used if frame[column].isna().any()]
    if lacking and (_MISSING.search(error) or any(value is None or value != value for value in values)):
        if alone := _without_missing(code, lacking):
            return alone, f"left out missing values of {', '.join(lacking)}, which the code cannot deal with"
        line = f"df = df.dropna(subset={used!r}).copy()"
        note = f"left out rows without {', '.join(lacking)}, which the code cannot deal with"
        return (f"{line}\n{code}", note) if not code.startswith(line) else None
    words = [column for column in used if not is_numeric_dtype(frame[column])]
    if words and _TEXT.search(error) and "factorize" not in code:
        line = f"import pandas as pd\nfor _name in {words!r}:\n    df[_name] = pd.factorize(df[_name], sort=True)[0]"
        return f"{line}\n{code}", f"numbered the values of {', '.join(words)}, which the code takes for numbers"
    return None


def _without_missing(code: str, lacking: Sequence[str]) -> str:
    """The code with the missing values of a column left out where it alone is given to a function; else nothing.

    Where two columns go in together, rows have to be left out of both.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    changed = False
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        columns = [i for i, given in enumerate(call.args) if _is_column(given)]
        if len(columns) != 1 or call.args[columns[0]].slice.value not in lacking:  # type: ignore[attr-defined]
            continue
        place = columns[0]
        without = ast.Attribute(call.args[place], "dropna", ast.Load())
        call.args[place] = ast.Call(without, [], [])
        changed = True
    return ast.unparse(ast.fix_missing_locations(tree)) if changed else ""


def _is_column(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _texts(code: str) -> list[str]:
    """The texts that stand in the code, each once."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return list(dict.fromkeys(found))
