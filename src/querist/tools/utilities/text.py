"""`text_manipulator` and `diff_calculator`: texts changed, and compared."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from querist.core.component import Component
from querist.core.context import RunContext
from querist.tools.tool import Told, ToolInput
from querist.tools.utilities.differences import lines, structure
from querist.tools.utilities.text_operations import manipulate
from querist.tools.worker import in_worker

MAX_TEXT = 5_000_000


class Pattern(ToolInput):
    pattern: str = Field(description="A regular expression of Python.", max_length=1000)
    flags: str = Field(
        default="", description="i: any case, m: ^ and $ at lines, s: . matches line ends.", pattern="^[gims]*$"
    )


class Replacement(Pattern):
    replacement: str = Field(description="`\\1` stands for the first group.")
    literal: bool = Field(default=False, description="Whether pattern and replacement are plain text.")


class Replace(ToolInput):
    replace: Replacement


class Extract(ToolInput):
    extract: Pattern


Plain = Literal[
    "trim",
    "toLowerCase",
    "toUpperCase",
    "toTitleCase",
    "collapseWhitespace",
    "removeAccents",
    "slugify",
    "reverse",
    "sortLines",
    "uniqueLines",
]


class TextManipulatorInput(ToolInput):
    text: str = Field(description="The text.", max_length=MAX_TEXT)
    operations: list[Plain | Replace | Extract] = Field(
        description="What to do to it, one after another; `extract` goes on with what it found, one a line.",
        min_length=1,
        max_length=100,
        examples=[["trim", {"replace": {"pattern": "\\s+", "replacement": " "}}]],
    )


class Manipulated(BaseModel):
    text: str
    extracted: list[str] | None = Field(description="What the last `extract` found; the group where there is one.")


class TextManipulator(Component[TextManipulatorInput, Manipulated]):
    name = "text_manipulator"
    description = "Change a text: trim, case, accents, slugs, lines, and replace or extract by regular expressions."

    async def run(self, input: TextManipulatorInput, context: RunContext) -> Manipulated:
        operations = [step if isinstance(step, str) else step.model_dump() for step in input.operations]
        if all(isinstance(step, str) for step in operations):
            return Manipulated.model_validate(await asyncio.to_thread(manipulate, input.text, operations))
        return Manipulated.model_validate(await in_worker(manipulate, input.text, operations))


class DiffCalculatorInput(ToolInput):
    old: Any = Field(description="A text, or any data.")
    new: Any = Field(description="A text, or any data.")
    mode: Literal["text", "structural"] = Field(
        default="text", description="`text` compares line by line, `structural` data field by field."
    )
    context_lines: int = Field(default=3, description="For `text`: equal lines shown around each change.", ge=0, le=100)

    @model_validator(mode="after")
    def _texts(self) -> DiffCalculatorInput:
        if self.mode == "text" and not (isinstance(self.old, str) and isinstance(self.new, str)):
            raise ValueError("`old` and `new` must be texts, or the `mode` `structural`")
        return self


class Difference(BaseModel):
    path: str = Field(description="As a JSON pointer (RFC 6901); empty for the whole.")
    change: Literal["added", "removed", "changed"]
    old: Told = None
    new: Told = None


class Differences(BaseModel):
    equal: bool
    added: int = Field(description="Lines or fields.")
    removed: int
    diff: str | None = Field(default=None, description="For `text`: a unified diff.")
    changes: list[Difference] = Field(default=[], description="For `structural`.")


class DiffCalculator(Component[DiffCalculatorInput, Differences]):
    name = "diff_calculator"
    description = "Tell what differs between two texts, as a unified diff, or between two structures, field by field."

    async def run(self, input: DiffCalculatorInput, context: RunContext) -> Differences:
        if input.mode == "text":
            found = await in_worker(lines, input.old, input.new, input.context_lines)
        else:
            found = await asyncio.to_thread(structure, input.old, input.new)
        return Differences.model_validate(found)
