"""`file_archiver`: makes, lists and unpacks zip and tar archives. What it unpacks is hostile until shown otherwise."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, ClassVar, Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentInputError, SourceFormatError
from querist.tools.confined import fill_folder, open_file, open_folder, resolve, to_read, to_write, write_file
from querist.tools.folders import MAX_DEPTH, Folder, shown
from querist.tools.tool import CHUNK, ThreadTool, ToolInput, chunks, while_wanted

MAX_FILES = 10_000
MAX_CONTENTS = 1000 * MAX_FILES
"""Bytes of the table of contents of a zip archive."""
MAX_BYTES = 2_000_000_000
"""Bytes in all that are packed or unpacked."""
MAX_RATIO = 200
"""Times its own size that an archive may unpack to, beyond `FREE_BYTES`."""
FREE_BYTES = 20_000_000

Format = Literal["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]

_ENDINGS: tuple[tuple[tuple[str, ...], Format], ...] = (
    ((".zip",), "zip"),
    ((".tar",), "tar"),
    ((".tar.gz", ".tgz"), "tar.gz"),
    ((".tar.bz2", ".tbz2"), "tar.bz2"),
    ((".tar.xz", ".txz"), "tar.xz"),
)
_ZIP_BEGINS = 315_619_200
"""1980, before which zip has no times; two days later, for all time zones."""


class FileArchiverInput(ToolInput):
    needed: ClassVar = {"create": ["paths"], "extract": ["destination"]}

    operation: Literal["create", "extract", "list"] = Field(description="What to do.")
    archive: str = Field(description="The archive.")
    paths: list[str] = Field(default=[], description="For `create`: the files and folders to pack. Links are left out.")
    destination: str | None = Field(default=None, description="For `extract`: a folder that is not there yet.")
    format: Format | None = Field(default=None, description="By the ending of the archive's name when left out.")
    compression_level: int = Field(
        default=6, description="For `create`, from 0 (none) to 9; not for tar.xz.", ge=0, le=9
    )


class Packed(BaseModel):
    path: str = Field(description="In the archive.")
    size: int = Field(description="Bytes unpacked.")


class Archive(BaseModel):
    files: list[Packed]
    size: int = Field(description="Bytes of all files, unpacked.")
    left_out: list[str] = Field(default=[], description="What was not packed: links, pipes, what cannot be read.")


class FileArchiver(ThreadTool[FileArchiverInput, Archive]):
    name = "file_archiver"
    description = f"""Make, list or unpack a zip or tar archive.

    Unpacking makes a new folder, as a whole or not at all. An archive with links, with paths that lead out of the
    folder, with more than {MAX_FILES:,} files or {MAX_BYTES // 10**9} GB, or that grows more than {MAX_RATIO}-fold is
    refused."""
    permissions = ("file_read", "file_write")

    def needs(self, input: FileArchiverInput) -> Iterable[Need]:
        if input.operation == "create":
            yield from map(to_read, input.paths)
            yield to_write(input.archive)
            return
        yield to_read(input.archive)
        if input.destination and input.operation == "extract":
            yield to_write(input.destination)

    def work(self, input: FileArchiverInput, context: RunContext) -> Archive:
        return (_create if input.operation == "create" else _unpack)(input, context)


def _create(input: FileArchiverInput, context: RunContext) -> Archive:
    made = Archive(files=[], size=0)
    names: set[str] = set()
    with write_file(input.archive, context) as target, _packer(target, input) as pack:
        for path in input.paths:
            for name, file in while_wanted(_sources(path, context, made.left_out, target), context):
                status = os.fstat(file.fileno())
                if name in names:
                    raise ComponentInputError(f"Two of the paths would be {name!r} in the archive.")
                names.add(name)
                made.files.append(Packed(path=name, size=status.st_size))
                made.size += status.st_size
                _bounded(made)
                pack(name, file, status)
    return made


def _sources(path: str, context: RunContext, left_out: list[str], target: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """The files at a path, open, with their names in the archive. `target` is the archive, which may be among them."""
    root = resolve(path)
    if not root.is_dir():
        with open_file(path, context) as file:
            yield root.name, file
        return
    own = os.fstat(target.fileno())
    with open_folder(path, context) as folder:
        for found in folder.walk():
            name = shown(PurePosixPath(root.name, found.path))
            if found.kind in ("link", "other") or found.unread:
                left_out.append(name)
            elif found.kind == "file" and not os.path.samestat(found.status, own):
                try:
                    file = found.open()
                except OSError:
                    left_out.append(name)
                    continue
                with file:
                    yield name, file


@contextmanager
def _packer(target: BinaryIO, input: FileArchiverInput) -> Iterator[Callable[[str, BinaryIO, os.stat_result], None]]:
    """A function that adds a file to a new archive."""
    form, level = _format(input), input.compression_level
    if form == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:

            def add(name: str, file: BinaryIO, status: os.stat_result) -> None:
                changed = time.localtime(max(status.st_mtime, _ZIP_BEGINS))
                entry = zipfile.ZipInfo(name, changed[:6])
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, status.st_mode << 16
                with archive.open(entry, "w", force_zip64=status.st_size > 2**31) as out:
                    shutil.copyfileobj(file, out, CHUNK)

            yield add
        return
    with _compressed(target, form, "wb", level) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:

        def add_to_tar(name: str, file: BinaryIO, status: os.stat_result) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = status.st_size, status.st_mtime, stat.S_IMODE(status.st_mode)
            tar.addfile(entry, file)

        yield add_to_tar


def _unpack(input: FileArchiverInput, context: RunContext) -> Archive:
    """List an archive, or unpack it as well."""
    found = Archive(files=[], size=0)
    with ExitStack() as held:
        file = held.enter_context(open_file(input.archive, context))
        packed = os.fstat(file.fileno()).st_size
        target = None
        if input.operation == "extract":
            assert input.destination is not None
            target = held.enter_context(fill_folder(input.destination, context))
        try:
            for name, size, content in _members(file, _format(input), packed):
                path = _safe(name)
                found.files.append(Packed(path=path.as_posix(), size=size))
                found.size += size
                _bounded(found, packed)
                if target is not None:
                    with content() as source:
                        try:
                            _save(target, path, chunks(source, context))
                        except (FileExistsError, NotADirectoryError) as error:
                            told = f"The archive holds {name!r} and another thing of that name, or below it."
                            raise SourceFormatError(told) from error
        except (
            zipfile.BadZipFile,
            tarfile.TarError,
            zlib.error,
            lzma.LZMAError,
            EOFError,
            NotImplementedError,
            OSError,
        ) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the system's; what unpacks has no numbers
            raise SourceFormatError(f"{input.archive} cannot be unpacked: {error}.") from error
    return found


Member = tuple[str, int, Callable[[], IO[bytes]]]


def _members(file: BinaryIO, form: Format, packed: int) -> Iterator[Member]:
    """The files of an archive: name, size and a function that opens them. No more than the size can be read of one."""
    if form == "zip":
        # Its table of contents is read as a whole, before anything of it can be counted.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[zipfile._ECD_SIZE] > MAX_CONTENTS:  # type: ignore[attr-defined]
            raise SourceFormatError(f"The archive has more than {MAX_FILES:,} files, which is refused.")
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.flag_bits & 1:
                    raise SourceFormatError(f"{entry.filename!r} is encrypted, which is not supported.")
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise SourceFormatError(f"{entry.filename!r} is a link or a device, which is refused.")
                if not entry.is_dir():
                    yield entry.filename, entry.file_size, partial(archive.open, entry)
        return
    with _compressed(file, form, "rb") as plain:
        counted: Any = _Counted(plain, FREE_BYTES + MAX_RATIO * packed)
        with tarfile.open(fileobj=counted, mode="r|") as tar:
            for item in tar:
                if not (item.isreg() or item.isdir()):
                    raise SourceFormatError(f"{item.name!r} is a link or a device, which is refused.")
                if item.isreg():
                    yield item.name, item.size, partial(_opened, tar, item)


def _opened(tar: tarfile.TarFile, item: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(item)
    assert content is not None, "it is a regular file"
    return content


class _Counted:
    """A stream that ends in an error beyond a number of bytes: what a tar holds beside files can be large as well."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.stream, self.left = stream, limit

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise SourceFormatError(f"The archive grows more than {MAX_RATIO}-fold, which is refused.")
        return data


@contextmanager
def _compressed(file: BinaryIO, form: Format, mode: Literal["rb", "wb"], level: int = 6) -> Iterator[Any]:
    if form == "tar.gz":
        with gzip.GzipFile(fileobj=file, mode=mode, compresslevel=level) as stream:
            yield stream
    elif form == "tar.bz2":
        with bz2.BZ2File(file, mode, compresslevel=max(level, 1)) as stream:
            yield stream
    elif form == "tar.xz":
        with lzma.LZMAFile(file, mode) as stream:
            yield stream
    else:
        yield file


def _save(folder: Folder, path: PurePosixPath, content: Iterable[bytes]) -> None:
    with ExitStack() as held:
        for name in path.parent.parts:
            folder = held.enter_context(folder.enter(name, make=True))
        with folder.create(path.name) as file:
            file.writelines(content)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(shown(PurePosixPath(name)))
    if not path.parts or path.is_absolute() or ".." in path.parts or re.search(r"[\\\0]|^\w:", name):
        raise SourceFormatError(f"The archive holds {name!r}, a path that leads out of the folder; it is refused.")
    if len(path.parts) > MAX_DEPTH:
        raise SourceFormatError(f"The archive holds folders more than {MAX_DEPTH} deep, which is refused.")
    return path


def _bounded(archive: Archive, packed: int | None = None) -> None:
    if len(archive.files) > MAX_FILES:
        raise SourceFormatError(f"The archive has more than {MAX_FILES:,} files, which is refused.")
    if archive.size > MAX_BYTES:
        raise SourceFormatError(f"The files of the archive have more than {MAX_BYTES:,} bytes, which is refused.")
    if packed is not None and archive.size > FREE_BYTES + MAX_RATIO * packed:
        raise SourceFormatError(f"The archive grows more than {MAX_RATIO}-fold, which is refused.")


def _format(input: FileArchiverInput) -> Format:
    if input.format:
        return input.format
    name = input.archive.lower()
    for endings, form in _ENDINGS:
        if name.endswith(endings):
            return form
    raise ComponentInputError(f"{input.archive!r} does not say what kind of archive it is.", hint="Give the `format`.")
