"""How the tables of a source join: declared foreign keys, and keys inferred from names, types and values."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from querist.sources.base import Column, Profile, Schema, TableSchema

LONG = 5
"""Letters of a word in which a wrong one is a slip; shorter words with one other letter mean something else."""


@dataclass(frozen=True)
class Edge:
    """`left.left_column` equals `right.right_column`; where it is known, `right` is the side with unique values."""

    left: str
    left_column: str
    right: str
    right_column: str
    declared: bool

    def reversed(self) -> Edge:
        return Edge(self.right, self.right_column, self.left, self.left_column, self.declared)


def singular(word: str) -> str:
    """A rough English singular, enough to see that `customers` and `customer_id` speak of the same thing."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(ss|us|is)$", word):
        return word
    if re.search(r"(s|x|z|ch|sh)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def words_of(name: str) -> list[str]:
    """The lower-case singular words of an identifier, without accents: `OrderDetails_ID` gives order, detail, id."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return [singular(w) for w in re.findall(r"[^\W_]+", spaced.casefold())]


def flat(name: str) -> str:
    """An identifier without case, separators and plural, for comparing names that people write differently."""
    return "".join(words_of(name)) or name.lower()


def misspelt(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names or texts, as words, differ by a slip: one letter of one long word, or a blank.

    Not the first letter and no short word: `unpaid` and `paid`, `age` and `wage`, `Q1` and `Q2` are two things each.
    """
    if len(one) != len(other):
        return "".join(one) == "".join(other) and "".join(one).isalpha()
    differing = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    return not differing or (len(differing) == 1 and _one_letter(*differing[0]))


def _one_letter(one: str, other: str) -> bool:
    """One letter is missing, surplus, wrong or swapped with the next."""
    shorter = min(len(one), len(other))
    same = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    if shorter < LONG or not (one + other).isalpha() or not same:
        return False
    a, b = one[same:], other[same:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return swapped or a[1:] in (b, b[1:]) or a == b[1:]


class JoinGraph:
    """Which columns join which tables."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self.edges = tuple(edges)
        self._from: dict[str, list[Edge]] = {}
        for edge in self.edges:
            self._from.setdefault(edge.left.lower(), []).append(edge)
            self._from.setdefault(edge.right.lower(), []).append(edge.reversed())

    def between(self, left: str, right: str) -> list[Edge]:
        """Edges that join two tables directly, written from `left` to `right`; declared ones first."""
        found = [e for e in self._from.get(left.lower(), []) if e.right.lower() == right.lower()]
        return sorted(found, key=lambda e: not e.declared)

    def into(self, table: str) -> list[Edge]:
        """Edges by which other tables refer to this one."""
        return [e for e in self.edges if e.right.lower() == table.lower()]

    def joins(self, left: str, left_column: str, right: str, right_column: str) -> bool:
        pair = (left_column.lower(), right_column.lower())
        return any((e.left_column.lower(), e.right_column.lower()) == pair for e in self.between(left, right))

    def sole_path(self, start: Iterable[str], goal: str) -> list[Edge] | None:
        """The shortest chain to `goal`; None where another is as short, since each says something else: a flight has
        an airport where it starts and one where it lands."""
        starts = {s.lower() for s in start}
        path = self.path(starts, goal)
        found = list(islice(self._chains(starts, goal, len(path)), 2)) if path else []
        return found[0] if len(found) == 1 else None

    def _chains(self, start: Iterable[str], goal: str, length: int) -> Iterator[list[Edge]]:
        for edge in (edge for table in start for edge in self._from.get(table.lower(), [])):
            if length == 1 and edge.right.lower() == goal.lower():
                yield [edge]
            elif length > 1:
                yield from ([edge, *rest] for rest in self._chains([edge.right], goal, length - 1))

    def path(self, start: Iterable[str], goal: str, longest: int = 3) -> list[Edge] | None:
        """The shortest chain of edges from any table of `start` to `goal`; None when there is none that short."""
        starts = [s.lower() for s in start]
        if goal.lower() in starts:
            return []
        queue: deque[tuple[str, list[Edge]]] = deque((s, []) for s in starts)
        seen = set(starts)
        while queue:
            table, edges = queue.popleft()
            if len(edges) == longest:
                continue
            for edge in sorted(self._from.get(table, []), key=lambda e: not e.declared):
                if edge.right.lower() == goal.lower():
                    return [*edges, edge]
                if edge.right.lower() not in seen:
                    seen.add(edge.right.lower())
                    queue.append((edge.right.lower(), [*edges, edge]))
        return None


def join_graph(schema: Schema, profile: Profile | None = None) -> JoinGraph:
    """Declared keys, and for pairs of tables without one the keys that names, types and values suggest."""
    edges: list[Edge] = []
    for table in schema.tables:
        for key in table.foreign_keys:
            if schema.table(key.target_table) is not None:
                for column, target in zip(key.columns, key.target_columns, strict=False):
                    edges.append(Edge(table.name, column, key.target_table, target, declared=True))
    declared = {frozenset((e.left.lower(), e.right.lower())) for e in edges}
    for child in schema.tables:
        for parent in schema.tables:
            if child is parent or frozenset((child.name.lower(), parent.name.lower())) in declared:
                continue
            for key_column in _key_columns(parent, profile):
                edges += [
                    Edge(child.name, column.name, parent.name, key_column.name, declared=False)
                    for column in child.columns
                    if _refers(column, child, key_column, parent)
                    and _plausible(column, child, key_column, parent, profile)
                ]
    return JoinGraph(_without_mirrors(edges))


def _key_columns(table: TableSchema, profile: Profile | None) -> list[Column]:
    if len(table.primary_key) == 1 and (column := table.column(table.primary_key[0])):
        return [column]
    if table.primary_key:
        return []
    found = profile.table(table.name) if profile else None
    return [c for c in table.columns if found and (p := found.column(c.name)) and p.likely_key]


def _refers(column: Column, child: TableSchema, key: Column, parent: TableSchema) -> bool:
    """Does the column's name say that it holds the parent's key?"""
    if column.kind != key.kind:
        return False
    name, key_name, parent_name = flat(column.name), flat(key.name), flat(parent.name)
    generic = key_name in ("id", "key", "code", "no", "number", "uid", "name")
    if not generic:
        return name == key_name
    return name in (parent_name + key_name, parent_name)


def _plausible(column: Column, child: TableSchema, key: Column, parent: TableSchema, profile: Profile | None) -> bool:
    """Do the values allow it? A child's range must lie within its parent's."""
    child_table = profile.table(child.name) if profile else None
    parent_table = profile.table(parent.name) if profile else None
    a = child_table.column(column.name) if child_table else None
    b = parent_table.column(key.name) if parent_table else None
    if a is None or b is None or None in (a.minimum, b.minimum, a.maximum, b.maximum):
        return True
    try:
        return bool(b.minimum <= a.minimum and a.maximum <= b.maximum)
    except TypeError:
        return False


def _without_mirrors(edges: list[Edge]) -> list[Edge]:
    kept: list[Edge] = []
    seen: set[frozenset[tuple[str, str]]] = set()
    for e in edges:
        pair = frozenset(((e.left.lower(), e.left_column.lower()), (e.right.lower(), e.right_column.lower())))
        if pair not in seen:
            seen.add(pair)
            kept.append(e)
    return kept
