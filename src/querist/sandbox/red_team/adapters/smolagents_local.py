"""Runs a job in smolagents' LocalPythonExecutor, with the data libraries allowed. Runs in its environment, not ours."""

from __future__ import annotations

from typing import Any

from smolagents.local_python_executor import LocalPythonExecutor  # type: ignore[import-not-found]
from speak import serve  # type: ignore[import-not-found]


def execute(code: str, variables: dict[str, Any]) -> None:
    executor = LocalPythonExecutor(["pandas", "pandas.*", "numpy", "numpy.*"])
    executor.send_variables(variables)
    executor.send_tools({})
    try:
        executor(code)
    finally:
        print(executor.state.get("_print_outputs", ""))


serve(execute)
