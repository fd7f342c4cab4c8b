"""Runs jobs: reads each from a pipe, executes its code, writes back what came of it.

All of this runs behind the walls, in the same process as the code. The host trusts nothing that it writes.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import traceback
from typing import Any

from .frames import frame, read, write
from .results import hand_out

CODE = "<code>"
_LONGEST_TRACEBACK = 8000


def serve(jobs: int, results: int) -> None:
    """Run the jobs that come over the descriptor `jobs`, until it ends."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for stream in (sys.stdout, sys.stderr):
        # So that it is seen at once, and not lost when a limit ends the run.
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with os.fdopen(jobs, "rb") as source:
        while (first := read(source)) is not None:
            job = json.loads(first[1])
            arrow = {}
            for _ in range(first[0]["tables"]):
                if (table := read(source)) is not None:
                    arrow[table[0]["name"]] = table[1]
            _run(job, arrow, namespace, results)


def _run(job: dict[str, Any], arrow: dict[str, bytes], namespace: dict[str, Any], results: int) -> None:
    error = None
    try:
        namespace.pop(job["result"], None)  # of the session's last run
        if (plots := sys.modules.get("matplotlib.pyplot")) is not None:
            plots.close("all")
        given = {"tables": {name: _data_frame(data, job["frames"]) for name, data in arrow.items()}}
        given["parameters"] = job["parameters"]
        for values in list(given.values()):
            namespace.update({name: value for name, value in values.items() if name.isidentifier()})
        namespace.update(given)
        linecache.cache[CODE] = (len(job["code"]), None, job["code"].splitlines(keepends=True), CODE)
        try:
            exec(compile(job["code"], CODE, "exec"), namespace)
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
        hand_out(namespace.get(job["result"]), job["result"], results)
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
    try:
        message = str(error)
    except Exception:
        message = "it cannot say why"
    way = "".join(traceback.format_list(own)) + "".join(traceback.format_exception_only(error))
    return {
        "type": type(error).__name__,
        "message": message[:2000],
        "line": line,
        "traceback": way[-_LONGEST_TRACEBACK:],
    }
