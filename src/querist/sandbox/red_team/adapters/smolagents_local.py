"""Runs a job in smolagents' LocalPythonExecutor, with the data libraries allowed. Runs in its environment, not ours."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import pyarrow.ipc
from jailed.frames import frame, read, write  # type: ignore[import-not-found]
from smolagents.local_python_executor import LocalPythonExecutor  # type: ignore[import-not-found]

results = os.dup(1)
os.dup2(2, 1)
header, job = read(sys.stdin.buffer)
told = json.loads(job)
tables = {}
for _ in range(header["tables"]):
    about, data = read(sys.stdin.buffer)
    tables[about["name"]] = pyarrow.ipc.open_stream(data).read_all().to_pydict()

executor = LocalPythonExecutor(["pandas", "pandas.*", "numpy", "numpy.*"])
executor.send_variables({**told["parameters"], "tables": tables, "parameters": told["parameters"]})
executor.send_tools({})
failure = None
try:
    print(executor(told["code"]).logs)
except BaseException as error:
    failure = {"type": type(error).__name__, "message": str(error)[:2000], "line": None, "traceback": ""}
print(executor.state.get("_print_outputs", ""))
sys.stdout.flush()
for path in Path().iterdir():
    if path.is_file():
        write(results, frame("file", path.read_bytes(), name=path.name))
write(results, frame("end", json.dumps(failure).encode()))
