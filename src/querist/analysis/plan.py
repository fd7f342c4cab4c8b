"""A plan: which steps prepare the data, and which techniques answer the question. A model makes it in one reply.

The reply is held to a JSON schema in which every column is one of the table's own, so that a small model chooses and
parameterises, and cannot name what is not there.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from querist.analysis.conditions import Conditioned, comparable, conditioned
from querist.analysis.findings import Findings, merged
from querist.analysis.fitting import fitted
from querist.analysis.narrowing import Narrowing
from querist.analysis.prepare import (
    DropDuplicates,
    DropMissing,
    DropOutliers,
    FillMissing,
    KeepRows,
    NewColumn,
    Scale,
    Step,
    StepParams,
    prepare,
)
from querist.analysis.techniques import TECHNIQUES, techniques
from querist.analysis.techniques.base import Params, Technique
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.errors import ModelOutputError
from querist.models.structured import record

if TYPE_CHECKING:
    import pandas as pd

JsonSchema = dict[str, Any]
_STEPS: tuple[type[StepParams], ...] = (
    NewColumn,
    KeepRows,
    DropMissing,
    FillMissing,
    DropOutliers,
    Scale,
    DropDuplicates,
)
MAX_STEPS, MAX_ANALYSES = 5, 4
KINDS = ("number", "date")
"""Places for columns of one kind; where nothing is known of the columns, they take any."""
_FOR_PEOPLE = (
    "title", "description", "default", "exclusiveMinimum", "exclusiveMaximum", "minimum", "maximum", "x-asked",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """`analyses` are techniques by name with their parameters; none when the question needs code."""

    steps: tuple[Step, ...]
    analyses: tuple[tuple[str, Params], ...]


class _Steps(BaseModel):
    prepare: list[Step]


def plan_schema(columns: list[str], new: list[str], narrowing: Narrowing | None = None) -> JsonSchema:
    """The schema of a plan's reply.

    Args:
        columns: of the table.
        new: names that the plan may give to columns of its own.
        narrowing: what is open; None for everything.
    """
    steps = [_object(kind.model_json_schema()) for kind in _STEPS if narrowing is None or narrowing.asks(kind.asked)]
    open_ = [kind for kind in TECHNIQUES if narrowing is None or kind.name in narrowing.techniques]
    chosen = [
        _object(kind.input_type.model_json_schema(), {"technique": {"const": kind.name}}, narrowing) for kind in open_
    ]
    names = [*columns, *new]
    lists = {"one": names, "optional": [*names, ""], "new": new}
    if narrowing is not None:
        for place in ("one", *KINDS):
            lists[place] = [name for name in names if name in new or name in narrowing.columns[place]]
    if narrowing is None or "code" in narrowing.techniques:
        chosen.append(record(technique={"const": "code"}))
    plan = record(
        # What to find comes first: a small model that starts with steps finds steps to take.
        analyses={"type": "array", "items": {"anyOf": chosen}, "minItems": 1, "maxItems": MAX_ANALYSES},
        prepare={"type": "array", "items": {"anyOf": steps}, "maxItems": MAX_STEPS},
    )
    return {**plan, "$defs": {place: {"type": "string", "enum": listed} for place, listed in lists.items()}}


def read_plan(reply: Any) -> Plan:
    """The plan in a parsed reply.

    Raises:
        ModelOutputError: it does not follow the schema, in a way that the schema could not say.
    """
    kinds = {kind.name: kind.input_type for kind in TECHNIQUES}
    try:
        steps = tuple(_Steps.model_validate({"prepare": reply["prepare"]}).prepare)
        analyses = []
        for chosen in reply["analyses"]:
            name = chosen["technique"]
            if name != "code":
                parameters = {key: value for key, value in chosen.items() if key != "technique"}
                analyses.append((name, kinds[name].model_validate(parameters)))
        return Plan(_used(steps, reply), tuple(analyses))
    except (ValidationError, KeyError, TypeError) as error:
        raise ModelOutputError(f"The plan of the analysis cannot be used: {error}") from error


def _used(steps: tuple[Step, ...], reply: Any) -> tuple[Step, ...]:
    """The steps without new columns that nothing uses, which a small model likes to add."""
    kept: list[Step] = []
    for number, step in enumerate(steps):
        later = json.dumps([reply["analyses"], reply["prepare"][number + 1 :]], ensure_ascii=False)
        if not isinstance(step, NewColumn) or step.name in later:
            kept.append(step)
    return tuple(kept)


@dataclass(frozen=True)
class Followed:
    """What a plan led to.

    Attributes:
        findings: of its techniques together.
        techniques: their names.
        wanted: what other ways to the answer are to compute, so that they can be held against the findings.
        notes: what was done to the data.
        guesses: conditions on the rows that the question does not name, and what it names and the plan leaves out.
    """

    findings: Findings
    techniques: tuple[str, ...]
    wanted: tuple[str, ...]
    notes: tuple[str, ...]
    guesses: tuple[str, ...]


async def follow(plan: Plan, frame: pd.DataFrame, context: RunContext, question: str = "") -> Followed:
    """Prepare the data and run the techniques.

    Args:
        question: in plain words, which conditions on the rows are held against; empty where they are prescribed.

    Raises:
        UsageError, GuardError, QueryError: a step or technique that does not fit the data.
    """
    runner = context.get(Runner) or Runner()
    meant = Conditioned(plan.steps, tuple(params for _, params in plan.analyses))
    if question:
        meant = conditioned(question, frame, meant.steps, meant.analyses)
    meant = await asyncio.to_thread(comparable, frame, meant)
    prepared, notes = await asyncio.to_thread(prepare, frame, meant.steps)
    kinds: dict[type[Params], Technique[Any]] = {kind.input_type: kind for kind in techniques(prepared)}
    chosen = [fitted(params, prepared) for params in meant.analyses]
    found = merged([await runner.run(kinds[type(params)], params, context) for params in chosen])
    wanted = dict.fromkeys(name for params in chosen for name in kinds[type(params)].wanted(params))
    return Followed(
        findings=found,
        techniques=tuple(kinds[type(params)].name for params in chosen),
        wanted=tuple(wanted),
        notes=(*meant.told, *notes),
        guesses=meant.guesses,
    )


def new_names(text: str, columns: list[str]) -> list[str]:
    """Names for columns that a question introduces: its quoted words and CamelCase ones that are no column yet."""
    taken = {column.lower() for column in columns}
    quoted = re.findall(r"[\"'“‘`]([A-Za-z][\w ]{1,30}?)[\"'”’`]", text)
    camel = re.findall(r"\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+\b|\b[a-z]+(?:_[a-z0-9]+)+\b", text)
    names = dict.fromkeys(name for name in (*quoted, *camel) if name.lower() not in taken)
    return [*list(names)[:6], "new_1", "new_2"]


def _object(schema: JsonSchema, first: JsonSchema | None = None, narrowing: Narrowing | None = None) -> JsonSchema:
    """A params' schema with every property required, in order, without what only people read."""
    properties = {name: _bare(value, narrowing is not None) for name, value in schema["properties"].items()}
    if narrowing is not None:
        for name, value in schema["properties"].items():
            if name in narrowing.fixed:
                properties[name] = {"const": narrowing.fixed[name]}
            elif (words := value.get("x-asked")) and not narrowing.asks(words):
                properties[name] = {"const": narrowing.defaults.get(name, value.get("default"))}
    return record(**(first or {}), **properties)


def _bare(schema: Any, by_kind: bool) -> Any:
    if isinstance(schema, list):
        return [_bare(item, by_kind) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if place := schema.get("x-column"):
        return {"$ref": f"#/$defs/{place if by_kind or place not in KINDS else 'one'}"}
    return {key: _bare(value, by_kind) for key, value in schema.items() if key not in _FOR_PEOPLE}
