"""Marks predictions: runs the predicted and the expected query on the same data, and compares what they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from querist.errors import DataError
from querist.evaluate.equal import Rows, is_ordered, same_rows, same_value
from querist.evaluate.prediction import Mark, Prediction, Preview
from querist.evaluate.question import (
    Expected,
    ExpectNamed,
    ExpectSql,
    ExpectStatus,
    ExpectTable,
    ExpectValue,
    GoldenQuestion,
)
from querist.sources.base import Limits, Source
from querist.sources.open import open_sources
from querist.sources.table import ResultColumn, Table, Value, json_cell

LIMITS = Limits(seconds=20.0, rows=1_000_000, bytes=500_000_000)
"""Bounds of one query while marking. A result that they cut is not compared."""

SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_TEXT = 8, 8, 80
"""What is kept of a result to show it beside the other."""


@dataclass(frozen=True)
class _Judged:
    """Why an answer is not right (empty when it is), beside the two results where there are any."""

    reason: str
    expected: Table | None = None
    got: Table | None = None


@dataclass(frozen=True)
class _Failed:
    """A query that did not give a whole result."""

    reason: str


class Scorer:
    """Marks predictions. Keeps the data of one question open for the next. A context manager."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self._data: tuple[str, ...] = ()
        self._sources: list[Source] = []
        self._expected: dict[tuple[str, str], Table | _Failed] = {}

    def mark(self, question: GoldenQuestion, prediction: Prediction) -> Prediction:
        """The prediction with its mark.

        Raises:
            DataError: the question's data cannot be opened.
        """
        judged = self._judge(question, prediction)
        expected = question.expected
        mark = Mark(
            right=not judged.reason,
            reason=judged.reason,
            over_budget=tuple(_over_budget(question, prediction)),
            expected_sql=expected.queries[0] if isinstance(expected, ExpectSql) else "",
            expected_text=_in_words(expected),
            expected=_preview(judged.expected),
            got=_preview(judged.got),
            hardness=question.hardness,
            tags=question.tags,
        )
        return prediction.model_copy(update={"mark": mark})

    def _judge(self, question: GoldenQuestion, prediction: Prediction) -> _Judged:
        expected = question.expected
        got: Table | _Failed = _Failed(prediction.error or f"no query was made (status {prediction.status})")
        if prediction.result is not None:
            got = Table(tuple(map(ResultColumn, prediction.result.columns)), prediction.result.rows)
        elif prediction.sql:
            got = self._run(question, prediction.sql, prediction.source)
            if isinstance(got, _Failed):
                got = _Failed(f"its query gives no result: {got.reason}")
        if isinstance(expected, ExpectStatus):
            right = prediction.status == expected.status
            reason = "" if right else f"expected {_in_words(expected)}, got an answer that is {prediction.status}"
            return _Judged(reason, None, got if isinstance(got, Table) else None)
        if isinstance(expected, ExpectSql):
            return self._compared(question, expected, got)
        if isinstance(expected, ExpectTable):
            width = max((len(row) for row in expected.rows), default=0)
            shown = Table(tuple(ResultColumn(f"column {n}") for n in range(1, width + 1)), expected.rows)
            return _against(got, [(shown, bool(question.ordered))])
        if isinstance(got, _Failed):
            return _Judged(got.reason)
        reason = _one_value(got, expected) if isinstance(expected, ExpectValue) else _named_values(got, expected)
        return _Judged(reason, None, got)

    def _compared(self, question: GoldenQuestion, expected: ExpectSql, got: Table | _Failed) -> _Judged:
        accepted: list[tuple[Table, bool]] = []
        failed = ""
        for sql in expected.queries:
            result = self._run(question, sql, expected.source, keep=True)
            if isinstance(result, _Failed):
                failed = failed or result.reason
                continue
            dialect = next(s.dialect for s in self._sources if s.name == result.source)
            ordered = is_ordered(sql, dialect) if question.ordered is None else question.ordered
            accepted.append((result, ordered))
        if not accepted:
            return _Judged(
                f"the expected query gives no result: {failed}", None, got if isinstance(got, Table) else None
            )
        return _against(got, accepted)

    def _run(self, question: GoldenQuestion, sql: str, source: str, keep: bool = False) -> Table | _Failed:
        """The whole result of a query on the question's data: on the source of that name, or the first that can."""
        sources = self._open(question)
        if keep and (known := self._expected.get((source, sql))) is not None:
            return known
        candidates = [s for s in sources if s.name == source] or sources
        result: Table | _Failed = _Failed("there are no data")
        for candidate in candidates:
            try:
                result = candidate.execute(sql, self.limits)
            except DataError as error:
                result = _Failed(error.message)
                continue
            if result.truncated:
                result = _Failed(result.truncated)
            break
        if keep:
            self._expected[source, sql] = result
        return result

    def _open(self, question: GoldenQuestion) -> list[Source]:
        if question.data != self._data:
            self.close()
            self._sources = open_sources(list(question.data))
            self._data = question.data
        return self._sources

    def close(self) -> None:
        """Close the data. They open again when they are needed."""
        for source in self._sources:
            source.close()
        self._sources, self._data = [], ()
        self._expected.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def mark_all(questions: Sequence[GoldenQuestion], predictions: Sequence[Prediction]) -> list[Prediction]:
    """Mark what a file of predictions holds for these questions. Questions without a prediction are left out.

    A prediction that tells its question is for no other one, whatever its id.
    """
    by_id: dict[str | int, list[Prediction]] = {}
    for prediction in predictions:
        by_id.setdefault(prediction.id, []).append(prediction)
    order = {data: place for place, data in enumerate(dict.fromkeys(q.data for q in questions))}
    with Scorer() as scorer:
        return [
            scorer.mark(question, prediction)
            for question in sorted(questions, key=lambda q: order[q.data])
            for prediction in by_id.get(question.id, [])
            if prediction.question in ("", question.question)
        ]


