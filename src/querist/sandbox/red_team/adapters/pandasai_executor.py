"""Runs a job in PandasAI's CodeExecutor, as its agent does unless it is given a sandbox. Runs in its environment."""

from __future__ import annotations

from typing import Any

from pandasai.config import Config  # type: ignore[import-not-found]
from pandasai.core.code_execution import CodeExecutor  # type: ignore[import-not-found]
from speak import serve  # type: ignore[import-not-found]


def execute(code: str, variables: dict[str, Any]) -> None:
    executor = CodeExecutor(Config())
    for name, value in variables.items():
        executor.add_to_env(name, value)
    executor.execute(code)


serve(execute)
