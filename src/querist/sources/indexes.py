"""What the words of a question mean among the values of a source, and ways to find it that plugins add.

Not the index that Querist makes by spelling: that is `answer/values.py`, which asks these as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, TypeAlias

from querist.errors import UsageError
from querist.sources.base import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Match:
    """`value` of `table.column` is what `phrase` seems to mean; `exact` up to case, accents and punctuation."""

    table: str
    column: str
    value: str
    phrase: str
    exact: bool = False


class Index(Protocol):
    """Finds values in a way of its own, such as by meaning. Called from several threads."""

    def mentions(self, question: str) -> Sequence[Match]:
        """Values that words of the question mean, the best first. They are hints, and never taken as exact."""

    def close(self) -> None:
        """Free what it holds."""


OpenIndex: TypeAlias = Callable[[Source], Index]
_added: dict[str, OpenIndex] = {}


def check_index(name: str) -> None:
    """Raise a UsageError when a plugin cannot add an index of this name."""
    if not name.isidentifier() or name in _added:
        raise UsageError(f"{name!r} cannot be the name of an index, or is taken.", hint="Choose another name.")


def add_indexes(openers: Mapping[str, OpenIndex]) -> None:
    """From now on ask these too, for all sources and in the whole process."""
    _added.update(openers)


def open_indexes(source: Source) -> list[AddedIndex]:
    """What plugins added, for one source. One that cannot be opened is left out, and the reason logged."""
    opened = []
    for name, open_index in _added.items():
        try:
            opened.append(AddedIndex(name, open_index(source)))
        except Exception as error:
            log.warning("The index %s of a plugin is left out for %s: %r", name, source.name, error)
    return opened


class AddedIndex:
    """An index of a plugin, which may fail without harm and is asked once for each question."""

    def __init__(self, name: str, index: Index) -> None:
        self.name, self._index = name, index
        self.mentions = lru_cache(maxsize=16)(self._mentions)

    def _mentions(self, question: str) -> tuple[Match, ...]:
        try:
            return tuple(replace(match, exact=False) for match in self._index.mentions(question))
        except Exception as error:
            log.warning("The index %s of a plugin failed on %r: %r", self.name, question, error)
            return ()

    def close(self) -> None:
        try:
            self._index.close()
        except Exception as error:
            log.warning("The index %s of a plugin could not be closed: %r", self.name, error)
