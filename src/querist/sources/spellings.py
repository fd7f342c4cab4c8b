"""Spellings: values that differ only in case or blanks, and which of them is meant. Not for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from querist.sources.joins import words_of

MANY = 50
"""A column with more different values is no list of categories, and its case is left alone."""
SHORT = 3
"""Words with fewer letters may be codes, in which case means something."""
_CASE_MEANS = frozenset("id key code no nr number uuid guid isbn ean sku slug symbol ticker unit uom token".split())
"""Last words of names of columns in which case may mean something."""


def folded(text: str) -> str:
    """The same for two texts that differ only in case or blanks."""
    return " ".join(text.lower().split())


def spellings(values: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The values that have other spellings, those of one value together and in the order in which they come."""
    found: dict[str, list[str]] = {}
    for value in values:
        found.setdefault(folded(value), []).append(value)
    return tuple(tuple(group) for group in found.values() if len(group) > 1)


def are_words(column: str, spelt: Iterable[str]) -> bool:
    """Whether case means nothing in these values of a column: they are no codes, units or keys."""
    unlike_codes = all(sum(ch.isalpha() for ch in v) >= SHORT and not any(ch.isdigit() for ch in v) for v in spelt)
    return unlike_codes and not _CASE_MEANS.intersection(words_of(column)[-1:])


def one_spelling(column: str, counts: Mapping[str, int]) -> dict[str, str]:
    """What each rarer spelling is to be read as: the most frequent one. Empty where case could mean something.

    Args:
        counts: the column's values without blanks around them, the most frequent first.
    """
    groups = spellings(counts)
    names_rows = all(count == 1 for count in counts.values())
    if len(counts) > MANY or names_rows or not are_words(column, (value for group in groups for value in group)):
        return {}
    return {other: first for first, *others in groups for other in others}
