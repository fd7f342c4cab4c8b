"""A golden question: what is asked, over which data, and what counts as the right answer. Not for reading them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from querist.sources.table import Value


@dataclass(frozen=True)
class ExpectSql:
    """The answer's rows are those of one of these queries. `source` names the source they ask, of several."""

    queries: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True)
class ExpectTable:
    """The answer has these rows."""

    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class ExpectValue:
    """The answer is one value; a number may differ by `tolerance` (absolute), or by the usual relative bit if None."""

    value: Value
    tolerance: float | None = None


@dataclass(frozen=True)
class ExpectNamed:
    """The answer holds all of these values, by name. A number may be off by half a unit of its last decimal."""

    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExpectStatus:
    """The answer is a reasoned no, or a question in return."""

    status: Literal["refused", "needs_clarification"]


Expected: TypeAlias = ExpectSql | ExpectTable | ExpectValue | ExpectNamed | ExpectStatus


@dataclass(frozen=True)
class Budget:
    """What an answer may cost: seconds, and tokens in and out together. None allows any."""

    seconds: float | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class GoldenQuestion:
    """One question with what is expected.

    Attributes:
        id: unique within its set.
        data: paths or addresses, as `Querist` takes them.
        note: what the program is told beside the question. Nothing of `expected` ever is.
        ordered: whether the order of rows counts; None where the expected query's outermost SELECT decides.
        hardness: of sets that grade their questions, else empty.
        place: where it was written, for messages.
    """

    id: str | int
    question: str
    data: tuple[str, ...]
    expected: Expected
    note: str = ""
    ordered: bool | None = None
    hardness: str = ""
    tags: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    place: str = ""
