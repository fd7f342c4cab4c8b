"""Small computations in Monty, an interpreter of a subset of Python that has no files, network or libraries at all.

Starts in milliseconds on every system. Tables come as dictionaries of columns; there are no data frames.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from querist.errors import MissingExtraError, UsageError
from querist.sandbox.base import Failure, Job, Limit, OnOutput, Outcome, Strength
from querist.sandbox.sending import check_job, refuse_session
from querist.sources.table import Table, json_cell


class MontySandbox:
    """Runs restricted Python. Sessions are not offered."""

    name = "monty"
    strength: Strength = "restricted"

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        try:
            import pydantic_monty as monty
        except ImportError as error:
            raise MissingExtraError("pydantic_monty", "monty", "run restricted Python") from error
        check_job(job)
        refuse_session(job, self.name)
        printed: dict[str, list[str]] = {"stdout": [], "stderr": []}
        room = job.limits.output

        def gather(stream: str, text: str) -> None:
            nonlocal room
            room -= len(text)
            if room < 0:
                raise OverflowError("it printed too much")
            printed[stream].append(text)
            if on_output:
                on_output(text)

        started = time.monotonic()
        value: Any = None
        failure: Failure | None = None
        limit: Limit | None = None
        try:
            limits = monty.ResourceLimits(
                max_feed_duration_secs=min(job.limits.seconds, job.limits.cpu_seconds), max_memory=job.limits.memory
            )  # they do not count sleep
            async with (
                asyncio.timeout(job.limits.seconds),
                monty.AsyncMonty() as pool,
                pool.checkout(limits=limits) as session,
            ):
                await session.feed_run(f"{job.result} = None\n{job.code}", inputs=_inputs(job), print_callback=gather)
                value = _plain(await session.feed_run(job.result))
        except TimeoutError:
            limit = "seconds"
        except (monty.MontyError, ValueError) as error:
            limit = "output" if room < 0 else _limit(error)
            failure = Failure(type(error).__name__, str(error)[:2000])
        return Outcome(
            status="limit" if limit else "error" if failure else "ok",
            backend=self.name,
            strength=self.strength,
            value=value,
            stdout="".join(printed["stdout"]),
            stderr="".join(printed["stderr"]),
            error=failure,
            limit=limit,
            seconds=time.monotonic() - started,
        )

    async def close(self) -> None:
        """Nothing is kept."""


def _inputs(job: Job) -> dict[str, Any]:
    tables = {}
    for name, table in job.tables.items():
        if not isinstance(table, Table):
            raise UsageError("The backend monty takes no Arrow streams.", hint="Give it the table itself.")
        cells = zip(*([json_cell(cell) for cell in row] for row in table.rows), strict=True)
        tables[name] = dict(zip(table.unique_names(), map(list, cells), strict=False))
    given = {**tables, **job.parameters}
    return {
        **{k: v for k, v in given.items() if k.isidentifier()},
        "tables": tables,
        "parameters": dict(job.parameters),
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it; what JSON has not becomes text."""
    try:
        _check_keys(value)
        return json.loads(json.dumps(json_cell(value), default=str))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"the result is no JSON: {error}") from error


def _check_keys(value: Any) -> None:
    if isinstance(value, dict) and len({str(key) for key in value}) < len(value):
        raise ValueError("two keys of a dictionary in it are written alike")
    if isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            _check_keys(part)


def _limit(error: Exception) -> Limit | None:
    text = str(error).lower()
    if "memory" in text:
        return "memory"
    return "seconds" if "timeout" in text or "duration" in text or "time limit" in text else None
