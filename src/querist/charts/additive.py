"""Which columns of a result may be added up: what the query tells, or else their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_SUMS = {"sum", "total", "count", "number"}
_NO_SUMS = set(
    "avg average mean median rate ratio share pct percent percentage per min max lowest highest distinct unique "
    "running cumulative cumulated change growth difference stddev variance".split()
)
"""Words of a column's name that tell of values which may be added up, and of values which may not."""
_PARTS = {"share", "pct", "percent", "percentage", "proportion", "fraction"}


def words_of(name: str) -> list[str]:
    """The words of a column's name, in small letters."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())


def is_sum(name: str) -> bool:
    """Whether a column's name tells of values that may be added up."""
    return bool(_SUMS & set(words_of(name))) and not is_mean(name)


def is_mean(name: str) -> bool:
    """Whether a column's name tells of values that may not be added up."""
    return bool(_NO_SUMS & set(words_of(name)))


def is_whole(name: str, amounts: Sequence[float]) -> bool:
    """Whether shares are all parts of one whole, which they add up to but for rounding."""
    return bool(_PARTS & set(words_of(name))) and any(abs(sum(amounts) / whole - 1) < 0.005 for whole in (1, 100))


def is_part(sql: str, rows: int) -> bool:
    """Whether a query with so many rows leaves groups out: by HAVING, QUALIFY, OFFSET, or by a LIMIT that they meet."""
    from sqlglot import exp

    query = _parsed(sql)
    if not isinstance(query, exp.Query):
        return False
    limit = query.args.get("limit")
    count = limit.args.get("expression") or limit.args.get("count") if limit else None
    met = count is not None and not (isinstance(count, exp.Literal) and count.is_int and int(count.this) > rows)
    return met or any(query.args.get(part) for part in ("having", "qualify", "offset"))


def sums_of(sql: str, width: int) -> list[bool]:
    """Which columns of a query's result are sums or counts of rows; none where the query does not tell."""
    from sqlglot import exp

    query = _parsed(sql)
    if not isinstance(query, exp.Select) or len(query.selects) != width or query.is_star:
        return [False] * width
    if query.find(exp.Rollup, exp.Cube, exp.GroupingSets):  # some rows are sums of others
        return [False] * width
    return [_adds_up(part) for part in query.selects]


def _parsed(sql: str) -> exp.Expr | None:
    import sqlglot

    for dialect in ("", "mysql", "tsql") if sql else ():  # a table does not say whose it is
        try:
            return sqlglot.parse_one(sql, dialect=dialect)
        except sqlglot.errors.SqlglotError:
            continue
    return None


def _adds_up(part: exp.Expr) -> bool:
    from sqlglot import exp

    while isinstance(part, (exp.Alias, exp.Paren, exp.Round, exp.Cast, exp.Coalesce)):
        part = part.this
    return isinstance(part, (exp.Sum, exp.Count)) and part.find(exp.Distinct) is None
