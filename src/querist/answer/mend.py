"""Mend a draft without a model: names bound wrongly, joins that are missing, literals spelt differently.

Small models write the right query with the wrong alias more often than the wrong query. What the schema and the values
decide on their own is decided here, by syntax tree, and every change is told in a note; one that may be wrong is told
as a guess, and no answer that rests on it is sure. What stays undecided is left as it was: the guard then refuses it
with a message that a model can act on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.mend_joins import mend_joins
from querist.answer.mend_literals import mend_literals
from querist.answer.mending import MISSING, Mending, Told, like_name, same_name
from querist.answer.periods import whole_periods
from querist.answer.prepared import Prepared
from querist.answer.reshape import reshape
from querist.answer.scopes import identifier, own, select_tables
from querist.sources.base import Schema, TableSchema
from querist.sources.joins import Edge, flat, words_of

if TYPE_CHECKING:
    from sqlglot import exp

_DATE_FORM = re.compile(r"(?:%[A-Za-z]\W?)+")
"""`%Y-%m`, which without its signs could be the name of a column."""


@dataclass(frozen=True)
class Mended:
    """`sql` after mending, and a note about each change; no notes when nothing was changed.

    `guesses` are sentences for people about the changes that may be wrong.
    """

    sql: str
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


def mend(sql: str, prepared: Prepared, question: str = "") -> Mended:
    """Mend one query. Text that does not parse as a single query comes back as it was."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.scope import traverse_scope

    schema = prepared.schema
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=schema.dialect) if tree is not None]
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            return Mended(sql)
        tree = trees[0]
        told = Told()
        _mend_table_names(tree, schema, told)
        for scope in traverse_scope(tree):
            if isinstance(scope.expression, exp.Select):
                select = Mending(scope.expression, select_tables(scope.expression, schema), prepared, told)
                _mend_select(select)
                told.notes += whole_periods(scope.expression, select.scope, question)
        if not told.notes:
            return Mended(sql)
        notes, guesses = (tuple(dict.fromkeys(said)) for said in (told.notes, told.guesses))
        return Mended(tree.sql(dialect=schema.dialect), notes, guesses)
    except (SqlglotError, RecursionError):
        return Mended(sql)


def _mend_select(select: Mending) -> None:
    from sqlglot import exp

    select.told.notes += reshape(select.select, select.tables)
    if not select.tables:
        return
    mend_joins(select)
    for column in list(own(select.select, exp.Column)):
        _mend_column(select, column)
    mend_literals(select)


def _mend_table_names(tree: exp.Expr, schema: Schema, told: Told) -> None:
    from sqlglot import exp

    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    names = [table.name for table in schema.tables]
    for table in tree.find_all(exp.Table):
        if not table.name or table.db or table.name.lower() in own or schema.table(table.name):
            continue
        same = same_name(table.name, names)
        if (known := same or like_name(table.name, names)) is not None:
            told.notes.append(f"read the table {table.name!r} as {known!r}")
            if same is None:
                told.instead(f"the table {table.name}", known)
            if not table.alias:
                table.set("alias", exp.TableAlias(this=table.this.copy()))
            table.set("this", identifier(known))


def _longer_names(name: str, known: list[str]) -> list[str]:
    """The known names that say all words of `name` and more: `air_date` for `original_air_date`."""
    words = set(words_of(name))
    return [k for k in known if len(words) > 1 and words < set(words_of(k))]


def _mend_column(select: Mending, column: exp.Column) -> None:
    from sqlglot import exp

    if isinstance(column.this, exp.Star) or column.args.get("db"):
        return
    name, qualifier, tables = column.name, column.table.lower(), select.tables
    if qualifier and qualifier not in tables:
        by_name = select.aliases(qualifier)
        if len(by_name) == 1 and not _is_row_around(select, column, by_name[0]):
            select.rebind(column, by_name[0], name)
        elif _may_be_elsewhere(select, column):
            return
    qualifier = column.table.lower()
    if qualifier in tables:
        if tables[qualifier].column(name) or _is_rowid(select, name):
            return
    elif any(table.column(name) for table in tables.values()):
        _disambiguate(select, column)
        return
    elif _may_be_elsewhere(select, column) or select.is_output_name(column) or _is_rowid(select, name):
        return
    _resolve(select, column, qualifier)


def _may_be_elsewhere(select: Mending, column: exp.Column) -> bool:
    """The name may be of a derived table, or of a query around this one."""
    from sqlglot import exp

    if select.scope.opaque:
        return True
    node = select.select
    # What a subquery of IN returns is its own: taking it from the query around makes the condition always true.
    returned = column.parent is node and column.arg_key == "expressions"
    parent = node.parent.parent if isinstance(node.parent, exp.Subquery) else node.parent
    return not (returned and isinstance(parent, exp.In)) and select.scope.may_be_outer(column)


def _is_row_around(select: Mending, column: exp.Column, alias: str) -> bool:
    """It is compared with its own table here, and a query around reads that by its name: another row is meant."""
    from sqlglot import exp

    compared, name = column.find_ancestor(exp.Predicate, exp.Select), column.table.lower()
    if not isinstance(compared, exp.Predicate) or not any(name in outer.tables for outer in select.scope.around()):
        return False
    return any(select.scope.table_of(c) is select.tables[alias] for c in compared.find_all(exp.Column))


