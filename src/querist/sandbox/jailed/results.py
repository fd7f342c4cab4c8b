"""Hands out what the code has left: its result as JSON, data frames beside it as Arrow, files and open figures.

What cannot be handed out is told; nothing is left out without a word.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from pathlib import Path
from typing import Any

from .frames import LONGEST_VALUE, MOST_FILES, frame, free_name, write

_DEEPEST = 40
_DEEPEST_FOLDER = 5
_LONGEST_NAME = 100
_SEQUENCES = (list, tuple, set, frozenset, range, KeysView, ValuesView, ItemsView, Iterator)
_FINER_THAN_PYTHON = ("[ns]", "[ps]", "[fs]", "[as]")


def hand_out(result: Any, name: str, results: int) -> None:
    """Write everything to the descriptor `results`; `name` is what the code calls its result."""
    tables: dict[str, Any] = {}
    told = json.dumps(_json(result, "", name, tables, 0), allow_nan=False, ensure_ascii=False)
    value = told.encode(errors="replace")
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"the result is larger than {LONGEST_VALUE >> 20} MB; hand it out as a data frame or a file")
    for table, found in tables.items():
        write(results, frame("table", _arrow(found), name=table))
    write(results, frame("value", value))
    _hand_out_files(results)
    if (plots := sys.modules.get("matplotlib.pyplot")) is not None:
        for number in plots.get_fignums():
            target = io.BytesIO()
            plots.figure(number).savefig(target, format="png")
            write(results, frame("file", target.getvalue(), name=f"figure_{number}.png"))


def _json(value: Any, path: str, name: str, tables: dict[str, Any], depth: int) -> Any:
    """The value as JSON has it. Its data frames go to `tables`, called by their path: `north.sales`, `result_2`."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if depth > _DEEPEST:
        raise ValueError(f"the result is nested deeper than {_DEEPEST} levels")
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 1024 else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if _is(value, "Series", "pandas") and not _tells_apart(value.index):
        value = value.to_frame("value" if value.name is None else value.name)
    if _is(value, "DataFrame", "pandas", "polars") or _is(value, "LazyFrame", "polars"):
        table = free_name((path or name).encode(errors="replace").decode()[:_LONGEST_NAME], tables)
        tables[table] = value
        return {"table": table}
    if isinstance(value, dict):
        if not _tells_apart(value):
            raise ValueError("two keys of a dictionary in the result are written alike; give them other names")
        parts = {str(key): part for key, part in value.items()}
        return {k: _json(part, f"{path}.{k}" if path else k, name, tables, depth + 1) for k, part in parts.items()}
    if type(value).__module__ == "numpy" and str(getattr(value, "dtype", "")).endswith(_FINER_THAN_PYTHON):
        value = value.astype(f"{value.dtype.kind}8[us]")  # else dates would become plain numbers
    for method in ("to_dict", "tolist", "to_list", "item"):  # a pandas Series; arrays; a Polars Series; numbers
        if callable(getattr(value, method, None)) and type(part := getattr(value, method)()) is not type(value):
            return _json(part, path, name, tables, depth + 1)
    if isinstance(value, _SEQUENCES):
        return [_json(part, f"{path or name}_{n}", name, tables, depth + 1) for n, part in enumerate(value, start=1)]
    return str(value)


def _is(value: Any, name: str, *libraries: str) -> bool:
    """Whether it is of a class with this name, or of one made from it, without importing the library."""
    return any(kind.__name__ == name and kind.__module__.split(".")[0] in libraries for kind in type(value).__mro__)


def _tells_apart(keys: Iterable[Any]) -> bool:
    """Whether no two of the keys are the same as text, which they become in JSON."""
    texts = [str(key) for key in keys]
    return len(set(texts)) == len(texts)


def _arrow(data: Any) -> bytes:
    """As an uncompressed Arrow stream of plain types: the host reads no others."""
    import pyarrow

    if _is(data, "DataFrame", "pandas"):
        columns = [(str(name), _from_pandas(column)) for name, column in _columns(data)]
    else:
        frame = data.collect() if _is(data, "LazyFrame", "polars") else data
        columns = [(column.name, _from_polars(column)) for column in frame.get_columns()]
    made = pyarrow.table([column for _, column in columns], names=[name for name, _ in columns])
    target = io.BytesIO()
    with pyarrow.ipc.new_stream(target, made.schema) as stream:
        stream.write_table(made)
    return target.getvalue()


def _columns(data: Any) -> Iterator[tuple[Any, Any]]:
    """The columns of a pandas frame, after those of its index when that says more than how the rows are numbered."""
    index = data.index
    if list(index.names) != [None] or index.dtype.kind != "i" or list(index) != list(range(len(index))):
        for number, name in enumerate(index.names):
            unnamed = "index" if index.nlevels == 1 else f"level_{number}"
            yield unnamed if name is None else name, index.get_level_values(number).to_series()
    for number, name in enumerate(data.columns):
        yield name, data.iloc[:, number]


def _from_pandas(column: Any) -> Any:
    from pyarrow import Array

    objects = column.astype(object)
    attempts = (lambda: Array.from_pandas(column), lambda: Array.from_pandas(objects))
    return _cells(attempts, lambda: objects.map(str, na_action="ignore").array)


def _from_polars(column: Any) -> Any:
    return _cells([column.to_arrow], lambda: [None if cell is None else str(cell) for cell in column.to_list()])


def _cells(attempts: Iterable[Callable[[], Any]], texts: Callable[[], Any]) -> Any:
    """What the first attempt gives that the host can read; else the texts: of mixed types, or of one Arrow has not."""
    import pyarrow

    for attempt in attempts:
        try:
            if (column := _as_plain(attempt())) is not None:
                return column
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
            continue
    return pyarrow.array(texts(), pyarrow.large_string(), from_pandas=True)


def _as_plain(column: Any) -> Any:
    """The column as one of the types that the host reads, None where there is none that holds the same cells."""
    from pyarrow import large_string, types

    kind = column.type
    if types.is_dictionary(kind):
        return _as_plain(column.cast(kind.value_type))
    if types.is_string_view(kind):
        return column.cast(large_string())
    checks = (
        types.is_primitive,
        types.is_string,
        types.is_large_string,
        types.is_binary,
        types.is_large_binary,
        types.is_decimal,
        types.is_null,
    )
    return column if any(check(kind) for check in checks) else None


def _hand_out_files(results: int) -> None:
    found = list(_files(""))
    refused = [f"{path!r}: {why}" for path, why in found if why]
    paths = [path for path, why in found if not why]
    for path in paths[:MOST_FILES]:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            refused.append(f"{path!r}: {error.strerror}")
        else:
            write(results, frame("file", data, name=path.replace(os.sep, "_")[-2 * _LONGEST_NAME :]))
    if more := paths[MOST_FILES:]:
        refused.append(f"{len(more)} more files, such as {more[0]!r}: at most {MOST_FILES} are")
    if len(refused) > MOST_FILES:
        refused[MOST_FILES:] = [f"and {len(refused) - MOST_FILES} more"]
    for note in refused:
        write(results, frame("refused", note.encode(errors="replace")))


def _files(folder: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The paths in a folder and in folders in it, each with why it is not handed out; empty when it is."""
    if depth > _DEEPEST_FOLDER:
        yield folder, f"folders are looked into {_DEEPEST_FOLDER} deep"
        return
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"the folder cannot be read: {error.strerror}"
        return
    for entry in entries:
        path = f"{folder}{os.sep}{entry.name}" if folder else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _files(path, depth + 1)
        else:
            yield path, "" if entry.is_file(follow_symlinks=False) else "it is a link, or no ordinary file"
