"""A draft: one way of asking a model for a query, and what becomes of the query: mended, guarded, run, checked."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from querist.answer.all_spellings import all_spellings
from querist.answer.answer import Attempt, Check
from querist.answer.checks import Case, repairs, run_checks, vetoed
from querist.answer.context import Style
from querist.answer.mend import mend
from querist.answer.periods import whole_days
from querist.answer.prepared import Prepared
from querist.answer.prompts import prompt
from querist.answer.pruning import SCHEMA_TOKENS, Fitted, fitted
from querist.answer.reshape import distinct
from querist.answer.vote import is_blank
from querist.errors import DataError, GuardError, QueryTimeoutError
from querist.models.base import Message, Model, Reply, Request
from querist.sources.base import Limits, Source
from querist.sources.guard import guard
from querist.sources.table import Table

P = ParamSpec("P")
T = TypeVar("T")

MAX_TOKENS = 400
"""Bound on the length of one draft."""
LONGEST_ERROR = 600
"""Characters of an error that a model is told."""


@dataclass(frozen=True)
class Strategy:
    """A way of asking: which prompt, over which rendering of the schema."""

    name: str
    prompt: str
    style: Style


STRATEGIES: tuple[Strategy, ...] = (
    Strategy("direct", "draft", "bare"),
    Strategy("examples", "draft_examples", "bare"),
    Strategy("values", "draft", "rich"),
)
"""In the order in which they are tried. They differ by design, so that what they agree on is not the same mistake."""


@dataclass(frozen=True)
class Task:
    """One question to one source.

    Attributes:
        hints: lines that stand below the question.
        schema_tokens: the most that a model is shown of the schema.
    """

    question: str
    prepared: Prepared
    hints: str = ""
    limits: Limits = Limits()
    schema_tokens: int = SCHEMA_TOKENS

    def schema(self, style: Style) -> Fitted:
        """What a model is shown of the schema."""
        return fitted(self.question, self.prepared, style, self.schema_tokens)


@dataclass(frozen=True)
class Draft:
    """A query and what became of it. `table` is None when it did not run; then `error` says why.

    `guesses` are those of `mended` that may be wrong, in sentences for people.
    """

    task: Task
    strategy: Strategy
    written: str
    sql: str
    mended: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    table: Table | None = None
    error: str = ""
    timed_out: bool = False
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0
    database: float = 0.0
    logprob: float | None = None

    @property
    def ran(self) -> bool:
        return self.table is not None

    @property
    def acceptable(self) -> bool:
        """It ran, gave something, and no check vetoes it."""
        return self.table is not None and not is_blank(self.table) and not vetoed(self.checks)

    @property
    def complaints(self) -> list[str]:
        """What a model could be told to mend; empty when there is nothing."""
        return [self.error] if self.error else repairs(self.checks)

    def attempt(self, group: int | None) -> Attempt:
        rows = len(self.table) if self.table is not None else None
        source = self.task.prepared.source.name
        return Attempt(self.sql, self.strategy.name, source, self.mended, self.error, rows, self.seconds, group)


async def write(model: Model, task: Task, strategy: Strategy, more: Sequence[Message] = ()) -> tuple[str, Reply]:
    """Ask a model for a query: its text as it came, and the whole reply. `more` follows the question."""
    schema = task.schema(strategy.style)
    first = prompt(strategy.prompt).messages(
        dialect=dialect_name(task.prepared.schema.dialect),
        schema=schema.text,
        question=task.question,
        hints=task.hints,
    )
    # What is shown of a schema that does not fit is another text for each question, so there is no prefix to keep.
    shared = not schema.left_out
    request = Request(
        (*first, *more),
        max_tokens=MAX_TOKENS,
        prefix=task.prepared.prefix(strategy.prompt, strategy.style) if shared else "",
        stop=(";",),
        logprobs=True,
    )
    reply = await model.complete(request)
    return query_in(reply.text), reply


async def write_again(model: Model, draft: Draft) -> tuple[str, Reply]:
    """Ask a model to mend a draft, telling it what the engine or the checks said."""
    told = " ".join(draft.complaints)[:LONGEST_ERROR]
    again = (Message("assistant", draft.written), *prompt("repair").messages(problem=told))
    return await write(model, draft.task, draft.strategy, again)


async def settle(task: Task, strategy: Strategy, written: str, *, as_written: bool = False) -> Draft:
    """Mend (unless it is to run as written), guard, run and check a query, off the event loop.

    Cancelling stops the query.
    """
    started = time.monotonic()
    work = run_as_written if as_written else _settle
    draft = await off_loop(task.prepared.source, work, task, strategy, written)
    return replace(draft, seconds=time.monotonic() - started)


async def off_loop(source: Source, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do blocking work on a source off the event loop. Cancelling stops the query that it is at."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except asyncio.CancelledError:
        source.interrupt()
        raise


def run_as_written(task: Task, strategy: Strategy, written: str) -> Draft:
    """Guard, run and check a query that nobody may mend."""
    return _run(task, Draft(task, strategy, written, written))


def _settle(task: Task, strategy: Strategy, written: str) -> Draft:
    prepared = task.prepared
    mended = mend(written, prepared, task.question)
    draft = _run(task, Draft(task, strategy, written, mended.sql, mended.notes, mended.guesses))
    for name, (note, rewrite) in _REWRITES.items():
        if any(check.name == name and check.outcome == "failed" for check in draft.checks):
            sql = rewrite(draft.sql, prepared, task.question)
            second = replace(draft, sql=sql, mended=(*draft.mended, note), table=None, checks=())
            if sql != draft.sql and (second := _run(task, second)).acceptable:
                draft = second
    return draft


_REWRITES: dict[str, tuple[str, Callable[[str, Prepared, str], str]]] = {
    "spelling_left_out": (
        "took all spellings of a value, which its column writes in several",
        lambda sql, prepared, _: all_spellings(sql, prepared),
    ),
    "day_as_moment": (
        "took all of a day, since the column has times",
        lambda sql, prepared, question: whole_days(sql, prepared.schema, question),
    ),
    "duplicate_rows": (
        "showed each row once, since the join repeats them",
        lambda sql, prepared, _: distinct(sql, prepared.schema),
    ),
}
"""What is certain to mend a query of which a check found something, by the name of the check."""


def _run(task: Task, draft: Draft) -> Draft:
    prepared = task.prepared
    try:
        guarded = guard(draft.sql, prepared.schema)
    except GuardError as error:
        return replace(draft, error=f"{error.message} {error.hint}".strip())
    draft = replace(draft, sql=guarded.sql, mended=(*draft.mended, *guarded.notes))
    started = time.monotonic()
    try:
        table = prepared.source.execute(guarded.sql, task.limits)
    except QueryTimeoutError as error:
        said = f"{error.message} {error.hint}"
        return replace(draft, error=said, timed_out=True, database=time.monotonic() - started)
    except DataError as error:
        return replace(draft, error=error.message, database=time.monotonic() - started)
    took = time.monotonic() - started
    case = Case(
        question=task.question,
        sql=guarded.sql,
        tree=guarded.expression,
        table=table,
        schema=prepared.schema,
        profile=prepared.profile,
        joins=prepared.joins,
        values=prepared.values,
        run=prepared.probe,
        guesses=draft.guesses,
    )
    return replace(draft, table=table, database=took, checks=tuple(run_checks(case)))


def query_in(text: str) -> str:
    """The query in a model's reply: without fences, labels, comment lines and a final semicolon."""
    fenced = re.search(r"```[a-zA-Z]*\s*(.*?)(?:```|$)", text, re.S)
    body = fenced.group(1) if fenced else text
    lines = [line for line in body.splitlines() if not line.strip().startswith("--")]
    query = re.sub(r"^\s*(SQL|Query)\s*:\s*", "", "\n".join(lines).strip(), flags=re.I)
    return query.split(";")[0].strip()


def dialect_name(dialect: str) -> str:
    """What people call the dialect, for a prompt."""
    names = {"sqlite": "SQLite", "duckdb": "DuckDB", "postgres": "PostgreSQL", "mysql": "MySQL", "tsql": "SQL Server"}
    return names.get(dialect, dialect.capitalize())
