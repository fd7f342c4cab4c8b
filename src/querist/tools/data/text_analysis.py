"""`text_analyzer`: what a text is made of, by counting. No model takes part; those are the tools of the group `ai`."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.tools.sentences import sentences as sentences_of
from querist.tools.tool import ThreadTool, ToolInput

READING_SPEED = 238
"""Words a minute: silent reading of English non-fiction (Brysbaert 2019, doi:10.1016/j.jml.2019.104047)."""

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
_VOWELS = re.compile(r"[aeiouy]+")


class TextAnalyzerInput(ToolInput):
    text: str = Field(description="The text.", max_length=2_000_000)
    analyses: list[Literal["statistics", "tokens", "sentences", "frequencies", "readability"]] = Field(
        default=["statistics", "frequencies"], description="What to tell.", min_length=1
    )
    ngram: int = Field(default=1, description="For `frequencies`: words that are counted together.", ge=1, le=5)
    ignore: list[str] = Field(default=[], description="For `frequencies`: words that do not count.")
    limit: int = Field(default=20, description="Frequencies, tokens and sentences at most.", gt=0, le=100_000)


class TextStatistics(BaseModel):
    characters: int
    words: int
    distinct_words: int = Field(description="Upper and lower case are the same.")
    sentences: int
    paragraphs: int
    words_per_sentence: float
    reading_minutes: float


class Frequency(BaseModel):
    term: str
    count: int


class TextAnalysis(BaseModel):
    statistics: TextStatistics | None = None
    tokens: list[str] | None = None
    sentences: list[str] | None = None
    frequencies: list[Frequency] | None = Field(default=None, description="The commonest first.")
    reading_ease: float | None = Field(
        default=None, description="Flesch Reading Ease, for English: 100 is very easy, 0 very hard."
    )


class TextAnalyzer(ThreadTool[TextAnalyzerInput, TextAnalysis]):
    name = "text_analyzer"
    description = "Split a text into words and sentences, count them, and tell common terms and how hard it reads."

    def work(self, input: TextAnalyzerInput, context: RunContext) -> TextAnalysis:
        text, wanted = input.text, input.analyses
        words = _WORD.findall(text)
        lower = [word.lower() for word in words]
        sentences = [sentence for sentence in sentences_of(text) if _WORD.search(sentence)]
        found = TextAnalysis()
        if "statistics" in wanted:
            found.statistics = TextStatistics(
                characters=len(text),
                words=len(words),
                distinct_words=len(set(lower)),
                sentences=len(sentences),
                paragraphs=sum(1 for part in re.split(r"\n\s*\n", text) if part.strip()),
                words_per_sentence=round(len(words) / max(1, len(sentences)), 2),
                reading_minutes=round(len(words) / READING_SPEED, 2),
            )
        if "tokens" in wanted:
            found.tokens = words[: input.limit]
        if "sentences" in wanted:
            found.sentences = sentences[: input.limit]
        if "frequencies" in wanted:
            ignored = {word.lower() for word in input.ignore}
            counted = [word for word in lower if word not in ignored]
            terms = Counter(" ".join(counted[i : i + input.ngram]) for i in range(len(counted) - input.ngram + 1))
            found.frequencies = [Frequency(term=term, count=count) for term, count in terms.most_common(input.limit)]
        if "readability" in wanted and words:
            # Flesch 1948; syllables are counted as groups of vowels, less a silent e.
            syllables = sum(max(1, len(_VOWELS.findall(re.sub(r"(?<=[^l])e$", "", word)))) for word in lower)
            per_sentence = len(words) / max(1, len(sentences))
            found.reading_ease = round(206.835 - 1.015 * per_sentence - 84.6 * syllables / len(words), 1)
        return found
