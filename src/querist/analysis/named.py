"""Named answers: what a caller asks for by name, `@mean_price[a number rounded to two decimals]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from querist.analysis.findings import FindingValue

_NAMED = re.compile(r"@(\w+)\s*\[(.*?)\]")
_COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
_PLACES = re.compile(rf"\b(\d|{'|'.join(_COUNTS)})[ -](?:decimals?|digits? after|places? after)\b", re.I)


@dataclass(frozen=True)
class Wanted:
    """One value that is asked for.

    Attributes:
        about: what stands in the brackets.
        places: the decimals that are asked for; None where they are not said.
    """

    name: str
    about: str
    places: int | None = None


def wanted(format: str, constraints: str = "") -> tuple[Wanted, ...]:
    """The values that a format asks for, each once."""
    names = {match[1]: match[2].strip() for match in _NAMED.finditer(format)}
    said = format if _PLACES.search(format) else constraints
    return tuple(Wanted(name, about, _places(said, name, about)) for name, about in names.items())


def _places(text: str, name: str, about: str) -> int | None:
    """The decimals that are said next after the value's last mention; where none are, the most that are said at all."""
    mentions = [match.end() for word in (name, about) if word for match in re.finditer(rf"\b{re.escape(word)}\b", text)]
    said = [(match.start(), match[1].lower()) for match in _PLACES.finditer(text)]
    counts = [(start, _COUNTS.index(word) if word in _COUNTS else int(word)) for start, word in said]
    after = [count for start, count in counts if start >= max(mentions, default=len(text))]
    return after[0] if after else max((count for _, count in counts), default=None)


def shown(value: FindingValue, digits: int = 10) -> str:
    """A value as text, numbers to so many significant digits."""
    if isinstance(value, list):
        return ", ".join(shown(item, digits) for item in value)
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return "" if value is None else str(value)


def read_named(text: str) -> dict[str, str]:
    """The named answers in a text."""
    return {match[1]: match[2].strip() for match in _NAMED.finditer(text)}
