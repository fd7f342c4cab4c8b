"""`directory_lister` and `file_metadata`: what there is, without reading it (but for checksums)."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.tools.confined import READ, open_file, open_folder, resolve
from querist.tools.folders import matches, shown
from querist.tools.tool import ThreadTool, ToolInput, chunks, while_wanted

Kind = Literal["file", "folder", "link", "other"]


class DirectoryListerInput(ToolInput):
    path: Annotated[str, READ] = Field(default=".", description="The folder.")
    recursive: bool = Field(default=False, description="With what is in the folders below; links are not followed.")
    pattern: str = Field(default="*", description="Names (`*.csv`), or with a `/` paths below it (`2024/*.csv`).")
    include_metadata: bool = Field(default=False, description="With size, time of change and permissions.")
    limit: int = Field(default=1000, description="Entries at most.", gt=0, le=100_000)


class Listed(BaseModel):
    path: str = Field(description="Relative to the folder.")
    kind: Kind
    size: int | None = None
    modified: datetime | None = None
    permissions: str | None = None


class Listing(BaseModel):
    entries: list[Listed]
    truncated: bool = Field(description="Whether there is more than was listed.")
    unread: list[str] = Field(description="Folders that could not be listed.")


class DirectoryLister(ThreadTool[DirectoryListerInput, Listing]):
    name = "directory_lister"
    description = "List what is in a folder, by a pattern, with the folders below it if asked to."
    permissions = ("file_read",)

    def work(self, input: DirectoryListerInput, context: RunContext) -> Listing:
        listing = Listing(entries=[], truncated=False, unread=[])
        with open_folder(input.path, context) as folder:
            for found in while_wanted(folder.walk(input.recursive), context):
                if found.unread:
                    listing.unread.append(found.name)
                if not matches(found.path, input.pattern):
                    continue
                if len(listing.entries) == input.limit:
                    listing.truncated = True
                    break
                entry = Listed(path=found.name, kind=found.kind)
                if input.include_metadata:
                    entry.size = found.status.st_size
                    entry.modified = _time(found.status.st_mtime)
                    entry.permissions = stat.filemode(found.status.st_mode)
                listing.entries.append(entry)
        return listing


class FileMetadataInput(ToolInput):
    path: Annotated[str, READ] = Field(description="The file or folder.")
    checksums: list[Literal["md5", "sha1", "sha256", "blake2b"]] = Field(
        default=[], description="Checksums to calculate; each file is read for them."
    )


class Metadata(BaseModel):
    path: str = Field(description="Absolute, without links.")
    kind: Kind
    size: int = Field(description="In bytes.")
    modified: datetime
    accessed: datetime
    permissions: str = Field(description="As `ls -l` shows them.")
    mode: str = Field(description="The permissions in octal.")
    mime_type: str | None = Field(description="By the ending of the name.")
    is_link: bool = Field(description="Whether the path that was given is a link; the rest is about what it means.")
    checksums: dict[str, str]


class FileMetadata(ThreadTool[FileMetadataInput, Metadata]):
    name = "file_metadata"
    description = "Tell the size, times, permissions, type and checksums of a file or folder."
    permissions = ("file_read",)

    def work(self, input: FileMetadataInput, context: RunContext) -> Metadata:
        path = resolve(input.path)
        sums = {name: hashlib.new(name, usedforsecurity=False) for name in input.checksums}
        if path.is_dir():
            with open_folder(input.path, context) as folder:
                status = folder.own_status()
        else:
            with open_file(input.path, context) as file:
                status = os.fstat(file.fileno())
                for chunk in chunks(file, context) if sums else ():
                    for each in sums.values():
                        each.update(chunk)
        folderish = stat.S_ISDIR(status.st_mode)
        return Metadata(
            path=shown(path),
            kind="folder" if folderish else "file",
            size=status.st_size,
            modified=_time(status.st_mtime),
            accessed=_time(status.st_atime),
            permissions=stat.filemode(status.st_mode),
            mode=f"{stat.S_IMODE(status.st_mode):04o}",
            mime_type=None if folderish else mimetypes.guess_type(path.name)[0],
            is_link=Path(input.path).expanduser().is_symlink(),
            checksums={} if folderish else {name: each.hexdigest() for name, each in sums.items()},
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
