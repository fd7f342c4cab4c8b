"""What a model gets to read of a tool's output, and the rows in it that other tools can work on."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from querist.agents.task import AgentResult
from querist.analysis.analysis import Analysis
from querist.analysis.findings import Finding
from querist.sources.table import Table, Value, json_cell

_ROWS = 200
"""Rows that are told at most; far fewer fit into what a model usually gets to read."""


def told(output: BaseModel, name: str = "") -> str:
    """An output in its own words where its type has some, else as JSON without what is unset.

    A table of several rows follows, under the name by which other tools can be given it. An analysis is told by what
    was computed, as its words are those of a model.
    """
    if findings := computed(output):
        return "\n".join(f"{finding.meaning}: {finding.value}" for finding in findings)
    table = getattr(output, "table", None)
    if isinstance(table, Table) and len(table) > 1:
        lines = [table.unique_names(), *([_cell(cell) for cell in row] for row in table.rows[:_ROWS])]
        return "\n".join([str(output), *([f"{name}:"] if name else []), *map(" | ".join, lines)])
    if type(output).__str__ is not BaseModel.__str__:
        return str(output)
    if list(type(output).model_fields) == ["result"] and isinstance(result := output.result, str):  # type: ignore[attr-defined]
        return result
    return output.model_dump_json(exclude_none=True)


def computed(output: Any) -> list[Finding]:
    """What an analysis found; nothing where the output is none."""
    analysis = getattr(output, "analysis", output)
    return analysis.findings if isinstance(analysis, Analysis) else []


def _cell(value: Value) -> str:
    """A cell on one line; empty where there is no value."""
    return "" if value is None else " ".join(str(json_cell(value)).split())


def rows_of(output: BaseModel) -> list[dict[str, Any]]:
    """The rows of an output; none where it has no table of data, and no list of rows called `data` or `result`."""
    if isinstance(output, AgentResult):
        outputs = (step.output for step in reversed(output.steps))
        return next(filter(None, (rows_of(inner) for inner in outputs if isinstance(inner, BaseModel))), [])
    if getattr(output, "analysis", None) is not None:
        return []
    if isinstance(table := getattr(output, "table", None), Table):
        return [{name: json_cell(cell) for name, cell in row.items()} for row in table.to_dicts()]
    held = getattr(output, "data", None) or getattr(output, "result", None)
    return held if isinstance(held, list) and held and all(isinstance(row, dict) for row in held) else []


def answers(output: Any) -> bool:
    """Whether an output answers a question about data, and does not refuse, fail or ask back."""
    return getattr(output, "status", "") in ("verified", "agreed", "unverified")


def warnings_of(output: BaseModel) -> list[str]:
    """What people should know before they trust an output."""
    unsure = ["This is unverified."] if getattr(output, "status", "") == "unverified" else []
    return [*unsure, *getattr(getattr(output, "evidence", output), "warnings", ())]


def bounded(text: str, limit: int) -> str:
    """The text, its end cut where it is longer than `limit` characters, which is then said."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters were cut)"
