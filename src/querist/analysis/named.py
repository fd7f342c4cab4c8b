"""Named answers: what a caller asks for by name, `@mean_price[a number rounded to two decimals]`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


def pick(names: Sequence[Wanted], given: Mapping[str, FindingValue]) -> dict[str, FindingValue]:
    """The values that are wanted out of those given; None for one that is not there.

    Names are compared without case and signs; where none fits and there are as many as wanted, their order decides.
    """
    by_key = {_key(name): value for name, value in given.items()}
    picked = {wanted.name: by_key.get(_key(wanted.name)) for wanted in names}
    strangers = [value for name, value in given.items() if _key(name) not in {_key(w.name) for w in names}]
    lacking = [name for name, value in picked.items() if value is None]
    if len(strangers) == len(lacking):
        picked.update(zip(lacking, strangers, strict=True))
    return picked


def _key(name: str) -> str:
    return re.sub(r"\W|_", "", name).lower()


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