def _against(got: Table | _Failed, accepted: Sequence[tuple[Table, bool]]) -> _Judged:
    """Compare a result with those that are accepted; the flag says whether the order of rows counts."""
    shown, shown_ordered = accepted[0]
    if isinstance(got, _Failed):
        return _Judged(got.reason, shown)
    for table, ordered in accepted:
        if same_rows(got.rows, table.rows, ordered=ordered):
            return _Judged("", table, got)
    return _Judged(_difference(got.rows, shown.rows, shown_ordered), shown, got)


def _over_budget(question: GoldenQuestion, prediction: Prediction) -> list[str]:
    over = []
    budget = question.budget
    if budget.seconds is not None and prediction.seconds > budget.seconds:
        over.append(f"took {prediction.seconds:.1f} s of {budget.seconds:g} s")
    tokens = prediction.tokens_in + prediction.tokens_out
    if budget.tokens is not None and tokens > budget.tokens:
        over.append(f"took {tokens} tokens of {budget.tokens}")
    return over


def _difference(got: Rows, expected: Rows, ordered: bool) -> str:
    """Why two results are not equal, as far as that can be said in a few words."""
    if len(got) != len(expected):
        return f"expected {_count(len(expected), 'row')}, got {len(got)}"
    if expected and len(got[0]) != len(expected[0]):
        return f"expected {_count(len(expected[0]), 'column')}, got {len(got[0])}"
    if ordered and same_rows(got, expected):
        return "the right rows in the wrong order"
    return "other values than expected"


def _one_value(result: Table, expected: ExpectValue) -> str:
    """Why the result is not this value; empty when it is."""
    if len(result.rows) != 1 or len(result.columns) != 1:
        shape = f"{_count(len(result.rows), 'row')} of {_count(len(result.columns), 'column')}"
        return f"expected {_in_words(expected)}, got {shape}"
    got = result.scalar()
    if same_value(got, expected.value, expected.tolerance):
        return ""
    return f"expected {_in_words(expected)}, got {got!r}"


def _named_values(result: Table, expected: ExpectNamed) -> str:
    """Each value stands in a column of its name; without such names, all values of a single row in the order asked."""
    columns = {name.lower(): place for place, name in enumerate(result.names)}
    for number, (name, value) in enumerate(expected.values):
        place = columns.get(name.lower())
        if place is None and len(result.columns) == len(expected.values):
            place = number
        cells = [row[place] for row in result.rows] if place is not None else []
        if len(cells) != 1 or not _says(cells[0], value):
            return f"expected {name} = {value}, got {', '.join(map(str, cells[:3])) or 'nothing of that name'}"
    return ""


def _says(cell: object, value: str) -> bool:
    text = value.strip()
    try:
        number = float(text)
        return same_value(float(str(cell)), number, 0.5 * 10 ** -len(text.partition(".")[2]))
    except ValueError:
        return str(cell).strip().lower() == text.lower()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _in_words(expected: Expected) -> str:
    match expected:
        case ExpectStatus("refused"):
            return "a refusal"
        case ExpectStatus():
            return "a question in return"
        case ExpectValue(value, tolerance):
            return f"{value!r}" if tolerance is None else f"{value!r} ± {tolerance:g}"
        case ExpectNamed(values):
            return ", ".join(f"{name} = {value}" for name, value in values)
    return ""


def _preview(table: Table | None) -> Preview | None:
    if table is None:
        return None
    rows = tuple(tuple(_short(value) for value in row[:SHOWN_COLUMNS]) for row in table.rows[:SHOWN_ROWS])
    return Preview(columns=tuple(table.names[:SHOWN_COLUMNS]), rows=rows, total=len(table))


def _short(value: Value) -> Value:
    cell = json_cell(value)
    text = cell if isinstance(cell, str) else str(cell) if isinstance(cell, (list, dict)) else None
    return cell if text is None or len(text) <= SHOWN_TEXT else text[: SHOWN_TEXT - 1] + "…"
