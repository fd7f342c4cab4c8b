"""What every technique shares: parameters whose columns a schema can list, and work that runs off the event loop."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from querist.analysis.findings import Findings, Gathering
from querist.core.component import Component, ComponentKind
from querist.core.context import RunContext

if TYPE_CHECKING:
    import pandas as pd

BY = r"\b(?:by|per|each|every|separately|within|among|across|for|in)\b"
"""Words with which a question asks for groups."""
A_COLUMN = "a column by its name"
"""Stands for the words of any column, where a parameter takes columns."""
MAX_GROUPS = 30
"""A technique that works group by group refuses more groups than this."""

Column = Annotated[str, Field(json_schema_extra={"x-column": "one"})]
"""A column of the table; schemas list the names there are."""
Amount = Annotated[str, Field(json_schema_extra={"x-column": "number"})]
"""A column of numbers."""
Date = Annotated[str, Field(json_schema_extra={"x-column": "date"})]
"""A column of dates or years."""
Grouping = Annotated[str, Field(json_schema_extra={"x-column": "optional"})]
"""A column whose values make the groups; empty for none."""


def when_asked(words: str) -> Any:
    """A parameter that a question in plain words changes only when it matches one of these words."""
    return Field(json_schema_extra={"x-asked": words})


class Params(BaseModel):
    """Parameters of a technique, in the order in which a model should decide them."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Params)


class Technique(Component[P, Findings]):
    """A standard technique over one data frame: a thin, typed layer on a statistical library.

    Args:
        frame: the data; never changed.
    """

    kind: ComponentKind = "tool"
    output_type = Findings

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame if frame.index.is_unique else frame.reset_index(drop=True)

    @abstractmethod
    def compute(self, params: P) -> Findings:
        """Do the work; blocking.

        Raises:
            UsageError: the data do not fit the technique; the message says why.
        """

    def wanted(self, params: P) -> tuple[str, ...]:
        """What code has to compute to be held against the findings; nothing where it would not do the same."""
        return ()

    async def run(self, input: P, context: RunContext) -> Findings:
        return await asyncio.to_thread(self.compute, input)

    def input_schema(self) -> dict[str, Any]:
        columns = [str(name) for name in self.frame.columns]
        schema: dict[str, Any] = with_columns(self.input_type.model_json_schema(), columns)
        return schema


def groups(frame: pd.DataFrame, by: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The parts of the frame by the values of a column, with what the value is called; the whole when `by` is empty.

    Raises:
        UsageError: there are too many groups.
    """
    from querist.analysis.frame import present
    from querist.errors import UsageError

    if not by:
        yield "", frame
        return
    count = present(frame, by).nunique()
    if count > MAX_GROUPS:
        raise UsageError(
            f"{by!r} has {count:,} different values, which makes too many groups (at most {MAX_GROUPS}).",
            hint="Group by a column with fewer values, or make classes of it first.",
        )
    for value, part in frame.groupby(by, sort=True, observed=True):
        yield label(value), part


def tell_ungrouped(found: Gathering, frame: pd.DataFrame, by: str) -> None:
    """Tell how many rows are in none of the `groups`."""
    if by:
        found.left_out(int(frame[by].isna().sum()), f"a value of {by}")


def label(value: Any) -> str:
    """A group's value as people write it: 1 and not 1.0, a date without a clock."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text.removesuffix(" 00:00:00")


def named(name: str, column: str, by: str, group: str) -> tuple[str, str]:
    """The name and the meaning of a value about a column, in a group of `by`."""
    key = "_".join(part for part in (name, column, group) if part)
    words = f"{name.replace('_', ' ')} of {column}" if column else name.replace("_", " ")
    return key, f"{words} where {by} = {group}" if by else words


def in_time(frame: pd.DataFrame) -> str:
    """The column of dates or years that the rows are in order of; empty when there is none."""
    from pandas.api.types import is_datetime64_any_dtype, is_integer_dtype

    for name, values in frame.items():
        years = is_integer_dtype(values) and values.between(1700, 2200).all()
        if (years or is_datetime64_any_dtype(values)) and values.is_monotonic_increasing and values.is_unique:
            return str(name)
    return ""


def follows(values: pd.Series[float]) -> bool:
    """Whether each value is like the one before it, more than by chance."""
    return len(values) > 4 and float(values.autocorr()) > 2 / len(values) ** 0.5


def with_columns(schema: Any, columns: list[str]) -> Any:
    """A JSON schema in which every place for a column lists these columns."""
    if isinstance(schema, list):
        return [with_columns(item, columns) for item in schema]
    if not isinstance(schema, dict):
        return schema
    place = schema.get("x-column")
    if place:
        return {"type": "string", "enum": [*columns, ""] if place == "optional" else columns}
    return {key: with_columns(value, columns) for key, value in schema.items()}
