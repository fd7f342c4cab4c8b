"""Marks predictions: runs the predicted and the expected query on the same data, and compares what they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from querist.errors import DataError
from querist.evaluate.equal import Rows, is_ordered, same_rows, same_value
from querist.evaluate.prediction import Prediction
from querist.evaluate.question import (
    ExpectNamed,
    ExpectSql,
    ExpectStatus,
    ExpectTable,
    ExpectValue,
    GoldenQuestion,
)
from querist.sources.base import Limits, Source
from querist.sources.open import open_sources
from querist.sources.table import Table

LIMITS = Limits(seconds=20.0, rows=1_000_000, bytes=500_000_000)
"""Bounds of one query while marking. A result that they cut is not compared."""


@dataclass(frozen=True)
class Verdict:
    """What became of one prediction.

    Attributes:
        right: the answer is the expected one.
        reason: why not, for people; empty when it is right.
        expected, got: the two results, where there are any.
        over_budget: what it cost more than it may, a sentence each.
    """

    right: bool
    reason: str = ""
    expected: Table | None = None
    got: Table | None = None
    over_budget: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.right and not self.over_budget


@dataclass(frozen=True)
class Marked:
    """A question, what was answered, and the mark."""

    question: GoldenQuestion
    prediction: Prediction
    verdict: Verdict


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

    def mark(self, question: GoldenQuestion, prediction: Prediction) -> Marked:
        """Mark one prediction.

        Raises:
            DataError: the question's data cannot be opened.
        """
        right, reason, expected, got = self._judge(question, prediction)
        over = tuple(_over_budget(question, prediction))
        return Marked(question, prediction, Verdict(right, reason, expected, got, over))

    def _judge(self, question: GoldenQuestion, prediction: Prediction) -> tuple[bool, str, Table | None, Table | None]:
        expected = question.expected
        if isinstance(expected, ExpectStatus):
            right = prediction.status == expected.status
            got = self._run(question, prediction.sql, prediction.source) if prediction.sql else None
            wanted = {"refused": "a refusal", "needs_clarification": "a question in return"}[expected.status]
            reason = "" if right else f"expected {wanted}, got an answer that is {prediction.status}"
            return right, reason, None, got if isinstance(got, Table) else None
        want = self._want(question) if isinstance(expected, ExpectSql) else []
        shown = next((table for table, _ in want), None)
        if isinstance(expected, ExpectSql) and shown is None:
            return False, f"the expected query gives no result: {self._why(question, expected)}", None, None
        if not prediction.sql:
            return False, prediction.error or f"no query was made (status {prediction.status})", shown, None
        result = self._run(question, prediction.sql, prediction.source)
        if isinstance(result, _Failed):
            return False, f"its query gives no result: {result.reason}", shown, None
        if isinstance(expected, ExpectSql):
            if any(same_rows(result.rows, table.rows, ordered=ordered) for table, ordered in want):
                return True, "", shown, result
            assert shown is not None
            return False, _difference(result.rows, shown.rows, want[0][1]), shown, result
        if isinstance(expected, ExpectTable):
            ordered = bool(question.ordered)
            right = same_rows(result.rows, expected.rows, ordered=ordered)
            reason = "" if right else _difference(result.rows, expected.rows, ordered)
            return right, reason, Table(result.columns[: len(expected.rows[0])], expected.rows), result
        if isinstance(expected, ExpectValue):
            return *_one_value(result, expected), None, result
        return *_named_values(result, expected), None, result

    def _want(self, question: GoldenQuestion) -> list[tuple[Table, bool]]:
        """The accepted results, and whether the order of the rows of each counts."""
        assert isinstance(question.expected, ExpectSql)
        found = []
        for sql in question.expected.queries:
            result = self._run(question, sql, question.expected.source, keep=True)
            if isinstance(result, Table):
                dialect = next((s.dialect for s in self._open(question) if s.name == result.source), "sqlite")
                ordered = is_ordered(sql, dialect) if question.ordered is None else question.ordered
                found.append((result, ordered))
        return found

    def _why(self, question: GoldenQuestion, expected: ExpectSql) -> str:
        result = self._run(question, expected.queries[0], expected.source, keep=True)
        return result.reason if isinstance(result, _Failed) else ""

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


def mark_all(
    questions: Sequence[GoldenQuestion],
    predictions: Sequence[Prediction],
    on_each: Callable[[Marked], None] | None = None,
) -> list[Marked]:
    """Mark what a file of predictions holds for these questions, in their order. Questions without one are left out."""
    by_id: dict[str | int, list[Prediction]] = {}
    for prediction in predictions:
        by_id.setdefault(prediction.id, []).append(prediction)
    order = {data: place for place, data in enumerate(dict.fromkeys(q.data for q in questions))}
    marked = []
    with Scorer() as scorer:
        for question in sorted(questions, key=lambda q: order[q.data]):
            for prediction in by_id.get(question.id, []):
                marked.append(scorer.mark(question, prediction))
                if on_each is not None:
                    on_each(marked[-1])
    return marked


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


def _one_value(result: Table, expected: ExpectValue) -> tuple[bool, str]:
    if len(result.rows) != 1 or len(result.columns) != 1:
        shape = f"{_count(len(result.rows), 'row')} of {_count(len(result.columns), 'column')}"
        return False, f"expected the single value {expected.value!r}, got {shape}"
    got = result.scalar()
    if same_value(got, expected.value, expected.tolerance):
        return True, ""
    allowed = f" (± {expected.tolerance:g})" if expected.tolerance is not None else ""
    return False, f"expected {expected.value!r}{allowed}, got {got!r}"


def _named_values(result: Table, expected: ExpectNamed) -> tuple[bool, str]:
    """Each value stands in a column of its name; without such names, all values of a single row in the order asked."""
    columns = {name.lower(): place for place, name in enumerate(result.names)}
    for number, (name, value) in enumerate(expected.values):
        place = columns.get(name.lower())
        if place is None and len(result.columns) == len(expected.values):
            place = number
        cells = [row[place] for row in result.rows] if place is not None else []
        if len(cells) != 1 or not _says(cells[0], value):
            return False, f"expected {name} = {value}, got {', '.join(map(str, cells[:3])) or 'nothing of that name'}"
    return True, ""


def _says(cell: object, value: str) -> bool:
    text = value.strip()
    try:
        number = float(text)
        return same_value(float(str(cell)), number, 0.5 * 10 ** -len(text.partition(".")[2]))
    except ValueError:
        return str(cell).strip().lower() == text.lower()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
