"""`text_summarizer`: the gist of a text, in its own sentences or in a model's words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.models.structured import record
from querist.tools.ai.asking import MAX_CHARACTERS, TO_ASK, ModelTool
from querist.tools.sentences import most_telling, sentences, shorten
from querist.tools.tool import ToolInput

_SENTENCES = {"short": 2, "medium": 5, "long": 10}
_LENGTH = {"short": "one or two sentences", "medium": "about five sentences", "long": "about ten sentences"}
_KEY_POINTS = 5


class TextSummarizerInput(ToolInput):
    text: str = Field(description="The text.", min_length=1, max_length=500_000)
    target_length: Literal["short", "medium", "long"] = Field(
        default="medium", description="About 2, 5 or 10 sentences."
    )
    style: Literal["extractive", "abstractive"] = Field(
        default="extractive", description="Sentences of the text itself, or a model's own words."
    )
    preserve_key_points: bool = Field(default=False, description="Whether to list the main points as well.")


class Summary(BaseModel):
    summary: str
    key_points: list[str]
    shortened: bool = Field(description="Whether the model saw only the most telling sentences of a long text.")


class TextSummarizer(ModelTool[TextSummarizerInput, Summary]):
    name = "text_summarizer"
    description = """Summarise a text, in its own sentences or in a model's words.

    Its own sentences need no model and cannot say what the text does not."""

    def needs(self, input: TextSummarizerInput) -> Iterable[Need]:
        return (TO_ASK,) if input.style == "abstractive" else ()

    async def run(self, input: TextSummarizerInput, context: RunContext) -> Summary:
        if input.style == "extractive":
            return await asyncio.to_thread(_extract, input)
        text = await asyncio.to_thread(shorten, input.text, MAX_CHARACTERS)
        points = {"key_points": {"type": "array", "items": {"type": "string"}, "maxItems": _KEY_POINTS}}
        schema = record(**(points if input.preserve_key_points else {}), summary={"type": "string"})
        given = await self.ask(context, "summarize", schema, text=text, length=_LENGTH[input.target_length])
        return Summary(
            summary=given["summary"], key_points=given.get("key_points", []), shortened=len(text) < len(input.text)
        )


def _extract(input: TextSummarizerInput) -> Summary:
    parts = sentences(input.text)
    chosen = list(islice(most_telling(parts), max(_SENTENCES[input.target_length], _KEY_POINTS)))
    kept = sorted(chosen[: _SENTENCES[input.target_length]])
    points = [parts[place] for place in chosen[:_KEY_POINTS]] if input.preserve_key_points else []
    return Summary(summary=" ".join(parts[place] for place in kept), key_points=points, shortened=False)
