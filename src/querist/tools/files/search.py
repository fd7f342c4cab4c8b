"""`file_search`: which files have a name, and which lines hold a text."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ByteSize, Field

from querist.core.context import RunContext
from querist.tools.confined import MAX_BYTES, READ, open_folder
from querist.tools.files.searching import search
from querist.tools.tool import Tool, ToolInput
from querist.tools.worker import in_worker


class FileSearchInput(ToolInput):
    path: Annotated[str, READ] = Field(
        default=".", description="The folder; those below it are searched too, links are not followed."
    )
    name: str = Field(
        default="*", description="Names of files (`*.py`), or with a `/` paths below the folder (`docs/*.md`)."
    )
    content: str | None = Field(
        default=None, description="What a line must hold; left out, files are found by name alone."
    )
    regex: bool = Field(
        default=False, description="Whether `content` is a regular expression of Python, and not plain text."
    )
    ignore_case: bool = Field(default=False, description="Whether upper and lower case are the same in `content`.")
    max_file_size: ByteSize = Field(default=ByteSize(MAX_BYTES), description="Larger files are passed over.", gt=0)
    max_results: int = Field(default=100, description="Matches at most.", gt=0, le=10_000)
    timeout: float = Field(default=30, description="Seconds that it may take.", gt=0, le=300)


class Match(BaseModel):
    path: str = Field(description="Relative to the folder.")
    line: int | None = Field(default=None, description="From 1.")
    column: int | None = Field(default=None, description="From 1.")
    text: str | None = Field(default=None, description="The line, cut where it is long.")


class Matches(BaseModel):
    matches: list[Match]
    searched: int = Field(description="Files that were read.")
    skipped: list[str] = Field(description="What was passed over, and why; a hundred at most.")
    truncated: bool = Field(description="Whether there are more matches.")


class FileSearch(Tool[FileSearchInput, Matches]):
    name = "file_search"
    description = """Find files by name, and lines in them by text or regular expression.

    There is no index: the files are read each time."""
    permissions = ("file_read",)
    own_process = True

    async def run(self, input: FileSearchInput, context: RunContext) -> Matches:
        pattern = input.content if input.regex or input.content is None else re.escape(input.content)
        flags = int(re.IGNORECASE) if input.ignore_case else 0
        with open_folder(input.path, context) as folder:
            arguments = (input.name, pattern, flags, int(input.max_file_size), input.max_results)
            kept = () if folder.descriptor is None else (folder.descriptor,)
            found = await in_worker(
                search, str(folder.path), folder.descriptor, *arguments, seconds=input.timeout, keep=kept
            )
        return Matches.model_validate(found)
