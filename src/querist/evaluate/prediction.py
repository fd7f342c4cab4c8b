"""What the program answered to each question, one JSON object a line, written at once so that a broken run resumes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from querist.answer.answer import Answer, Status
from querist.errors import QueristError, UsageError
from querist.evaluate.equal import kept_cell


class Attempt(BaseModel):
    """One draft of an answer; see `querist.answer.answer.Attempt`."""

    model_config = ConfigDict(frozen=True)

    strategy: str
    sql: str
    mended: tuple[str, ...] = ()
    error: str = ""
    group: int | None = None


class Warned(BaseModel):
    """A check that did not pass."""

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: str
    message: str = ""


class Preview(BaseModel):
    """Rows of a result, often only the first, as JSON holds them. `total` is how many rows there are."""

    model_config = ConfigDict(frozen=True)

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int


class Mark(BaseModel):
    """What an answer is worth, and by what it was judged.

    Attributes:
        right: the answer is the expected one.
        reason: why not, for people; empty when it is right.
        over_budget: what it cost more than it may, a sentence each.
        expected_sql: the first accepted query, where the expectation is a query.
        expected_text: what was expected, in words, where it is neither a query nor rows.
        hardness, tags: of the question.
    """

    model_config = ConfigDict(frozen=True)

    right: bool
    reason: str = ""
    over_budget: tuple[str, ...] = ()
    expected_sql: str = ""
    expected_text: str = ""
    expected: Preview | None = None
    got: Preview | None = None
    hardness: str = ""
    tags: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Right, and within its budget."""
        return self.right and not self.over_budget


