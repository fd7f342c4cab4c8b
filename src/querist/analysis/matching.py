"""Which finding is meant by the name of a wanted value, where the words decide it without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from querist.analysis.findings import Finding
from querist.analysis.named import Wanted

SURE = 0.6
"""Least share of words that a name and a finding have in common."""
_SAME = {
    "correlation": "r", "corr": "r", "coefficient": "", "pearson": "", "spearman": "", "pvalue": "p", "value": "",
    "val": "", "average": "mean", "avg": "mean", "sd": "std", "stdev": "std", "deviation": "std", "dev": "std",
    "standard": "", "number": "count", "num": "count", "total": "count", "outliers": "outlier", "skew": "skewness",
    "the": "", "of": "", "in": "", "for": "", "score": "", "statistic": "", "model": "", "test": "", "result": "",
    "after": "without", "new": "without", "removal": "", "removing": "", "removed": "",
}  # fmt: skip
"""Words that mean the same in names of values; an empty one means nothing."""
_PHRASES = (
    ("root_?mean_?squared?_?error", "rmse"),
    ("mean_?squared?_?error", "mse"),
    ("mean_?absolute_?error", "mae"),
    ("r_?squared", "r2"),
)


def match(wanted: Sequence[Wanted], findings: Sequence[Finding]) -> dict[str, Finding]:
    """The wanted values for which exactly one finding fits best, by name. Words are never guessed, only numbers."""
    numbers = [found for found in findings if type(found.value) in (int, float)]
    matched: dict[str, Finding] = {}
    for value in wanted:
        ranked = sorted(((_likeness(value.name, found.name), found) for found in numbers), key=lambda pair: -pair[0])
        if ranked and ranked[0][0] >= SURE and (len(ranked) == 1 or ranked[1][0] < ranked[0][0]):
            matched[value.name] = ranked[0][1]
    taken = [found.name for found in matched.values()]
    return {name: found for name, found in matched.items() if taken.count(found.name) == 1}


def _likeness(left: str, right: str) -> float:
    a, b = _words(left), _words(right)
    return len(a & b) / len(a | b) if a | b else 0.0


def _words(name: str) -> set[str]:
    for phrase, short in _PHRASES:
        name = re.sub(phrase, short, name, flags=re.I)
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    parts = (part.lower() for part in re.findall(r"r2|m2|[^\W\d_]+|\d+", spaced))
    return {meant for part in parts if (meant := _SAME.get(part, part))}
