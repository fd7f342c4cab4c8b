"""Conditions on the rows that a plan sets: whether the question asks for them, and leaves anything to compare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from querist.analysis.expressions import keep_rows
from querist.analysis.prepare import KeepRows, NewColumn, Step, prepare
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
_REVERSED = re.compile(
    r"\b(?:except|exclud\w*|without|not|no|non|other than|others?|than|compare[ds]?|versus|vs)\b|n['’]t\b", re.I
)
"""Words that may turn a condition round, or set one value beside the others."""
_NAME = re.compile(
    r"(?<=[\w,;:)] )(?!(?:Pearson|Spearman|Kendall|Welch|Student|Shapiro|Wilk|Kolmogorov|Smirnov|Anderson|Mann|Whitney|"
    r"Kruskal|Wallis|Fisher|Holm|Gauss|January|February|March|April|May|June|July|August|September|October|November|"
    r"December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b)[A-Z][a-z]{2,}\b"
)
"""A name inside a sentence; those of methods, months and days mean no value."""
_LONGEST = 200
"""Characters of a value in a condition."""
_LETTERS = dict.fromkeys(("women", "woman", "female", "females", "girls"), "f")
_LETTERS |= dict.fromkeys(("men", "man", "male", "males", "boys"), "m")
_NO = {"no", "n", "false", "f", "0"}
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
    reversed_ = bool(_REVERSED.search(question))
    if not reversed_:
        analyses = [_ungrouped(params, said, question) for params in analyses]
    analyses = [_whole(params, said, frame) for params in analyses]
    used = {column for part in (*steps, *analyses) for column in _columns(part, frame)}
    keep: list[Step] = []
    left_out = []
    for column, values in said.values.items():
        if column in used:
            continue
        condition = len(values) == 1 and not reversed_ and len(values[0]) <= _LONGEST and _sets(question, values[0])
        if condition:
            keep.append(_where(column, values[0]))
        elif any(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", question) for value in values):
            left_out.append(f"The question names {', '.join(values)}, which the analysis does not tell apart.")
    for column in said.columns:
        if column in used or column in said.values:
            continue
        different = {str(value).lower(): value for value in frame[column].dropna().unique()}
        yes = next((value for text, value in different.items() if text in _YES), None)
        flag = len(different) == 2 and yes is not None and {*different} <= _YES | _NO
        if flag and not reversed_ and re.search(_ONLY, question, re.I):
            keep.append(_where(column, yes))
        else:
            left_out.append(f"The question names {column}, which the analysis does not use.")
    left_out += [
        f"The question names {name}, which is in none of the rows' columns." for name in _unknown(question, frame)
    ]
    steps = [*keep, *steps]
    return Conditioned(tuple(steps), tuple(analyses), guesses=(*left_out, *unsaid(steps, question)))


def comparable(frame: pd.DataFrame, plan: Conditioned) -> Conditioned:
    """The plan without conditions that leave nothing to compare or to count, and that these are left out.

    A small model that reads "does the drug help?" keeps the rows of the drug, and where gaps are to be counted those
    without any.
    """
    compared = {
        part for params in plan.analyses if isinstance(params, ComparisonParams) for part in (params.column, params.by)
    }
    gaps = any(isinstance(params, MissingParams) for params in plan.analyses)
    kept: list[Step] = []
    told = []
    for step in plan.steps:
        if not isinstance(step, KeepRows):
            kept.append(step)
            continue
        for part in _parts(step):
            if gaps and re.search(r"\bnot\b.*\bnull\b", part.sql, re.I):
                told.append(f"Missing values are counted in all rows, not only where {part.sql}.")
            elif single := [name for name in compared if _reads(part, name) and _leaves_one(frame, kept, part, name)]:
                told.append(f"All groups of {', '.join(single)} are compared, not only those where {part.sql}.")
            else:
                kept.append(part)
    return replace(plan, steps=tuple(kept), told=tuple(told))


def _parts(step: KeepRows) -> list[KeepRows]:
    """What a condition consists of, as conditions of their own; one that cannot be read is left as it is."""
    import sqlglot
    from sqlglot import expressions as exp

    try:
        tree = sqlglot.parse_one(step.sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return [step]
    if not isinstance(tree, exp.And):
        return [step]
    return [KeepRows(do="keep_rows", sql=part.sql(dialect="duckdb")) for part in tree.flatten()]


def _leaves_one(frame: pd.DataFrame, before: Sequence[Step], step: KeepRows, column: str) -> bool:
    """Whether of several groups the step leaves one."""
    frame, _ = prepare(frame, before)
    if column not in frame.columns:
        return False
    rows, _ = keep_rows(frame, step.sql)
    return bool(rows[column].nunique() < 2 <= frame[column].nunique())


def _columns(part: Step | Params, frame: pd.DataFrame) -> set[str]:
    """The columns that a step or an analysis reads."""
    if isinstance(part, KeepRows | NewColumn):
        return {str(name) for name in frame.columns if _reads(part, str(name))}
    given = (getattr(part, place, ()) for place in ("column", "columns", "by", "target", "features", "date", "value"))
    return {name for names in given for name in ([names] if isinstance(names, str) else names)}


def _sets(question: str, value: str) -> bool:
    """Whether a question sets the value as a condition: behind a word for one, in quotes, or with its capital."""
    text = re.escape(value)
    behind = rf"\b(?:for|in|among|within|only|of|on|from|at|where|with)\s+(?:(?:the|all|our)\s+)?[\"'“]?{text}s?\b"
    capital = rf"(?<=[\w,;:)] ){text}(?!\w)" if value[:1].isupper() else r"(?!)"
    return bool(re.search(rf"{behind}|[\"'“]{text}[\"'”]|\b{text}\b[^.?!]{{0,20}} only\b", question, re.I)) or bool(
        re.search(capital, question)
    )


def _ungrouped(params: Params, said: Spoken, question: str) -> Params:
    """Without groups of a column of which the question sets one value as a condition."""
    by = getattr(params, "by", "")
    values = said.values.get(by, ())
    one = not isinstance(params, ComparisonParams) and len(values) == 1 and _sets(question, values[0])
    return params.model_copy(update={"by": ""}) if one else params


def _whole(params: Params, said: Spoken, frame: pd.DataFrame) -> Params:
    """A correlation of all the amounts that the question names: of a list, a small model leaves one out."""
    if not isinstance(params, CorrelationParams):
        return params
    named = [column for column in said.columns if frame[column].dtype.kind in "if"]
    return params.model_copy(update={"columns": list(dict.fromkeys([*params.columns, *named]))[:MOST_CORRELATED]})


def _unknown(question: str, frame: pd.DataFrame) -> list[str]:
    """Names in a question that are no word of the data: perhaps a condition on what is not there."""
    names = dict.fromkeys(_NAME.findall(question))
    if not names:
        return []
    words = {word for column in frame.columns for word in re.findall(r"\w+", str(column).lower())}
    for _, column in frame.select_dtypes(exclude="number").items():
        words |= {word for value in column.dropna().unique() for word in re.findall(r"\w+", str(value).lower())}
    return [name for name in names if name.lower() not in words and name.lower().removesuffix("s") not in words]


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


def _reads(step: KeepRows | NewColumn, column: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(column)}(?!\w)", _LITERAL.sub(" ", step.sql), re.I))


def _alike(word: str, part: str) -> bool:
    """Whether two words are of a family, such as `smokers` and `smoker`, or one is the other's usual letter."""
    if word == part or part in _LETTERS.get(word, ()):
        return True
    shorter = min(len(word), len(part))
    return not part.isdigit() and shorter >= 4 and word[: max(4, shorter - 2)] == part[: max(4, shorter - 2)]