class Prediction(BaseModel):
    """One answer. Only `id` has to be there: files of other programs can be scored as well.

    Attributes:
        db: the data that were asked.
        source: the source, among these data, that `sql` asks.
        seconds: that the answer took; replies from the cache count with the time that they took when they were made.
        measured: seconds on the clock. Less than `seconds` when replies came from the cache.
        replayed: model calls that were answered from the cache.
        tokens_in, tokens_out: of all model calls; `tokens_cached` is the part of `tokens_in` that the server had read.
        agreement: how many drafts gave this result, of how many that ran.
        error: code and message of what went wrong, empty when there is an answer.
        result: all of it, where no query over one source gives it again.
        repeat: 0 for the first time that the question was asked, 1 for the second, …
        asked: digest of what was asked of whom; empty where that is not known.
        mark: None until it is marked.
    """

    model_config = ConfigDict(frozen=True)

    id: str | int
    sql: str | None = None
    status: str = Status.UNVERIFIED.value
    seconds: float = 0.0
    db: str = ""
    question: str = ""
    text: str = ""
    warnings: tuple[str, ...] = ()
    agreement: tuple[int, int] = (0, 0)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    model_calls: int = 0
    replayed: int = 0
    measured: float = 0.0
    cost: float | None = None
    model: str = ""
    source: str = ""
    rows: int | None = None
    result: Preview | None = None
    error: str = ""
    repeat: int = 0
    asked: str = ""
    checks: tuple[Warned, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    mark: Mark | None = None

    @property
    def right(self) -> bool:
        return self.mark is not None and self.mark.right

    @property
    def model_failed(self) -> bool:
        """No answer because of the model and not of the question: worth asking again."""
        return self.error.startswith("model")

    @property
    def answered(self) -> bool:
        """It was given as an answer, not as a refusal, a question in return or a failure."""
        return self.status in (Status.VERIFIED, Status.AGREED, Status.UNVERIFIED)

    @property
    def silent(self) -> bool:
        """A wrong answer that nothing marks as doubtful: the worst that can happen."""
        return not self.right and self.answered and not self.warnings


def predicted(
    id: str | int, db: str, answer: Answer, *, measured: float, saved: float = 0.0, replayed: int = 0, repeat: int = 0
) -> Prediction:
    """The record of an answer. `saved` is the time that `replayed` cached replies did not take again."""
    usage, evidence = answer.usage, answer.evidence
    return Prediction(
        id=id,
        sql=answer.sql,
        status=answer.status.value,
        seconds=round(measured + saved, 4),
        db=db,
        question=answer.question,
        text=answer.text,
        warnings=tuple(evidence.warnings),
        agreement=evidence.agreement,
        tokens_in=usage.input_tokens,
        tokens_out=usage.output_tokens,
        tokens_cached=usage.cached_tokens,
        model_calls=usage.calls,
        replayed=replayed,
        measured=round(measured, 4),
        cost=usage.cost,
        model=answer.model,
        source=answer.source,
        rows=None if answer.table is None else len(answer.table),
        result=_whole(answer),
        error=answer.text if answer.status is Status.FAILED else "",
        repeat=repeat,
        checks=tuple(
            Warned(name=c.name, outcome=c.outcome, message=c.message) for c in evidence.checks if c.outcome != "passed"
        ),
        attempts=tuple(
            Attempt(strategy=a.strategy, sql=a.sql, mended=a.mended, error=a.error, group=a.group)
            for a in evidence.attempts
        ),
        timings={stage: round(seconds, 4) for stage, seconds in answer.timings.items()},
    )


def _whole(answer: Answer) -> Preview | None:
    """The result of several steps, of an analysis, or of several sources at once."""
    table = answer.table
    if table is None or table.truncated or not (answer.steps or answer.analysis or ", " in answer.source):
        return None
    rows = tuple(tuple(map(kept_cell, row)) for row in table.rows)
    return Preview(columns=tuple(table.names), rows=rows, total=len(rows))


def crashed(
    id: str | int, db: str, question: str, error: QueristError, *, measured: float, repeat: int = 0
) -> Prediction:
    """The record of a question whose asking raised an error."""
    return Prediction(
        id=id,
        status=Status.FAILED.value,
        seconds=round(measured, 4),
        measured=round(measured, 4),
        db=db,
        question=question,
        text=error.message,
        error=f"{error.code}: {error.message}",
        repeat=repeat,
    )


def read_predictions(path: Path) -> list[Prediction]:
    """The predictions in a file; of several for a question, the last. A torn last line is passed over.

    Raises:
        UsageError: no such file, or a line that is not a prediction.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    whole, _, torn = raw.rpartition(b"\n")
    lines = whole.split(b"\n")
    found: dict[tuple[str | int, int], Prediction] = {}
    latest: dict[str | int, str] = {}
    for number, line in enumerate([*lines, torn], start=1):
        if not line.strip():
            continue
        try:
            prediction = Prediction.model_validate_json(line)
        except ValidationError as error:
            if number > len(lines):
                break  # the run was stopped in the middle of this line
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise UsageError(f"{path}:{number} is not a prediction: {where}: {first['msg']}.") from error
        found[prediction.id, prediction.repeat] = prediction
        latest[prediction.id] = prediction.asked or latest.get(prediction.id, "")
    # A question that was asked three times, and then once of another model, has one answer.
    return [p for p in found.values() if p.asked in ("", latest[p.id])]


class PredictionLog:
    """Appends predictions to a file, each whole and at once.

    Args:
        path: made when it is not there; a torn last line of an earlier run is cut off.
        fresh: begin with an empty file.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self.done: Sequence[Prediction] = [] if fresh or not path.exists() else read_predictions(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # To append keeps the lines of two runs that write at once.
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if fresh else 0)
            self._file = os.open(path, flags, 0o644)
        except OSError as error:
            raise UsageError(f"Predictions cannot be written to {path}: {error.strerror}.") from error
        self._end_whole()

    def _end_whole(self) -> None:
        """Cut a torn last line off, or end a whole one that only lacks its line end."""
        raw = self.path.read_bytes()
        tail = raw.rpartition(b"\n")[2]
        if tail:
            try:
                Prediction.model_validate_json(tail)
                os.write(self._file, b"\n")
            except ValidationError:
                os.ftruncate(self._file, len(raw) - len(tail))

    def add(self, prediction: Prediction) -> None:
        line = prediction.model_dump_json().encode() + b"\n"
        while line:
            line = line[os.write(self._file, line) :]

    def close(self) -> None:
        os.close(self._file)
