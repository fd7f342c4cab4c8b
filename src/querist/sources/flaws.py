"""What the profile found wrong with the data, in sentences for people. Finds nothing itself."""

from __future__ import annotations

from collections.abc import Iterator

from querist.sources.base import ColumnProfile, TableProfile

SHOWN = 3
"""Groups, formats or values that a sentence names."""


def column_flaws(column: ColumnProfile) -> Iterator[str]:
    """What is wrong with the values of a column; nothing for clean ones."""
    if column.spellings:
        groups = [" and ".join(map(repr, group[:SHOWN])) for group in column.spellings]
        yield f"values differ only in case or blanks: {_listed(groups, '; ')}"
    if column.date_formats:
        yield f"dates as text, which do not sort as dates: {_listed(column.date_formats, ', ')}"
    if column.not_numbers:
        rows = "1 row has" if column.not_number_rows == 1 else f"{column.not_number_rows:,} rows have"
        yield f"{rows} text among the numbers, such as {_listed([repr(v) for v in column.not_numbers], ', ')}"
    if column.missing_words:
        rows = "1 row" if column.missing_rows == 1 else f"{column.missing_rows:,} rows"
        yield f"{_listed([repr(v) for v in column.missing_words], ', ')} in {rows} may stand for a missing value"


def repeated_rows(table: TableProfile) -> str:
    """A sentence where rows of the table repeat others."""
    if not table.repeated_rows:
        return ""
    rows = "1 row is" if table.repeated_rows == 1 else f"{table.repeated_rows:,} rows are"
    return f"{rows} the same as another in every column"


def _listed(parts: list[str] | tuple[str, ...], mark: str) -> str:
    return mark.join(parts[:SHOWN]) + (f"{mark}…" if len(parts) > SHOWN else "")
