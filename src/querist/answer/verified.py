"""Verified queries: a person vouches for a query, and questions that mean the same are then answered from it.

What counts as the same question is decided in `template.py`, by words and values and never by likeness.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from querist.answer.answer import Answer, Check, Evidence, Status
from querist.answer.cleaned import cleaned
from querist.answer.draft import Draft, Strategy, Task, run_as_written, settle
from querist.answer.fixed_time import fixed_time
from querist.answer.prepared import Prepared
from querist.answer.present import present
from querist.answer.routing import choose
from querist.answer.slots import Slot
from querist.answer.template import Template
from querist.answer.values import normal
from querist.answer.wording import words
from querist.errors import DataError, GuardError, QueryError, UsageError
from querist.sources.base import Limits, Schema, Source
from querist.sources.guard import GuardedQuery, guard
from querist.sources.table import Table, json_cell
from querist.state.verified_store import VerifiedQuery, VerifiedStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verification:
    """What was kept; `slots` are the values that other questions may have otherwise."""

    query: VerifiedQuery
    draft: Draft
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Recalled:
    """The answer from a verified query, or None and what people should know of why there is none."""

    answer: Answer | None = None
    warnings: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """How a verified query fares now; `reason` says what is wrong with one that is stale or failed."""

    query: VerifiedQuery
    state: Literal["ok", "changed", "stale", "failed"]
    reason: str = ""


@dataclass(frozen=True)
class _Match:
    query: VerifiedQuery
    prepared: Prepared
    sql: str
    changed: dict[Slot, str]


def place_of(source: Source) -> str:
    """Where a source is, for recognising it again: from any working directory, and when a file joins its folder."""
    text = re.sub(r"^\d+ files in ", "", source.describe())
    return str(Path(text).absolute()) if Path(text).exists() else text


def belongs(query: VerifiedQuery, source: Source) -> bool:
    return (query.source, query.place) == (source.name, place_of(source))


def query_id(question: str, source: str, place: str) -> str:
    """The id of a question about a source; the same for another way of writing it."""
    return hashlib.sha256("\n".join((source, place, *words(question))).encode()).hexdigest()[:8]


def verify(
    question: str, sql: str, prepared: Sequence[Prepared], store: VerifiedStore, limits: Limits = Limits()
) -> Verification:
    """Run a query and keep it as the right one for a question, in place of what was kept for that question before.

    Raises:
        UsageError: there are no words in the question.
        GuardError, QueryError: the query may not run, or does not.
        DataError: it cannot be kept.
    """
    question, sql = " ".join(question.split()), sql.strip().rstrip(";").rstrip()
    if not words(question):
        raise UsageError("There is no question.", hint="Give the question that the query answers.")
    chosen, guarded = _readable(question, sql, prepared)
    draft = run_as_written(Task(question, chosen, "", limits), _strategy("verified"), sql)
    if draft.table is None:
        raise QueryError(f"The query does not run: {draft.error}", hint="Only a query that runs can be verified.")
    source, place = chosen.source.name, place_of(chosen.source)
    query = VerifiedQuery(
        id=query_id(question, source, place),
        question=question,
        sql=sql,
        source=source,
        place=place,
        reads=_reads(guarded, chosen.schema),
        result=fingerprint(draft.table),
        rows=len(draft.table),
        accepted=tuple(check.name for check in draft.checks if check.outcome != "passed"),
        verified=dt.datetime.now(dt.UTC),
    )
    store.add(query)
    if fixed := fixed_time(question, guarded, chosen.schema):
        draft = replace(draft, checks=(*draft.checks, Check("verified_fixed_time", "warned", fixed)))
    return Verification(query, draft, Template(question, guarded, chosen.schema, chosen.values).slots)


async def recall(
    asked: str, understood: str, prepared: Sequence[Prepared], store: VerifiedStore, limits: Limits
) -> Recalled:
    """Answer a question from a verified query, if there is one for it."""
    try:
        match, stale = _find(understood, prepared, store)
    except DataError as error:
        log.warning("verified queries are not used: %s", error)
        return Recalled(warnings=(Check("verified_store", "warned", error.message),))
    if match is None:
        return Recalled(warnings=tuple(Check("verified_stale", "warned", message) for message in stale))
    query, task = match.query, Task(understood, match.prepared, "", limits)
    draft = await settle(task, _strategy(f"verified query {query.id}"), match.sql, as_written=True)
    if draft.table is None:
        message = f"The verified query {query.id} for this question does not run: {draft.error}"
        return Recalled(warnings=(Check("verified_failed", "warned", message),))
    checks = draft.checks
    if match.changed and not any(v for row in draft.table.rows for v in row):
        message = "The verified query finds nothing with other values; it may hold something that only suits its own."
        checks = (*checks, Check("verified_nothing", "warned", message))
    doubtful = any(check.outcome != "passed" and check.name not in query.accepted for check in checks)
    if fixed := fixed_time(understood, guard(match.sql, match.prepared.schema), match.prepared.schema):
        checks, doubtful = (*checks, Check("verified_fixed_time", "warned", fixed)), True
    other = ", ".join(f"{new!r} for {slot.value!r}" for slot, new in match.changed.items())
    from_ = f"From the verified query {query.id}, “{query.question}”" + (f", with {other}" if other else "")
    told = [f"Understood as: {understood}"] if understood != asked else []
    told += [f"{from_}.", *cleaned(draft.sql, match.prepared.schema, match.prepared.profile)]
    answer = Answer(
        question=asked,
        understood=understood,
        status=Status.UNVERIFIED if doubtful else Status.VERIFIED,
        text=present(draft.table),
        table=draft.table,
        sql=draft.sql,
        source=match.prepared.source.name,
        evidence=Evidence((draft.attempt(0),), checks, (1, 1), match.prepared.fingerprint, tuple(told)),
        timings={"database": draft.database},
    )
    return Recalled(answer)


def moved(query: VerifiedQuery, prepared: Sequence[Prepared]) -> VerifiedQuery:
    """A query that was verified elsewhere, for the source here of the same name, or the only one.

    Raises:
        UsageError: there is none.
    """
    same = [p.source for p in prepared if p.source.name == query.source or len(prepared) == 1]
    if not same:
        names = ", ".join(p.source.name for p in prepared)
        raise UsageError(f"“{query.question}” is about {query.source!r}; the data here are {names}.")
    source, place = same[0].name, place_of(same[0])
    return query.model_copy(update={"id": query_id(query.question, source, place), "source": source, "place": place})


def inspect(prepared: Sequence[Prepared], store: VerifiedStore, limits: Limits = Limits()) -> Iterator[Inspection]:
    """Run the verified queries of these sources again, the latest first."""
    for query in store.all():
        for source in prepared:
            if belongs(query, source.source):
                yield _inspect(query, source, limits)


def _inspect(query: VerifiedQuery, prepared: Prepared, limits: Limits) -> Inspection:
    guarded, reason = _current(query, prepared.schema)
    if guarded is None:
        return Inspection(query, "stale", reason)
    draft = run_as_written(Task(query.question, prepared, "", limits), _strategy("verified"), query.sql)
    if draft.table is None:
        return Inspection(query, "failed", draft.error)
    if fingerprint(draft.table) == query.result:
        return Inspection(query, "ok")
    rows = f"{query.rows:,} rows then, {len(draft.table):,} now" if query.rows != len(draft.table) else "other values"
    return Inspection(query, "changed", rows)


def _find(question: str, prepared: Sequence[Prepared], store: VerifiedStore) -> tuple[_Match | None, list[str]]:
    """The verified query for a question: one for its very values, else the latest; and the stale ones that were not."""
    bound: _Match | None = None
    stale: list[str] = []
    asked = words(question)
    for query in store.all():
        source = next((p for p in prepared if belongs(query, p.source)), None)
        if source is None or not _may_match(query, question):
            continue
        guarded, reason = _current(query, source.schema)
        if guarded is None:
            if words(query.question) == asked:
                stale.append(f"The verified query {query.id} for this question is stale and was not used: {reason}.")
            continue
        template = Template(query.question, guarded, source.schema, source.values)
        binding = template.match(question)
        if binding is None:
            continue
        changed = template.changed(binding)
        if not changed:
            return _Match(query, source, query.sql, {}), []
        bound = bound or _Match(query, source, template.bind(binding), changed)
    return bound, stale


def _may_match(query: VerifiedQuery, question: str) -> bool:
    """Cheap, before anything is parsed: words that the new question lacks must stand in the query, as values do."""
    missing = set(words(query.question)) - set(words(question))
    said = normal(query.sql)
    return all(normal(word).rstrip("y") in said for word in missing)


def _readable(question: str, sql: str, prepared: Sequence[Prepared]) -> tuple[Prepared, GuardedQuery]:
    """The source that a query is for, by its tables; of several the one that the question is about."""
    found: list[tuple[Prepared, GuardedQuery]] = []
    for source in prepared:
        try:
            found.append((source, guard(sql, source.schema)))
        except GuardError:
            if len(prepared) == 1:
                raise
    chosen = choose(question, [source for source, _ in found] or prepared)
    return next((pair for pair in found if pair[0] is chosen), None) or (chosen, guard(sql, chosen.schema))


def _reads(query: GuardedQuery, schema: Schema) -> dict[str, str]:
    """The part of the schema that a query depends on, see `VerifiedQuery.reads`."""
    from sqlglot import exp

    names = [*query.tables, *(f"{table}.{column}" for table, column in query.columns)]
    if any(not isinstance(star.parent, exp.Count) for star in query.expression.find_all(exp.Star)):
        names += [f"{table}.*" for table in query.tables]
    types = _types(schema)
    return {name: types[name] for name in names}


def _types(schema: Schema) -> dict[str, str]:
    """Everything that a query may depend on, by the names of `VerifiedQuery.reads`."""
    found: dict[str, str] = {}
    for table in schema.tables:
        row = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        found |= {table.name: "", f"{table.name}.*": row}
        found |= {f"{table.name}.{column.name}": column.type for column in table.columns}
    return found


def _current(query: VerifiedQuery, schema: Schema) -> tuple[GuardedQuery | None, str]:
    """The query as it may run, or None and what changed in the schema under it."""
    types = _types(schema)
    for name, before in query.reads.items():
        if name not in types:
            return None, f"there is no {name} any more"
        if types[name] != before:
            return None, f"{name} was {before} and is {types[name]} now"
    try:
        return guard(query.sql, schema), ""
    except GuardError as error:
        return None, error.message.rstrip(".")


def fingerprint(table: Table) -> str:
    """Of the rows of a result, whatever their order; numbers count to ten digits, as sums differ in the last ones."""
    rows = sorted(repr([_cell(json_cell(value)) for value in row]) for row in table.rows)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:32]


def _cell(value: object) -> object:
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _strategy(name: str) -> Strategy:
    return Strategy(name, "", "bare")
