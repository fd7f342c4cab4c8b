from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from querist.core.context import RunContext
from querist.core.permissions import Grant, Principal
from querist.core.runner import Runner
from querist.errors import ComponentInputError
from querist.tools.catalogue import load_tool


@pytest.fixture
def may(tmp_path: Path) -> RunContext:
    """The context of somebody who may read and write under the test's own folder, and do nothing else."""
    grants = (Grant("file_read", str(tmp_path)), Grant("file_write", str(tmp_path)))
    return RunContext(principal=Principal("tester", grants))


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would run in a worker runs here, for cases that are about the work: a process takes its time to start."""

    async def call(function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return json.loads(json.dumps(function(*json.loads(json.dumps(arguments)))))
        except ValueError as error:
            raise ComponentInputError(str(error)) from error

    for module in ("data.documents", "utilities.text", "utilities.templates"):
        monkeypatch.setattr(f"querist.tools.{module}.in_worker", call)


@pytest.fixture
def use(may: RunContext) -> Callable[..., Any]:
    """`await use("calculator", expression="1 + 1")`: run a tool through the door as that somebody."""

    async def run(tool: str, /, **input: Any) -> Any:
        return await Runner().run(load_tool(tool), input, may)

    return run
