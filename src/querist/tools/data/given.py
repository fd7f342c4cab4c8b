"""Data that a tool is given: as a text, or as a file that it may read."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field, model_validator

from querist.core.context import RunContext
from querist.tools.confined import READ, read_text
from querist.tools.tool import ToolInput

MAX_TEXT = 20_000_000
MAX_ROWS = 100_000
"""Rows that a tool takes or gives at most."""

Row: TypeAlias = dict[str, Any]


class TextOrFile(ToolInput):
    """Input that holds a `text`, or the `file_path` of one."""

    text: str | None = Field(default=None, description="The text; or give `file_path`.", max_length=MAX_TEXT)
    file_path: Annotated[str | None, READ] = Field(default=None, description="The file that holds it; or give `text`.")

    @model_validator(mode="after")
    def _one(self) -> TextOrFile:
        if (self.text is None) == (self.file_path is None) and self._takes_text():
            raise ValueError("give either `text` or `file_path`")
        return self

    def _takes_text(self) -> bool:
        return True

    def read(self, context: RunContext, encoding: str | None = None) -> str:
        if self.file_path is None:
            return (self.text or "").removeprefix("\ufeff")  # the mark of a file that somebody pasted
        return read_text(self.file_path, context, encoding, MAX_TEXT)
