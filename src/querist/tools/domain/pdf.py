"""`pdf_processor`: text and metadata of a PDF, and new ones from its pages. It reads no pictures of text (no OCR)."""

from __future__ import annotations

import asyncio
import base64
from contextlib import ExitStack
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from querist.core.context import RunContext
from querist.tools.confined import READ, WRITE, open_file, write_bytes
from querist.tools.domain.pdf_work import process
from querist.tools.tool import Tool, ToolInput, require
from querist.tools.worker import in_worker


class PdfProcessorInput(ToolInput):
    operation: Literal["extract_text", "metadata", "split", "merge"] = Field(
        default="extract_text",
        description="`split` writes the chosen pages to a new PDF; `merge` writes this one and `with_files` to one.",
    )
    file_path: Annotated[str, READ] = Field(description="The PDF.")
    pages: list[int] | Literal["all"] = Field(default="all", description="Numbers of pages, from 1.")
    with_files: Annotated[list[str], READ] = Field(
        default=[], description="PDFs to put behind it when merging.", max_length=20
    )
    output_path: Annotated[str | None, WRITE] = Field(default=None, description="The PDF to write.")
    max_characters: int = Field(default=200_000, description="Of text at most.", gt=0, le=5_000_000)
    timeout: float = Field(default=60, description="Seconds that it may take.", gt=0, le=300)

    @model_validator(mode="after")
    def _where_to(self) -> Self:
        if (self.operation in ("split", "merge")) != (self.output_path is not None):
            raise ValueError("split and merge need an output_path, others have none")
        if (self.operation == "merge") != bool(self.with_files):
            raise ValueError("merge needs with_files, others have none")
        if self.pages != "all" and (not self.pages or min(self.pages) < 1):
            raise ValueError("pages are numbers from 1, or 'all'")
        if self.pages != "all" and self.operation == "merge":
            raise ValueError("merge takes whole PDFs: split one first")
        return self


class PdfPage(BaseModel):
    number: int
    text: str


class PdfResult(BaseModel):
    page_count: int = Field(description="Of the PDF, or of the one that was written.")
    pages: list[PdfPage] = []
    truncated: bool = Field(default=False, description="Whether there is more text.")
    metadata: dict[str, str] = {}
    written: str | None = None


class PdfProcessor(Tool[PdfProcessorInput, PdfResult]):
    name = "pdf_processor"
    description = """Take text and metadata out of a PDF, or make a new one of its pages or of several.

    A page that is only a picture of text has none: there is no OCR."""
    permissions = ("file_read", "file_write")

    async def run(self, input: PdfProcessorInput, context: RunContext) -> PdfResult:
        require("pypdf", "read PDF files")
        pages = [] if input.pages == "all" else input.pages
        with ExitStack() as opened:
            files = [opened.enter_context(open_file(path, context)) for path in [input.file_path, *input.with_files]]
            numbers = [file.fileno() for file in files]
            found = await in_worker(
                process, numbers, input.operation, pages, input.max_characters, seconds=input.timeout, keep=numbers
            )
        if input.output_path is not None:
            await asyncio.to_thread(write_bytes, input.output_path, base64.b64decode(found.pop("made")), context)
        return PdfResult(**found, written=input.output_path)
