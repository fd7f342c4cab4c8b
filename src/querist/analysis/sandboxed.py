"""Generated code in the sandbox: data frames go in as Arrow, values come back as JSON."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from querist.analysis.generated import Ran
from querist.errors import QueristError
from querist.sandbox.base import Job, Sandbox, SandboxLimits
from querist.sandbox.local import LocalSandbox
from querist.sandbox.open import limits_of, open_sandbox
from querist.sources.table import json_cell

if TYPE_CHECKING:
    import pandas as pd

    from querist.settings import SandboxSettings
    from querist.sources.table import Table

MOST_ROWS = 50
"""Of a data frame among the values; of a larger one only the size is told."""


class SandboxedCode:
    """Runs code in a sandbox; see `generated.CodeRunner`."""

    def __init__(self, sandbox: Sandbox, limits: SandboxLimits) -> None:
        self.isolation = f"{sandbox.name} ({sandbox.strength})"
        self._sandbox, self._limits = sandbox, limits

    async def warm(self) -> None:
        if isinstance(self._sandbox, LocalSandbox):
            with suppress(QueristError, OSError):  # the first run will raise it
                await self._sandbox.warm()

    async def run(self, code: str, frames: Mapping[str, pd.DataFrame]) -> Ran:
        tables = {name: to_arrow(frame) for name, frame in frames.items()}
        job = Job(code, tables, limits=self._limits, result="answers", frames="pandas")
        done = await self._sandbox.run(job)
        self.isolation = f"{done.backend} ({done.strength})"  # a server may have weaker walls than are known here
        if done.status == "ok":
            return Ran(_with_tables(done.value, done.tables), done.stdout)
        if done.error is not None:
            return Ran(None, done.stdout, f"{done.error.type}: {done.error.message}")
        return Ran(None, done.stdout, f"It reached the limit of {done.limit or 'the sandbox'}.")

    async def close(self) -> None:
        await self._sandbox.close()


def open_code(settings: SandboxSettings) -> tuple[SandboxedCode | None, str]:
    """Where code runs under these settings; None, and the sentence why, where there is no sandbox with pandas in it."""
    try:
        sandbox = open_sandbox(settings)
    except QueristError as error:
        return None, f"No code was tried: {error.message} {error.hint}".strip()
    if sandbox.strength == "restricted":
        return None, f"No code was tried: the sandbox {sandbox.name!r} has no pandas."
    return SandboxedCode(sandbox, limits_of(settings)), ""


def _with_tables(value: Any, tables: Mapping[str, Table]) -> Any:
    """The value with each data frame in it, to which the sandbox only points, as its one cell or its rows."""
    if isinstance(value, list):
        return [_with_tables(part, tables) for part in value]
    if not isinstance(value, dict):
        return value
    table = tables.get(str(value["table"])) if value.keys() == {"table"} else None
    if table is None:
        return {name: _with_tables(part, tables) for name, part in value.items()}
    if len(table) > MOST_ROWS:
        return f"a table of {len(table):,} rows"
    rows = [{name: json_cell(cell) for name, cell in row.items()} for row in table.to_dicts()]
    return next(iter(rows[0].values())) if len(rows) == len(table.columns) == 1 else rows


def to_arrow(frame: pd.DataFrame) -> bytes:
    """The frame as an Arrow stream; a column of mixed objects becomes text."""
    import pyarrow as arrow

    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        try:
            columns[str(name)] = arrow.Array.from_pandas(values)
        except (arrow.ArrowException, TypeError, ValueError):
            columns[str(name)] = arrow.Array.from_pandas(values.map(str, na_action="ignore"))
    table = arrow.table(columns)
    target = io.BytesIO()
    with arrow.ipc.new_stream(target, table.schema) as stream:
        stream.write_table(table)
    return target.getvalue()
