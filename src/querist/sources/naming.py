"""Names for tables and columns that come from files: easy to write in a query, unique, and close to the original."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def table_name(text: str) -> str:
    """A file stem or sheet name as a name that needs no quotes: `Sales 2024 (final)` becomes `Sales_2024_final`."""
    name = re.sub(r"\W+", "_", text).strip("_") or "table"
    return f"t_{name}" if name[0].isdigit() else name


def unique_name(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name_2`, `name_3`, … when it is among `taken` (upper and lower case are the same to SQL)."""
    lowered = {other.lower() for other in taken}
    candidate, n = name, 1
    while candidate.lower() in lowered:
        n += 1
        candidate = f"{name}_{n}"
    return candidate


def column_names(cells: Sequence[str | None]) -> tuple[list[str], list[str]]:
    """Names for the columns under these header cells, and notes on what had to be changed.

    A name is kept as it stands, save for blanks around it and line breaks in it.
    """
    names: list[str] = []
    notes: list[str] = []
    given = [re.sub(r"\s+", " ", cell or "").strip() for cell in cells]
    for number, wanted in enumerate(given, start=1):
        name = wanted
        if not wanted:
            name = unique_name(f"column{number}", [*names, *given])
            notes.append(f"column {number} has no name in the header; it is called {name}")
        elif unique_name(wanted, names) != wanted:
            name = unique_name(wanted, [*names, *given])
            notes.append(f"the header has {wanted!r} more than once; column {number} is called {name!r}")
        names.append(name)
    return names, notes


def quote(name: str) -> str:
    """A name as DuckDB and SQLite quote it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def trimmed(expression: str) -> str:
    """SQL of a text without the blanks around it; DuckDB's own trim knows the space alone."""
    return f"trim({expression}, ' \t\r\n\v\f\xa0')"


def file_literal(path: Path) -> str:
    """A file as DuckDB's readers are told it. They take names for patterns: `sales[1].csv` would mean `sales1.csv`."""
    return literal(glob.escape(str(path.absolute())))
