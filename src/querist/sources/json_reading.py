"""JSON and JSON Lines into DuckDB tables: records become rows, nested objects become columns `outer_inner`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from querist.errors import SourceFormatError
from querist.sources.column_types import hints, read_column
from querist.sources.csv_reading import MAX_ROUNDS, distinct, misfits_of, typed_sql
from querist.sources.duckdb_engine import engine_message
from querist.sources.file_cache import Contents, StoredTable
from querist.sources.naming import file_literal, quote, unique_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

MAX_OBJECT = 512 * 1024 * 1024
"""Bytes of the largest object. Each record of an array and each line is one; some files are one as a whole."""
USUAL_OBJECT = 16 * 1024 * 1024
"""Up to this size the engine's usual memory suffices: it sets aside several times the largest object."""
SAMPLE = 5_000
"""Records whose texts propose what is a date; all of them decide."""
MAX_DEPTH = 3
"""Levels of nested objects that become columns; what lies deeper stays an object."""


def load_json(con: DuckDBPyConnection, path: Path, scratch: Path, origin: str) -> Contents:
    """Read a UTF-8 file. An object whose values are arrays of objects becomes one table for each of them.

    Raises:
        SourceFormatError: it is not JSON, or it holds nothing that makes a table.
    """
    import duckdb

    size = path.stat().st_size
    source, scan = path, _scan(path, USUAL_OBJECT)
    again = scratch / "rewritten.jsonl"
    try:
        shape = _shape(con, source, scan)
        if _is_keyed(shape) and _is_single(con, scan):
            source = _rewritten(path, again, origin)
            scan = _scan(source, USUAL_OBJECT)
            shape = _shape(con, source, scan)
    except duckdb.Error as error:
        if size > MAX_OBJECT:  # too large to be read as one object, and to be read by Python
            raise SourceFormatError(
                f"{origin} cannot be read: {engine_message(error, 200)}",
                hint=f"Only files of up to {MAX_OBJECT // 1024**2} MB are mended or read as one object. Write one "
                "record a line.",
            ) from error
        if "maximum_object_size" in str(error):
            con.execute("SET threads = 1")
            con.execute(f"SET memory_limit = '{1024 + 6 * size // 1024**2}MB'")
            scan = _scan(path, size + 1)
        else:
            source = _rewritten(path, again, origin)
            scan = _scan(source, USUAL_OBJECT)
        shape = _shape(con, source, scan)
    if not shape:
        raise SourceFormatError(f"{origin} holds no records.", hint="Expected: an array of objects, or one a line.")
    lists = [(name, kind) for name, kind in shape if kind.id == "list"]
    with path.open(encoding="utf-8-sig") as file:
        single = file.read(1000).lstrip().startswith("{") and _is_single(con, scan)
    records = [name for name, kind in lists if str(kind).startswith("STRUCT") and str(kind).endswith("[]")]
    if single and records:
        return _several(con, scan, records, shape)
    if single and lists and len(lists) == len(shape):  # one array for each column
        picks = ", ".join(f"unnest({quote(name)}) AS {quote(name)}" for name, _ in lists)
        return Contents((_store(con, f"SELECT {picks} FROM {scan}", "t0", "", ""),))
    return Contents((_store(con, f"SELECT * FROM {scan}", "t0", "", ""),))


def _several(con: DuckDBPyConnection, scan: str, records: list[str], shape: list[tuple[str, DuckDBPyType]]) -> Contents:
    tables: list[StoredTable] = []
    for name in records:
        select = f"SELECT unnest({quote(name)}, max_depth := 2) FROM {scan}"
        suffix = unique_name(name, [t.suffix for t in tables])
        tables.append(_store(con, select, f"t{len(tables)}", suffix, f'key "{name}"'))
    rest = [name for name, _ in shape if name not in records]
    notes = [f"left out, since they are not lists of records: {', '.join(rest)}"] if rest else []
    if len(tables) == 1:
        only = tables[0]
        tables = [StoredTable(only.stored_as, "", only.rows, only.origin, only.notes)]
    return Contents(tuple(tables), tuple(notes))


def _store(con: DuckDBPyConnection, select: str, table: str, suffix: str, origin: str) -> StoredTable:
    """Make a table of the query with its nested objects as columns."""
    picks: list[tuple[str, str]] = []
    notes: list[str] = []
    for name, kind in _columns(con, select):
        for value, flat in _flatten(quote(name), name, kind, 0):
            unique = unique_name(flat, [n for _, n in picks])
            if unique != flat:
                notes.append(f"{flat!r} comes more than once; one of them is called {unique!r}")
            picks.append((value, unique))
    columns = ", ".join(f"{value} AS {quote(name)}" for value, name in picks)
    con.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM ({select})")
    notes += [*_dates(con, table), *_rounded(con, table)]
    (rows,) = con.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return StoredTable(table, suffix, rows, origin, tuple(notes))


def _dates(con: DuckDBPyConnection, table: str) -> Iterator[str]:
    """Make dates of texts that are such by the rules for delimited files, and tell what is to be known about them."""
    names = [name for name, kind in _columns(con, f"SELECT * FROM {table}") if str(kind) == "VARCHAR"]
    sample = (
        con.execute(f"SELECT {', '.join(map(quote, names))} FROM {table} LIMIT {SAMPLE}").fetchall() if names else []
    )
    texts = [distinct(row[i] for row in sample) for i in range(len(names))]
    known = hints(texts)
    for name, values in zip(names, texts, strict=True):
        reading = read_column(values, known)
        misfits: list[str] = []
        for _round in range(MAX_ROUNDS):
            if reading.type not in ("DATE", "TIMESTAMP"):
                break
            misfits = misfits_of(con, table, [(quote(name), reading)]).get(quote(name), [])
            if not misfits:
                change = f"TYPE {reading.type} USING {typed_sql(reading, quote(name))}"
                con.execute(f"ALTER TABLE {table} ALTER {quote(name)} {change}")
                yield from (f"column {name!r}: {note}" for note in reading.notes)
                break
            values += misfits
            reading = read_column(values, known)
        if misfits:
            yield f"column {name!r}: kept as text: {misfits[0][:40]!r} is no date as the others are"


