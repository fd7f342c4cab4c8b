"""Context: the part of a prompt that tells a model what the data are. Stable for a source, so that it can be cached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from querist.sources.base import Column, ColumnProfile, Profile, Schema, TableSchema
from querist.sources.indexes import Match
from querist.sources.joins import JoinGraph
from querist.sources.table import Value

Style = Literal["bare", "rich"]
"""How a schema is written: as `bare` CREATE TABLE statements, or the same `rich` with what the values look like."""

LISTED = 8
"""A column with at most this many distinct values has all of them shown; another has `EXAMPLES` of them."""
EXAMPLES = 3
LONGEST_VALUE = 40
"""Characters of one value shown to a model."""


def render(schema: Schema, profile: Profile, joins: JoinGraph, style: Style) -> str:
    """The schema as text for a model."""
    return "\n".join(_table(t, profile, joins, style, schema.dialect) for t in schema.tables)


def _table(table: TableSchema, profile: Profile, joins: JoinGraph, style: Style, dialect: str) -> str:
    found = profile.table(table.name)
    name = quote(table.name, dialect)
    lines = []
    for column in table.columns:
        line = f"  {quote(column.name, dialect)} {column.type or column.kind}".rstrip()
        if table.primary_key == (column.name,):
            line += " PRIMARY KEY"
        remark = column.comment
        if style == "rich":
            remark = "; ".join(
                p for p in (column.comment, describe(column, found.column(column.name) if found else None)) if p
            )
        lines.append((line, remark))
    if len(table.primary_key) > 1:
        lines.append((f"  PRIMARY KEY ({', '.join(quote(c, dialect) for c in table.primary_key)})", ""))
    for edge in joins.edges:
        if edge.left.lower() == table.name.lower():
            target = f"{quote(edge.right, dialect)}({quote(edge.right_column, dialect)})"
            lines.append((f"  FOREIGN KEY ({quote(edge.left_column, dialect)}) REFERENCES {target}", ""))
    body = "\n".join(
        line + ("," if i < len(lines) - 1 else "") + (f" -- {remark}" if remark else "")
        for i, (line, remark) in enumerate(lines)
    )
    head = f"-- {table.comment}\n" if table.comment else ""
    rows = f" -- {table.row_count} rows" if style == "rich" and table.row_count is not None else ""
    return f"{head}CREATE TABLE {name} ({rows}\n{body}\n);"


def describe(column: Column, profile: ColumnProfile | None) -> str:
    """What the values of a column look like, in a few words; empty when they say nothing that the type does not."""
    if profile is None or not profile.distinct:
        return "always NULL" if profile is not None else ""
    parts = []
    if column.kind == "text" and profile.examples:
        if profile.distinct <= LISTED and len(profile.examples) >= profile.distinct:
            parts.append("one of " + ", ".join(show(v) for v in profile.examples))
        else:
            parts.append("e.g. " + ", ".join(show(v) for v in profile.examples[:EXAMPLES]))
    elif column.kind in ("integer", "boolean") and profile.distinct <= 4 and profile.examples:
        parts.append("one of " + ", ".join(show(v) for v in profile.examples))
    elif column.kind in ("date", "datetime") and profile.minimum is not None:
        parts.append(f"{show(profile.minimum)} to {show(profile.maximum)}")
    if profile.date_format:
        parts.append(f"dates as text, {profile.date_format}")
    elif profile.numeric_text:
        parts.append("numbers as text")
    return "; ".join(parts)


def show(value: Value) -> str:
    """A value as a model should see it: text in quotes, on one line, cut when long."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    text = " ".join(str(value).split())
    text = text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
    return "'" + text.replace("'", "''") + "'"


def hints(matches: Sequence[Match], note: str = "") -> str:
    """What the question's words were found to mean, as lines below the question; empty when nothing was found."""
    lines = [f"{show(m.value)} is a value of {m.table}.{m.column}" for m in matches]
    text = "Values: " + "; ".join(lines) if lines else ""
    return "\n".join(part for part in (text, f"Note: {note}" if note else "") if part)


def quote(name: str, dialect: str) -> str:
    """The name as a query must write it: bare where that is safe, else in the dialect's quotes."""
    if name.isidentifier() and name.isascii() and name.upper() not in _RESERVED:
        return name
    mark = "`" if dialect in ("mysql", "bigquery", "spark", "databricks", "hive") else '"'
    return mark + name.replace(mark, mark * 2) + mark


_RESERVED = frozenset(
    "ALL AND ANY AS ASC BETWEEN BY CASE CAST CHECK COLUMN CREATE CROSS DEFAULT DELETE DESC DISTINCT DROP ELSE "
    "END EXCEPT EXISTS FALSE FOR FOREIGN FROM FULL GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN KEY "
    "LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER PRIMARY REFERENCES RIGHT SELECT SET TABLE THEN "
    "TO TRUE UNION UNIQUE UPDATE USER USING VALUES VIEW WHEN WHERE WINDOW WITH".split()
)
