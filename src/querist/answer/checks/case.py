"""What a check sees, what it says, and how it is declared. Not for the checks themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from querist.answer.checks.selects import Keys, Resolved, Select, selects_of
from querist.answer.values import ValueIndex
from querist.answer.vote import is_blank
from querist.sources.base import ColumnProfile, Profile, Schema, TableProfile, TableSchema
from querist.sources.joins import JoinGraph
from querist.sources.table import Table

if TYPE_CHECKING:
    from sqlglot import exp

Severity = Literal["warn", "repair", "veto"]
"""Whom a finding concerns: people (`warn`), the model too, which can mend it (`repair`), and the vote, which such an
answer must not win (`veto`)."""

Run = Callable[[str], Table]
"""Executes one more guarded, read-only query; the caller bounds its rows and seconds."""


@dataclass(frozen=True)
class Case:
    """An answer's query with its result, and what is known about the data.

    Attributes:
        tree: the query's syntax tree, None when it does not parse; most checks then do not apply.
        guesses: what mending took for something else, in sentences.
        run: for probes. Every check asks it a few cheap queries at most, and only when the tree gives reason to.
    """

    question: str
    sql: str
    tree: exp.Expr | None
    table: Table
    schema: Schema
    profile: Profile
    joins: JoinGraph
    values: ValueIndex | None
    run: Run
    guesses: tuple[str, ...] = ()
    _probed: dict[str, Table] = field(default_factory=dict, repr=False, compare=False)

    @property
    def dialect(self) -> str:
        return self.schema.dialect

    @cached_property
    def selects(self) -> tuple[Select, ...]:
        """Every SELECT of the query, the outermost first."""
        return selects_of(self.tree, self.schema) if self.tree is not None else ()

    @cached_property
    def top(self) -> Select | None:
        """The SELECT whose rows are the result; None when these come from a set operation."""
        return self.selects[0] if self.selects and self.selects[0].node is self.tree else None

    def yielded(self, select: Select, node: exp.Expr) -> tuple[Select, exp.Expr] | None:
        """The SELECT and its output that a scalar subquery, or a column of a derived table or CTE, stands for."""
        found = select.yielded(node)
        if found is None:
            return None
        return next(((inner, found[1]) for inner in self.selects if inner.node is found[0]), None)

    def origin(self, select: Select, node: exp.Expr | None) -> tuple[Select, Resolved] | None:
        """The stored column that a plain column shows, also by way of derived tables, and the SELECT that reads it."""
        if node is None or (known := select.resolve(node)) is not None:
            return (select, known) if node is not None and known else None
        within = self.yielded(select, node.unnest())
        return self.origin(*within) if within else None

    @cached_property
    def keys(self) -> Keys:
        """Unique columns: single primary keys, targets of declared keys, and those without repeats in the data."""
        found = {(t.name.lower(), t.primary_key[0].lower()) for t in self.schema.tables if len(t.primary_key) == 1}
        for edge in self.joins.edges:
            if edge.declared and len(self.joins.between(edge.left, edge.right)) == 1:
                found.add((edge.right.lower(), edge.right_column.lower()))
        for table in self.profile.tables:
            for column in table.columns:
                all_different = not column.nulls and column.distinct == table.row_count > 0 and not table.sampled
                if column.likely_key or all_different:
                    found.add((table.name.lower(), column.name.lower()))
        return Keys(found)

    @cached_property
    def blank(self) -> bool:
        """The result says nothing: no rows, all NULL, or nothing but counts of zero."""
        zeros = all(not isinstance(v, str) and not v for row in self.table.rows for v in row)
        return is_blank(self.table) or (len(self.table) == 1 and zeros)

    def probe(self, query: exp.Expr) -> Table:
        """The result of a probing query; asked once, however many checks want it."""
        sql = query.sql(dialect=self.dialect)
        if sql not in self._probed:
            self._probed[sql] = self.run(sql)
        return self._probed[sql]

    def profile_of(self, table: TableSchema, column: str) -> ColumnProfile | None:
        found = self.profile.table(table.name)
        return found.column(column) if found else None

    def table_profile(self, table: TableSchema) -> TableProfile | None:
        return self.profile.table(table.name)


@dataclass(frozen=True)
class Finding:
    """What a check found: nothing (`PASSED`) or a sentence that says precisely what is wrong.

    Attributes:
        mild: only worth a warning here, whatever the check's severity.
    """

    message: str = ""
    mild: bool = False


PASSED = Finding()

Judge = Callable[[Case], "Finding | None"]


@dataclass(frozen=True)
class Rule:
    """A declared check. `judge` returns None when the check does not apply to a case."""

    name: str
    severity: Severity
    meaning: str
    judge: Judge


def check(*, severity: Severity) -> Callable[[Judge], Rule]:
    """Declare a check: the function's name is its stable name, the docstring's sentence its meaning.

    Args:
        severity: of what it finds, unless the finding is `mild`.
    """

    def declare(judge: Judge) -> Rule:
        return Rule(judge.__name__, severity, (judge.__doc__ or "").strip(), judge)

    return declare


def told(applies: bool, messages: Iterable[str], *, mild: bool = False) -> Finding | None:
    """The messages, each once, as one finding; without any, whether the check passed or did not apply."""
    different = list(dict.fromkeys(messages))
    if different:
        return Finding(" ".join(different), mild)
    return PASSED if applies else None
