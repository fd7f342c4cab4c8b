"""The calls of a model that an analysis makes: a plan, its reading, code, and words. Prompts are in `prompts/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from querist.analysis.findings import Finding, FindingValue
from querist.analysis.named import Wanted
from querist.analysis.narrowing import Narrowing
from querist.analysis.plan import new_names, plan_schema
from querist.models.base import Message, Model, Reply, Request
from querist.models.prompt import Prompt, read_prompt

SHOWN = 60
"""Findings that a model is shown."""
LONGEST_LIST = 5


@dataclass(frozen=True)
class Asked:
    """A question as models are asked it.

    Attributes:
        table: describes the data.
        format: says which values are wanted.
        narrowing: what of a plan is open, where no values are named.
    """

    question: str
    constraints: str
    format: str
    table: str
    columns: tuple[str, ...]
    names: tuple[Wanted, ...]
    narrowing: Narrowing | None = None

    @property
    def listed(self) -> str:
        return ", ".join(wanted.name for wanted in self.names)


async def ask_for_plan(model: Model, asked: Asked) -> Reply:
    messages = _prompt("plan").messages(
        table=asked.table,
        question=asked.question,
        constraints=asked.constraints,
        names=f"Values wanted: {asked.listed}" if asked.names else "",
    )
    new = new_names(f"{asked.question}\n{asked.constraints}", list(asked.columns))
    schema = plan_schema(list(asked.columns), new, asked.narrowing)
    return await model.complete(Request(messages, schema=schema, max_tokens=500, prefix="analysis-plan"))


async def ask_for_reading(model: Model, asked: Asked, findings: Sequence[Finding]) -> Reply:
    """Lines that assign each value that is wanted, from the findings."""
    messages = _prompt("read").messages(
        findings=listing(findings, "#"),
        question=asked.question,
        constraints=asked.constraints,
        format=asked.format,
        names=asked.listed,
    )
    return await model.complete(Request(messages, max_tokens=400, prefix="analysis-read"))


async def ask_for_code(
    model: Model,
    asked: Asked,
    wanted: Sequence[str],
    *,
    failed: tuple[str, str] | None = None,
    other: bool = False,
) -> Reply:
    """Code for the question.

    Args:
        wanted: what to compute, by name; empty where that is for the code to say.
        failed: the last reply and what was wrong with it, for better code.
        other: code that is likely to differ from the first.
    """
    keys = ", ".join(f"{name!r}: ..." for name in wanted) or "..."
    messages = _prompt("code").messages(
        tables=asked.table,
        question=asked.question,
        constraints=asked.constraints,
        format=asked.format,
        keys=keys,
    )
    if failed is not None:
        reply, problem = failed
        messages = (*messages, Message("assistant", reply), *_prompt("repair").messages(problem=problem))
    warmth = 0.7 if other else 0.0
    return await model.complete(Request(messages, max_tokens=700, temperature=warmth, prefix="analysis-code"))


async def ask_for_words(model: Model, question: str, findings: Sequence[Finding]) -> Reply:
    messages = _prompt("interpret").messages(question=question, findings=listing(findings[:20]))
    return await model.complete(Request(messages, max_tokens=120, prefix="analysis-words"))


def listing(findings: Sequence[Finding], mark: str = "–") -> str:
    """Findings as a model reads them: name, value and meaning on a line each."""
    return "\n".join(f"{found.name} = {_shown(found.value)}  {mark} {found.meaning}" for found in findings[:SHOWN])


def _shown(value: FindingValue) -> str:
    if isinstance(value, list):
        more = f", … ({len(value)} in all)" if len(value) > LONGEST_LIST else ""
        return f"[{', '.join(_shown(item) for item in value[:LONGEST_LIST])}{more}]"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)[:80]


def _prompt(name: str) -> Prompt:
    return read_prompt("querist.analysis", name)
