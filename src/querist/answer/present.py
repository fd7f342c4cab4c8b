"""Say a result in words, without a model: what stands in the text stands in the table."""

from __future__ import annotations

import decimal
import re
from collections.abc import Sequence

from querist.answer.vote import is_blank
from querist.sources.table import Table, Value, json_cell

FEW = 12
"""A single column of at most this many values is said in full."""
IDENTIFIER = re.compile(r"(?:^|[_\W])(?:id|year|code|zip|postcode|number|no|nr|key)s?$", re.IGNORECASE)
"""Names of columns whose numbers name something: they are written without thousands separators."""


def present(table: Table) -> str:
    """The result in a sentence or a list of a few values."""
    if not table.rows:
        return "No rows match."
    if is_blank(table):
        return "There is no value: the result is empty (NULL)."
    names = labels(table.names)
    if len(table) == 1 and not table.truncated:
        return "; ".join(f"{name}: {say(value, name)}" for name, value in zip(names, table.rows[0], strict=True))
    more = f" {table.truncated}" if table.truncated else ""
    if len(table.columns) == 1 and len(table) <= FEW:
        listed = f"{names[0]}: " + ", ".join(say(row[0], names[0]) for row in table.rows)
        return listed + ("." + more if more else "")
    return f"{len(table):,} row{'' if len(table) == 1 else 's'} of {', '.join(names)}.{more}"


def labels(names: Sequence[str]) -> list[str]:
    """Names of columns as people would say them, and as they are where two would be said alike."""
    said = [label(name) for name in names]
    return [name if said.count(word) > 1 else word for name, word in zip(names, said, strict=True)]


def label(name: str) -> str:
    """A column's name as people would say it: `COUNT(*)` is count, `avg(t.unit_price)` is average unit price."""
    words = {"count": "count", "sum": "total", "avg": "average", "min": "lowest", "max": "highest"}
    call = re.fullmatch(r"(\w+)\s*\(\s*(?:DISTINCT\s+)?(.*?)\s*\)", name, re.I | re.S)
    if call and call[1].lower() in words:
        word, inner = words[call[1].lower()], call[2].split(".")[-1].strip('"`[] ')
        if call[1].lower() == "count":
            return word
        said = label(inner) if re.fullmatch(r"\w+", inner) else ""
        return word if word in said.split() else f"{word} {said}".strip()
    return re.sub(r"[\s_]+", " ", name).strip() or "value"


def say(value: Value, name: str = "") -> str:
    """A cell of a column of this name for people: thousands separated, no needless decimals."""
    cell = json_cell(value)
    if cell is None:
        return "no value"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and 0 < abs(cell) < 0.001:
        return f"{cell:.4g}"
    if isinstance(cell, float):
        exact = value if isinstance(value, decimal.Decimal) else decimal.Decimal(repr(round(cell, 4)))
        return f"{exact:z,.4f}".rstrip("0").rstrip(".")
    if isinstance(cell, int):
        return f"{cell:,}" if abs(cell) >= 10_000 and not IDENTIFIER.search(name) else str(cell)
    return str(cell)
