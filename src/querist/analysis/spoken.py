"""Which columns and values of a table a question speaks of, by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from querist.analysis.assemble import words_in
from querist.analysis.techniques.base import MAX_GROUPS

if TYPE_CHECKING:
    import pandas as pd

_UNITS = frozenset(
    "ha ph kg km mm cm m2 min sec hr ms mb gb kwh db dbm pct percent eur usd chf gbp second minute hour day week "
    "year".split()
)
"""Words of a column's name that people leave out."""
STEM = 5
"""Letters with which two words of a family begin: `satisfied` and `satisfaction`."""
_SHORTEST = 3
"""Letters of a value that is known by its name."""


@dataclass(frozen=True)
class Spoken:
    """What a question speaks of.

    Attributes:
        columns: those with their whole name, up to a unit.
        partly: those with any word of their name, or of its family.
        values: of columns of words, as they are written in the data.
    """

    columns: tuple[str, ...]
    partly: tuple[str, ...]
    values: dict[str, tuple[str, ...]]


def spoken(question: str, frame: pd.DataFrame) -> Spoken:
    """What a question speaks of. A key is left out, for it has the name of what the rows stand for."""
    asked = words_in(question)
    stems = {word[:STEM] for word in asked if len(word) >= STEM}
    columns, partly, values = [], [], {}
    for name, column in frame.items():
        if _is_key(column):
            continue
        words = words_in(str(name))
        words = words - _UNITS or words
        if words and words <= asked:
            columns.append(str(name))
        if any(word in asked or word[:STEM] in stems for word in words):
            partly.append(str(name))
        if column.dtype.kind == "O" and column.nunique() <= MAX_GROUPS:
            named = [str(value) for value in column.dropna().unique() if _says(question, str(value))]
            if named:
                values[str(name)] = tuple(named)
    return Spoken(tuple(columns), tuple(partly), values)


def _is_key(column: pd.Series[Any]) -> bool:
    """Whether it numbers or names the rows: all different, and words or numbers without a gap."""
    if column.dtype.kind not in "iO" or column.nunique() < len(column):
        return False
    return column.dtype.kind == "O" or int(column.max() - column.min()) == len(column) - 1


def _says(question: str, value: str) -> bool:
    return len(value) >= _SHORTEST and bool(re.search(rf"(?<!\w){re.escape(value)}s?(?!\w)", question, re.I))
