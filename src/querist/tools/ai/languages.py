"""`language_detector`: which language a text is in. By statistics of letters; no model."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import ComponentInputError, MissingExtraError
from querist.tools.tool import ToolInput

_ENOUGH = 20
"""Letters from which on the guess is worth something."""


class LanguageDetectorInput(ToolInput):
    text: str = Field(description="The text; its beginning suffices.", min_length=1, max_length=1_000_000)
    among: list[str] = Field(
        default=[], description="Only these languages, by their codes (`en`, `de`); fewer make it surer.", max_length=97
    )


class Candidate(BaseModel):
    language: str = Field(description="ISO 639-1 code.")
    probability: float


class DetectedLanguage(BaseModel):
    language: str | None = Field(description="ISO 639-1 code; nothing where the text has no letters.")
    probability: float
    certain: bool = Field(description="Whether the text is long enough, and one language far ahead.")
    candidates: list[Candidate] = Field(description="The likeliest, at most five.")


class LanguageDetector(Component[LanguageDetectorInput, DetectedLanguage]):
    name = "language_detector"
    description = """Tell which of 97 languages a text is in."""

    async def run(self, input: LanguageDetectorInput, context: RunContext) -> DetectedLanguage:
        text = input.text[:5000]
        letters = sum(map(str.isalpha, text))
        if not letters:
            return DetectedLanguage(language=None, probability=0.0, certain=False, candidates=[])
        ranked = await asyncio.to_thread(_rank, text, set(input.among))
        language, probability = ranked[0]
        return DetectedLanguage(
            language=language,
            probability=probability,
            certain=letters >= _ENOUGH and probability > 0.9,
            candidates=[Candidate(language=code, probability=share) for code, share in ranked[:5] if share > 0.001],
        )


def _rank(text: str, among: set[str]) -> list[tuple[str, float]]:
    """Languages with their probabilities, likeliest first."""
    shares = {str(code): float(share) for code, share in _identifier().rank(text)}
    if unknown := among - shares.keys():
        raise ComponentInputError(
            f"No such language is known: {', '.join(sorted(unknown))}.", hint=f"Known: {', '.join(sorted(shares))}."
        )
    left = {code: share for code, share in shares.items() if not among or code in among}
    whole = sum(left.values()) or 1.0
    return [(code, share / whole) for code, share in left.items()]


@functools.cache
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise MissingExtraError("py3langid", "tools", "detect languages") from error
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
