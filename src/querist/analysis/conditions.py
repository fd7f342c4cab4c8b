"""Conditions on the rows that a plan sets: whether the question asks for them, and leaves anything to compare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from querist.analysis.expressions import keep_rows
from querist.analysis.prepare import KeepRows, Step
from querist.analysis.spoken import Spoken, spoken
from querist.analysis.techniques.base import Params
from querist.analysis.techniques.comparison import ComparisonParams
from querist.analysis.techniques.correlation import MOST_CORRELATED, CorrelationParams
from querist.analysis.techniques.missing import MissingParams

if TYPE_CHECKING:
    import pandas as pd

_LITERAL = re.compile(r"'([^']*)'|(?<![\w.'\"])(\d+(?:\.\d+)?)(?![\w'\"])")
_ONLY = r"\bonly\b|\bamong|\bwithin\b|\bwhere\b|limited to|\b(?:those|months|days|people|customers) (?:with|that|who)\b"
"""Words that set a condition."""
_YES = {"yes", "y", "true", "t", "1"}


@dataclass(frozen=True)
class Conditioned:
    """A plan as the question sets its conditions.

    Attributes:
        told: what was left out of the plan.
        guesses: what the question names and the plan leaves out.
    """

    steps: tuple[Step, ...]
    analyses: tuple[Params, ...]
    told: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


def conditioned(question: str, frame: pd.DataFrame, steps: Sequence[Step], analyses: Sequence[Params]) -> Conditioned:
    """The plan with the conditions that a question in plain words sets on the rows.

    A value that it names of a column that the plan does not use is a condition, "for express parcels", and so is one of
    a column that the plan only makes groups of. A column of yes and no is one behind a word for it: "only those with a
    balcony".
    """
    said = spoken(question, frame)
    analyses = [_whole(_ungrouped(params, said), said, frame) for params in analyses]
    plan = " ".join(str(part.model_dump()) for part in (*steps, *analyses))
    used = {column for column in frame.columns if re.search(rf"(?<!\w){re.escape(str(column))}(?!\w)", plan)}
    keep: list[Step] = []
    left_out = []
    for column, values in said.values.items():
        if column not in used and len(values) == 1:
            keep.append(_where(column, values[0]))
        elif column not in used:
            left_out.append(f"The question names {', '.join(values)}, which the analysis does not tell apart.")
    for column in said.columns:
        if column in used or column in said.values:
            continue
        yes = next((value for value in frame[column].dropna().unique() if str(value).lower() in _YES), None)
        if yes is not None and frame[column].nunique() == 2 and re.search(_ONLY, question, re.I):
            keep.append(_where(column, yes))
        else:
            left_out.append(f"The question names {column}, which the analysis does not use.")
    steps = [*keep, *steps]
    return Conditioned(tuple(steps), tuple(analyses), guesses=(*left_out, *unsaid(steps, question)))


def comparable(frame: pd.DataFrame, plan: Conditioned) -> Conditioned:
    """The plan without conditions that leave nothing to compare or to count, and that these are left out.

    A small model that reads "does the drug help?" keeps the rows of the drug, and where gaps are to be counted those
    without any.
    """
    compared = {part for params in plan.analyses if isinstance(params, ComparisonParams) for part in _both(params)}
    gaps = any(isinstance(params, MissingParams) for params in plan.analyses)
    kept: list[Step] = []
    told = []
    for step in plan.steps:
        if gaps and isinstance(step, KeepRows) and re.search(r"\bnot\s+null\b", step.sql, re.I):
            told.append(f"Missing values are counted in all rows, not only where {step.sql}.")
            continue
        columns = [name for name in compared & {*frame.columns} if isinstance(step, KeepRows) and _reads(step, name)]
        if columns and isinstance(step, KeepRows):
            rows, _ = keep_rows(frame, step.sql)
            single = [name for name in columns if rows[name].nunique() < 2 <= frame[name].nunique()]
            if single:
                told.append(f"All groups of {', '.join(single)} are compared, not only those where {step.sql}.")
                continue
        kept.append(step)
    return replace(plan, steps=tuple(kept), told=tuple(told))


def _ungrouped(params: Params, said: Spoken) -> Params:
    """Without groups of a column of which the question names one value."""
    by = getattr(params, "by", "")
    one = not isinstance(params, ComparisonParams) and len(said.values.get(by, ())) == 1
    return params.model_copy(update={"by": ""}) if one else params


def _whole(params: Params, said: Spoken, frame: pd.DataFrame) -> Params:
    """A correlation of all the amounts that the question names: of a list, a small model leaves one out."""
    if not isinstance(params, CorrelationParams):
        return params
    named = [column for column in said.columns if frame[column].dtype.kind in "if"]
    return params.model_copy(update={"columns": list(dict.fromkeys([*params.columns, *named]))[:MOST_CORRELATED]})


def _where(column: str, value: object) -> KeepRows:
    name, text = column.replace('"', '""'), str(value).replace("'", "''")
    return KeepRows(do="keep_rows", sql=f"\"{name}\" = '{text}'")


def unsaid(steps: Sequence[Step], question: str) -> Iterator[str]:
    """What the rows are limited to without the question saying so."""
    words = set(re.findall(r"\w+", question.lower()))
    for step in steps:
        if not isinstance(step, KeepRows):
            continue
        columns = re.findall(r"\w+", _LITERAL.sub(" ", step.sql).lower())
        for text, number in _LITERAL.findall(step.sql):
            value = (text or number).lower()
            named = any(_alike(word, part) for word in words for part in re.findall(r"\w+", value))
            meant = value in _YES and any(_alike(word, column) for word in words for column in columns)
            if value and not named and not meant:
                yield f"The rows are limited to {step.sql}, which the question does not say."
                break


def _both(params: ComparisonParams) -> tuple[str, str]:
    return params.column, params.by


def _reads(step: KeepRows, column: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(column)}(?!\w)", _LITERAL.sub(" ", step.sql), re.I))


def _alike(word: str, part: str) -> bool:
    """Whether one begins the other: `m` and `men`, `smokers` and `smoker`; numbers have to be the same."""
    if word.isdigit() or part.isdigit():
        return word == part
    return word.startswith(part) or part.startswith(word[: max(4, len(word) - 2)])
