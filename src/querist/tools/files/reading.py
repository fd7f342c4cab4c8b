"""`file_reader`: a file's text, or its bytes as base64."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import BaseModel, ByteSize, Field

from querist.core.context import RunContext
from querist.tools.confined import MAX_BYTES, READ, read_bytes
from querist.tools.encodings import decode_as, text_of
from querist.tools.tool import ThreadTool, ToolInput


class FileReaderInput(ToolInput):
    path: Annotated[str, READ] = Field(description="The file.")
    encoding: str | None = Field(
        default=None, description="Such as `utf-8`; `binary` for base64. Found out when left out.", examples=["utf-8"]
    )
    max_size: ByteSize = Field(
        default=ByteSize(MAX_BYTES),
        description="Larger files are refused: bytes, or such as `10MB`.",
        gt=0,
        le=100_000_000,
    )


class FileContent(BaseModel):
    content: str = Field(description="The text; base64 where `encoding` is `binary`.")
    encoding: str
    size: int = Field(description="Bytes of the file.")


class FileReader(ThreadTool[FileReaderInput, FileContent]):
    name = "file_reader"
    description = "Read a file: its text in any encoding, or its bytes as base64."
    permissions = ("file_read",)

    def work(self, input: FileReaderInput, context: RunContext) -> FileContent:
        data = read_bytes(input.path, context, input.max_size)
        if input.encoding is None:
            text, encoding = text_of(data)
            if "\0" not in text:
                return FileContent(content=text, encoding=encoding, size=len(data))
        elif input.encoding != "binary":
            return FileContent(
                content=decode_as(data, input.encoding, input.path), encoding=input.encoding, size=len(data)
            )
        return FileContent(content=base64.b64encode(data).decode(), encoding="binary", size=len(data))
