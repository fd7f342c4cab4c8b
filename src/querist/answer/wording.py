"""The words of a question as a template sees them: politeness counts for nothing, a number for what it says."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

_TOKEN = re.compile(
    r"(?P<date>(?<![\w-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w-]))"
    r"|(?P<number>(?<![\w.,])[0-9]+(?:[.,][0-9]+)*(?!\w|[.,][0-9]))"
    r"|(?P<word>\w+)|(?P<sign>[!<>=]=|[^\s\w])"
)
_LEAD = re.compile(
    r"\s*(?:please\s+)?(?:(?:can|could|would)\s+you\s+)?(?:please\s+)?"
    r"(?:(?:(?:show|tell|give)\s+me|show|give|list|display|find|get|what(?:\s+is|\s+are|['’]s))\b)?",
    re.I,
)
"""Ways to begin a request that say nothing about what is asked for."""
IDLE = frozenset({"the", "please", *".?!¿¡…'\"`´‘’“”„«»"})
"""Words and signs that change nothing of what is asked."""
_CLEAR_NUMBER = re.compile(r"(?![0-9]{1,3}\.[0-9]{3}$)[0-9]+(?:\.[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
"""1.500 is one thing in English and another in half of Europe."""


@dataclass(frozen=True)
class Token:
    """A date, number, word or sign of a question; `word` is what it counts as, `idle` when it counts for nothing."""

    kind: str
    word: str
    start: int
    end: int
    idle: bool


def tokens(question: str) -> list[Token]:
    """The pieces of a question, without a polite beginning."""
    lead = _LEAD.match(question)
    begin = lead.end() if lead is not None and re.search(r"\w", question[lead.end() :]) else 0
    return [_token(match) for match in _TOKEN.finditer(question, begin)]


def _token(match: re.Match[str]) -> Token:
    kind, word = match.lastgroup or "sign", unicodedata.normalize("NFKC", match[0]).casefold()
    if kind == "number" and _CLEAR_NUMBER.fullmatch(word):
        word = canonical(word)
    elif kind == "number":
        kind = "word"
    return Token(kind, word, match.start(), match.end(), word in IDLE)


def canonical(number: str) -> str:
    """A number without separators and needless zeros: `1,500.50` is `1500.5`."""
    return format(Decimal(number.replace(",", "")).normalize(), "f")


def words(question: str) -> tuple[str, ...]:
    """What a question says, whatever its case and politeness."""
    return tuple(token.word for token in tokens(question) if not token.idle)
