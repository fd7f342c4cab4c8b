"""Which tables a row of a table leads to, and which refer to it: by declared keys, and by likely ones."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass

from querist.sources.base import Profile, Schema, TableSchema
from querist.sources.joins import join_graph

LONGEST = 3
"""Links on the way from one table to another."""


@dataclass(frozen=True)
class Link:
    """Each row of `child` refers to at most one row of `parent`; the columns are pairs of equal values."""

    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Lookup:
    """A table in which a row can be looked up, and the links that lead there."""

    table: TableSchema
    path: tuple[Link, ...]


class Links:
    """The links of a source."""

    def __init__(self, schema: Schema, profile: Profile) -> None:
        self.schema = schema
        declared = [
            Link(table.name, key.columns, parent.name, key.target_columns)
            for table in schema.tables
            for key in table.foreign_keys
            if (parent := schema.table(key.target_table)) is not None and len(key.columns) == len(key.target_columns)
        ]
        likely = [
            Link(edge.left, (edge.left_column,), edge.right, (edge.right_column,))
            for edge in join_graph(schema, profile).edges
            if not edge.declared
        ]
        self.every = [link for link in (*declared, *likely) if link.child != link.parent]
        children = {(link.child, column) for link in self.every for column in link.columns}
        self.keys = children | {(link.parent, column) for link in self.every for column in link.parent_columns}
        """Tables and their columns that links compare."""

    def lookups(self, base: TableSchema) -> list[Lookup]:
        """The tables that each row of `base` leads to, nearest first; none that two ways of one length lead to."""
        found: dict[str, Lookup] = {}
        doubtful: set[str] = set()
        queue: deque[tuple[str, tuple[Link, ...]]] = deque([(base.name, ())])
        while queue:
            name, path = queue.popleft()
            for link in self.every:
                parent = self.schema.table(link.parent)
                if link.child != name or parent is None or parent is base:
                    continue
                known = found.get(parent.name)
                if known is not None:
                    doubtful |= {parent.name} if len(known.path) == len(path) + 1 else set()
                elif len(path) < LONGEST:
                    found[parent.name] = Lookup(parent, (*path, link))
                    queue.append((parent.name, (*path, link)))
        return [lookup for name, lookup in found.items() if not doubtful & {name, *(s.parent for s in lookup.path)}]

    def into(self, base: TableSchema, reached: Collection[str]) -> list[tuple[TableSchema, Link]]:
        """The tables that refer to `base`, but those of `reached`; none that does so twice, which means two things."""
        into = [link for link in self.every if link.parent == base.name and link.child not in {base.name, *reached}]
        times = Counter(link.child for link in into)
        children = [(self.schema.table(link.child), link) for link in into if times[link.child] == 1]
        return [(child, link) for child, link in children if child is not None]
