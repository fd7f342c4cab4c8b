"""Whether the data can answer a question: a query that takes one thing for another is the worst of wrong answers.

A question with a word that the data never say is suspicious only together with a column that the question never asks
for: `earnings` beside `matches_won`. Whether the one means the other is asked of the model, a yes or no for each pair;
with `nation` beside `country` it says yes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from querist.answer.context import EXAMPLES, show
from querist.answer.coverage import (
    Named,
    dates,
    invented_words,
    same_word,
    unasked_names,
    unasked_tables,
    unknown_words,
)
from querist.answer.draft import Draft, Task
from querist.answer.prompts import prompt
from querist.answer.values import normal
from querist.errors import GuardError, ModelError
from querist.models.base import Model, Reply, Request
from querist.sources.guard import GuardedQuery, guard

if TYPE_CHECKING:
    from sqlglot import exp

MOST_CANDIDATES = 6
"""Columns and tables that a model is asked about for one word."""
MOST_WORDS = 4
"""Words of a question that a model is asked about."""
MOST_COLUMNS = 12
"""Columns of a table that a model is shown when it is asked about the table."""


@dataclass(frozen=True)
class Missing:
    """What a question asks for and the data do not hold.

    Attributes:
        words: as the question has them.
        instead: what the query reads that nobody asked for.
        certain: the query takes that for the words, or cannot do without them: no answer is better than this one. Else
            the words are only left out.
    """

    words: tuple[str, ...]
    instead: tuple[Named, ...] = ()
    certain: bool = True

    @property
    def told(self) -> str:
        words = " and ".join(f"“{word}”" for word in self.words)
        instead = ", ".join(map(str, self.instead))
        return f"Nothing in the data is called {words}" + (f"; the query takes {instead} for it." if instead else ".")


class Judge:
    """Asks a model, a yes or no at a time, whether what the data hold is what a word means.

    Attributes:
        replies: of the model, for their cost.
        unclear: a reply was neither yes nor no, as of a model that first thinks aloud; it is not asked again.
    """

    def __init__(self, model: Model, task: Task) -> None:
        self.model, self.task = model, task
        self.replies: list[Reply] = []
        self.unclear = False
        self.computed: dict[str, str] = {}

    async def first_told(self, candidates: Sequence[Named], word: str) -> Named | None:
        """The first of the first few candidates that tells what the word means, itself or by what is computed of it."""
        for named in candidates[:MOST_CANDIDATES]:
            if not self.unclear and await self.tells(named, word):
                return named
        return None

    async def tells(self, named: Named, word: str) -> bool:
        prepared = self.task.prepared
        if named.column in self.computed:
            expression = self.computed[named.column]
            asked = prompt("judge_expression").messages(table=named.table, expression=expression, word=word)
        elif named.column:
            table = prepared.profile.table(named.table)
            profile = table.column(named.column) if table else None
            values = ", ".join(show(value) for value in (profile.examples if profile else ())[:EXAMPLES])
            asked = prompt("judge_column").messages(
                table=named.table, column=named.column, values=values or "NULL", word=word
            )
        else:
            schema = prepared.schema.table(named.table)
            columns = ", ".join(column.name for column in schema.columns[:MOST_COLUMNS]) if schema else ""
            asked = prompt("judge_table").messages(table=named.table, columns=columns, word=word)
        reply = await self.model.complete(Request(asked, max_tokens=2, prefix="judge"))
        self.replies.append(reply)
        said = re.sub(r"\W+", "", reply.text).lower()
        self.unclear = not said.startswith(("yes", "no"))
        return said.startswith("yes")


async def missing(
    task: Task, drafts: Sequence[Draft], winner: Draft | None, judge: Judge, note: str = ""
) -> Missing | None:
    """What the data lack for a question, by the query that would answer it; None when they seem to hold it all."""
    prepared = task.prepared
    words = unknown_words(task.question, prepared, note)[:MOST_WORDS]
    if not words:
        return None
    tried = [w for draft in drafts if draft.error for w in invented_words(draft.written, prepared)]
    invented = tuple(w for w in words if any(same_word(part, t) for part in w.split() for t in tried))
    if winner is None or (read := _guarded(winner)) is None:
        return Missing(invented) if invented else None
    judge.computed = _computed(read.expression, prepared.schema.dialect)
    dated = dates(task.question, read.columns, prepared)
    columns = unasked_names(task.question, [pair for pair in read.columns if pair not in dated], prepared)
    tables = [Named(table) for table in unasked_tables(task.question, read.tables)]
    asked = [Named(*pair) for pair in read.columns if Named(*pair) not in columns]
    looked_for = _literals(read.expression)
    words = [word for word in words if f" {word} " not in looked_for]
    try:
        told = {word: await judge.first_told([*columns, *tables, *asked], word) for word in words}
    except ModelError:  # an answer that is ready is not lost for want of a judge, and not sure without one
        return Missing(tuple(words), certain=False)
    lost = tuple(word for word, named in told.items() if named is None)
    if not lost:
        return None
    # Rows that are only counted, or told apart by a date, stand for the word themselves.
    taken = tables if set(read.columns) <= dated else columns
    instead = tuple(named for named in taken if named not in told.values())
    certain = bool((instead and not judge.unclear) or set(lost) & set(invented))
    return Missing(lost, instead, certain)


def _literals(tree: exp.Expr) -> str:
    """The texts that a query looks for; that one is no value of the data is a check's to find."""
    from sqlglot import exp

    return " ".join(f" {normal(literal.name)} " for literal in tree.find_all(exp.Literal) if literal.is_string)


def _computed(tree: exp.Expr, dialect: str) -> dict[str, str]:
    """The sums and the arithmetic of a query that columns stand in, by the name of the column."""
    from sqlglot import exp

    links = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Sum, exp.Paren, exp.Cast, exp.Coalesce, exp.Nullif, exp.Round)
    found = {}
    for column in tree.find_all(exp.Column):
        top: exp.Expr = column
        while isinstance(top.parent, links):
            top = top.parent
        if top.find(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Sum):
            plain = top.transform(lambda n: exp.column(n.this) if isinstance(n, exp.Column) else n)
            found[column.name] = plain.sql(dialect=dialect)
    return found


def _guarded(draft: Draft) -> GuardedQuery | None:
    try:
        return guard(draft.sql, draft.task.prepared.schema)
    except GuardError:
        return None
