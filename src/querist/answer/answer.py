"""Answer: what `ask` returns, with the evidence for it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from querist.analysis.analysis import Analysis
from querist.models.base import Usage
from querist.sources.table import Table

if TYPE_CHECKING:
    from querist.charts.chart import Chart

AnyTable = Annotated[
    Table,
    PlainSerializer(lambda table: table.to_json(), return_type=dict),
    WithJsonSchema({"type": "object", "description": "columns (name, type), rows, truncated"}),
]


class Status(StrEnum):
    """How far an answer can be trusted, best first."""

    VERIFIED = "verified"
    """A query that was verified for the question gave it."""
    AGREED = "agreed"
    """Several independent drafts gave the same result, and no check has anything to say against it."""
    UNVERIFIED = "unverified"
    """It ran, but the drafts differ, or a check has something to say; see the evidence."""
    NEEDS_CLARIFICATION = "needs_clarification"
    """The question has more than one reading; see the text."""
    REFUSED = "refused"
    """The data cannot answer the question, or answering it is not allowed."""
    FAILED = "failed"
    """No query could be made to run."""


@dataclass(frozen=True)
class Check:
    """The outcome of one deterministic check.

    `name` is stable; `message` is a sentence for people, empty when it passed.
    """

    name: str
    outcome: Literal["passed", "warned", "failed"]
    message: str = ""


@dataclass(frozen=True)
class Attempt:
    """One draft and what became of it.

    Attributes:
        sql: as it ran, or as the model wrote it when it never ran.
        mended: what was mended before it ran, a note for each change.
        error: empty when it ran.
        group: drafts with the same number gave the same result; None for those that did not run.
    """

    sql: str
    strategy: str
    source: str = ""
    mended: tuple[str, ...] = ()
    error: str = ""
    rows: int | None = None
    seconds: float = 0.0
    group: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What supports an answer.

    Attributes:
        attempts: every draft, in the order they were made, including those that failed.
        checks: the checks on the answer's own query and result.
        agreement: how many drafts gave the answer's result, of how many that ran.
        fingerprint: of the data when it was asked.
        assumptions: readings that were chosen where the question left them open.
    """

    attempts: tuple[Attempt, ...] = ()
    checks: tuple[Check, ...] = ()
    agreement: tuple[int, int] = (0, 0)
    fingerprint: str = ""
    assumptions: tuple[str, ...] = ()

    @property
    def warnings(self) -> list[str]:
        return [check.message for check in self.checks if check.outcome != "passed"]


@dataclass(frozen=True)
class Reading:
    """One way to read a question that has several: what it takes, its query, and the result."""

    label: str
    sql: str
    table: AnyTable


class Answer(BaseModel):
    """The answer to a question. Its JSON form is what `querist ask --json` prints.

    Attributes:
        understood: the question as it stands alone; differs from `question` where that goes on from an earlier one.
        text: a sentence or a few for people.
        sql: the query whose result `table` is; None when there is none.
        readings: where the question has more than one and must be asked again; empty otherwise.
        steps: of a question that took several; `table` is then that of the last one, or of parts of one row each side
            by side.
        analysis: of a question that asked for statistics by name; `table` then holds its findings.
        timings: seconds by stage (prepare, model, database, …) and `total`.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    question: str
    status: Status
    text: str
    understood: str = ""
    table: AnyTable | None = None
    sql: str | None = None
    source: str = ""
    evidence: Evidence = Evidence()
    readings: tuple[Reading, ...] = ()
    steps: tuple[Step, ...] = ()
    analysis: Analysis | None = None
    usage: Usage = Usage()
    timings: dict[str, float] = Field(default_factory=dict)
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The whole answer as JSON-ready data."""
        return self.model_dump(mode="json")

    @property
    def chart(self) -> Chart | None:
        """The chart that suits the table best, or that of the analysis; None where there is none.

        To draw it takes the extra `charts`.
        """
        from querist.charts.recommend import recommend

        if self.analysis is not None:  # the table holds its findings, which measure different things
            return self.analysis.chart
        if self.table is None:
            return None
        return recommend(self.table, self.understood or self.question, sql=self.sql or "")

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """What a notebook shows: the text, the status, the first rows, the warnings and the query."""
        parts = [f"<p><b>{html.escape(self.text)}</b> <small>[{self.status}]</small></p>"]
        if self.table is not None and self.table.rows:
            head = "".join(f"<th>{html.escape(name)}</th>" for name in self.table.names)
            rows = "".join(
                "<tr>" + "".join(f"<td>{html.escape('' if v is None else str(v))}</td>" for v in row) + "</tr>"
                for row in self.table.rows[:20]
            )
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
            if len(self.table) > 20:
                parts.append(f"<p><small>20 of {len(self.table)} rows</small></p>")
        parts += [f"<p><small>⚠ {html.escape(warning)}</small></p>" for warning in self.evidence.warnings]
        if self.sql:
            parts.append(f"<details><summary>SQL</summary><pre>{html.escape(self.sql)}</pre></details>")
        return "\n".join(parts)


class Step(BaseModel):
    """One step of a question that took several: which earlier ones it needed, and its own answer with its evidence."""

    model_config = ConfigDict(frozen=True)

    number: int
    needs: tuple[int, ...] = ()
    answer: Answer

    @property
    def has_result(self) -> bool:
        """Whether it found something that another step can go on with."""
        return self.answer.table is not None and any(v is not None for row in self.answer.table.rows for v in row)


Answer.model_rebuild()
