"""Mends a query that asks for a value which its column writes in several ways: all of them are meant."""

from __future__ import annotations

from querist.answer.checks.selects import selects_of
from querist.answer.prepared import Prepared
from querist.answer.scopes import own
from querist.sources.spellings import are_words


def all_spellings(sql: str, prepared: Prepared) -> str:
    """The query with all spellings of each word that it compares a column with; codes stay as they are."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect=prepared.schema.dialect)
    for select in selects_of(tree, prepared.schema):
        for node in list(own(select.node, exp.Predicate)):
            known = select.resolve(node.this) if isinstance(node, (exp.EQ, exp.NEQ, exp.In)) else None
            table = prepared.profile.table(known.table.name) if known else None
            profile = table.column(known.column.name) if table and known else None
            asked = node.expressions if isinstance(node, exp.In) else [node.expression]
            texts = [value.name for value in asked if isinstance(value, exp.Literal) and value.is_string]
            others = {
                spelling: None
                for group in (profile.spellings if profile else ())
                if set(group).intersection(texts) and known and are_words(known.column.name, group)
                for spelling in group
                if spelling not in texts
            }
            if others:
                values = [*asked, *map(exp.Literal.string, others)]
                taken = exp.In(this=node.this.copy(), expressions=[value.copy() for value in values])
                node.replace(exp.not_(taken) if isinstance(node, exp.NEQ) else taken)
    return tree.sql(dialect=prepared.schema.dialect)
