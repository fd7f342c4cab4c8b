"""Reads golden questions: a YAML file in one's own repository with questions and what counts as the right answer."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from querist.errors import UsageError
from querist.evaluate.question import (
    Budget,
    Expected,
    ExpectSql,
    ExpectStatus,
    ExpectTable,
    ExpectValue,
    GoldenQuestion,
)
from querist.settings.file import Layer, Place, Problem, beside, read_file
from querist.settings.mistakes import config_error, problem_of

EXPECTATIONS = ("sql", "table", "value", "expect")
LONGEST_ID = 60


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float, decimal.Decimal, dt.date, dt.datetime, dt.time)):
        return value
    raise ValueError("must be one value: text, a number, a date, true, false or null")


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]
Cell = Annotated[Any, AfterValidator(_cell)]


class _Budget(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Text
    id: Text | None = None
    data: Texts = ()
    sql: Texts = ()
    source: str = ""
    table: tuple[tuple[Cell, ...], ...] = ()
    value: Cell = None
    tolerance: float | None = Field(default=None, ge=0)
    expect: Literal["refuse", "clarify"] | None = None
    ordered: bool | None = None
    tags: Texts = ()
    note: str = ""
    budget: _Budget = _Budget()

    @model_validator(mode="after")
    def _one_expectation(self) -> _Question:
        given = [name for name in EXPECTATIONS if name in self.model_fields_set]
        if len(given) != 1:
            said = f"has {' and '.join(given)}" if given else "says nothing of what is right"
            raise ValueError(f"it {said}; exactly one of {', '.join(EXPECTATIONS)} is needed")
        if (given == ["sql"] and not self.sql) or (given == ["expect"] and self.expect is None):
            raise ValueError(f"{given[0]!r} is empty")
        if len({len(row) for row in self.table}) > 1:
            raise ValueError("the rows of 'table' differ in their number of values")
        for name, other in (("tolerance", "value"), ("source", "sql")):
            if name in self.model_fields_set and other not in given:
                raise ValueError(f"{name!r} needs {other!r}")
        return self

    def expected(self) -> Expected:
        if self.sql:
            return ExpectSql(self.sql, self.source)
        if self.expect is not None:
            return ExpectStatus("refused" if self.expect == "refuse" else "needs_clarification")
        if "table" in self.model_fields_set:
            return ExpectTable(self.table)
        return ExpectValue(self.value, self.tolerance)


class GoldenFile(BaseModel):
    """What a golden file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Texts = ()
    questions: tuple[_Question, ...]


def read_golden(path: Path, environ: Mapping[str, str] | None = None) -> list[GoldenQuestion]:
    """The questions of a golden file, in their order. Data are named relative to the file.

    Raises:
        UsageError: there is no such file.
        ConfigError: something in it is wrong; its message tells every mistake with line and column.
    """
    if not path.is_file():
        raise UsageError(f"There is no golden file {path}.")
    layer = read_file(path, os.environ if environ is None else environ, keep_empty=True)
    problems = list(layer.problems)
    parsed: GoldenFile | None = None
    try:
        parsed = GoldenFile.model_validate(layer.values)
    except ValidationError as error:
        if layer.values or not problems:
            problems += [_problem(detail, path, layer) for detail in error.errors(include_url=False)]
    if parsed is not None:
        problems += _more_problems(parsed, path, layer)
    if problems or parsed is None:
        raise config_error(problems, str(path))
    ids: set[str] = {question.id for question in parsed.questions if question.id}
    return [
        GoldenQuestion(
            id=question.id or _new_id(question.question, ids),
            question=question.question,
            data=tuple(beside(path, location) for location in question.data or parsed.data),
            expected=question.expected(),
            note=question.note,
            ordered=question.ordered,
            tags=question.tags,
            budget=Budget(question.budget.seconds, question.budget.tokens),
            place=f"{path}:{layer.places['questions', number].line}",
        )
        for number, question in enumerate(parsed.questions)
    ]


def _problem(detail: Mapping[str, Any], path: Path, layer: Layer) -> Problem:
    loc = tuple(detail["loc"])
    reason = str(detail["msg"]).removeprefix("Value error, ")
    if loc == ("questions",) and detail["type"] == "missing":
        return _no_questions(path)
    if detail["type"] == "missing":
        return Problem(layer.places[loc[:-1]], f"the {loc[-1]!r} of question {loc[1] + 1} is missing")
    if len(loc) == 2 and detail["type"] == "value_error":
        return Problem(layer.places[loc], f"question {loc[1] + 1} cannot be used: {reason}")
    return problem_of(detail, [layer], GoldenFile, "key")


def _no_questions(path: Path) -> Problem:
    return Problem(Place(file=str(path)), "there are no questions in it", "Write them below `questions:`.")


def _more_problems(parsed: GoldenFile, path: Path, layer: Layer) -> list[Problem]:
    """What only shows when questions are looked at together."""
    problems = [] if parsed.questions else [_no_questions(path)]
    first: dict[str, int] = {}
    for number, question in enumerate(parsed.questions):
        if not (question.data or parsed.data):
            message = f"question {number + 1} is about no data"
            problems.append(
                Problem(layer.places["questions", number], message, "Set `data` at the top of the file, or here.")
            )
        if question.id and first.setdefault(question.id, number) != number:
            line = layer.places["questions", first[question.id], "id"].line
            message = f"the id {question.id!r} is there twice; it is in line {line} already"
            problems.append(Problem(layer.places["questions", number, "id"], message))
    return problems


def _new_id(question: str, taken: set[str]) -> str:
    """A short name from the question's words, the same each time; added to `taken`."""
    words = re.sub(r"\W+", "-", question.lower()).strip("-")
    short = words if len(words) <= LONGEST_ID else words[:LONGEST_ID].rpartition("-")[0] or words[:LONGEST_ID]
    name, n = short or "question", 1
    while name in taken:
        n += 1
        name = f"{short}-{n}"
    taken.add(name)
    return name
