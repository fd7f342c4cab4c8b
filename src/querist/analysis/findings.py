"""What an analysis found: named values, each with its meaning, and what to know before trusting them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from querist.charts.chart import Chart

Plain = bool | int | float | str | None
FindingValue = Plain | list[Plain]


class Finding(BaseModel):
    """One value.

    Attributes:
        name: an identifier, unique in its findings, such as `mean_price` or `p_value_age_income`.
        meaning: a phrase for people, such as `mean of price where region = 'north'`.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    value: FindingValue
    meaning: str


class Findings(BaseModel):
    """The result of one technique.

    Attributes:
        summary: what was found, in sentences whose every number is one of the values.
        warnings: of assumptions that do not hold, and of rows that were left out.
        chart: a picture of it, where there is something to see; in no JSON.
    """

    model_config = ConfigDict(frozen=True)

    technique: str
    values: list[Finding] = Field(default_factory=list)
    summary: str = ""
    warnings: list[str] = Field(default_factory=list)
    chart: SkipJsonSchema[Chart | None] = Field(default=None, exclude=True)

    def value(self, name: str) -> FindingValue:
        """The value of that name; KeyError when there is none."""
        for finding in self.values:
            if finding.name == name:
                return finding.value
        raise KeyError(name)


class Gathering:
    """Collects findings under unique names."""

    def __init__(self, technique: str) -> None:
        self.technique = technique
        self._values: dict[str, Finding] = {}
        self._said: list[str] = []
        self.warnings: list[str] = []
        self.chart: Chart | None = None

    def add(self, name: str, value: Any, meaning: str) -> None:
        """Keep a value; numpy's types become Python's, and what is not a number becomes None."""
        key, number = identifier(name), 1
        while key in self._values:
            number += 1
            key = f"{identifier(name)}_{number}"
        self._values[key] = Finding(name=key, value=plain(value), meaning=meaning)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def say(self, sentence: str) -> None:
        """Add a sentence to the summary."""
        self._said.append(sentence)

    def left_out(self, rows: int, without: str) -> None:
        """Tell how many rows were not used for lack of something; nothing where there are none."""
        if rows:
            self.warn(f"Rows without {without} are left out: {rows:,}.")

    def done(self) -> Findings:
        values = list(self._values.values())
        said = " ".join(self._said)
        return Findings(technique=self.technique, values=values, summary=said, warnings=self.warnings, chart=self.chart)


def merged(parts: Iterable[Findings]) -> Findings:
    """Several findings as one, with the first of their charts; names that occur again get a number."""
    whole = Gathering("")
    for part in parts:
        whole.chart = whole.chart or part.chart
        for finding in part.values:
            whole.add(finding.name, finding.value, finding.meaning)
        if part.summary:
            whole.say(part.summary)
        for warning in part.warnings:
            whole.warn(warning)
    return whole.done()


def identifier(text: str) -> str:
    """`mean_Price ($)` as `mean_Price`: what a formula can be written with, in the letters of any language."""
    kept = (letter if f"_{letter}".isidentifier() else " " for letter in unicodedata.normalize("NFKC", text))
    return "_".join("".join(kept).split()).strip("_") or "value"


def counted(number: int, what: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def plain(value: Any) -> FindingValue:
    """A value as JSON holds it."""
    if isinstance(value, (list, tuple)):
        return [item if not isinstance(item := plain(v), list) else str(item) for v in value]
    if hasattr(value, "item"):  # numpy's scalars
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
