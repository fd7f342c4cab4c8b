"""Which files are parts of one table: `sales_2023.csv` and `sales_2024.csv` with the same columns.

Careful on purpose. Files of one table that stay apart are an inconvenience; tables that are taken for one give wrong
figures. So the same columns are not enough (many a table has only an id and a name): the paths must differ in nothing
but numbers and months. Versions (`v2`) and copies (`(2)`) do not count: such files hold the same rows again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from querist.sources.base import Column
from querist.sources.file_cache import StoredTable
from querist.sources.file_kinds import stem
from querist.sources.naming import table_name

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_NUMBER = r"(?<![\d(])(?<![^a-z]v)\d+(?![\d)])"
_VARYING = re.compile(rf"({_NUMBER}|(?<![a-z])(?:{_MONTHS})(?![a-z]))", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """A table of one file, where it lies in the engine, and its columns."""

    path: Path
    database: str
    stored: StoredTable
    columns: tuple[Column, ...]


def families(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces, those of one table together; in the order in which the first of each comes."""
    grouped: dict[tuple[object, ...], list[Piece]] = {}
    for piece in pieces:
        # Whole and broken numbers may meet in one column.
        shape = tuple((c.name, "number" if c.kind == "integer" else c.kind) for c in piece.columns)
        pattern = _VARYING.sub("#", str(piece.path.absolute()))
        grouped.setdefault((pattern, piece.stored.suffix, shape), []).append(piece)
    return list(grouped.values())


def family_name(paths: Sequence[Path]) -> str:
    """What the names of the files have in common, or else the names of their folders."""
    for names in ([stem(path) for path in paths], [path.absolute().parent.name for path in paths]):
        parts = zip(*(_VARYING.split(name) for name in names), strict=True)
        common = "".join(part[0] if len(set(part)) == 1 else " " for part in parts).strip()
        if re.search(r"\w", common):
            return table_name(common)
    return "files"


def told_apart(paths: Sequence[Path]) -> list[str]:
    """For each path the shortest end of it that tells it from the others: `2023.csv`, or `2023/sales.csv`."""
    top = os.path.commonpath([path.absolute().parent for path in paths])
    return [path.absolute().relative_to(top).as_posix() for path in paths]
