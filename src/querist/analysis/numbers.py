"""Numbers in a text, held against the values that it speaks of: a number that no value contains is flagged."""

from __future__ import annotations

import re
from collections.abc import Iterable

from querist.analysis.findings import FindingValue

_NUMBER = re.compile(
    r"(?<![\w.])[-−–]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.])[-−–]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w]|\.\d)"
)


def unsupported(text: str, values: Iterable[FindingValue], context: str = "") -> list[str]:
    """The numbers of `text` that are no value, as they are written.

    A number counts as a value when it is that value rounded to the digits it has; as a percentage it may be a hundred
    times a value. Its sign may be said in words ("a fall of 3"). Numbers that stand in `context`, such as the question,
    need no value.
    """
    known = list(_flat(values))
    allowed = {_read(match[0])[0] for match in _NUMBER.finditer(context)}
    found = []
    for match in _NUMBER.finditer(text):
        number, decimals = _read(match[0])
        percent = text[match.end() : match.end() + 2].lstrip().startswith("%")
        candidates = [*known, *(100 * value for value in known)] if percent else known
        if number in allowed or any(_rounds_to(value, number, decimals) for value in candidates):
            continue
        found.append(match[0])
    return list(dict.fromkeys(found))


def _read(written: str) -> tuple[float, int]:
    plain = written.replace(",", "").replace("−", "-").replace("–", "-")
    mantissa, _, exponent = plain.lower().partition("e")
    return float(plain), len(mantissa.partition(".")[2]) - int(exponent or 0)


def _rounds_to(value: float, number: float, decimals: int) -> bool:
    half = 0.5 * 10.0**-decimals
    return min(abs(value - number), abs(abs(value) - abs(number))) <= half * 1.001


def _flat(values: Iterable[FindingValue]) -> Iterable[float]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, (int, float)):
            yield float(value)
        else:
            yield from (_read(match[0])[0] for match in _NUMBER.finditer(value))
