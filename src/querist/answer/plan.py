"""Plan: whether a question takes several steps, and which.

Nearly all take one, and words tell so. Parts that are questions of their own are asked as they stand; a model is asked
only where a part leaves out what another says, or where a question names things that no source holds alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from querist.answer.gather import spanned
from querist.answer.prepared import Prepared
from querist.answer.prompts import prompt
from querist.answer.routing import affinity, choose
from querist.answer.values import COMMON
from querist.models.base import JsonSchema, Model, Reply, Request
from querist.models.structured import record
from querist.sources.joins import words_of

MOST_STEPS = 5
MOST_TABLES, MOST_COLUMNS = 20, 12
"""Bounds on what of a source is shown."""
RESULTS = "results of steps"
"""The source of a step that asks about nothing but the results of others."""

_ASKS = r"(?:what|which|how\s+(?:many|much)|(?:who|where|when)\s+(?:is|are|was|were|did|does|do))\b"
_NEXT_PART = re.compile(
    rf"(?:[,;?.!]\s*(?:and|but|also)?|\b(?:and|but))\s+(?:also\s+)?(?=(?:(?:in|on|at|for|of|to|from|with)\s+)?{_ASKS})",
    re.I,
)
"""What leads over to a further question within a question."""
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|do|does|did|can|exists?)\b", re.I)
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
    return has_parts(question) or bool(spanned(question, prepared))


def has_parts(question: str) -> bool:
    """Whether it holds further questions that do not lean on the first."""
    if not re.match(rf"\s*{_ASKS}", question, re.I):
        return False
    _, *further = _NEXT_PART.split(question)
    return bool(further) and not any(_LEANS.search(part) or _RELATIVE.match(part) for part in further)


async def plan(
    model: Model, question: str, prepared: Sequence[Prepared]
) -> tuple[tuple[PlannedStep, ...], Reply | None]:
    """The steps, with the model's reply where one planned them; none when one is enough, or the plan makes no sense."""
    if parts := _complete_parts(question, prepared):
        found = enumerate(parts, start=1)
        return tuple(PlannedStep(n, part, choose(part, prepared).source.name) for n, part in found), None
    messages = prompt("plan").messages(sources="; ".join(map(_told, prepared)), question=question)
    names = [source.source.name for source in prepared]
    reply = await model.complete(Request(messages, schema=_schema(names), max_tokens=400, prefix="plan"))
    steps = _asked_for(question, [_placed(step, prepared) for step in _checked(reply.data, names)])
    # Asked only because it names things of several sources, it is one step after all where one of them is enough.
    enough = not has_parts(question) and len({step.source for step in steps}) < 2
    return () if enough else steps, reply


def _complete_parts(question: str, prepared: Sequence[Prepared]) -> list[str]:
    """The parts of a question, where each is one that stands alone; none where a part may mean what the first says."""
    if not has_parts(question):
        return []
    first, *further = (part.strip(" ,;") for part in _NEXT_PART.split(question))
    held = _has_condition(first, prepared)
    if len(further) >= MOST_STEPS or not all(
        _VERB.search(part) and (_has_condition(part, prepared) or not held) for part in further
    ):
        return []
    return [part[0].upper() + part[1:].rstrip("?.! ") + "?" for part in (first, *further)]


def _has_condition(part: str, prepared: Sequence[Prepared]) -> bool:
    """Whether it names a value or a number, which a part that does not may take over from it."""
    return bool(re.search(r"\d", part)) or any(match.exact for s in prepared for match in s.values.mentions(part))


def _placed(step: PlannedStep, prepared: Sequence[Prepared]) -> PlannedStep:
    """The step, asked of the source that shares most words with it; small models mix sources up."""
    by_name = {source.source.name: source for source in prepared}
    if step.source == RESULTS:
        return step
    question = _PLACEHOLDER.sub("", step.question)
    planned, best = by_name[step.source], choose(question, prepared)
    better = affinity(question, best) > affinity(question, planned)
    return replace(step, source=best.source.name) if better else step


def _told(source: Prepared) -> str:
    tables = [
        f"{table.name} ({', '.join(column.name for column in table.columns[:MOST_COLUMNS])})"
        for table in source.schema.tables[:MOST_TABLES]
    ]
    return f"{source.source.name}: {', '.join(tables)}"


def _schema(names: Sequence[str]) -> JsonSchema:
    needs = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": MOST_STEPS}, "maxItems": MOST_STEPS}
    step = record(question={"type": "string", "maxLength": 300}, source={"enum": [*names, RESULTS]}, needs=needs)
    return record(steps={"type": "array", "items": step, "minItems": 1, "maxItems": MOST_STEPS})


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
    """A step's question with results in the place of `<n>`; one that stands for none is a person's own."""
    return _PLACEHOLDER.sub(lambda match: results.get(int(match[1]), match[0]), question)
