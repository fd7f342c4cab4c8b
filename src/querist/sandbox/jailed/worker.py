"""Runs jobs: reads each from a pipe, executes its code, writes back what came of it.

All of this runs behind the walls, in the same process as the code. The host trusts nothing that it writes.
"""

from __future__ import annotations

import io
import json
import linecache
import math
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from .frames import LONGEST_VALUE, frame, read, write

CODE = "<code>"
_LONGEST_TRACEBACK = 8000
_DEEPEST = 40


def serve(jobs: int, results: int) -> None:
    """Run the jobs that come over the descriptor `jobs`, until it ends."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with os.fdopen(jobs, "rb") as stream:
        while (first := read(stream)) is not None:
            job = json.loads(first[1])
            arrow = {}
            for _ in range(first[0]["tables"]):
                if (table := read(stream)) is not None:
                    arrow[table[0]["name"]] = table[1]
            _run(job, arrow, namespace, results)


def _run(job: dict[str, Any], arrow: dict[str, bytes], namespace: dict[str, Any], results: int) -> None:
    error = None
    try:
        namespace.pop(job["result"], None)  # of the session's last run
        given = {"tables": {name: _data_frame(data, job["frames"]) for name, data in arrow.items()}}
        given["parameters"] = job["parameters"]
        for values in list(given.values()):
            namespace.update({name: value for name, value in values.items() if name.isidentifier()})
        namespace.update(given)
        linecache.cache[CODE] = (len(job["code"]), None, job["code"].splitlines(keepends=True), CODE)
        exec(compile(job["code"], CODE, "exec"), namespace)
        _hand_out(namespace.get(job["result"]), results, job["result"])
        _hand_out_files(results)
    except SystemExit as end:
        error = _failure(end) if end.code not in (None, 0) else None
    except BaseException as raised:
        error = _failure(raised)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # the code has closed or replaced it
    write(results, frame("end", json.dumps(error).encode()))


def _data_frame(data: bytes, library: str) -> Any:
    import pyarrow

    table = pyarrow.ipc.open_stream(data).read_all()
    if library == "pandas":
        frame = table.to_pandas()
        texts = [name for name, kind in frame.dtypes.items() if kind == "str"]
        return frame.astype(dict.fromkeys(texts, object))  # as code expects that was written before pandas 3
    import polars

    return polars.from_arrow(table)


def _failure(error: BaseException) -> dict[str, Any]:
    own = [entry for entry in traceback.extract_tb(error.__traceback__) if entry.filename == CODE]
    line = error.lineno if isinstance(error, SyntaxError) else own[-1].lineno if own else None
    way = "".join(traceback.format_list(own)) + "".join(traceback.format_exception_only(error))
    return {
        "type": type(error).__name__,
        "message": str(error)[:2000],
        "line": line,
        "traceback": way[-_LONGEST_TRACEBACK:],
    }


def _hand_out(result: Any, results: int, name: str) -> None:
    """The result as JSON, its data frames beside it as Arrow."""
    tables: dict[str, Any] = {}
    told = json.dumps(_json(result, name, tables, 0), allow_nan=False, ensure_ascii=False)
    value = told.encode(errors="replace")
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"the result is larger than {LONGEST_VALUE >> 20} MB; hand it out as a data frame or a file")
    for table, found in tables.items():
        write(results, frame("table", _arrow(found), name=table))
    write(results, frame("value", value))


def _json(value: Any, name: str, tables: dict[str, Any], depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if depth > _DEEPEST:
        raise ValueError(f"the result is nested deeper than {_DEEPEST} levels")
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 1024 else str(float("inf"))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)
    if _is_frame(value):
        tables[name] = value
        return {"table": name}
    if isinstance(value, dict):
        return {str(key): _json(part, str(key), tables, depth + 1) for key, part in value.items()}
    for method in ("to_dict", "tolist", "to_list", "item"):  # a pandas Series; arrays; a Polars Series; numbers
        if callable(getattr(value, method, None)):
            return _json(getattr(value, method)(), name, tables, depth + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_json(part, f"{name}_{number}", tables, depth + 1) for number, part in enumerate(value, start=1)]
    return str(value)


def _is_frame(value: Any) -> bool:
    kind = type(value)
    return kind.__name__ in ("DataFrame", "LazyFrame") and kind.__module__.split(".")[0] in ("polars", "pandas")


def _arrow(data: Any) -> bytes:
    """As an uncompressed Arrow stream of plain types: the host reads no others."""
    import pyarrow

    if type(data).__module__.startswith("polars"):
        table = (data.collect() if type(data).__name__ == "LazyFrame" else data).to_arrow()
    else:
        numbered = list(data.index.names) == [None] and data.index.dtype.kind == "i"
        data = data if numbered else data.reset_index()
        table = pyarrow.Table.from_pandas(data.rename(columns=str), preserve_index=False)
    columns = [_plain(table.column(number)) for number in range(table.num_columns)]
    target = io.BytesIO()
    plain = pyarrow.table(columns, names=[str(name) for name in table.column_names])
    with pyarrow.ipc.new_stream(target, plain.schema) as stream:
        stream.write_table(plain)
    return target.getvalue()


def _plain(column: Any) -> Any:
    import pyarrow

    kind = column.type
    simple = (
        pyarrow.types.is_primitive(kind)
        or pyarrow.types.is_string(kind)
        or pyarrow.types.is_large_string(kind)
        or pyarrow.types.is_binary(kind)
        or pyarrow.types.is_decimal(kind)
        or pyarrow.types.is_null(kind)
    )
    if simple:
        return column
    if pyarrow.types.is_dictionary(kind) or pyarrow.types.is_string_view(kind):
        return column.cast(pyarrow.large_string())
    return pyarrow.array([None if cell is None else str(cell) for cell in column.to_pylist()], pyarrow.large_string())


def _hand_out_files(results: int) -> None:
    """The figures that are open, and every file in the working folder."""
    if (plots := sys.modules.get("matplotlib.pyplot")) is not None:
        for number in plots.get_fignums():
            plots.figure(number).savefig(f"figure_{number}.png")
        plots.close("all")
    for path in sorted(Path().iterdir()):
        if path.is_file() and not path.is_symlink():
            write(results, frame("file", path.read_bytes(), name=path.name))
