"""Mends a table made from a file, where nothing can be lost, and tells: blanks around values, case, a row of sums.

The file itself stays as it is. What could mean something stays too: the profile finds it, and answers tell of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from querist.sources.file_cache import StoredTable
from querist.sources.naming import literal, quote, trimmed
from querist.sources.spellings import MANY, folded, one_spelling

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 3
"""Spellings that a note names."""

LEFT_OUT = "is the sum of the others and left out"
"""How a note ends on a last row that is none of the data."""
DOUBTED = ("may be the sum of the others; it is read as one of them", "may be a remark; it is read as the others")
"""How a note ends on one that may be none."""
_LAST = "(SELECT max(rowid) FROM {})"
_NUMBERS = ("BIGINT", "HUGEINT", "INTEGER", "DOUBLE", "DECIMAL")
_TOTALS = {*"total totals sum gesamt gesamtsumme insgesamt summe somme suma totale totaal".split(), "grand total"}


def tidied(con: DuckDBPyConnection, table: StoredTable) -> StoredTable:
    """The table with its text mended, and a note for each thing that was; the very same when there is nothing to do."""
    info = con.execute(f"SELECT * FROM {quote(table.stored_as)} LIMIT 0").description or ()
    types = {str(d[0]): str(d[1]) for d in info}
    names = [name for name, kind in types.items() if kind == "VARCHAR"]
    notes, rows = _last_row(con, table.stored_as, types), table.rows
    if notes and _is_sum(con, table.stored_as, types):
        con.execute(f"DELETE FROM {quote(table.stored_as)} WHERE rowid = {_LAST.format(quote(table.stored_as))}")
        notes, rows = [notes[0].replace(DOUBTED[0], LEFT_OUT)], rows - 1
    for name, blanks, few in _measured(con, table.stored_as, names):
        value, told = quote(name), []
        if blanks:
            text = trimmed(value)
            value = f"CASE WHEN {text} = {value} THEN {value} ELSE nullif({text}, '') END"
            told.append(f"blanks around {blanks:,} value{'' if blanks == 1 else 's'} are left out")
        if few and (changed := _one_spelling(con, table.stored_as, name, value)):
            cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in changed.items())
            told.append(f"{_pairs(changed)} (spellings of one word)")
            value = f"CASE {value} {cases} ELSE {value} END"
        if told:  # rows that need no change are not written again
            changes = f"{quote(name)} = {value} WHERE {quote(name)} IS DISTINCT FROM {value}"
            con.execute(f"UPDATE {quote(table.stored_as)} SET {changes}")
            notes += [f"column {name!r}: {note}" for note in told]
    return replace(table, rows=rows, notes=(*table.notes, *notes)) if notes else table


def _last_row(con: DuckDBPyConnection, table: str, types: Mapping[str, str]) -> list[str]:
    """A note on a last row that may be none of the data: the sum of the others, or a remark below them."""
    if "VARCHAR" not in types.values() or "rowid" in map(str.lower, types):
        return []
    picks = [
        quote(name) if kind == "VARCHAR" else f"CASE WHEN {quote(name)} IS NOT NULL THEN true END"
        for name, kind in types.items()
    ]
    last = f"rowid > {_LAST.format(quote(table))} - 2 ORDER BY rowid"
    rows = con.execute(f"SELECT {', '.join(picks)} FROM {quote(table)} WHERE {last}").fetchall()
    if len(rows) < 2:
        return []
    before, cells = ([cell for cell in row if cell is not None] for row in rows)
    for cell in (c for c in cells if isinstance(c, str)):
        if folded(cell.rstrip(" :")) in _TOTALS:
            return [f"the last row, {cell!r}, {DOUBTED[0]}"]
        if len(cells) == 1 and len(before) > 2:
            return [f"the last row holds {cell[:60]!r} alone, and {DOUBTED[1]}"]
    return []


def _is_sum(con: DuckDBPyConnection, table: str, types: Mapping[str, str]) -> bool:
    """Whether the last row is shown to be the sum of the others by one of its numbers, and not only called so."""
    last = _LAST.format(quote(table))
    sums = [
        f"abs(sum({n}) FILTER (WHERE rowid < {last}) - any_value({n}) FILTER (WHERE rowid = {last})) "
        f"<= 1e-9 * abs(sum({n})) AND count({n}) > 2 AND sum({n}) <> 0"
        for n in (quote(name) for name, kind in types.items() if kind.startswith(_NUMBERS))
    ]
    row = con.execute(f"SELECT {', '.join(sums)} FROM {quote(table)}").fetchone() or () if sums else ()
    return True in row


def _measured(con: DuckDBPyConnection, table: str, names: list[str]) -> list[tuple[str, int, bool]]:
    """For each column: how many values have blanks around them, and whether it may be a list of categories."""
    if not names:
        return []
    counts = [
        f"count(*) FILTER (WHERE {quote(n)} <> {trimmed(quote(n))}), approx_count_distinct({quote(n)})" for n in names
    ]
    row = con.execute(f"SELECT {', '.join(counts)} FROM {quote(table)}").fetchone() or ()
    # The count is approximate, and blanks make several values of one.
    return [(n, row[2 * i], 1 < row[2 * i + 1] <= 4 * MANY) for i, n in enumerate(names)]


def _one_spelling(con: DuckDBPyConnection, table: str, name: str, value: str) -> dict[str, str]:
    values = f"SELECT {value} AS v FROM {quote(table)}"  # apart, as the table may have a column of that name
    sql = f"SELECT v, count(*) FROM ({values}) WHERE v IS NOT NULL GROUP BY v ORDER BY 2 DESC, v LIMIT {MANY + 1}"
    return one_spelling(name, dict(con.execute(sql).fetchall()))


def _pairs(changed: dict[str, str]) -> str:
    listed = [f"{old!r} is read as {new!r}" for old, new in changed.items()]
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
