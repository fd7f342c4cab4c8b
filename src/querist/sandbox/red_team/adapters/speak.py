"""What the adapters share: takes a job, has it executed, hands out its files. Runs in the peer's environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

import pyarrow.ipc
from jailed.frames import frame, read, write  # type: ignore[import-not-found]


def serve(execute: Callable[[str, dict[str, Any]], None]) -> None:
    """Have `execute` run the code that comes over standard input, with these variables."""
    results = os.dup(1)
    os.dup2(2, 1)
    write(results, b"\n")  # ready: the clock starts
    header, job = read(sys.stdin.buffer)
    told = json.loads(job)
    tables = {}
    for _ in range(header["tables"]):
        about, data = read(sys.stdin.buffer)
        tables[about["name"]] = pyarrow.ipc.open_stream(data).read_all().to_pydict()
    failure = None
    try:
        execute(told["code"], {**told["parameters"], "tables": tables, "parameters": told["parameters"]})
    except BaseException as error:
        cause = error.__cause__ or error
        failure = {"type": type(cause).__name__, "message": str(cause)[:2000], "line": None, "traceback": ""}
    sys.stdout.flush()
    for path in Path().iterdir():
        if path.is_file():
            write(results, frame("file", path.read_bytes(), name=path.name))
    write(results, frame("end", json.dumps(failure).encode()))
