"""Mend the texts that a query compares columns with: those spelt differently, and those that another column holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.answer.mending import Mending
from querist.answer.scopes import own
from querist.sources.base import TableSchema
from querist.sources.joins import Edge

if TYPE_CHECKING:
    from sqlglot import exp


def mend_literals(select: Mending) -> None:
    """Let each text be one that its column holds, where the values leave no doubt or little.

    A text that the data do hold stays, whatever the index of values knows of it.
    """
    from sqlglot import exp

    for node in list(own(select.select, exp.Predicate)):
        if isinstance(node, (exp.EQ, exp.NEQ)):
            for column, literal in ((node.left, node.right), (node.right, node.left)):
                if isinstance(column, exp.Column) and isinstance(literal, exp.Literal) and literal.is_string:
                    _mend_texts(select, column, [literal])
        elif isinstance(node, exp.In) and isinstance(node.this, exp.Column):
            literals = [e for e in node.expressions if isinstance(e, exp.Literal) and e.is_string]
            if literals and len(literals) == len(node.expressions):
                _mend_texts(select, node.this, literals)
        elif isinstance(node, exp.Like) and isinstance(node.this, exp.Column):
            _mend_pattern(select, node.this, node.expression)


def _mend_texts(select: Mending, column: exp.Column, literals: list[exp.Literal]) -> None:
    table = select.scope.table_of(column)
    if table is None:
        return
    covered = select.values.covers(table.name, column.name)
    spelt = [covered and _spell(select, table, column, literal) for literal in literals]
    if not any(spelt):
        _move_to_holder(select, column, table, literals)


def _spell(select: Mending, table: TableSchema, column: exp.Column, literal: exp.Literal) -> bool:
    """Write a text as its column does; False where the column holds nothing that it can mean."""
    text, values = literal.name, select.values
    written = values.written(table.name, column.name, text)
    near = None if written else values.misspelt(table.name, column.name, text)
    taken = written if near is None else [near]
    if not taken:
        return False
    if taken != [text] and select.lacks(table, column.name, text):
        told, place = " and ".join(map(repr, taken)), f"{table.name}.{column.name}"
        select.told.notes.append(f"read {text!r} as {told}, as {place} writes it")
        if near is not None:
            select.told.instead(f"{text!r} for {place}", told, "which does not hold it")
        _put(literal, taken)
    return True


def _put(literal: exp.Literal, texts: list[str]) -> None:
    """Put texts in the place of one, any of which will do."""
    from sqlglot import exp

    node, new = literal.parent, [exp.Literal.string(text) for text in texts]
    if len(new) == 1:
        literal.replace(new[0])
    elif isinstance(node, exp.In):
        node.set("expressions", [e for old in node.expressions for e in (new if old is literal else [old])])
    elif isinstance(node, exp.Binary):
        column = node.right if node.left is literal else node.left
        among = exp.In(this=column.copy(), expressions=new)
        node.replace(exp.Not(this=among) if isinstance(node, exp.NEQ) else among)


def _mend_pattern(select: Mending, column: exp.Column, pattern: exp.Expr) -> None:
    """A text that no value of the column contains is looked for in the one column here that does contain it."""
    from sqlglot import exp

    table = select.scope.table_of(column)
    text = pattern.name.strip("%") if isinstance(pattern, exp.Literal) and pattern.is_string else ""
    if table is None or not select.values.covers(table.name, column.name) or set("%_") & set(text):
        return
    places = [(t.lower(), c.lower()) for t, c in select.values.containing(text)]
    asked = (table.name.lower(), column.name.lower())
    here = [(alias, c) for alias, t in select.tables.items() for name, c in places if name == t.name.lower()]
    if asked in places or len(here) != 1 or select.values.overlap(asked, (select.tables[here[0][0]].name, here[0][1])):
        return
    if select.lacks(table, column.name, text, inside=True):
        select.rebind(column, *here[0], guess=f"which does not hold {text!r}")


def _move_to_holder(select: Mending, column: exp.Column, table: TableSchema, literals: list[exp.Literal]) -> None:
    """The column holds none of the texts: filter the column that does, here or behind this foreign key.

    Not one that shares values with it: of the winner and the loser of a match, each may lack what the other holds.
    """
    places = [select.values.holders(literal.name) for literal in literals]
    shared = set(places[0]).intersection(*places[1:])
    keys = {p: edge for p in shared if (edge := _key_to(select, column, table, p[0])) is not None}
    near = [p for p in shared if p in keys or select.aliases(p[0])]
    near = [p for p in near if not select.values.overlap(p, (table.name, column.name))]
    here = [p for p in near if p[0].lower() == table.name.lower()]
    behind = [p for p in near if p in keys]
    joined = [p for p in near if p not in here and len(select.aliases(p[0])) == 1]
    chosen = next((found[0] for found in (behind, here, joined) if len(found) == 1), None)
    if chosen is None or not all(select.lacks(table, column.name, literal.name) for literal in literals):
        return
    left = column.table.lower() or select.aliases(table.name)[0]
    if chosen in behind:
        edge = keys[chosen]
        if (alias := _joined_by(select, left, edge)) is None:
            if select.scope.opaque:
                return
            alias = select.add_join(
                left, edge, f"{edge.right}_{edge.left_column}" if select.aliases(edge.right) else ""
            )
    else:
        alias = left if chosen in here else select.aliases(chosen[0])[0]
    sure = chosen in behind and {*here, *behind, *joined} == {chosen}
    missing = " and ".join(repr(literal.name) for literal in literals)
    select.rebind(column, alias, chosen[1], guess="" if sure else f"which does not hold {missing}")
    for literal, place in zip(literals, places, strict=True):
        _put(literal, place[chosen])


def _key_to(select: Mending, column: exp.Column, table: TableSchema, other: str) -> Edge | None:
    """The edge by which this very column, and not one of several that are a key together, leads to the other table."""
    several = [k for k in table.foreign_keys if len(k.columns) > 1 and k.target_table.lower() == other.lower()]
    if any(column.name.lower() in map(str.lower, key.columns) for key in several):
        return None
    edges = [e for e in select.joins.between(table.name, other) if e.left_column.lower() == column.name.lower()]
    return edges[0] if len(edges) == 1 else None


def _joined_by(select: Mending, left: str, edge: Edge) -> str | None:
    """The name under which the SELECT joins the other table by that edge: others are other rows of it."""
    from sqlglot import exp

    for alias in select.aliases(edge.right):
        wanted = {(left, edge.left_column.lower()), (alias, edge.right_column.lower())}
        for on in own(select.select, exp.EQ):
            sides = [(c.table.lower(), c.name.lower()) for c in (on.left, on.right) if isinstance(c, exp.Column)]
            if set(sides) == wanted:
                return alias
    return None
