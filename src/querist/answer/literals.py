"""The literals of a query: what each is compared with, and so what another value in its place would mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.scopes import select_tables
from querist.answer.wording import canonical
from querist.sources.base import Schema

if TYPE_CHECKING:
    from sqlglot import exp

LIMIT, CONSTANT, POSITION = "LIMIT", "CONSTANT", "POSITION"
"""Roles of literals that are compared with nothing."""


@dataclass(frozen=True, eq=False)
class QueryLiteral:
    """A literal of the query.

    Attributes:
        role: what it is compared with, or one of the names above, or "" when it is something else.
        column: the stored text column that it must equal, or must not.
        fold: the case that the query brings that column to.
    """

    node: exp.Expr
    role: str
    column: tuple[str, str] | None = None
    fold: str = ""

    @property
    def text(self) -> str:
        return str(self.node.this)


def literals_of(tree: exp.Expr, schema: Schema) -> Iterator[QueryLiteral]:
    """Every literal of a query."""
    from sqlglot import exp

    wrappers = (exp.Neg, exp.Paren, exp.Cast, exp.TryCast, exp.Date, exp.TsOrDsToDate)
    comparisons = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)
    for literal in tree.find_all(exp.Literal, exp.Boolean):
        node: exp.Expr = literal
        while isinstance(node.parent, wrappers) and node.arg_key == "this":
            node = node.parent
        parent, other = node.parent, None
        if isinstance(parent, comparisons):
            other = parent.expression if node is parent.this else parent.this
        elif (isinstance(parent, exp.Between) and node.arg_key in ("low", "high")) or (
            isinstance(parent, exp.In) and node.arg_key == "expressions"
        ):
            other = parent.this
        if other is None or isinstance(other, exp.Literal):
            yield QueryLiteral(literal, _uncompared(literal, parent))
            continue
        column, fold = None, ""
        if literal.is_string and node is literal and isinstance(parent, (exp.EQ, exp.NEQ, exp.In)):
            column, fold = _column(other, schema)
        yield QueryLiteral(literal, _unqualified(other), column, fold)


def _uncompared(literal: exp.Expr, parent: exp.Expr | None) -> str:
    """The role of a literal that is compared with nothing."""
    from sqlglot import exp

    if isinstance(parent, (exp.Limit, exp.Fetch)):
        return LIMIT
    decides = isinstance(parent, (exp.Case, exp.If, exp.Coalesce, exp.Connector, exp.Cast))
    if isinstance(parent, (exp.Ordered, exp.Group)) or (isinstance(parent, exp.Func) and not decides):
        return POSITION
    plain = isinstance(literal, exp.Literal) and not literal.is_string
    return CONSTANT if plain and canonical(literal.name) in ("0", "1", "100") else ""


def _column(node: exp.Expr, schema: Schema) -> tuple[tuple[str, str] | None, str]:
    """The stored text column that is compared, and the case that it is brought to."""
    from sqlglot import exp

    fold = ""
    while isinstance(node, (exp.Lower, exp.Upper, exp.Trim, exp.Paren)):
        if isinstance(node, (exp.Lower, exp.Upper)):
            fold = fold or ("lower" if isinstance(node, exp.Lower) else "upper")
        node = node.this
    select = node.find_ancestor(exp.Select)
    known = select_tables(select, schema).resolve(node) if select is not None and isinstance(node, exp.Column) else None
    return ((known[0].name, known[1].name), fold) if known is not None and known[1].kind == "text" else (None, "")


def _unqualified(node: exp.Expr) -> str:
    """An expression, whichever way its tables are called."""
    from sqlglot import exp

    plain = node.copy()
    for column in [plain] if isinstance(plain, exp.Column) else plain.find_all(exp.Column):
        column.set("table", None)
    return plain.sql().lower()


def is_number(place: QueryLiteral) -> bool:
    """Whether it is a number without an exponent."""
    return not place.node.is_string and bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?", place.text))