def _rounded(con: DuckDBPyConnection, table: str) -> Iterator[str]:
    """Tell of numbers that the engine reads with fewer digits than may have been written."""
    names = [name for name, kind in _columns(con, f"SELECT * FROM {table}") if kind.id == "double"]
    largest = ", ".join(f"max(abs({quote(name)}))" for name in names)
    sizes = con.execute(f"SELECT {largest} FROM {table}").fetchone() or () if names else ()
    for name, size in zip(names, sizes, strict=True):
        if size is not None and size >= 1e15:
            yield f"column {name!r}: numbers of more than 15 digits lose their last ones"


def _flatten(expression: str, name: str, kind: DuckDBPyType, depth: int) -> Iterator[tuple[str, str]]:
    if kind.id == "struct" and depth < MAX_DEPTH:
        for child, inner in kind.children:
            assert not isinstance(inner, (int, list))  # these are the children of other types than objects
            yield from _flatten(f"{expression}.{quote(child)}", f"{name}_{child}", inner, depth + 1)
    elif str(kind) in ("JSON", '"NULL"', "GEOMETRY"):
        # Values of several types, none at all, or shapes: as text they can be compared and shown.
        yield (f"{expression} ->> '$'" if str(kind) == "JSON" else f"{expression}::VARCHAR"), name
    elif kind.id == "double":
        yield f"CASE WHEN NOT isnan({expression}) THEN {expression} END", name  # NaN would spoil every sum
    else:
        yield expression, name


def _scan(path: Path, largest: int) -> str:
    # The whole file decides on the types, so that no record further down fails to fit.
    options = f"sample_size = -1, maximum_object_size = {largest}, maximum_depth = -1, map_inference_threshold = -1"
    # Of 01-02-2024 and of 10-11-12 the engine would make dates without a word: a form that none has leaves them text.
    options += ", dateformat = '\ue000', timestampformat = '\ue000'"
    return f"read_json({file_literal(path)}, {options})"


def _shape(con: DuckDBPyConnection, path: Path, scan: str) -> list[tuple[str, DuckDBPyType]]:
    """The fields of the records; nothing when the values are not objects, which the engine then calls `json`."""
    shape = _columns(con, f"SELECT * FROM {scan}")
    if [name for name, _ in shape] == ["json"]:
        objects = f"read_json_objects({file_literal(path)}, format = 'auto')"
        first = con.execute(f"SELECT json_type(json) FROM {objects} LIMIT 1").fetchone()
        return shape if first == ("OBJECT",) and str(shape[0][1]) != "JSON" else []
    return shape


def _is_single(con: DuckDBPyConnection, scan: str) -> bool:
    return con.execute(f"SELECT count(*) FROM (FROM {scan} LIMIT 2)").fetchone() == (1,)


def _columns(con: DuckDBPyConnection, select: str) -> list[tuple[str, DuckDBPyType]]:
    return [(str(d[0]), d[1]) for d in con.execute(f"SELECT * FROM ({select}) LIMIT 0").description or ()]


def _is_keyed(shape: list[tuple[str, DuckDBPyType]]) -> bool:
    """Whether an object looks like records under their keys: {"a1": {…}, "a2": {…}}."""
    if len(shape) < 2 or any(kind.id != "struct" for _, kind in shape):
        return False
    fields = [{name for name, _ in kind.children} for _, kind in shape]
    return len(set.intersection(*fields)) >= 0.5 * len(set.union(*fields))


def _rewritten(path: Path, target: Path, origin: str) -> Path:
    """What Python reads but DuckDB does not, and records under keys, as JSON Lines."""
    data = _parsed(path.read_text(encoding="utf-8-sig"), origin)
    if isinstance(data, dict) and len(data) > 1 and all(isinstance(v, dict) for v in data.values()):
        keys = list(dict.fromkeys(key for record in data.values() for key in record))
        name = unique_name("key", [*data, *keys])
        if all(key.isdecimal() for key in keys):  # columns of numbered values
            keys.sort(key=int)
            told = keys != [str(n) for n in range(len(keys))]  # the numbers are no mere places, but years
            records = ({column: values.get(key) for column, values in data.items()} for key in keys)
            data = [{name: key, **record} if told else record for key, record in zip(keys, records, strict=True)]
        else:
            data = [{name: key, **record} for key, record in data.items()]
    with target.open("w", encoding="utf-8") as out:
        for record in data if isinstance(data, list) else [data]:
            out.write(json.dumps(record) + "\n")
    return target


def _parsed(text: str, origin: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        message, line, column = error.msg, error.lineno, error.colno
    records = []
    for number, part in enumerate(text.splitlines(), start=1):
        try:
            if part.strip():
                records.append(json.loads(part, parse_constant=lambda _: None))
        except json.JSONDecodeError as error:
            if records:  # so it is meant as one value a line
                message, line, column = error.msg, number, error.colno
            raise SourceFormatError(
                f"{origin} is not valid JSON: {message} at line {line}, column {column}."
            ) from error
    return records