def _resolve(select: Mending, column: exp.Column, qualifier: str) -> None:
    name, tables, other_side = column.name, select.tables, _other_side(column)
    holders = [alias for alias, table in tables.items() if table.column(name) and alias != other_side]
    if holders:
        near = _closest(select, holders, qualifier)
        select.rebind(column, near[0], name, guess="" if _equated(select, near, name) else MISSING)
        return
    if _is_string(select, column):
        return
    asked = [qualifier] if qualifier in tables else []
    others = [alias for alias in tables if alias not in (qualifier, other_side)]
    names = {alias: [c.name for c in tables[alias].columns] for alias in (*asked, *others)}
    for aliases in (asked, others):
        same = [(alias, known) for alias in aliases if (known := same_name(name, names[alias]))]
        longer = [(alias, known) for alias in aliases for known in _longer_names(name, names[alias])]
        if len(found := same or longer) == 1:
            select.rebind(column, *found[0], guess="" if same else MISSING)
            return
    if len(tables) == 1 and qualifier in ("", *tables) and (key := _own_key(select, name)):
        select.rebind(column, next(iter(tables)), key, guess=MISSING)
        return
    if _join_in(select, column, name):
        return
    for alias in (*asked, *others):
        if known := like_name(name, names[alias]):
            select.rebind(column, alias, known, guess=MISSING)
            return


def _own_key(select: Mending, name: str) -> str | None:
    """The key of the one table here, asked for by the name that other tables have for it; no role such as `head_id`."""
    (table,) = select.tables.values()
    keys = {e.right_column for e in select.joins.into(table.name) if e.left_column.lower() == name.lower()}
    if len(keys) != 1:
        return None
    key = keys.pop()
    return key if set(words_of(name)) <= {*words_of(table.name), *words_of(key)} else None


def _closest(select: Mending, holders: list[str], qualifier: str) -> list[str]:
    """Of several tables that have the column, those that join directly to the table it was asked of."""
    asked = select.tables.get(qualifier)
    near = [h for h in holders if asked and select.joins.between(asked.name, select.tables[h].name)]
    return near or holders


def _equated(select: Mending, aliases: list[str], name: str) -> bool:
    """The columns of that name are the same in every row, so that it does not matter which is meant."""
    from sqlglot import exp

    same = set()
    for on in own(select.select, exp.EQ):
        sides = [
            c.table.lower() for c in (on.left, on.right) if isinstance(c, exp.Column) and flat(c.name) == flat(name)
        ]
        same.add(frozenset(sides))
    inner = not any(join.side for join in select.select.args.get("joins") or [])
    return all(inner and frozenset((aliases[0], other)) in same for other in aliases[1:])


def _disambiguate(select: Mending, column: exp.Column) -> None:
    holders = [alias for alias, table in select.tables.items() if table.column(column.name)]
    if column.table or len(holders) < 2 or select.is_output_name(column):
        return
    if not any(join.args.get("using") for join in select.select.args.get("joins") or []):
        column.set("table", select.name_of(holders[0]))
        taken = select.tables[holders[0]].name
        select.told.notes.append(f"took the ambiguous {column.name!r} from {taken!r}")
        if not _equated(select, holders, column.name):
            select.told.guesses.append(
                f"The query does not say whose {column.name} it means; that of {taken} was taken."
            )


def _is_rowid(select: Mending, name: str) -> bool:
    return select.schema.dialect == "sqlite" and name.lower() in ("rowid", "oid", "_rowid_")


def _is_string(select: Mending, column: exp.Column) -> bool:
    """What is double-quoted and no column was meant as text where it is compared with one, or is a date's form."""
    from sqlglot import exp

    parent = column.parent
    compared = isinstance(parent, (exp.Predicate, exp.In, exp.Like)) and parent.this is not column
    if not column.this.quoted or column.table or not (compared or _DATE_FORM.fullmatch(column.name)):
        return False
    column.replace(exp.Literal.string(column.name))
    select.told.notes.append(f'read "{column.name}" as text')
    return True


def _join_in(select: Mending, column: exp.Column, name: str) -> bool:
    """Bring in the nearest table that has this column, if a single chain of known keys leads to it.

    Sure where no other table has the column, or only as the key that leads to this one.
    """
    if select.scope.opaque:
        return False
    here = [table.name for table in select.tables.values()]
    near: list[tuple[list[Edge], TableSchema]] = []
    for table in select.schema.tables:
        if table.column(name) and (path := select.joins.path(here, table.name)):
            near.append((path, table))
    near.sort(key=lambda found: len(found[0]))
    if not near or (len(near) > 1 and len(near[0][0]) == len(near[1][0])):
        return False
    table = near[0][1]
    path = select.joins.sole_path(here, table.name)
    if path is None or len(select.aliases(path[0].left)) > 1:
        return False
    alias = select.add_path(path)
    same = all(select.joins.joins(table.name, name, other.name, name) for _, other in near[1:])
    select.rebind(column, alias, name, guess="" if same else MISSING)
    return True


def _other_side(column: exp.Column) -> str:
    """In a join condition, the alias that the column is compared with: a table is not joined to itself by one name."""
    from sqlglot import exp

    equals = column.parent
    if not isinstance(equals, exp.EQ) or not isinstance(
        equals.find_ancestor(exp.Join, exp.Select, exp.Where), exp.Join
    ):
        return ""
    other = equals.right if equals.left is column else equals.left
    return other.table.lower() if isinstance(other, exp.Column) else ""
