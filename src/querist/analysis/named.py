"""Named answers: what a caller asks for by name, `@mean_price[a number rounded to two decimals]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from querist.analysis.findings import FindingValue

_NAMED = re.compile(r"@(\w+)\s*\[(.*?)\]")


@dataclass(frozen=True)
class Wanted:
    """One value that is asked for. `about` is what stands in the brackets."""

    name: str
    about: str


def wanted(format: str) -> tuple[Wanted, ...]:
    """The values that a format asks for, each once."""
    found = {match[1]: Wanted(match[1], match[2].strip()) for match in _NAMED.finditer(format)}
    return tuple(found.values())


def written(values: dict[str, FindingValue]) -> str:
    """The named answers in the form in which they were asked for."""
    return "\n".join(f"@{name}[{shown(value)}]" for name, value in values.items())


def shown(value: FindingValue) -> str:
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def read_named(text: str) -> dict[str, str]:
    """The named answers in a text."""
    return {match[1]: match[2].strip() for match in _NAMED.finditer(text)}
