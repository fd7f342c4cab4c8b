"""What is known of a source before any question: schema, profile, joins, values. Made once for a state of the data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from querist.answer.context import Style, render
from querist.answer.values import ValueIndex, value_index
from querist.sources.base import Limits, Profile, Schema, Source
from querist.sources.guard import guard
from querist.sources.joins import JoinGraph, join_graph
from querist.sources.table import Table

PROBE = Limits(seconds=3.0, rows=200, bytes=1_000_000)
"""Bounds of one look at the data."""


@dataclass
class Prepared:
    """A source, ready to be asked."""

    source: Source
    fingerprint: str
    schema: Schema
    profile: Profile
    joins: JoinGraph
    values: ValueIndex
    _rendered: dict[Style, str] = field(default_factory=dict)

    def rendered(self, style: Style) -> str:
        """The schema as a model sees it, in that style."""
        if style not in self._rendered:
            self._rendered[style] = render(self.schema, self.profile, self.joins, style)
        return self._rendered[style]

    def prefix(self, prompt: str, style: Style) -> str:
        """Name of the family of prompts that begin alike, for the model's prefix cache."""
        return hashlib.sha256(f"{prompt}\n{self.rendered(style)}".encode()).hexdigest()[:24]

    def probe(self, sql: str) -> Table:
        """The result of a small query of Querist's own, which looks whether something holds for the data."""
        return self.source.execute(guard(sql, self.schema).sql, PROBE)

    def close(self) -> None:
        self.values.close()


def prepare(source: Source, folder: Path) -> Prepared:
    """Read what is known of a source. Blocking; quick when the data have not changed since the last time.

    Args:
        folder: where value indexes are kept.
    """
    schema, profile = source.schema(), source.profile()
    joins = join_graph(schema, profile)
    return Prepared(source, source.fingerprint(), schema, profile, joins, value_index(source, folder))
