"""Answer: what `ask` returns, with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from querist.models.base import Usage
from querist.sources.table import Table


class Status(StrEnum):
    """How far an answer can be trusted, best first."""

    VERIFIED = "verified"
    """It matches a verified query, or independent paths agree on it."""
    AGREED = "agreed"
    """Several independent drafts gave the same result."""
    UNVERIFIED = "unverified"
    """It ran and no check vetoed it, but nothing confirms it."""
    NEEDS_CLARIFICATION = "needs_clarification"
    """The question has more than one reading; see the text."""
    REFUSED = "refused"
    """The data cannot answer the question, or answering it is not allowed."""
    FAILED = "failed"
    """No query could be made to run."""


@dataclass(frozen=True)
class Check:
    """The outcome of one deterministic check. `name` is stable; `message` is a sentence for people, empty when it passed."""

    name: str
    outcome: Literal["passed", "warned", "failed"]
    message: str = ""


@dataclass(frozen=True)
class Attempt:
    """One draft and what became of it. `error` is empty when it ran."""

    sql: str
    strategy: str
    source: str = ""
    error: str = ""
    rows: int | None = None
    seconds: float = 0.0
    group: int | None = None
    """Number of the result group that this draft belongs to; drafts in one group gave the same result."""


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
class Answer:
    """The answer to a question.

    Attributes:
        text: a sentence or a few for people.
        sql: the query whose result `table` is; None when there is none.
        timings: seconds by stage (context, model, database, …) and `total`.
    """

    question: str
    status: Status
    text: str
    table: Table | None = None
    sql: str | None = None
    source: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    usage: Usage = field(default_factory=Usage)
    timings: dict[str, float] = field(default_factory=dict)
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The whole answer as JSON-ready data; the shape that `querist ask --json` prints."""
        from dataclasses import asdict

        data = asdict(self)
        data["status"] = str(self.status)
        data["table"] = self.table.to_json() if self.table is not None else None
        data["evidence"]["warnings"] = self.evidence.warnings
        return data
