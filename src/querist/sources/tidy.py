"""Mends text of a table made from a file, where nothing can be lost, and tells: blanks around values, and case.

The file itself stays as it is. What could mean something stays too: the profile finds it, and answers tell of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from querist.sources.file_cache import StoredTable
from querist.sources.naming import literal, quote, trimmed
from querist.sources.spellings import MANY, folded, one_spelling

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 3
"""Spellings that a note names."""

_TOTALS = {*"total totals sum gesamt gesamtsumme insgesamt summe somme suma totale totaal".split(), "grand total"}


def tidied(con: DuckDBPyConnection, table: StoredTable) -> StoredTable:
    """The table with its text mended, and a note for each thing that was; the very same when there is nothing to do."""
    info = con.execute(f"SELECT * FROM {quote(table.stored_as)} LIMIT 0").description or ()
    names = [str(d[0]) for d in info if str(d[1]) == "VARCHAR"]
    notes = _last_row(con, table.stored_as, [str(d[0]) for d in info], names)
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
    return replace(table, notes=(*table.notes, *notes)) if notes else table


def _last_row(con: DuckDBPyConnection, table: str, names: list[str], texts: list[str]) -> list[str]:
    """A note on a last row that may be none of the data: the sum of the others, or a remark below them."""
    if not texts or "rowid" in map(str.lower, names):
        return []
    picks = [quote(n) if n in texts else f"CASE WHEN {quote(n)} IS NOT NULL THEN true END" for n in names]
    last = f"rowid > (SELECT max(rowid) - 2 FROM {quote(table)}) ORDER BY rowid"
    rows = con.execute(f"SELECT {', '.join(picks)} FROM {quote(table)} WHERE {last}").fetchall()
    if len(rows) < 2:
        return []
    before, cells = ([cell for cell in row if cell is not None] for row in rows)
    for cell in (c for c in cells if isinstance(c, str)):
        if folded(cell.rstrip(" :")) in _TOTALS:
            return [f"the last row, {cell!r}, may be the sum of the others; it is read as one of them"]
        if len(cells) == 1 and len(before) > 2:
            return [f"the last row holds {cell[:60]!r} alone, and may be a remark; it is read as the others"]
    return []


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
