"""`file_writer` and `file_converter`: files are written whole or not at all."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentInputError
from querist.tools.confined import read_bytes, resolve, to_read, to_write, write_bytes
from querist.tools.encodings import decode_as, encode_as, text_of
from querist.tools.tool import ThreadTool, ToolInput

BACKUP = ".bak"

_LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}


class FileWriterInput(ToolInput):
    path: str = Field(description="The file; folders above it that are missing are made.")
    content: str = Field(description="All that it will hold; base64 where `encoding` is `binary`.")
    encoding: str = Field(default="utf-8", description="Of the text; `binary` for base64.")
    create_backup: bool = Field(
        default=False, description=f"Keep the file that was there, under its name with `{BACKUP}`."
    )
    atomic_write: Literal[True] = Field(default=True, description="Always: nobody sees a half-written file.")


class WrittenFile(BaseModel):
    path: str
    size: int = Field(description="Bytes written.")
    backup: str | None = Field(default=None, description="Where the file that was there is now.")


class FileWriter(ThreadTool[FileWriterInput, WrittenFile]):
    name = "file_writer"
    description = "Write a file as a whole, keeping the one that was there if asked to."
    permissions = ("file_write",)

    def needs(self, input: FileWriterInput) -> Iterable[Need]:
        yield to_write(input.path)
        if input.create_backup:
            yield to_write(str(resolve(input.path)) + BACKUP)

    def work(self, input: FileWriterInput, context: RunContext) -> WrittenFile:
        if input.encoding == "binary":
            try:
                data = base64.b64decode(input.content, validate=True)
            except ValueError as error:
                raise ComponentInputError(f"The content is not base64: {error}.") from error
        else:
            data = encode_as(input.content, input.encoding)
        path = resolve(input.path)
        existed = path.exists()
        write_bytes(input.path, data, context, BACKUP if input.create_backup else "")
        backup = f"{path}{BACKUP}" if input.create_backup and existed else None
        return WrittenFile(path=str(path), size=len(data), backup=backup)


class FileConverterInput(ToolInput):
    path: str = Field(description="The text file.")
    output_path: str | None = Field(default=None, description="Where to write; the same file when left out.")
    from_encoding: str | None = Field(default=None, description="Found out when left out.")
    to_encoding: str = Field(
        default="utf-8", description="Such as `utf-8`, `utf-8-sig` (with a mark for Excel), `cp1252`."
    )
    line_endings: Literal["keep", "lf", "crlf", "cr"] = Field(default="keep", description="How lines are to end.")


class ConvertedFile(WrittenFile):
    from_encoding: str
    lines_changed: int = Field(description="Lines that end otherwise than before.")


class FileConverter(ThreadTool[FileConverterInput, ConvertedFile]):
    name = "file_converter"
    description = "Convert the encoding and the line endings of a text file."
    permissions = ("file_read", "file_write")

    def needs(self, input: FileConverterInput) -> Iterable[Need]:
        return (to_read(input.path), to_write(input.output_path or input.path))

    def work(self, input: FileConverterInput, context: RunContext) -> ConvertedFile:
        data = read_bytes(input.path, context)
        if input.from_encoding:
            text, encoding = decode_as(data, input.from_encoding, input.path), input.from_encoding
        else:
            text, encoding = text_of(data)
        changed = 0
        if input.line_endings != "keep":
            end = _LINE_ENDS[input.line_endings]
            changed = sum(found != end for found in re.findall(r"\r\n|\r|\n", text))
            text = re.sub(r"\r\n|\r|\n", end, text)
        written = encode_as(text, input.to_encoding)
        target = input.output_path or input.path
        write_bytes(target, written, context)
        return ConvertedFile(
            path=str(resolve(target)), size=len(written), from_encoding=encoding, lines_changed=changed
        )
