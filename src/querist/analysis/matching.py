"""Which value is meant by the name of a wanted one, where the words decide it without a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from querist.analysis.findings import Finding, FindingValue
from querist.analysis.named import Wanted
from querist.analysis.spelling import spelt_alike

SURE = 0.6
"""Least share of words that a name and a finding have in common."""
_SAME = {
    "correlation": "r", "corr": "r", "coefficient": "", "pvalue": "p", "value": "", "val": "", "average": "mean",
    "avg": "mean", "sd": "std", "stdev": "std", "deviation": "std", "dev": "std", "standard": "", "number": "count",
    "num": "count", "total": "sum", "outliers": "outlier", "skew": "skewness", "the": "", "of": "", "in": "",
    "for": "", "score": "", "statistic": "", "model": "", "test": "", "result": "", "after": "without",
    "new": "without", "removal": "", "removing": "", "removed": "",
}  # fmt: skip
"""Words that mean the same in names of values; an empty one means nothing."""
_METHODS = frozenset(
    "pearson spearman kendall shapiro anderson kolmogorov dagostino levene welch mann kruskal anova chi".split()
)
"""Words for how something is computed: they say nothing of what it is, but a value of another method is another."""
_PHRASES = (
    ("root_?mean_?squared?_?error", "rmse"),
    ("mean_?squared?_?error", "mse"),
    ("mean_?absolute_?error", "mae"),
    ("r_?squared", "r2"),
)


def match(wanted: Sequence[Wanted], findings: Sequence[Finding]) -> dict[str, Finding]:
    """The wanted values for which exactly one finding fits best, by name, and leaves no word of it unsaid.

    Words are never guessed, only numbers.
    """
    numbers = [found for found in findings if type(found.value) in (int, float)]
    matched: dict[str, Finding] = {}
    for value in wanted:
        fitting = _by_method(value, numbers)
        ranked = sorted(((likeness(value.name, found.name), found) for found in fitting), key=lambda pair: -pair[0])
        if not ranked or ranked[0][0] < SURE or (len(ranked) > 1 and ranked[1][0] == ranked[0][0]):
            continue
        best = ranked[0][1]
        if all(word in best.meaning.lower() for word in _words(value.name) - _words(best.name)):
            matched[value.name] = best
    taken = [found.name for found in matched.values()]
    return {name: found for name, found in matched.items() if taken.count(found.name) == 1}


def pick(names: Sequence[Wanted], given: Mapping[str, FindingValue]) -> tuple[dict[str, FindingValue], str]:
    """The values that are wanted out of those given, None for one that is not there; and what was guessed, if any was.

    Names are compared without case and punctuation. Where none fits and there are as many as wanted, their order
    decides, unless one has more words in common with another's place than with its own.
    """
    alike = {wanted.name: spelt_alike(wanted.name, given) for wanted in names}
    picked = {name: given[found] if found is not None else None for name, found in alike.items()}
    lacking = [name for name, found in alike.items() if found is None]
    strangers = [name for name in given if name not in alike.values()]
    pairs = [[likeness(name, stranger) for stranger in strangers] for name in lacking]
    in_order = len(strangers) == len(lacking) and all(row[place] == max(row) for place, row in enumerate(pairs))
    if not lacking or not in_order:
        return picked, ""
    picked.update(zip(lacking, map(given.__getitem__, strangers), strict=True))
    taken = ", ".join(f"{stranger!r} for {name}" for name, stranger in zip(lacking, strangers, strict=True))
    return picked, f"Values were taken by their order: {taken}."


def _by_method(wanted: Wanted, findings: Sequence[Finding]) -> list[Finding]:
    """The findings of the method that is wanted. Of two and none wanted, those of one name are out."""
    asked = _methods(f"{wanted.name} {wanted.about}")
    told = {found.name: _methods(f"{found.name} {found.meaning}") for found in findings}
    every = frozenset[str]().union(*told.values())
    if asked:
        only = every if len(every) == 1 else frozenset[str]()
        return [found for found in findings if asked <= (told[found.name] or only)]
    twins = {name for name in told if f"{name}_2" in told} if len(every) > 1 else set()
    return [found for found in findings if re.sub(r"_\d+$", "", found.name) not in twins]


def _methods(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower())) & _METHODS


def likeness(left: str, right: str) -> float:
    """The share of words that two names of values have in common."""
    a, b = _words(left), _words(right)
    return len(a & b) / len(a | b) if a | b else 0.0


def _words(name: str) -> set[str]:
    for phrase, short in _PHRASES:
        name = re.sub(phrase, short, name, flags=re.I)
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    parts = (part.lower() for part in re.findall(r"r2|m2|[^\W\d_]+|\d+", spaced))
    return {meant for part in parts if part not in _METHODS and (meant := _SAME.get(part, part))}
