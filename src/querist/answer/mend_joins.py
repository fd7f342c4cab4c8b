"""Mend join conditions: columns that are not there, or that never meet, where known keys join the two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.answer.mending import Mending, like_name, same_name
from querist.answer.scopes import reading
from querist.sources.base import TableSchema
from querist.sources.joins import Edge, flat, words_of

if TYPE_CHECKING:
    from sqlglot import exp


_KEYS = ("id", "key", "code", "no", "number")
"""What the keys of tables are called, where none is declared."""


def mend_joins(select: Mending) -> None:
    """Replace a condition of a join that cannot be meant by the keys that join its tables.

    One between columns that exist says what it says: a department's head is an employee, but not one of its staff.
    """
    from sqlglot import exp

    for join in list(select.select.args.get("joins") or []):
        on = join.args.get("on")
        if isinstance(on, exp.EQ) and isinstance(on.left, exp.Column) and isinstance(on.right, exp.Column):
            _mend_join(select, join, on, on.left, on.right)


def _mend_join(select: Mending, join: exp.Join, on: exp.EQ, one: exp.Column, other: exp.Column) -> None:
    left, right = select.tables.get(one.table.lower()), select.tables.get(other.table.lower())
    if left is None or right is None or left is right:
        return
    edges = select.joins.between(left.name, right.name)
    this, that = _column(left, one.name), _column(right, other.name)
    lacking = [column.name for column, known in ((one, this), (other, that)) if known is None]
    if this and that:
        alike = not edges and flat(this) == flat(that)
        if alike or select.joins.joins(left.name, this, right.name, that):
            return
        if not _of_two_things(select, left, this, right, that) and _meet(select, left, this, right, that):
            return
    if not edges:
        _go_around(select, join, on, one, other, lacking)
        return
    near = [e for e in edges if one.name.lower() == e.left_column.lower()]
    near += [e for e in edges if other.name.lower() == e.right_column.lower() and e not in near]
    if len(edges) > 1 and len(near) != 1:
        return
    edge = (near or edges)[0]
    before = select.sql(on)
    on.set("this", select.column_of(one.table.lower(), edge.left_column))
    on.set("expression", select.column_of(other.table.lower(), edge.right_column))
    _tell(select, before, select.sql(on), lacking, [edge])
    select.told.notes.append(
        f"joined on {edge.left}.{edge.left_column} = {edge.right}.{edge.right_column} in place of {before}"
    )


def _go_around(
    select: Mending, join: exp.Join, on: exp.EQ, one: exp.Column, other: exp.Column, lacking: list[str]
) -> None:
    """Join by way of the tables that lie between, where no key joins the two directly."""
    if join.this.alias_or_name.lower() == one.table.lower():
        one, other = other, one
    left, right = select.tables[one.table.lower()], select.tables[other.table.lower()]
    path = select.joins.sole_path([left.name], right.name)
    if not path or join.this.alias_or_name.lower() != other.table.lower():
        return
    if len(select.aliases(left.name)) > 1 or any(select.aliases(edge.right) for edge in path[:-1]):
        return
    before = select.sql(on)
    joins = select.select.args["joins"]
    place, known = joins.index(join), len(joins)
    beside = select.add_path(path[:-1])
    joins[place:place] = joins[known:]
    del joins[known + len(path) - 1 :]
    on.set("this", select.column_of(beside, path[-1].left_column))
    on.set("expression", select.column_of(other.table.lower(), path[-1].right_column))
    way = ", ".join(e.right for e in path[:-1])
    _tell(select, before, f"a join by way of {way}", lacking, path)
    select.told.notes.append(f"joined by way of {way} in place of {before}")


def _tell(select: Mending, before: str, taken: str, lacking: list[str], path: list[Edge]) -> None:
    """A column that is not there but is called like a key of the path can only mean that key; else it is a guess."""
    keys = {name.lower() for edge in path for name in (edge.left_column, edge.right_column)}
    if not lacking:
        select.told.guesses.append(f"The query joins on {before}, which are no keys of each other; {taken} was taken.")
    elif not keys.issuperset(map(str.lower, lacking)):
        select.told.instead(" and ".join(lacking), taken)


def _column(table: TableSchema, name: str) -> str | None:
    """The column of the table that a name is, must or may mean."""
    names, known = [column.name for column in table.columns], table.column(name)
    return known.name if known else same_name(name, names) or like_name(name, names)


def _of_two_things(select: Mending, left: TableSchema, one: str, right: TableSchema, other: str) -> bool:
    """The columns are keys, and of different tables: no truck is a trip, even where both have the number 1."""
    things = [_identifies(select, table, column) for table, column in ((left, one), (right, other))]
    return all(things) and things[0].isdisjoint(things[1])


def _identifies(select: Mending, table: TableSchema, column: str) -> set[str]:
    """The tables whose rows a column names: its own where it is the key, and those that it refers to."""
    place = (table.name.lower(), column.lower())
    found = {e.right.lower() for e in select.joins.edges if (e.left.lower(), e.left_column.lower()) == place}
    profile = select.prepared.profile.table(table.name)
    known = profile.column(column) if profile else None
    called = known is not None and known.likely_key and set(words_of(column)) <= {*words_of(table.name), *_KEYS}
    referred = any(e.right_column.lower() == place[1] for e in select.joins.into(table.name))
    return {*found, place[0]} if called or referred or table.primary_key == (column,) else found


def _meet(select: Mending, left: TableSchema, one: str, right: TableSchema, other: str) -> bool:
    """Whether any value of one column is one of the other."""
    from sqlglot import exp

    on = exp.EQ(this=exp.column(one, table="a", quoted=True), expression=exp.column(other, table="b", quoted=True))
    return not select.never(exp.select("1").from_(reading(left, "a")).join(reading(right, "b"), on=on))
