"""Reads a folder of benchmark questions: `questions.jsonl` beside `databases/`. Not for golden files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from querist.errors import SourceNotFoundError, UsageError
from querist.evaluate.question import Expected, ExpectNamed, ExpectSql, GoldenQuestion

QUESTIONS = "questions.jsonl"
T = TypeVar("T")


class _Line(BaseModel):
    """One line of `questions.jsonl`. What else it holds is not used."""

    model_config = ConfigDict(frozen=True)

    id: str | int
    db: str
    question: str
    gold: Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = ()
    answers: tuple[tuple[str, str], ...] = ()
    hardness: str = ""
    evidence: str = ""
    constraints: str = ""
    format: str = ""


def read_question_set(folder: Path) -> list[GoldenQuestion]:
    """The questions of a set, in their order.

    A question names its data by `db`: a file in `databases/`, with its ending or as the stem of a `.sqlite` file. What
    is right says `gold` (a list of accepted queries) or `answers` (pairs of name and value). The program is told
    `evidence`, `constraints` and `format` as a note.

    Raises:
        UsageError: no set, or a line that is not a question.
        SourceNotFoundError: a database is missing.
    """
    file = folder / QUESTIONS
    try:
        lines = file.read_bytes().split(b"\n")  # text may hold other line ends
    except OSError as error:
        raise UsageError(
            f"There are no questions in {folder}: {file.name} cannot be read ({error.strerror}).",
            hint=f"A question set is a folder with {QUESTIONS} and databases/, or a golden file (.yaml).",
        ) from error
    questions: list[GoldenQuestion] = []
    seen: set[str | int] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            parsed = _Line.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"{place}: {where or 'the line'} is not right: {first['msg']}.") from error
        if parsed.id in seen:
            raise UsageError(f"{place}: the id {parsed.id!r} is there twice.")
        seen.add(parsed.id)
        questions.append(
            GoldenQuestion(
                id=parsed.id,
                question=parsed.question,
                data=(str(_database(folder, parsed.db, place)),),
                expected=_expected(parsed, place),
                note="\n".join(part for part in (parsed.evidence, parsed.constraints, parsed.format) if part),
                hardness=parsed.hardness,
                place=place,
            )
        )
    if not questions:
        raise UsageError(f"{file} holds no questions.")
    return questions


def _expected(line: _Line, place: str) -> Expected:
    if line.gold:
        return ExpectSql(line.gold)
    if line.answers:
        return ExpectNamed(line.answers)
    raise UsageError(f"{place}: the question {line.id!r} says neither `gold` nor `answers`.")


def _database(folder: Path, db: str, place: str) -> Path:
    databases = folder / "databases"
    for path in (databases / f"{db}.sqlite", databases / db):
        if path.is_file():
            return path
    raise SourceNotFoundError(f"{place}: there is no {db!r} in {databases}.")


def select(questions: Sequence[T], quick: int | None) -> list[T]:
    """`quick` of the questions, spread evenly over the set, so that a quick run still covers all databases."""
    if not quick or quick >= len(questions):
        return list(questions)
    return [questions[i * len(questions) // quick] for i in range(quick)]
