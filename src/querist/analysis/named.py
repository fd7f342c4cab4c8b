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
    """One value that is asked for. `about` is what stands in the brackets."""

    name: str
    about: str


def wanted(format: str) -> tuple[Wanted, ...]:
    """The values that a format asks for, each once."""
    found = {match[1]: Wanted(match[1], match[2].strip()) for match in _NAMED.finditer(format)}
    return tuple(found.values())


def places(text: str) -> int | None:
    """How many decimals a text asks for, as in "rounded to two decimals"; of several the most; None for none."""
    found = [match[1].lower() for match in _PLACES.finditer(text)]
    return max((_COUNTS.index(word) if word in _COUNTS else int(word) for word in found), default=None)


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
