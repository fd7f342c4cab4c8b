"""Analysis: what `analyse` returns: values, words, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from querist.analysis.findings import Finding, FindingValue
from querist.charts.chart import Chart
from querist.models.base import Usage


@dataclass(frozen=True)
class Attempt:
    """One draft. `script` is its plan (JSON) or its code; `agrees`: it says what the analysis says."""

    kind: str
    script: str
    notes: tuple[str, ...] = ()
    error: str = ""
    agrees: bool = False


class Analysis(BaseModel):
    """The answer to a question that is more than a query. Its JSON form is what `querist analyse --json` prints.

    Attributes:
        status: `agreed` when a technique and code say the same and neither guessed, `failed` when nothing could be made
            to run, else `unverified`.
        text: a sentence or a few for people in which every number is a value, else the values themselves.
        techniques: those whose results these are, by name; none where code computed them.
        values: what was asked for, by name.
        findings: everything that was computed on the way, each with its meaning.
        prepared: what was done to the data before, a sentence for each step, and what cleaning changed.
        warnings: assumptions that do not hold, rows left out, guesses, what other drafts say, words of the model that
            hold numbers which no result contains.
        chart: what the first of the techniques found, as a picture; None where code computed it. It is in no JSON form;
            to draw it takes the extra `charts`.
        isolation: where generated code ran; empty when none did.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    status: Literal["agreed", "unverified", "failed"]
    text: str
    techniques: list[str] = Field(default_factory=list)
    values: dict[str, FindingValue] = Field(default_factory=dict)
    findings: list[Finding] = Field(default_factory=list)
    prepared: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    attempts: tuple[Attempt, ...] = ()
    chart: SkipJsonSchema[Chart | None] = Field(default=None, exclude=True)
    isolation: str = ""
    table: str = ""
    usage: Usage = Usage()
    timings: dict[str, float] = Field(default_factory=dict)
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The whole analysis as JSON-ready data."""
        return self.model_dump(mode="json")

    def __str__(self) -> str:
        return self.text
