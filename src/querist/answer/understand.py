"""Understand: turn a question that goes on from an earlier one into a question that stands alone."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from querist.answer.prompts import prompt
from querist.models.base import Model, Reply, Request

REMEMBERED = 4
"""How many earlier turns are shown to the model."""


class Turn(BaseModel):
    """One earlier question of a session, as it was understood, and the query that answered it."""

    model_config = ConfigDict(frozen=True)

    question: str
    sql: str = ""


async def standalone(model: Model, question: str, history: Sequence[Turn]) -> tuple[str, Reply]:
    """The question as it would be asked without what went before. One that stands alone comes back as it is."""
    past = "\n".join(f"Q: {turn.question}\nSQL: {turn.sql}" for turn in history[-REMEMBERED:])
    messages = prompt("standalone").messages(history=past, question=question)
    reply = await model.complete(Request(messages, max_tokens=120, stop=("\n",), prefix="standalone"))
    rewritten = reply.text.strip().removeprefix("Q:").strip().strip('"')
    return rewritten or question, reply
