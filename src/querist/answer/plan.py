"""Plan: whether a question takes several steps, and which.

Nearly all take one, and words tell so; a model is asked only where a question has parts that do not lean on each other,
or names things that no source holds alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from querist.answer.joins import words_of
from querist.answer.prepared import Prepared
from querist.answer.prompts import prompt
from querist.answer.routing import choose
from querist.answer.values import COMMON
from querist.models.base import JsonSchema, Model, Reply, Request

MOST_STEPS = 5
MOST_TABLES, MOST_COLUMNS = 20, 12
"""Bounds on what of a source is shown."""
RESULTS = "results of steps"
"""The source of a step that asks about nothing but the results of others."""

_ASKS = r"(?:what|which|how\s+(?:many|much)|(?:who|where|when)\s+(?:is|are|was|were|did|does|do))\b"
_PART = re.compile(
    rf"(?:[,;?.!]\s*(?:and|but|also)?|\b(?:and|but))\s+(?:also\s+)?(?:(?:in|on|at|for|of|to|from|with)\s+)?({_ASKS}.*)",
    re.I | re.S,
)
"""A further question within a question."""
_RELATIVE = re.compile(r"which\s+(?:is|are|was|were|has|have|had|do|does|did|can)\b(?!\s+the\b)", re.I)
_LEANS = re.compile(
    r"\b(?:it|its|they|them|theirs?|those|that|this|these|he|she|him|his|her|each|every|ones?|same|respective|"
    r"corresponding|such)\b",
    re.I,
)
"""Words with which a part speaks of the same rows as the one before: one query with more columns answers both."""
_PLACEHOLDER = re.compile(r"<(\d)>")


@dataclass(frozen=True)
class PlannedStep:
    """One step: `question` has `<n>` where the result of step n, one of `needs`, stands."""

    number: int
    question: str
    source: str
    needs: tuple[int, ...] = ()


def seems_several(question: str, prepared: Sequence[Prepared]) -> bool:
    """Whether a question looks like several steps. Asks no model, and says no when in doubt."""
    return _has_parts(question) or _spans_sources(question, prepared)


def _has_parts(question: str) -> bool:
    if not re.match(rf"\s*{_ASKS}", question, re.I):
        return False
    return any(not _LEANS.search(part[1]) and not _RELATIVE.match(part[1]) for part in _PART.finditer(question))


def _spans_sources(question: str, prepared: Sequence[Prepared]) -> bool:
    """The source that the question is most about lacks something that another one has, and the other way round."""
    if len(prepared) < 2:
        return False
    words = set(words_of(question)) - COMMON
    known = {id(source): _known(words, question, source) for source in prepared}
    best = known.pop(id(choose(question, prepared)))
    return any(best - other and other - best for other in known.values())


def _known(words: set[str], question: str, source: Prepared) -> set[str]:
    names = {
        word
        for table in source.schema.tables
        for name in (table.name, *(column.name for column in table.columns))
        for word in words_of(name)
    }
    values = {word for match in source.values.mentions(question) if match.exact for word in words_of(match.phrase)}
    return words & (names | values)


async def plan(model: Model, question: str, prepared: Sequence[Prepared]) -> tuple[tuple[PlannedStep, ...], Reply]:
    """The steps as a model plans them, with its reply; none when one is enough, or when the plan makes no sense."""
    names = [source.source.name for source in prepared]
    messages = prompt("plan").messages(sources="; ".join(map(_told, prepared)), question=question)
    reply = await model.complete(Request(messages, schema=_schema(names), max_tokens=400, prefix="plan"))
    steps = _asked_for(question, _checked(reply.data, names))
    # Asked only because it names things of several sources, it is one step after all where one of them is enough.
    enough = not _has_parts(question) and len({step.source for step in steps}) < 2
    return () if enough else steps, reply


def _told(source: Prepared) -> str:
    tables = [
        f"{table.name} ({', '.join(column.name for column in table.columns[:MOST_COLUMNS])})"
        for table in source.schema.tables[:MOST_TABLES]
    ]
    return f"{source.source.name}: {', '.join(tables)}"


def _schema(names: Sequence[str]) -> JsonSchema:
    needs = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": MOST_STEPS}, "maxItems": MOST_STEPS}
    fields = {
        "question": {"type": "string", "maxLength": 300},
        "source": {"enum": [*names, RESULTS]},
        "needs": needs,
    }
    step = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    steps = {"type": "array", "items": step, "minItems": 1, "maxItems": MOST_STEPS}
    return {"type": "object", "properties": {"steps": steps}, "required": ["steps"], "additionalProperties": False}


def _checked(data: object, names: Sequence[str]) -> tuple[PlannedStep, ...]:
    """The steps if they can be gone in their order. A need of a later step, or of itself, is a slip and left out."""
    listed = data.get("steps") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not 2 <= len(listed) <= MOST_STEPS:
        return ()
    steps: list[PlannedStep] = []
    for number, entry in enumerate(listed, start=1):
        question, source = str(entry["question"]).strip(), entry["source"]
        said = [int(n) for n in _PLACEHOLDER.findall(question)]
        needs = tuple(sorted({n for n in entry["needs"] if n < number} | {*said}))
        alike = any(question.casefold() == step.question.casefold() for step in steps)
        known = source in names or (source == RESULTS and needs)
        if not question or alike or not known or len(said) > MOST_STEPS or any(not 0 < n < number for n in needs):
            return ()
        steps.append(PlannedStep(number, question, source, needs))
    return tuple(steps)


def _asked_for(question: str, steps: Sequence[PlannedStep]) -> tuple[PlannedStep, ...]:
    """Without last steps that say no word of the question, with which small models like to go on."""
    asked = set(words_of(question)) - COMMON
    needed = {number for step in steps for number in step.needs}
    kept = tuple(
        step for step in steps if step.number in needed or asked & set(words_of(_PLACEHOLDER.sub("", step.question)))
    )
    return kept if len(kept) > 1 else ()


def filled(question: str, results: dict[int, str]) -> str:
    """A step's question with results in the place of `<n>`."""
    return _PLACEHOLDER.sub(lambda match: results[int(match[1])], question)
