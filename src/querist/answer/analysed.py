"""Questions that ask for statistics by name: they go to the analysis, whose result comes back as an answer."""

from __future__ import annotations

from collections.abc import Sequence

from querist.analysis.analysis import Analysis
from querist.analysis.named import shown
from querist.analysis.recognise import technique_named
from querist.answer.answer import Answer, Attempt, Check, Evidence, Status
from querist.answer.prepared import Prepared
from querist.sources.joins import words_of
from querist.sources.table import ResultColumn, Table

DIGITS = 6
"""Significant digits of a finding in the table; the analysis itself has all."""
STEM = 5
"""Letters at the start of a word that tell which word it is: forecast, forecasted."""


def technique_asked(question: str, prepared: Sequence[Prepared]) -> str | None:
    """The technique that a question names, unless the data hold something that is called so: a column `forecast`."""
    named = technique_named(question)
    if named is None:
        return None
    technique, words = named
    stems = {word[:STEM] for word in words_of(words)}
    for source in prepared:
        names = [table.name for table in source.schema.tables]
        names += [column.name for table in source.schema.tables for column in table.columns]
        values = [match.phrase for match in source.values.mentions(question) if match.exact]
        if any(word[:STEM] in stems for name in (*names, *values) for word in words_of(name)):
            return None
    return technique


def answer_of_analysis(analysis: Analysis, asked: str, understood: str, prepared: Sequence[Prepared]) -> Answer:
    """The analysis as an answer: its findings as the table, its drafts and warnings as the evidence."""
    rows = tuple((found.name, shown(found.value, DIGITS), found.meaning) for found in analysis.findings)
    table = Table((ResultColumn("finding"), ResultColumn("value"), ResultColumn("meaning")), rows)
    how = ", ".join(analysis.techniques) or "generated code"
    assumptions = [f"Analysed the table {analysis.table} by {how}", *analysis.prepared]
    if analysis.isolation:
        assumptions.append(f"Generated code ran in {analysis.isolation}")
    held = next((p for p in prepared if any(t.name == analysis.table for t in p.schema.tables)), prepared[0])
    agreeing = sum(attempt.agrees for attempt in analysis.attempts)
    evidence = Evidence(
        attempts=tuple(
            Attempt(a.script, a.kind, held.source.name, a.notes, a.error, group=None if a.error else 1 - a.agrees)
            for a in analysis.attempts
        ),
        checks=tuple(Check("analysis", "warned", warning) for warning in analysis.warnings),
        agreement=(agreeing, sum(not attempt.error for attempt in analysis.attempts)),
        fingerprint=held.fingerprint,
        assumptions=tuple(assumptions),
    )
    return Answer(
        question=asked,
        understood=understood,
        status=Status(analysis.status),
        text=analysis.text,
        table=table if rows else None,
        source=held.source.name,
        evidence=evidence,
        analysis=analysis,
    )
