"""`sentiment_analyzer` and `text_classifier`: what kind of text it is, by a model that can only choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.models.base import JsonSchema
from querist.models.structured import record
from querist.tools.ai.asking import MAX_CHARACTERS, ModelTool, share
from querist.tools.tool import ToolInput

Sentiment = Literal["positive", "negative", "neutral", "mixed"]
Emotion = Literal["joy", "sadness", "anger", "fear", "surprise", "disgust"]
_REASON: JsonSchema = {"type": "string", "maxLength": 160}
_CONFIDENCE: JsonSchema = {"type": "number", "minimum": 0, "maximum": 1}


def _one_of(values: Iterable[str]) -> JsonSchema:
    return {"type": "string", "enum": list(values)}


class SentimentAnalyzerInput(ToolInput):
    text: str = Field(
        description="The text, in any language that the model knows.", min_length=1, max_length=MAX_CHARACTERS
    )
    include_emotions: bool = Field(default=False, description="Whether to name the emotions that it shows.")
    confidence_threshold: float = Field(
        default=0.7, description="From which confidence on the judgement counts as certain.", ge=0, le=1
    )


class SentimentFound(BaseModel):
    sentiment: Sentiment
    confidence: float = Field(description="As the model itself says, from 0 to 1: a hint, and no probability.")
    certain: bool = Field(description="Whether the confidence reaches the threshold.")
    reason: str
    emotions: list[Emotion]


class SentimentAnalyzer(ModelTool[SentimentAnalyzerInput, SentimentFound]):
    name = "sentiment_analyzer"
    description = """Tell whether a text is positive, negative, neutral or mixed, and which emotions it shows."""

    async def run(self, input: SentimentAnalyzerInput, context: RunContext) -> SentimentFound:
        emotions: JsonSchema = {"type": "array", "items": _one_of(get_args(Emotion)), "maxItems": 3}
        schema = record(
            reason=_REASON,
            **({"emotions": emotions} if input.include_emotions else {}),
            sentiment=_one_of(get_args(Sentiment)),
            confidence=_CONFIDENCE,
        )
        given = await self.ask(context, "sentiment", schema, text=input.text)
        confidence = share(given["confidence"])
        return SentimentFound(
            sentiment=given["sentiment"],
            confidence=confidence,
            certain=confidence >= input.confidence_threshold,
            reason=given["reason"],
            emotions=list(dict.fromkeys(given.get("emotions", []))),
        )


class Labelled(ToolInput):
    text: str = Field(description="A text.", max_length=500)
    label: str = Field(description="Its label.")


class TextClassifierInput(ToolInput):
    text: str = Field(description="The text.", min_length=1, max_length=MAX_CHARACTERS)
    labels: dict[str, str] = Field(
        description="The labels to choose from, each with what it means; the meaning may be empty.",
        min_length=2,
        max_length=50,
    )
    multiple: bool = Field(default=False, description="Whether several labels, or none, may fit.")
    examples: list[Labelled] = Field(default=[], description="Texts with the label that is right.", max_length=20)


class Classified(BaseModel):
    labels: list[str] = Field(description="One, unless several were allowed.")
    confidence: float = Field(description="As the model itself says, from 0 to 1: a hint, and no probability.")
    reason: str


class TextClassifier(ModelTool[TextClassifierInput, Classified]):
    name = "text_classifier"
    description = """Sort a text into one of several labels, or give it all that fit."""

    async def run(self, input: TextClassifierInput, context: RunContext) -> Classified:
        label = _one_of(input.labels)
        chosen: JsonSchema = {"type": "array", "items": label, "maxItems": len(input.labels)}
        choice = {"labels": chosen} if input.multiple else {"label": label}
        given = await self.ask(
            context,
            "classify",
            record(reason=_REASON, **choice, confidence=_CONFIDENCE),
            labels="\n".join(
                f"- {name}: {meaning}" if meaning else f"- {name}" for name, meaning in input.labels.items()
            ),
            many="Give all labels that fit, or none." if input.multiple else "Give the one label that fits best.",
            examples="\n".join(f"{example.text!r} → {example.label}" for example in input.examples),
            text=input.text,
        )
        labels = list(dict.fromkeys(given["labels"])) if input.multiple else [given["label"]]
        return Classified(labels=labels, confidence=share(given["confidence"]), reason=given["reason"])
